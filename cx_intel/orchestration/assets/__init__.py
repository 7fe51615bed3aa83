"""How a table becomes a Dagster asset: what it reads, what is checked, where it is written."""
