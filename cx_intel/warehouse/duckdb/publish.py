"""Publishes tables as a DuckDB file of their own, for readers: BI tools, notebooks, other programs.

While a run writes, no other process can open the warehouse; the published file can be read at any time, and who has it
open goes on reading the old one when a new one takes its place. Which tables belong into it is decided by the callers
(`cx_intel.orchestration.assets.publication`); how to read it stands in docs/read-the-data.md.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from cx_intel.warehouse.duckdb.state import CHECK_RESULTS, STATE_SCHEMA
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse

TARGET = "cx_published"
"""The name under which the new file is attached while it is written."""


@dataclass(frozen=True)
class Publication:
    """What was published: the file, its size, the rows of each table, and tables that the warehouse has not."""

    file: Path
    bytes: int
    rows: dict[str, int]
    missing: tuple[str, ...]


def publish(
    warehouse: DuckDBWarehouse, schema: str, tables: Mapping[str, str], file: Path, *, snapshot_days: int = 1
) -> Publication:
    """Copies tables into `file`, which changes from the old contents to the new from one instant to the next.

    The tables stand in the file's main schema, so that a file named after the portfolio is asked for
    `<portfolio>.<table>`, as the warehouse is. With them: `<table>_latest` of each snapshot, the portfolio's
    `check_results`, and `publication`, one row that tells the newest day and when it was published.

    Args:
        warehouse: The open warehouse; the live file is read through its own connection alone.
        schema: The portfolio.
        tables: Table: the date column that tells its snapshots; empty for a table copied whole.
        file: What to replace.
        snapshot_days: Days of each snapshot table, up to the newest.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    forget(new)
    having = {table: column for table, column in tables.items() if warehouse.exists(schema, table)}
    as_of = warehouse.newest(schema)
    connection = warehouse.backend.con
    ((live,),) = connection.execute("SELECT current_database()").fetchall()  # all, or Ibis finds the connection in use
    connection.execute(f"ATTACH '{escaped(new)}' AS {TARGET}")
    try:
        rows = {
            table: _copy(
                connection,
                f'"{schema}"."{table}"',
                table,
                _span(connection, schema, table, column, as_of, snapshot_days),
            )
            for table, column in having.items()
        }
        _copy_checks(connection, warehouse, schema)
        _note(connection, schema, as_of)
        _show_latest(connection, live, [table for table, column in having.items() if column == "as_of"])
        connection.execute(f"DETACH {TARGET}")
    except BaseException:
        connection.execute(f"DETACH DATABASE IF EXISTS {TARGET}")
        forget(new)
        raise
    put_in_place(new, file)
    return Publication(file, file.stat().st_size, rows, tuple(t for t in tables if t not in having))


def put_in_place(new: Path, file: Path) -> None:
    """Replaces `file` by `new`, on the disk and for reading alone; whoever has the old one open keeps it."""
    handle = os.open(new, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    new.chmod(new.stat().st_mode & ~0o222)
    os.replace(new, file)


def forget(file: Path) -> None:
    """Removes what an earlier try left."""
    file.unlink(missing_ok=True)
    file.with_name(file.name + ".wal").unlink(missing_ok=True)


def escaped(path: Path) -> str:
    """The path as it stands between single quotes."""
    return str(path).replace("'", "''")


def _copy(connection: duckdb.DuckDBPyConnection, source: str, table: str, condition: str) -> int:
    connection.execute(f'CREATE TABLE {TARGET}.main."{table}" AS FROM {source} {condition}')
    ((count,),) = connection.execute(f'SELECT count(*) FROM {TARGET}.main."{table}"').fetchall()
    return int(count)


def _span(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str, as_of: date | None, days: int
) -> str:
    """The condition on the snapshots to copy: by literal days, so that older ones are not even looked at."""
    if not column:
        return ""
    name = f'"{schema}"."{table}"'
    if as_of is not None:
        first = as_of - timedelta(days=days - 1)
        condition = f"WHERE \"{column}\" >= DATE '{first.isoformat()}'"
        ((found,),) = connection.execute(f"SELECT count(*) FROM {name} {condition}").fetchall()
        if found:
            return condition
    # nothing so new: the table is empty that day, or was kept as it stood. Its own newest days, as `_latest` shows them
    return f'WHERE "{column}" > (SELECT max("{column}") FROM {name}) - {int(days)}'


def _copy_checks(connection: duckdb.DuckDBPyConnection, warehouse: DuckDBWarehouse, schema: str) -> None:
    if warehouse.exists(STATE_SCHEMA, CHECK_RESULTS):
        connection.execute(
            f"CREATE TABLE {TARGET}.main.{CHECK_RESULTS} AS FROM {STATE_SCHEMA}.{CHECK_RESULTS} WHERE schema_name = ?",
            [schema],
        )


def _note(connection: duckdb.DuckDBPyConnection, schema: str, as_of: date | None) -> None:
    connection.execute(
        f"CREATE TABLE {TARGET}.main.publication AS "
        "SELECT ?::VARCHAR AS portfolio, ?::DATE AS as_of, ?::TIMESTAMP AS published_at",
        [schema, as_of, datetime.now(UTC).replace(tzinfo=None)],
    )


def _show_latest(connection: duckdb.DuckDBPyConnection, live: str, tables: list[str]) -> None:
    connection.execute(f"USE {TARGET}")  # views remember the names that they are made with: the file's own, unqualified
    try:
        for table in tables:
            connection.execute(
                f'CREATE VIEW "{table}_latest" AS FROM "{table}" WHERE as_of = (SELECT max(as_of) FROM "{table}")'
            )
    finally:
        connection.execute(f'USE "{live}"')
