"""What each account adds to the figures of the waterfall, so that pages sum them for chosen accounts.

The sums are those that `nrr_summary` is made of (`cx_intel.models.revenue.waterfall`); what is read beside them stands in
`reading.py`.
"""

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.revenue.waterfall import MOVEMENTS, movement_sums, trailing_year
from cx_intel.reports.data.report_data import last_month_over

REVENUE_MONTHS = 25
"""How far back pages look."""
LEDGER_PARTS = (
    "account_id",
    "revenue_month",
    "starting_mrr",
    "restated_mrr",
    *MOVEMENTS,
    "ending_mrr",
    "then_mrr",
    "now_mrr",
    "kept_mrr",
)


def ledger_parts(ledger: ir.Table | None, as_of: date, fetch: Callable[[ir.Table], pd.DataFrame]) -> pd.DataFrame:
    """Columns: account_id, revenue_month, and of the month what the account adds to the movements and to the trailing year.

    A month of an account may have two rows, one of the movements and one of the trailing year, with 0 for the other.

    Args:
        ledger: `fct_revenue`; None where there is none.
        as_of: Months that are over by then, and not older than pages show.
        fetch: Reads rows.
    """
    if ledger is None:
        return pd.DataFrame({name: [] for name in LEDGER_PARTS})
    entries = ledger.mutate(month=month_index(ledger.revenue_month))
    first, last = as_of - timedelta(days=31 * REVENUE_MONTHS), last_month_over(as_of)
    found = []
    for sums in (movement_sums(entries, by=["account_id"]), trailing_year(entries, by=["account_id"])):
        rows = sums.mutate(revenue_month=first_day(sums.month)).drop("month")
        found.append(fetch(rows.filter(rows.revenue_month.between(ibis.literal(first), ibis.literal(last)))))
    return pd.concat(found, ignore_index=True).reindex(columns=list(LEDGER_PARTS)).fillna(0)
