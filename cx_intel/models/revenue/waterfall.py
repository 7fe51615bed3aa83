"""The MRR waterfall and what is retained, by month, in total and by segment.

Reads the ledger of `ledger.py`. Definitions: Revenue in the metric definitions.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.revenue import waterfall as contracts
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import each_month, first_day, month_index
from cx_intel.models.expressions.shares import ratio, share
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.models.revenue.horizon import _horizon
from cx_intel.settings.portfolio import Portfolio

MOVEMENTS = {
    "new_mrr": ("new", "mrr"),
    "reactivation_mrr": ("reactivation", "mrr"),
    "expansion_mrr": ("expansion", "expansion_mrr"),
    "contraction_mrr": ("contraction", "contraction_mrr"),
    "churned_mrr": ("churn", "previous_mrr"),
}
"""Column of the waterfall: the movement that it sums, and which column of the ledger."""


def waterfall(ledger: ir.Table, *, by: Sequence[str], horizon: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The MRR waterfall and the retention rates by month, and by the columns of `by`.

    Args:
        ledger: fct_revenue, with the columns of `by`.
        by: Further columns of the grain; none for the total.
        horizon: One row with horizon_month, the last month of the result.
        portfolio: For the opening month, which is no movement when it is a balance.
    """
    entries = ledger.mutate(month=month_index(ledger.revenue_month))
    months = _months(entries, by=by, horizon=horizon, portfolio=portfolio)
    sums = movement_sums(entries, by=by)
    measured = months.left_join(sums, [*by, "month"]).drop([f"{c}_right" for c in (*by, "month")])
    moneys = ("starting_mrr", "restated_mrr", "ending_mrr", "ending_arr", *MOVEMENTS)
    counts = ("paying_accounts", "starting_accounts", "churned_accounts")
    measured = measured.mutate(
        **{name: ibis.coalesce(measured[name].cast(MONEY), NO_MONEY) for name in moneys},
        **{name: ibis.coalesce(measured[name], ibis.literal(0, "int64")) for name in counts},
    )
    year = trailing_year(entries, by=by)
    year = year.select(
        *by,
        "month",
        nrr_ttm_pct=share(year.now_mrr, year.then_mrr),
        grr_ttm_pct=share(year.kept_mrr, year.then_mrr),
    )
    rates = _monthly_rates(measured).left_join(year, [*by, "month"])
    in_order = ibis.window(group_by=list(by) or None, order_by="month")

    def mean_of_three(rate: ir.FloatingColumn) -> ir.FloatingColumn:
        """In the order of the months, so that two runs give the same bits; null unless all three exist."""
        return (rate.lag(2).over(in_order) + rate.lag(1).over(in_order) + rate) / 3

    return rates.mutate(
        revenue_month=first_day(rates.month),
        nrr_trailing_3m_pct=mean_of_three(rates.nrr_pct),
        grr_trailing_3m_pct=mean_of_three(rates.grr_pct),
    )


def movement_sums(entries: ir.Table, *, by: Sequence[str]) -> ir.Table:
    """What the waterfall of a month is made of: sums over its accounts, by the columns of `by` and the number of the month."""
    amounts = {
        name: entries[column].sum(where=entries.revenue_movement == movement)
        for name, (movement, column) in MOVEMENTS.items()
    }
    return entries.group_by([*by, "month"]).agg(
        starting_mrr=(entries.previous_mrr - entries.restated_mrr).sum(),
        restated_mrr=entries.restated_mrr.sum(),
        ending_mrr=entries.mrr.sum(),
        ending_arr=entries.arr.sum(),
        paying_accounts=entries.count(where=entries.mrr > NO_MONEY),
        starting_accounts=entries.count(where=entries.previous_mrr > NO_MONEY),
        churned_accounts=entries.count(where=entries.revenue_movement == "churn"),
        **amounts,
    )


def _months(entries: ir.Table, *, by: Sequence[str], horizon: ir.Table, portfolio: Portfolio) -> ir.Table:
    """Every month from the first of the data to the horizon, for each group; after a balance, from the second."""
    skipped = 1 if portfolio.revenue.opens_with_balance else 0
    bounds = entries.agg(_start=entries.month.min() + skipped).cross_join(
        horizon.select(_end=month_index(horizon.horizon_month))
    )
    bounds = bounds.filter(bounds["_start"].notnull() & bounds["_end"].notnull())
    groups = entries.select(*by).distinct().cross_join(bounds) if by else bounds
    months = each_month(groups, first=groups["_start"], last=groups["_end"], name="month")
    return months.select(*by, "month")


def _monthly_rates(measured: ir.Table) -> ir.Table:
    """The rates of a month, of what its accounts paid before by today's data.

    Amounts are summed as decimals, and divided before they are multiplied. So a part is never more than 100 % of its
    whole, and GRR never above NRR, whatever the cents.
    """
    m = measured
    lost, starting = m.contraction_mrr + m.churned_mrr, m.starting_mrr + m.restated_mrr
    return measured.mutate(
        nrr_pct=share(starting + m.expansion_mrr - lost, starting),
        grr_pct=share(starting - lost, starting),
        logo_churn_pct=share(m.churned_accounts, m.starting_accounts),
        mrr_growth_pct=share(m.ending_mrr - m.starting_mrr, m.starting_mrr),
        quick_ratio=ratio(m.new_mrr + m.reactivation_mrr + m.expansion_mrr, lost),
        arpa=ratio(m.ending_mrr, m.paying_accounts),
    )


def trailing_year(entries: ir.Table, *, by: Sequence[str]) -> ir.Table:
    """The closed cohort of the accounts with MRR twelve months before, by the columns of `by` and the number of the month.

    Columns: then_mrr, what they paid then; now_mrr, what they pay now; kept_mrr, the lesser of both of each account.
    """
    paid = entries.filter(entries.mrr > NO_MONEY)
    then = paid.select(*dict.fromkeys(("account_id", *by)), month=paid.month + 12, then=paid.mrr)
    now = paid.select("account_id", "month", now=paid.mrr)
    kept = then.left_join(now, ["account_id", "month"]).drop("account_id_right", "month_right")
    kept = kept.mutate(now=ibis.coalesce(kept.now, NO_MONEY))
    return kept.group_by([*by, "month"]).agg(
        now_mrr=kept.now.sum(), kept_mrr=ibis.least(kept.now, kept.then).sum(), then_mrr=kept.then.sum()
    )


def nrr_summary(
    fct_revenue: ir.Table, dim_account: ir.Table, mrr_delivery: ir.Table, *, portfolio: Portfolio
) -> ir.Table:
    """What happened to MRR month by month, and what share of it was retained.

    Grain: revenue_month. Always true: waterfall_ties, starts_where_it_ended, grr_at_most_nrr.
    """
    rows = waterfall(fct_revenue, by=(), horizon=_horizon(dim_account), portfolio=portfolio)
    rows = beside(rows, mrr_delivery.select("revenue_month", "delivered_pct"), "revenue_month")
    return conform(rows, contracts.nrr_summary(portfolio))


def nrr_by_segment(fct_revenue: ir.Table, dim_account: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """As nrr_summary by segment, each account in the segment that it has now, so that segments sum to the total.

    Closed months stay in the segment that they were published under. Grain: segment, revenue_month. Always true: as
    nrr_summary, and segments_sum_to_total.
    """
    ledger = in_published_segments(fct_revenue, dim_account, portfolio=portfolio)
    rows = waterfall(ledger, by=("segment",), horizon=_horizon(dim_account), portfolio=portfolio)
    return conform(rows, contracts.nrr_by_segment(portfolio))


def in_published_segments(fct_revenue: ir.Table, dim_account: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """The ledger with the segment of each row: that of the account now, in closed months the published one."""
    segments = dim_account.select("account_id", _segment="segment")
    ledger = beside(fct_revenue, segments, "account_id")
    # one that signs up later may pay already
    ledger = ledger.mutate(
        segment=ibis.coalesce(ledger.closed_segment, ledger["_segment"], NO_VALUE),
        is_closed=ledger.closed_segment.notnull(),
    )
    return _across_the_close(ledger) if portfolio.revenue.closed_through else ledger


def _across_the_close(ledger: ir.Table) -> ir.Table:
    """The ledger where accounts change segment with the close: what was closed leaves the one, and comes to the other.

    Both is a restatement of the segments, which cancel in the total.
    """
    closed = ledger.filter(ledger.is_closed & (ledger.mrr > NO_MONEY))
    before = closed.select(
        "account_id",
        revenue_month=first_day(month_index(closed.revenue_month) + 1),
        _was_segment=closed.segment,
        _was_mrr=closed.mrr,
    )
    rows = beside(ledger, before, "account_id", "revenue_month")
    is_moved = ibis.coalesce(rows["_was_segment"] != rows.segment, ibis.literal(False))
    came = rows.mutate(
        restated_mrr=ibis.ifelse(is_moved, rows.restated_mrr + rows["_was_mrr"], rows.restated_mrr).cast(MONEY)
    )
    nothing = dict.fromkeys(("mrr", "arr", "previous_mrr", "expansion_mrr", "contraction_mrr"), NO_MONEY)
    went = rows.filter(is_moved)
    went = went.mutate(
        **nothing,
        segment=went["_was_segment"],
        revenue_movement=ibis.literal("flat"),
        restated_mrr=(-went["_was_mrr"]).cast(MONEY),
    )
    return came.union(went.select(*came.columns))
