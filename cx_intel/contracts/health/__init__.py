"""Contracts of the tables of health."""
