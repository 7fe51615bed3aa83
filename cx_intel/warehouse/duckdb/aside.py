"""Rows that are put aside in temporary tables: of one day after the other, or of all days in one query.

A query for many days is one for a single day within LATERAL, whose day DuckDB takes for a column by itself: it is written
and planned once, and a join in place of a loop. Tables of the portfolio are written in `warehouse.py`.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.warehouse.duckdb.database import Database, as_expression
from cx_intel.warehouse.many_days import PARAMETER, OfManyDays, of_many_days
from cx_intel.warehouse.protocol import ASIDE_DAY, Rows

DAYS = "_cx_days"
CALL = re.compile(rf"{PARAMETER}\((?:CAST\()?(\d+)(?: AS \w+\))?\)", re.IGNORECASE)


def keep_for_now(database: Database, name: str, rows: Rows, like: ibis.Schema) -> ir.Table:
    """As `Warehouse.keep_for_now`, under a name of all portfolios' own."""
    database.connection.execute(
        f'CREATE OR REPLACE TEMP TABLE "{name}" AS {_with_days(database.sql(rows, like), like)}'
    )
    return database.passing_table(name, like)


def put_aside(
    database: Database, name: str, make: Callable[[date], Rows], days: Sequence[date], like: ibis.Schema
) -> ir.Table:
    """As `Warehouse.put_aside`, under a name of all portfolios' own."""
    first, found = make(days[0]), None
    if len(days) > 1 and isinstance(first, ir.Table):
        found = of_many_days(lambda day: as_expression(first if day == days[0] else make(day), like), days)
    columns = ibis.schema({ASIDE_DAY: "date", **like})
    if found is not None:
        _make_at_once(database, name, found, days, columns)
        return database.passing_table(name, columns)
    for number, day in enumerate(days):
        rows = as_expression(make(day) if number else first, like)
        query = _with_days(
            database.sql(rows.mutate(**{ASIDE_DAY: ibis.literal(day)}).select(*columns), columns), columns
        )
        begin = f'INSERT INTO temp."{name}" BY NAME' if number else f'CREATE OR REPLACE TEMP TABLE "{name}" AS'
        database.connection.execute(f"{begin} {query}")
    return database.passing_table(name, columns)


def drop_aside(database: Database, names: str) -> None:
    """As `Warehouse.drop_aside`, of names of all portfolios' own."""
    found = database.connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, ?)", [names]
    ).fetchall()
    for (name,) in found:
        database.connection.execute(f'DROP TABLE temp."{name}"')


def _with_days(query: str, like: ibis.Schema) -> str:
    """The query with days as days: DuckDB makes times of a day less an interval, and Ibis does not know of it."""
    days = [f'CAST("{column}" AS DATE) AS "{column}"' for column, kind in like.items() if kind.is_date()]
    return f"SELECT * REPLACE ({', '.join(days)}) FROM ({query})" if days else query


def _make_at_once(database: Database, name: str, found: OfManyDays, days: Sequence[date], like: ibis.Schema) -> None:
    columns = {
        f"p{number}": pa.array(v, kind.to_pyarrow())
        for number, (kind, v) in enumerate(zip(found.types, found.values, strict=True))
    }
    database.connection.register(DAYS, pa.table({ASIDE_DAY: pa.array(days, pa.date32()), **columns}))
    query = CALL.sub(rf"{DAYS}.p\1", database.sql(found.rows))
    try:
        of_days = _with_days(f"SELECT {DAYS}.{ASIDE_DAY}, made.* FROM {DAYS}, LATERAL ({query}) AS made", like)
        database.connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {of_days}')
    finally:
        database.connection.unregister(DAYS)
