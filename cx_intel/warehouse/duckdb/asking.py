"""Answers a person's own SQL over a file that is only read: a whole query, or one condition on the rows of a table.

Nothing can be written with it, and no other file reached: this is the one place that takes SQL from outside. What the
program asks itself goes through `warehouse.py`; how files are published that such queries read: `publish.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.warehouse.duckdb.access.opening import reading_alone
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Warehouse

DIALECT = "duckdb"
LISTED = "listed"
"""The name of the rows that a condition is on."""
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


def rows_where(warehouse: Warehouse, rows: ir.Table, condition: str) -> ir.Table:
    """The rows that meet a condition.

    Args:
        warehouse: Where they are.
        rows: The rows of a table.
        condition: One condition on its columns in DuckDB's SQL, without subqueries: these are for `query`.

    Raises:
        WarehouseError: It is none, names a column that the rows have not, or what DuckDB said.
    """
    parsed = _condition(condition)
    for column in parsed.find_all(exp.Column):
        _known_column(column, rows.columns)
    text = sqlglot.select("*").from_(LISTED).where(parsed).sql(DIALECT)
    chosen = ops.SQLStringView(parent=rows.alias(LISTED).op(), query=text, schema=rows.schema()).to_expr()
    try:
        warehouse.count(chosen)
    except duckdb.Error as error:
        said = str(error).strip().splitlines()[0]
        raise WarehouseError(f"The condition {condition!r} fails: {said}") from error
    return chosen


def _condition(text: str) -> exp.Expr:
    try:
        parsed = sqlglot.parse(text, dialect=DIALECT)
    except SqlglotError as error:
        raise WarehouseError(f"{text!r} is no condition: {str(error).splitlines()[0]}") from error
    if len(parsed) != 1 or parsed[0] is None or parsed[0].find(exp.Query, exp.DDL, exp.DML, exp.Command):
        raise WarehouseError(
            f"{text!r} is not one condition on the columns of the table, such as \"segment = 'SMB' AND arr > 5000\"; "
            "whole queries are for `cx-intel sql`."
        )
    return parsed[0]


def _known_column(column: exp.Column, known: tuple[str, ...]) -> None:
    if column.name.lower() in {name.lower() for name in known}:
        return
    meant = did_you_mean(column.name, known)
    there = "" if meant else f" The columns are {', '.join(known)}."
    raise WarehouseError(
        f"There is no column {column.name!r}{meant}; text is written in quotes: '{column.name}'.{there}"
    )


@contextmanager
def _confined(file: Path, schema: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file alone, which no statement can free again."""
    with reading_alone(file) as database:
        connection = database.connection
        connection.execute(f"SET search_path = '{schema}'")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
