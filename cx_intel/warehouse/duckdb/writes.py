"""Which write of a table was the last: an id that changes with every change of its rows, whoever makes it.

It is noted by the one method through which tables are changed (`Database.change`), in the same transaction. What is
concluded from it, that a table need not be made again, stands in `made.py`; other state in `state.py`.
"""

import uuid
from collections.abc import Iterable
from typing import TypeAlias

import duckdb

STATE_SCHEMA = "cx_state"
WRITES, MADE = "writes", "made"
_WRITES, _MADE = f"{STATE_SCHEMA}.{WRITES}", f"{STATE_SCHEMA}.{MADE}"
Changed: TypeAlias = tuple[str, str, str]
"""Schema, table and part of a table that was changed; the part is empty where it was all of it."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the tables in which it is kept, where they are not there."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {STATE_SCHEMA}")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {_WRITES} "
        "(schema_name VARCHAR, table_name VARCHAR, part VARCHAR, write_id VARCHAR)"
    )
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {_MADE} "
        "(schema_name VARCHAR, name VARCHAR, recipe VARCHAR, inputs VARCHAR, told VARCHAR)"
    )


def note(connection: duckdb.DuckDBPyConnection, changed: Iterable[Changed]) -> None:
    """Gives each changed table, or part of one, a new id, and forgets what it was made from."""
    for schema, table, part in sorted(changed):
        of_part = "" if not part else " AND part = ?"
        connection.execute(
            f"DELETE FROM {_WRITES} WHERE schema_name = ? AND table_name = ?{of_part}",
            [schema, table, *([part] if part else [])],
        )
        connection.execute(f"INSERT INTO {_WRITES} VALUES (?, ?, ?, ?)", [schema, table, part, uuid.uuid4().hex])
        connection.execute(f"DELETE FROM {_MADE} WHERE schema_name = ? AND name = ?", [schema, table])


def forget_made(connection: duckdb.DuckDBPyConnection, schema: str | None) -> None:
    """Forgets of everything in a schema, or in all of them, what it was made from."""
    connection.execute(f"DELETE FROM {_MADE} WHERE schema_name = coalesce(?, schema_name)", [schema])


def ids(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[tuple[str, str], str]:
    """Table and part: the id of its last write; of tables that were made before ids were kept there is none."""
    found = connection.execute(f"SELECT table_name, part, write_id FROM {_WRITES} WHERE schema_name = ?", [schema])
    return {(table, part): write_id for table, part, write_id in found.fetchall()}
