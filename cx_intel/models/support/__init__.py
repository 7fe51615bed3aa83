"""Tickets against their targets."""
