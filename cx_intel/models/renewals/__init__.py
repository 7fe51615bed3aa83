"""Renewals, interventions, the outlook, lifecycle events and roll-ups."""
