"""Signals, scores, tiers, drivers and changes of health, and churn risk."""
