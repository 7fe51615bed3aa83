"""How a DuckDB file is opened: for writing, for reading beside a run, and within which limits."""
