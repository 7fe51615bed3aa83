"""Rows of a table as a reader at a terminal wants them: in the order of its ranks, of one day, numbers and days short.

Nothing is computed here. The commands are in `cx_intel.cli.app`, how rows are laid out stands in `cx_intel.cli.output`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.reports.exports.tables import RANKS
from cx_intel.reports.words.rounding import rounded
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Warehouse

DECIMALS = 4
DAY = "as_of"


def table_rows(
    warehouse: Warehouse,
    table: str,
    portfolio: Portfolio,
    *,
    limit: int,
    as_of: date | None = None,
    where: Mapping[str, str] = {},
) -> pd.DataFrame:
    """The first rows of a table, each value as text, None where there is none.

    Args:
        warehouse: Where the table is.
        table: Its name, or that of the view of its newest day.
        portfolio: Whose contracts say the order; a table without one is read as it lies.
        limit: How many rows.
        as_of: Only rows of that day.
        where: Column: the text that its values are to be.

    Raises:
        WarehouseError: A day is wanted of a table that keeps none, or one that it has not; it has no such column.
    """
    rows = warehouse.table(table)
    for column, text in where.items():
        if column not in rows.columns:
            raise WarehouseError(f"The table {table!r} has no column {column!r}; it has {', '.join(rows.columns)}.")
        rows = rows.filter(rows[column].cast("string") == ibis.literal(text))
    if as_of is not None:
        rows = _of_day(rows, table, as_of, warehouse)
    if order := _order(rows, table, portfolio):
        rows = rows.order_by(order)
    found = warehouse.rows(rows.limit(limit))
    return pd.DataFrame([{name: as_text(value) for name, value in row.items()} for row in found], columns=rows.columns)


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
    by_day = [DAY] if contract.kind == "snapshot" else []
    named = [column for column in dict.fromkeys((*by_day, *RANKS, *contract.grain)) if column in rows.columns]
    return [rows[column].desc() if column in by_day else rows[column] for column in named]
