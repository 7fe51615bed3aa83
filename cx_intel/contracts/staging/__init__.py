"""Contracts of the staged tables."""
