"""Publishes tables as a DuckDB file of their own, for readers: BI tools, notebooks, other programs.

While a run writes, no other process can open the warehouse; the published file can be read at any time, and who has it
open goes on reading the old one when a new one takes its place. Which tables belong into it is decided by the callers
(`cx_intel.orchestration.assets.publication`); how to read it stands in docs/read-the-data.md.
"""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from cx_intel.warehouse.duckdb.database import Database, escaped, quoted
from cx_intel.warehouse.duckdb.state import CHECK_RESULTS
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

TARGET = "cx_published"
"""The name under which the new file is attached while it is written."""


def publish(
    database: Database, schema: str, tables: Mapping[str, str], file: Path, *, newest: date | None, days: int
) -> dict[str, int]:
    """As `Warehouse.publish`, of tables that are there; the rows of each.

    Args:
        database: The open file; it is read through its own connection alone.
        schema: The portfolio.
        tables: Table: the date column that tells its snapshots; empty for a table copied whole.
        file: What to replace.
        newest: The newest day of the portfolio.
        days: Days of each snapshot table, up to the newest.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    remove(new)
    connection = database.connection
    ((live,),) = connection.execute("SELECT current_database()").fetchall()  # all, or Ibis finds the connection in use
    connection.execute(f"ATTACH '{escaped(new)}' AS {TARGET}")
    try:
        rows = {
            table: _copy(connection, schema, table, _span(connection, schema, table, column, newest, days))
            for table, column in tables.items()
        }
        _copy_checks(database, schema)
        _note(connection, schema, newest)
        _show_latest(connection, live, [table for table, column in tables.items() if column == "as_of"])
        connection.execute(f"DETACH {TARGET}")
    except BaseException:
        connection.execute(f"DETACH DATABASE IF EXISTS {TARGET}")
        remove(new)
        raise
    put_in_place(new, file)
    return rows


def put_in_place(new: Path, file: Path) -> None:
    """Replaces `file` by `new`, on the disk and for reading alone; whoever has the old one open keeps it."""
    handle = os.open(new, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    new.chmod(new.stat().st_mode & ~0o222)
    os.replace(new, file)


def remove(file: Path) -> None:
    """Removes a DuckDB file that an earlier try left, and its log."""
    file.unlink(missing_ok=True)
    file.with_name(file.name + ".wal").unlink(missing_ok=True)


def _copy(connection: duckdb.DuckDBPyConnection, schema: str, table: str, condition: str) -> int:
    connection.execute(f'CREATE TABLE {TARGET}.main."{table}" AS FROM {quoted(schema, table)} {condition}')
    ((count,),) = connection.execute(f'SELECT count(*) FROM {TARGET}.main."{table}"').fetchall()
    return int(count)


def _span(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str, as_of: date | None, days: int
) -> str:
    """The condition on the snapshots to copy: by literal days, so that older ones are not even looked at."""
    if not column:
        return ""
    name = quoted(schema, table)
    if as_of is not None:
        first = as_of - timedelta(days=days - 1)
        condition = f"WHERE \"{column}\" >= DATE '{first.isoformat()}'"
        ((found,),) = connection.execute(f"SELECT count(*) FROM {name} {condition}").fetchall()
        if found:
            return condition
    # nothing so new: the table is empty that day, or was kept as it stood. Its own newest days, as `_latest` shows them
    return f'WHERE "{column}" > (SELECT max("{column}") FROM {name}) - {int(days)}'


def _copy_checks(database: Database, schema: str) -> None:
    if database.exists(STATE_SCHEMA, CHECK_RESULTS):
        database.connection.execute(
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
