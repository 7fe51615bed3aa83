"""Rows of a table as a reader at a terminal wants them: in the order of its ranks, of one day, numbers and days short.

Nothing is computed here. The command is `cx_intel.cli.commands.show`, how rows are laid out stands in `cx_intel.cli.output`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.reports.data.row_order import order_of
from cx_intel.reports.words.rounding import rounded
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Warehouse

DECIMALS = 4
DAY = "as_of"


@dataclass(frozen=True)
class Listed:
    """The first rows of a table, a mapping for each, and how many rows there are."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    count: int


def listed_rows(
    warehouse: Warehouse,
    table: str,
    portfolio: Portfolio,
    *,
    limit: int,
    as_of: date | None = None,
    columns: Sequence[str] = (),
    chosen: Callable[[ir.Table], ir.Table] = lambda rows: rows,
) -> Listed:
    """The first rows of a table, with their values as they are.

    Args:
        warehouse: Where the table is.
        table: Its name, or that of the view of its newest day.
        portfolio: Whose contracts say the order; a table without one is read as it lies.
        limit: How many rows.
        as_of: Only rows of that day.
        columns: Only these; all of them where none is named.
        chosen: Which of the rows are meant.

    Raises:
        WarehouseError: A day is wanted of a table that keeps none, or one that it has not; it has no such column.
    """
    rows = warehouse.table(table)
    for column in columns:
        _known_column(rows, table, column)
    if as_of is not None:
        rows = _of_day(rows, table, as_of, warehouse)
    rows = chosen(rows)
    if order := _order(rows, table, portfolio):
        rows = rows.order_by(order)
    wanted = tuple(columns) or rows.columns
    return Listed(wanted, warehouse.rows(rows.limit(limit).select(*wanted)), warehouse.count(rows))


def table_rows(
    warehouse: Warehouse,
    table: str,
    portfolio: Portfolio,
    *,
    limit: int,
    as_of: date | None = None,
    where: Mapping[str, str] = {},
) -> pd.DataFrame:
    """The first rows of a table as `listed_rows` gives them, each value as text, None where there is none.

    `where` gives the text that the values of a column are to be; all else is as of `listed_rows`.
    """

    def chosen(rows: ir.Table) -> ir.Table:
        for column, text in where.items():
            _known_column(rows, table, column)
            rows = rows.filter(rows[column].cast("string") == ibis.literal(text))
        return rows

    found = listed_rows(warehouse, table, portfolio, limit=limit, as_of=as_of, chosen=chosen)
    texts = [{name: as_text(value) for name, value in row.items()} for row in found.rows]
    return pd.DataFrame(texts, columns=list(found.columns))


def _known_column(rows: ir.Table, table: str, column: str) -> None:
    if column not in rows.columns:
        meant = did_you_mean(column, rows.columns)
        raise WarehouseError(f"The table {table!r} has no column {column!r}{meant}; it has {', '.join(rows.columns)}.")


def as_text(value: Any) -> str | None:
    """A value in few characters: at most 4 decimals, days without a time of day."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return None
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return str(float(rounded(value, DECIMALS)) if isinstance(value, float) else value)


def _of_day(rows: ir.Table, table: str, as_of: date, warehouse: Warehouse) -> ir.Table:
    if not isinstance(rows.schema().get(DAY), dt.Date):
        raise WarehouseError(f"The table {table!r} has no column as_of, so it has no rows of a day: leave out --as-of.")
    chosen = rows.filter(rows[DAY] == ibis.literal(as_of))
    if warehouse.count(chosen) == 0:
        (days,) = warehouse.rows(rows.agg(first=rows[DAY].min(), last=rows[DAY].max()))
        known = f"its days are from {days['first']} to {days['last']}" if days["first"] else "it is empty"
        raise WarehouseError(f"The table {table!r} has no rows as of {as_of}; {known}.")
    return chosen


def _order(rows: ir.Table, table: str, portfolio: Portfolio) -> list[ir.Value]:
    """The newest day first, in it by rank, else by grain."""
    name = table.removesuffix("_latest")
    if name not in tables_of(portfolio):
        return []
    contract = contract_of(name, portfolio)
    by_day = [DAY] if contract.kind == "snapshot" and DAY in rows.columns else []
    named = dict.fromkeys((*by_day, *order_of(rows, contract)))
    return [rows[column].desc() if column in by_day else rows[column] for column in named]
