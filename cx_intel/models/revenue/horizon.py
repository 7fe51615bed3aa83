"""The horizon: the last month of the ledger at `as_of`, and how much of each month has been delivered.

What accounts have in a month is in `account_mrr.py`. Definitions: Horizon in `docs/definitions.md`.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import each_month, last_complete_month, month_index
from cx_intel.models.expressions.shares import share
from cx_intel.models.revenue.account_mrr import NO_MONEY, account_months
from cx_intel.models.revenue.invoice_mrr import charges_of
from cx_intel.models.subscriptions.in_force import is_contract
from cx_intel.settings.portfolio import Portfolio

ALL = 100.0


def horizon_of(
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> int | ir.Table:
    """The number of the ledger's last month at `as_of`, for `with_horizon`: itself where the day alone decides it.

    Else it is the column `_horizon` of the one row of a table, so that engines work it out once, however many read it:
    a scalar stands in SQL as the whole query, again at each use. It is null when a ledger of invoices or figures has no
    row yet.

    Contracts reach to the last complete month, given figures to the last month with a row. Invoices reach further, as
    long as periods in force answer for the months after. Of these only the newest is held back, where it is not
    delivered (`revenue.min_delivered_pct`), no later row is known, and it is not yet older than `revenue.delivery_days`
    nor stated as delivered.
    """
    if portfolio.revenue.basis == "subscriptions":
        return last_complete_month(as_of)
    rows = delivered_months(subscription_periods, stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    counted = rows.filter(rows.is_counted)
    return counted.agg(_horizon=counted.month.max())


def with_horizon(rows: ir.Table, horizon: int | ir.Table) -> ir.Table:
    """The rows with the number of the ledger's last month as `_horizon`."""
    if isinstance(horizon, int):
        return rows.mutate(_horizon=ibis.literal(horizon, "int64"))
    return rows.cross_join(horizon)


def delivered_months(
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """A row for each complete month from the first with a row: how much of it is delivered, and whether it counts.

    Returns:
        month (its number), due_mrr (MRR of the month before), answered_mrr (that of accounts with a row of the month, an
        explicit zero, a period in force on its last day, or an end announced by then), delivered_pct, is_counted.
    """
    revenue, complete = portfolio.revenue, last_complete_month(as_of)
    months = account_months(subscription_periods, stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    paid = months.filter(months.mrr > NO_MONEY)
    due = paid.select("account_id", month=paid.month + 1, due=paid.mrr)
    due = due.filter(due.month <= complete)
    rowed = _months_with_rows(stg_invoices, stg_mrr_history, portfolio, as_of)
    answers = rowed
    if revenue.basis == "invoices":
        charges = charges_of(stg_invoices, portfolio=portfolio, as_of=as_of)
        in_force = charges.select(
            "account_id", _from=charges["first"], _to=ibis.least(charges["last"], ibis.literal(complete, "int64"))
        )
        in_force = each_month(in_force, first=in_force["_from"], last=in_force["_to"], name="month")
        answers = rowed.union(in_force.select("account_id", "month"))
    answers = answers.distinct().mutate(_answered=ibis.literal(True))
    asked = beside(due, answers, "account_id", "month")
    is_answered = ibis.coalesce(asked["_answered"], ibis.literal(False))
    if revenue.basis == "invoices":
        asked = beside(asked, _announced_ends(subscription_periods, as_of), "account_id")
        is_answered |= ibis.coalesce(asked["_ended"] <= asked.month, ibis.literal(False))
    shares = asked.group_by("month").agg(
        due_mrr=asked.due.sum(), answered_mrr=ibis.ifelse(is_answered, asked.due, NO_MONEY).sum()
    )
    bounds = rowed.agg(_first=rowed.month.min(), _newest=rowed.month.max())
    bounds = bounds.filter(bounds["_first"].notnull()).mutate(_until=ibis.literal(complete, "int64"))
    rows = beside(
        each_month(bounds, first=bounds["_first"], last=bounds["_until"], name="month").select("month", "_newest"),
        shares,
        "month",
    )
    rows = rows.mutate(
        due_mrr=ibis.coalesce(rows.due_mrr, NO_MONEY), answered_mrr=ibis.coalesce(rows.answered_mrr, NO_MONEY)
    )
    rows = rows.mutate(delivered_pct=ibis.coalesce(share(rows.answered_mrr, rows.due_mrr), ibis.literal(ALL)))
    return _counted(rows, portfolio, as_of)


def _counted(rows: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The months with `is_counted`."""
    revenue = portfolio.revenue
    stated = revenue.delivered_through
    is_delivered = rows.delivered_pct >= revenue.min_delivered_pct
    old_enough = last_complete_month(as_of - timedelta(days=revenue.delivery_days + 1))
    is_exempt = (rows.month <= old_enough) | (rows.month < rows["_newest"])
    if stated:
        is_exempt |= rows.month <= stated.year * 12 + stated.month - 1
    has_row_since = rows.month <= rows["_newest"]
    # beyond the last row a month counts as long as all since are delivered by periods in force
    is_gap = ~has_row_since & (~is_delivered | (rows.due_mrr == NO_MONEY))
    if portfolio.revenue.basis != "invoices":
        is_gap = ~has_row_since
    rows = rows.mutate(_is_gap=is_gap, _is_held=has_row_since & ~is_delivered & ~is_exempt)
    gap = ibis.cases((rows["_is_gap"], rows.month), else_=ibis.null("int64"))
    held = ibis.cases((rows["_is_held"], rows.month), else_=ibis.null("int64"))
    rows = rows.mutate(_gap=gap.min().over(ibis.window()), _held=held.max().over(ibis.window()))
    is_before_gap = rows["_gap"].isnull() | (rows.month < rows["_gap"])
    is_before_hold = rows["_held"].isnull() | (rows.month < rows["_held"])
    return rows.select("month", "due_mrr", "answered_mrr", "delivered_pct", is_counted=is_before_gap & is_before_hold)


def _months_with_rows(stg_invoices: ir.Table, stg_mrr_history: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """account_id, month: for which months an account has a row dated by `as_of`, whatever it says."""
    if portfolio.revenue.basis == "invoices":
        rows = stg_invoices.select("account_id", day=stg_invoices.invoice_date)
    else:
        rows = stg_mrr_history.select("account_id", day=stg_mrr_history.month)
    known = rows.filter(rows.day <= ibis.literal(as_of))
    return known.select("account_id", month=month_index(known.day)).distinct()


def _announced_ends(subscription_periods: ir.Table, as_of: date) -> ir.Table:
    """account_id, _ended: the first month on whose last day none of its contracts is in force any more."""
    begun = subscription_periods.filter(
        is_contract(subscription_periods) & (subscription_periods.counts_from <= ibis.literal(as_of))
    )
    ends = begun.group_by("account_id").agg(
        _last=begun.counts_until.max(), _open=begun.count(where=begun.counts_until.isnull())
    )
    ends = ends.filter((ends["_open"] == 0) & ends["_last"].notnull())
    return ends.select("account_id", _ended=month_index(ends["_last"]))


def _horizon(dim_account: ir.Table) -> ir.Table:
    return dim_account.agg(horizon_month=dim_account.horizon_month.max())
