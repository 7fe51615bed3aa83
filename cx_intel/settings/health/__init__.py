"""Settings of signals, curves, health models and conditions."""
