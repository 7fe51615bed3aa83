"""The weekly brief."""
