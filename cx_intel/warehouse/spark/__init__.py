"""Tables of a portfolio on a Spark cluster, as Iceberg tables, beside the DuckDB file that holds all else."""
