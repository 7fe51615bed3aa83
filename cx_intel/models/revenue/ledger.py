"""The MRR ledger: what each account pays in each month, how that moved, and what is retained.

`account_mrr` says what MRR is, by `revenue.basis`; `fct_revenue` tells the six movements apart; `waterfall` adds them up,
in total and by segment. Cohorts are in `cohorts.py`. Definitions: Revenue in the metric definitions.
"""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts import revenue as contracts
from cx_intel.contracts.contract import MONEY, conform
from cx_intel.models.expressions.months import each_month, first_day, last_complete_month, month_index
from cx_intel.models.staging.columns import is_contract
from cx_intel.settings.portfolio import Portfolio

NO_MONEY = ibis.literal(0).cast(MONEY)


def horizon_index(
    stg_invoices: ir.Table, stg_mrr_history: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.IntegerScalar:
    """The number of the ledger's last month at `as_of`: complete, and reached by the ledger's own rows.

    Null when a ledger of invoices or given figures has no row yet.
    """
    complete = ibis.literal(last_complete_month(as_of), "int64")
    dates = {
        "subscriptions": None,
        "invoices": stg_invoices.select(day=stg_invoices.invoice_date),
        "mrr_history": stg_mrr_history.select(day=stg_mrr_history.month),
    }[portfolio.revenue.basis]
    if dates is None:
        return complete
    known = dates.filter(dates.day <= as_of)
    newest = known.agg(day=known.day.max())
    reached = month_index(newest.day)
    horizon = ibis.cases((reached < complete, reached), (reached >= complete, complete))
    return newest.select(horizon=horizon).horizon.as_scalar()  # named, since BigQuery bounds the length of names


def account_mrr(
    stg_subscriptions: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The MRR of an account in a month: account_id, month (its number), mrr; only sums other than 0, to the horizon.

    Sums below 0 are still here; the ledger counts them as 0.
    """
    horizon = horizon_index(stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    revenue = portfolio.revenue
    if revenue.basis == "subscriptions":
        rows = _in_force_at_month_ends(stg_subscriptions, last_complete_month(as_of))
    elif revenue.basis == "invoices":
        recognised = stg_invoices.filter(stg_invoices.status.isin(revenue.recognised_statuses))
        start = month_index(recognised.invoice_date)
        rows = each_month(
            recognised.select("account_id", "billing_period_months", "mrr_amount", _start=start),
            first=ibis._["_start"],
            last=ibis._["_start"] + ibis._.billing_period_months - 1,
            name="month",
        ).select("account_id", "month", amount=ibis._.mrr_amount)
    else:
        rows = stg_mrr_history.select(
            "account_id", month=month_index(stg_mrr_history.month), amount=stg_mrr_history.mrr
        )
    in_reach = rows.filter(rows.month <= horizon)
    summed = in_reach.group_by(["account_id", "month"]).agg(mrr=in_reach.amount.sum().cast(MONEY))
    return summed.filter(summed.mrr != NO_MONEY)


def _in_force_at_month_ends(subscriptions: ir.Table, horizon: int) -> ir.Table:
    """account_id, month, amount: a row for each month on whose last day the subscription is in force."""
    valid = subscriptions.filter(is_contract(subscriptions))
    # in force on the last day of M means not ended by the first day of M + 1: the day before the end lies in no later
    # month than M + 1, and M + 1 itself counts only when the end is beyond its last day
    end_month = month_index(valid.end_date)  # the first month on whose last day it is no longer in force
    last = ibis.cases((valid.end_date.isnull() | (end_month - 1 > horizon), horizon), else_=end_month - 1)
    months = each_month(
        valid.select("account_id", "mrr_amount", _from=month_index(valid.start_date), _until=last.cast("int64")),
        first=ibis._["_from"],
        last=ibis._["_until"],
        name="month",
    )
    return months.select("account_id", "month", amount=months.mrr_amount)


def fct_revenue(
    stg_subscriptions: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """What an account pays in a month and how that moved: the ledger that every revenue figure is read from.

    Grain: account_id, revenue_month, for months in which the MRR or the previous month's is above 0. Exactly one of six
    movements. Always true: movement_agrees, net_is_difference. In the first month of the data all is `new`, or
    `flat` where the portfolio opens with a balance.
    """
    sums = account_mrr(stg_subscriptions, stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    horizon = horizon_index(stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    paid = sums.filter(sums.mrr > NO_MONEY)
    current = paid.select("account_id", "month", "mrr", previous=NO_MONEY)
    following = paid.select("account_id", month=paid.month + 1, mrr=NO_MONEY, previous=paid.mrr)
    both = current.union(following.filter(following.month <= horizon))
    ledger = both.group_by(["account_id", "month"]).agg(
        mrr=both.mrr.sum().cast(MONEY), previous=both.previous.sum().cast(MONEY)
    )
    ledger = ledger.mutate(
        _first=ledger.month.min().over(ibis.window(group_by="account_id")),
        _opening=ledger.month.min().over(ibis.window()),
    )
    if portfolio.revenue.opens_with_balance:
        is_opening = ledger.month == ledger["_opening"]
        ledger = ledger.mutate(previous=ibis.cases((is_opening, ledger.mrr), else_=ledger.previous))
    moved = ledger.mutate(
        revenue_movement=ibis.cases(
            ((ledger.previous == NO_MONEY) & (ledger.month == ledger["_first"]), "new"),
            (ledger.previous == NO_MONEY, "reactivation"),
            (ledger.mrr == NO_MONEY, "churn"),
            (ledger.mrr > ledger.previous, "expansion"),
            (ledger.mrr < ledger.previous, "contraction"),
            else_="flat",
        ),
        change=(ledger.mrr - ledger.previous).cast(MONEY),
    )
    credits = sums.filter(sums.mrr < NO_MONEY).select("account_id", "month", unapplied_credit=-sums.mrr)
    rows = moved.left_join(credits, ["account_id", "month"])
    is_expansion, is_contraction = rows.revenue_movement == "expansion", rows.revenue_movement == "contraction"
    return conform(
        rows.mutate(
            revenue_month=first_day(rows.month),
            arr=rows.mrr * 12,
            previous_mrr=rows.previous,
            expansion_mrr=ibis.cases((is_expansion, rows.change), else_=NO_MONEY),
            contraction_mrr=ibis.cases((is_contraction, -rows.change), else_=NO_MONEY),
            net_mrr_change=rows.change,
            account_month_number=rows.month - rows["_first"] + 1,
            unapplied_credit=ibis.coalesce(rows.unapplied_credit, NO_MONEY),
        ),
        contracts.fct_revenue(portfolio),
    )


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
    amount = {
        name: (entries.revenue_movement == movement, column)
        for name, movement, column in (
            ("new_mrr", "new", "mrr"),
            ("reactivation_mrr", "reactivation", "mrr"),
            ("expansion_mrr", "expansion", "expansion_mrr"),
            ("contraction_mrr", "contraction", "contraction_mrr"),
            ("churned_mrr", "churn", "previous_mrr"),
        )
    }
    sums = entries.group_by([*by, "month"]).agg(
        starting_mrr=entries.previous_mrr.sum(),
        ending_mrr=entries.mrr.sum(),
        paying_accounts=entries.count(where=entries.mrr > NO_MONEY),
        starting_accounts=entries.count(where=entries.previous_mrr > NO_MONEY),
        churned_accounts=entries.count(where=entries.revenue_movement == "churn"),
        **{name: entries[column].sum(where=condition) for name, (condition, column) in amount.items()},
    )
    measured = months.left_join(sums, [*by, "month"]).drop([f"{c}_right" for c in (*by, "month")])
    moneys = ("starting_mrr", "ending_mrr", *amount)
    counts = ("paying_accounts", "starting_accounts", "churned_accounts")
    measured = measured.mutate(
        **{name: ibis.coalesce(measured[name].cast(MONEY), NO_MONEY) for name in moneys},
        **{name: ibis.coalesce(measured[name], ibis.literal(0, "int64")) for name in counts},
    )
    rates = _monthly_rates(measured).left_join(_trailing_year(entries, by=by), [*by, "month"])
    last_three = ibis.window(group_by=list(by) or None, order_by="month", preceding=2, following=0)

    def mean_of_three(rate: ir.FloatingColumn) -> ir.FloatingColumn:
        return ibis.cases((rate.count().over(last_three) == 3, rate.mean().over(last_three)))

    return rates.mutate(
        revenue_month=first_day(rates.month),
        ending_arr=rates.ending_mrr * 12,
        nrr_trailing_3m_pct=mean_of_three(rates.nrr_pct),
        grr_trailing_3m_pct=mean_of_three(rates.grr_pct),
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
    value = {c: measured[c].cast("float64") for c in measured.columns if c.endswith("_mrr")}
    starting = value["starting_mrr"].nullif(0)
    lost = value["contraction_mrr"] + value["churned_mrr"]
    gained = value["new_mrr"] + value["reactivation_mrr"] + value["expansion_mrr"]
    return measured.mutate(
        nrr_pct=100 * (starting + value["expansion_mrr"] - lost) / starting,
        grr_pct=100 * (starting - lost) / starting,
        logo_churn_pct=100.0 * measured.churned_accounts / measured.starting_accounts.nullif(0),
        mrr_growth_pct=100 * (value["ending_mrr"] - starting) / starting,
        quick_ratio=gained / lost.nullif(0),
        arpa=value["ending_mrr"] / measured.paying_accounts.nullif(0),
    )


def _trailing_year(entries: ir.Table, *, by: Sequence[str]) -> ir.Table:
    """The closed cohort of the accounts with MRR twelve months before: what they pay now / what they paid then."""
    paid = entries.filter(entries.mrr > NO_MONEY)
    then = paid.select("account_id", *by, month=paid.month + 12, then=paid.mrr.cast("float64"))
    now = paid.select("account_id", "month", now=paid.mrr.cast("float64"))
    kept = then.left_join(now, ["account_id", "month"]).drop("account_id_right", "month_right")
    kept = kept.mutate(now=ibis.coalesce(kept.now, 0.0))
    return kept.group_by([*by, "month"]).agg(
        nrr_ttm_pct=100 * kept.now.sum() / kept.then.sum(),
        grr_ttm_pct=100 * ibis.least(kept.now, kept.then).sum() / kept.then.sum(),
    )


def _horizon(dim_account: ir.Table) -> ir.Table:
    return dim_account.agg(horizon_month=dim_account.horizon_month.max())


def nrr_summary(fct_revenue: ir.Table, dim_account: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """What happened to MRR month by month, and what share of it was retained.

    Grain: revenue_month. Always true: waterfall_ties, starts_where_it_ended, grr_at_most_nrr.
    """
    rows = waterfall(fct_revenue, by=(), horizon=_horizon(dim_account), portfolio=portfolio)
    return conform(rows, contracts.nrr_summary(portfolio))


def nrr_by_segment(fct_revenue: ir.Table, dim_account: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """As nrr_summary by segment, each account in the segment that it has now, so that segments sum to the total.

    Grain: segment, revenue_month. Always true: as nrr_summary, and segments_sum_to_total.
    """
    segments = dim_account.select("account_id", "segment")
    ledger = fct_revenue.left_join(segments, "account_id").drop("account_id_right")
    ledger = ledger.mutate(segment=ibis.coalesce(ledger.segment, "(none)"))  # one that signs up later may pay already
    rows = waterfall(ledger, by=("segment",), horizon=_horizon(dim_account), portfolio=portfolio)
    return conform(rows, contracts.nrr_by_segment(portfolio))
