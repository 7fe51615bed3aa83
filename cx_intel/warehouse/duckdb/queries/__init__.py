"""Queries of sources over their files, each in a DuckDB of its own."""
