"""Databases that somebody else keeps: queries of sources, and texts of Dagster's storage."""
