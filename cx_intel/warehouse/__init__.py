"""Where tables are kept: the only package that knows one engine from another.

`duckdb/warehouse.py` keeps tables in a DuckDB file, `processes/lock.py` lets one run write at a time, `io_manager.py` joins
both to Dagster. What the tables contain is decided in the models.
"""
