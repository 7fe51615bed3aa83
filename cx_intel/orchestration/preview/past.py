"""The back-test before and after: how the scores of past days by both settings tell what followed.

The quick way takes the values that signals had on past days, as the back-test has kept them; where other things are
measured the days are made once more (`cx_intel.orchestration.assets.backtest`). The newest day is judged in `day.py`.
"""

from collections.abc import Sequence
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.backtest.compared import Compared, compared
from cx_intel.models.backtest.rescored import rescored
from cx_intel.orchestration.assets.backtest.past_days import PastDays
from cx_intel.orchestration.preview.day import SIGNALS, SNAPSHOT, is_affected
from cx_intel.reports.preview.comparison import NoBacktest
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Warehouse

SCORES, MEASURED, FOLLOWED = "backtest_scores", "backtest_signals", "backtest_outcomes"
HISTORY = "account_history"


def past_compared(
    warehouse: Warehouse, old: Portfolio | None, given: Portfolio, *, is_stored: bool
) -> tuple[tuple[Compared, ...], NoBacktest]:
    """How both would have told on past days, or why that is not compared.

    Args:
        warehouse: The open warehouse, or a published copy.
        old: The settings before; None: those of the last refresh.
        given: The settings to be judged by.
        is_stored: Whether the back-test that stands in the warehouse is that of the settings before.
    """
    if not all(warehouse.exists(table) for table in (SCORES, MEASURED, FOLLOWED)):
        return (), "none_yet"
    if old and old.health == given.health and not _measures_differ(old, given):
        return (), "same_scores"
    stored = warehouse.table(SCORES)
    days = sorted({_day(row["scored_on"]) for row in warehouse.rows(stored.select("scored_on").distinct())})
    if not days:
        return (), "none_yet"
    made_on = _day(warehouse.execute(stored.as_of.max()))
    try:
        before = stored if is_stored else _scored(warehouse, None, old or given, days, made_on, "before")
        after = _scored(warehouse, old if is_stored else None, given, days, made_on, "after")
        frames = [pd.DataFrame(warehouse.execute(rows)) for rows in (before, after, warehouse.table(FOLLOWED))]
    except WarehouseError:
        return (), "needs_the_warehouse"
    return tuple(compared(*frames)), ""


def _scored(
    warehouse: Warehouse, kept_of: Portfolio | None, given: Portfolio, days: Sequence[date], made_on: date, prefix: str
) -> ir.Table:
    """Past days by these settings: from what was kept of them by others that measure the same, else made once more."""
    if kept_of and not _measures_differ(kept_of, given):
        try:
            known = warehouse.table(HISTORY) if warehouse.exists(HISTORY) else _without_attributes(given)
            rows = rescored(warehouse.table(SCORES), warehouse.table(MEASURED), known, portfolio=given, days=days)
            return warehouse.keep_for_now(f"{prefix}_past_{SCORES}", rows, rows.schema())
        except KeyError:
            pass  # an attribute that only a past day made once more has
    return PastDays(given, warehouse, f"{prefix}_past").tables(made_on)[SCORES]


def _without_attributes(given: Portfolio) -> ir.Table:
    return contract_of(HISTORY, given).no_rows().select("account_id", "valid_from", "valid_to")


def _measures_differ(old: Portfolio, given: Portfolio) -> bool:
    return is_affected(SIGNALS, old, given) or is_affected(SNAPSHOT, old, given)


def _day(value: date) -> date:
    """A day as such, whatever type a driver gives it."""
    return date(value.year, value.month, value.day)
