"""Cohorts: what is left of the accounts that started in the same month, and of their MRR.

Reads the ledger of `ledger.py`. Definitions: Cohorts in the metric definitions.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.revenue.cohorts import revenue_cohort_analysis as contract
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.expressions.months import each_month, first_day, month_index
from cx_intel.models.expressions.shares import share
from cx_intel.settings.portfolio import Portfolio

ALL = "all"


def revenue_cohort_analysis(fct_revenue: ir.Table, dim_account: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """What is left of each cohort, month by month to the horizon, by segment and for `all`.

    Grain: cohort_month, segment, months_since_start. An account that already paid when the ledger began with a balance
    belongs to the month of its signup or first contract, if that lies before; its first months are then unknown and
    have no rows. Always true: cohorts_sum_to_ledger.
    """
    members = _members(fct_revenue, dim_account, portfolio)
    members = members.union(members.mutate(segment=ibis.literal(ALL)))
    sized = members.group_by(["cohort", "segment"]).agg(
        initial_accounts=members.count(),
        initial_mrr=members.initial_mrr.sum().cast(MONEY),
        first=members.first.min(),
        last=members.last.max(),
    )
    months = each_month(sized, first=sized.first, last=sized.last, name="month")
    entries = fct_revenue.select(
        "account_id", month=month_index(fct_revenue.revenue_month), mrr=fct_revenue.mrr
    ).filter(ibis._.mrr > 0)
    paid = entries.inner_join(members.select("account_id", "cohort", "segment"), "account_id")
    kept = paid.group_by(["cohort", "segment", "month"]).agg(
        active_accounts=paid.count(), cohort_mrr=paid.mrr.sum().cast(MONEY)
    )
    rows = months.left_join(kept, ["cohort", "segment", "month"]).drop("cohort_right", "segment_right", "month_right")
    rows = rows.mutate(
        active_accounts=ibis.coalesce(rows.active_accounts, ibis.literal(0, "int64")),
        cohort_mrr=ibis.coalesce(rows.cohort_mrr, ibis.literal(0).cast(MONEY)),
    )
    return conform(
        rows.mutate(
            cohort_month=first_day(rows.cohort),
            months_since_start=rows.month - rows.cohort,
            account_retention_pct=share(rows.active_accounts, rows.initial_accounts),
            revenue_retention_pct=share(rows.cohort_mrr, rows.initial_mrr),
        ),
        contract(portfolio),
    )


def cohort_changes(fct_revenue: ir.Table, dim_account: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """What each account changes in its cohort, month by month: summed up to a month, these are the figures of that month.

    Grain: account_id, months_since_start, of the months in which something changes.

    Columns:
        cohort_month: As in revenue_cohort_analysis.
        accounts_change, mrr_change: 1 when the account pays again, -1 when it stops; and by how much its MRR changes.
        initial_accounts, initial_mrr: 1 and its first MRR in its first known month; else 0.
    """
    members = _members(fct_revenue, dim_account, portfolio)
    paid = fct_revenue.filter(fct_revenue.mrr > 0)
    paid = paid.select("account_id", month=month_index(paid.revenue_month), mrr=paid.mrr)
    entries = paid.inner_join(members.drop("segment"), "account_id")
    in_order = ibis.window(group_by="account_id", order_by="month")
    entries = entries.mutate(
        before=entries.month.lag().over(in_order),
        mrr_before=entries.mrr.lag().over(in_order),
        after=entries.month.lead().over(in_order),
    )
    goes_on = ibis.coalesce(entries.before == entries.month - 1, ibis.literal(False))
    nothing = ibis.literal(0).cast(MONEY)
    is_first = entries.month == entries["first"]
    kept = ("account_id", "cohort")
    came = entries.select(
        *kept,
        month=entries.month,
        accounts_change=ibis.ifelse(goes_on, 0, 1).cast("int64"),
        mrr_change=(entries.mrr - ibis.ifelse(goes_on, entries.mrr_before, nothing)).cast(MONEY),
        initial_accounts=ibis.ifelse(is_first, 1, 0).cast("int64"),
        initial_mrr=ibis.ifelse(is_first, entries.initial_mrr, nothing).cast(MONEY),
    )
    stops = (entries.month < entries["last"]) & ibis.coalesce(entries.after != entries.month + 1, ibis.literal(True))
    left = entries.filter(stops)
    went = left.select(
        *kept,
        month=left.month + 1,
        accounts_change=ibis.literal(-1, "int64"),
        mrr_change=(-left.mrr).cast(MONEY),
        initial_accounts=ibis.literal(0, "int64"),
        initial_mrr=nothing,
    )
    rows = came.union(went.select(*came.columns))
    rows = rows.mutate(cohort_month=first_day(rows.cohort), months_since_start=rows.month - rows.cohort)
    return rows.filter((rows.accounts_change != 0) | (rows.mrr_change != 0))


def _members(fct_revenue: ir.Table, dim_account: ir.Table, portfolio: Portfolio) -> ir.Table:
    """account_id, segment, cohort, initial_mrr, first and last month known (numbers)."""
    paid = fct_revenue.filter(fct_revenue.mrr > 0).mutate(month=month_index(fct_revenue.revenue_month))
    starts = paid.group_by("account_id").agg(first=paid.month.min(), initial_mrr=paid.mrr.argmin(paid.month))
    span = paid.agg(opening=paid.month.min(), latest=paid.month.max())
    accounts = dim_account.select(
        "account_id",
        "segment",
        known=month_index(ibis.coalesce(dim_account.signup_date, dim_account.first_subscription_date)),
        last=month_index(dim_account.horizon_month),
    )
    joined = starts.left_join(accounts, "account_id").drop("account_id_right").cross_join(span)
    joined = joined.mutate(  # an account that signs up later may pay already
        segment=ibis.coalesce(joined.segment, NO_VALUE), last=ibis.coalesce(joined["last"], joined.latest)
    )
    cohort = joined.first
    if portfolio.revenue.opens_with_balance:
        is_older = (joined.first == joined.opening) & (joined.known < joined.first)
        cohort = ibis.cases((ibis.coalesce(is_older, ibis.literal(False)), joined.known), else_=joined.first)
    return joined.select("account_id", "segment", "initial_mrr", "first", "last", cohort=cohort)
