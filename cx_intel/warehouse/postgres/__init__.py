"""Tables of a portfolio computed and kept in a PostgreSQL server, beside the DuckDB file, which has the same rows."""
