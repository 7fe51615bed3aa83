"""What Dagster recorded of runs, without a subject: in its SQLite files and in PostgreSQL."""
