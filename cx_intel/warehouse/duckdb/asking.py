"""Answers one query of a person over a file that is only read: nothing can be written with it, and no other file reached.

The query is the person's own, so this is the one place that takes SQL from outside. What the program asks itself goes
through `warehouse.py`; how files are published that such queries read: `publish.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from cx_intel.warehouse.duckdb.access.opening import reading_alone
from cx_intel.warehouse.errors import WarehouseError

READS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
"""What a query may be; `FROM`, `WITH`, `VALUES`, `SHOW`, `DESCRIBE` and `SUMMARIZE` are such."""


@dataclass(frozen=True)
class QueryAnswer:
    """The first rows of a query: its columns, their values, and whether there are more rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    has_more: bool


def query(file: Path, text: str, *, schema: str, limit: int | None) -> QueryAnswer:
    """What a query gives.

    Args:
        file: The warehouse, or a published copy.
        text: One statement that reads.
        schema: Where its tables are looked up first.
        limit: How many rows; None: all.

    Raises:
        WarehouseError: The file cannot be read, the statement is none that reads, or what DuckDB said.
    """
    with _confined(file, schema) as connection:
        try:
            statements = connection.extract_statements(text)
            if len(statements) != 1 or statements[0].type not in READS:
                raise WarehouseError(
                    "Only one query that reads is taken: SELECT, FROM, WITH, DESCRIBE, SUMMARIZE, SHOW."
                )
            connection.execute(statements[0])
            columns = tuple(str(column[0]) for column in connection.description or ())
            found = connection.fetchall() if limit is None else connection.fetchmany(limit + 1)
        except duckdb.Error as error:
            raise WarehouseError(f"The query fails: {str(error).strip()}") from error
    rows = [tuple(row) for row in found]
    return QueryAnswer(columns, rows if limit is None else rows[:limit], limit is not None and len(rows) > limit)


@contextmanager
def _confined(file: Path, schema: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file alone, which no statement can free again."""
    with reading_alone(file) as database:
        connection = database.connection
        connection.execute(f"SET search_path = '{schema}'")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
