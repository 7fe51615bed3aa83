"""What the DuckDB file remembers of tables on a cluster: the snapshot that the view of each one shows.

No Spark is needed for it, nor to read the views. Who writes the tables: `warehouse.py`.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.database import Database, quoted
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

ICEBERG = "iceberg"
"""The folder in the home for the tables of clusters whose settings name no other place."""
SNAPSHOTS = "cluster_snapshots"
_SNAPSHOTS = f"{STATE_SCHEMA}.{SNAPSHOTS}"


def cluster_files(home: Path, portfolio: str) -> Path:
    """The folder of a portfolio's tables on a cluster whose settings name no other place."""
    return home / ICEBERG / portfolio


def snapshots(database: Database, schema: str) -> dict[str, int]:
    """The tables of a portfolio that live on a cluster, each with the Iceberg snapshot that its view shows."""
    if not database.exists(STATE_SCHEMA, SNAPSHOTS):
        return {}
    found = database.connection.execute(
        f"SELECT table_name, snapshot_id FROM {_SNAPSHOTS} WHERE schema_name = ? ORDER BY 1", [schema]
    )
    return {table: int(snapshot) for table, snapshot in found.fetchall()}


def shown_in(files: Iterable[Path], schema: str) -> dict[Path, list[str]]:
    """The tables of a portfolio on a cluster that DuckDB files show, by file; of those that are there and show any."""
    found = {}
    for file in files:
        if file.exists():
            with reading(file) as database:
                found[file] = list(snapshots(database, schema))
    return {file: tables for file, tables in found.items() if tables}


def remember_snapshot(database: Database, schema: str, table: str, snapshot: int) -> None:
    """Remembers it in place of the one before: to be said in the transaction that changes the view."""
    database.ensure_schema(STATE_SCHEMA)
    if not database.exists(STATE_SCHEMA, SNAPSHOTS):
        database.connection.execute(
            f"CREATE TABLE {_SNAPSHOTS} (schema_name VARCHAR, table_name VARCHAR, snapshot_id BIGINT)"
        )
    _forget(database, schema, table)
    database.connection.execute(f"INSERT INTO {_SNAPSHOTS} VALUES (?, ?, ?)", [schema, table, snapshot])


def bring_home(database: Database, schema: str, apart_from: Collection[str] = ()) -> list[str]:
    """Copies the tables of a portfolio from its cluster into the DuckDB file, in one transaction; which they were.

    Args:
        database: The open warehouse.
        schema: The portfolio.
        apart_from: The tables that live there by its YAML: none where that names no cluster any more.
    """
    found = [table for table in snapshots(database, schema) if table not in apart_from]
    copy_home(database, schema, found)
    return found


def copy_home(database: Database, schema: str, tables: Iterable[str]) -> None:
    """Copies tables from the cluster into the DuckDB file, in one transaction. What lies on the cluster stays there."""
    with database.transaction():
        for table in tables:
            name, passing = quoted(schema, table), quoted(schema, f"_from_cluster_{table}")
            database.connection.execute(f"CREATE TABLE {passing} AS FROM {name}")
            database.connection.execute(f"DROP VIEW {name}")
            database.connection.execute(f'ALTER TABLE {passing} RENAME TO "{table}"')
            database.forget(schema, table)
            _forget(database, schema, table)


def _forget(database: Database, schema: str, table: str) -> None:
    database.connection.execute(f"DELETE FROM {_SNAPSHOTS} WHERE schema_name = ? AND table_name = ?", [schema, table])
