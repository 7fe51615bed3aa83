"""What each account adds to the figures of the waterfall, of cohorts and of support, so that pages sum them for chosen accounts.

The sums are those that `nrr_summary`, `revenue_cohort_analysis` and `sla_adherence` are made of
(`cx_intel.models.revenue`, `cx_intel.models.support`); what is read beside them stands in `reading.py`, what pages make of
them in `cubes/`.
"""

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.staging.values import UNRESOLVED
from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.revenue.cohorts import cohort_changes
from cx_intel.models.revenue.waterfall import MOVEMENTS, in_published_segments, movement_sums, trailing_year
from cx_intel.reports.data.report_data import last_month_over
from cx_intel.settings.portfolio import Portfolio

Fetch = Callable[[ir.Table], pd.DataFrame]
REVENUE_MONTHS = 25
"""How far back pages look."""
TICKET_MONTHS = 14
LEDGER_SUMS = (
    "starting_mrr",
    "restated_mrr",
    *MOVEMENTS,
    "ending_mrr",
    "starting_accounts",
    "churned_accounts",
    "then_mrr",
    "now_mrr",
    "kept_mrr",
)
LEDGER_PARTS = ("account_id", "revenue_month", "ledger_segment", *LEDGER_SUMS)
COHORT_PARTS = (
    "account_id",
    "cohort_month",
    "months_since_start",
    "accounts_change",
    "mrr_change",
    "initial_accounts",
    "initial_mrr",
)
TICKET_PARTS = (
    "account_id",
    "ticket_month",
    "ticket_priority",
    "ticket_segment",
    "is_resolved",
    "is_judged",
    "is_sla_breach",
    "is_open_breach",
    "is_first_reply_judged",
    "is_first_reply_breach",
    "resolution_hours",
    "satisfaction_score",
)


def ledger_parts(
    ledger: ir.Table | None, accounts: ir.Table | None, portfolio: Portfolio, as_of: date, fetch: Fetch
) -> pd.DataFrame:
    """Columns: account_id, revenue_month, the segment as published, and what the account adds to the figures of the month.

    A month of an account may have two rows, one of the movements and one of the trailing year, with 0 for the other.

    Args:
        ledger: `fct_revenue`; None where there is none.
        accounts: `dim_account`.
        portfolio: Whose closed months stay in the segment that they were published under.
        as_of: Months that are over by then, and not older than pages show.
        fetch: Reads rows.
    """
    if ledger is None or accounts is None:
        return pd.DataFrame({name: [] for name in LEDGER_PARTS})
    rows = in_published_segments(ledger, accounts, portfolio=portfolio)
    entries = rows.mutate(month=month_index(rows.revenue_month), ledger_segment=rows.segment)
    first, last = as_of - timedelta(days=31 * REVENUE_MONTHS), last_month_over(as_of)
    by, found = ["account_id", "ledger_segment"], []
    for sums in (movement_sums(entries, by=by), trailing_year(entries, by=by)):
        rows = sums.mutate(revenue_month=first_day(sums.month)).drop("month")
        found.append(fetch(rows.filter(rows.revenue_month.between(ibis.literal(first), ibis.literal(last)))))
    return pd.concat(found, ignore_index=True).reindex(columns=list(LEDGER_PARTS)).fillna(0)


def cohort_parts(
    ledger: ir.Table | None, accounts: ir.Table | None, portfolio: Portfolio, fetch: Fetch
) -> pd.DataFrame:
    """What changes in the cohort of each account, by the month since its start (`cohort_changes`)."""
    if ledger is None or accounts is None:
        return pd.DataFrame({name: [] for name in COHORT_PARTS})
    return fetch(cohort_changes(ledger, accounts, portfolio=portfolio).select(*COHORT_PARTS))


def ticket_parts(tickets: ir.Table | None, as_of: date, fetch: Fetch) -> pd.DataFrame:
    """The tickets of the months that pages show, with priority and segment as `sla_adherence` counts them."""
    if tickets is None:
        return pd.DataFrame({name: [] for name in TICKET_PARTS})
    first = as_of - timedelta(days=31 * TICKET_MONTHS)
    rows = tickets.filter(tickets.created_date >= ibis.literal(first))
    rows = rows.mutate(
        ticket_priority=rows.sla_priority,
        ticket_segment=rows.account_segment,
        is_resolved=~rows.status.isin(UNRESOLVED),
    )
    return fetch(rows.select(*TICKET_PARTS))
