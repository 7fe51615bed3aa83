"""Vendors' own systems, read over HTTP: one client for all, and a reader for each vendor."""
