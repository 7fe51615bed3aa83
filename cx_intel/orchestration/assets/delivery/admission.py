"""What of a delivery may be written: nothing of the erased, and no amount in a currency without a rate.

Who was erased is known to `cx_intel.privacy.guard`; what becomes of rows that are not valid is decided at staging
(`cx_intel.orchestration.assets.steps`).
"""

from datetime import date

import dagster as dg
import ibis.expr.types as ir

from cx_intel.models.staging.unknown_currencies import unknown_currencies, unknown_currency_message
from cx_intel.privacy.guard import Guard
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.base import TableSource
from cx_intel.warehouse.protocol import Rows, Warehouse

AGAIN_PREFIX = "again_"
"""Begins the name under which rows stand that are staged again."""


def admit_staged(
    name: str,
    source: TableSource,
    as_of: date,
    guard: Guard,
    warehouse: Warehouse,
    *,
    part: str | None = None,
    is_whole: bool = True,
) -> None:
    """Takes what is delivered of erased people out of the rows that are staged of a raw table.

    Args:
        name: The raw table.
        source: Whose rows.
        as_of: The day of the load.
        guard: Knows the erased.
        warehouse: Where the rows are staged.
        part: The name of what one of several sources of a table delivers.
        is_whole: The rows are all that the source has.
    """
    staged = warehouse.staged(name)
    admitted = guard.admit(source.table, staged, as_of, warehouse, source.system, part, is_whole=is_whole)
    if admitted is not staged:
        stage_again(name, warehouse, admitted)


def stage_again(name: str, warehouse: Warehouse, *parts: Rows) -> None:
    """Stages rows of a raw table that are made of those staged."""
    again = AGAIN_PREFIX + name
    kept = warehouse.stage(again, parts)
    warehouse.stage(name, [kept])
    warehouse.discard(again)


def refuse_unknown_currencies(table: str, staged: ir.Table, warehouse: Warehouse, portfolio: Portfolio) -> None:
    """Stops where amounts are in a currency that the portfolio has no rate of, before anything is written."""
    if "currency" not in staged.columns:
        return
    found = warehouse.execute(unknown_currencies(staged, portfolio))
    if len(found):
        raise dg.Failure(unknown_currency_message(table, found["currency"], portfolio), allow_retries=False)
