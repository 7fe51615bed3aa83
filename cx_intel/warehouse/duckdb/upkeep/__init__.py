"""The DuckDB file beyond a run: back-ups, upgrades, and changes of rows that stand."""
