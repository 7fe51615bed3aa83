"""What became of the accounts that were scored on past days, as known today: `backtest_outcomes`.

Churn, contraction and renewals that failed, by contracts day by day or by months of the ledger; whether anything foretold
them is asked in `results.py`. Definitions: `docs/back-test.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.backtest.past import WINDOWS
from cx_intel.contracts.backtest.past import backtest_outcomes as contract
from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.erased import is_erased
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import last_complete_month, month_index
from cx_intel.models.revenue.account_mrr import NO_MONEY, SUM
from cx_intel.models.subscriptions.in_force import is_contract
from cx_intel.settings.portfolio import Portfolio

DAYS_OF_A_MONTH = 30
"""Of a window, where what is paid is only known by month."""


def backtest_outcomes(
    backtest_scores: ir.Table,
    subscription_periods: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """What followed within 30, 60, 90 and 180 days of each past day, of the accounts that paid on it.

    Grain: scored_on, account_id, window_days; only windows that are over by `as_of`. Reads the scores of past days, and
    contracts and ledger as they are known today. On basis subscriptions what is paid is the MRR in force of a day, grace
    included; else it is that of a month of the ledger, a window of 30 days being the month after the one that `scored_on`
    ends. An account has churned where nothing was in force on some day, or in some month, of the window. A renewal counts
    where it, and the grace days after it, fell into the window by what was known on the day.
    """
    paying = backtest_scores.filter((backtest_scores.current_mrr > NO_MONEY) & ~is_erased(backtest_scores.account_id))
    paying = paying.select("scored_on", "account_id", "days_to_renewal")
    windows = paying.mutate(_place=ibis.range(0, len(WINDOWS)).unnest())
    days = ibis.cases(*((windows["_place"] == n, days) for n, days in enumerate(WINDOWS)), else_=0).cast("int64")
    windows = windows.mutate(window_days=days).drop("_place")
    by_day = portfolio.revenue.basis == "subscriptions"
    rows = _by_contracts(windows, subscription_periods) if by_day else _by_months(windows, fct_revenue, as_of)
    grace = portfolio.revenue.grace_days
    is_due = (rows.days_to_renewal > 0) & (rows.days_to_renewal + grace <= rows.window_days)
    rows = rows.mutate(
        as_of=ibis.literal(as_of),
        is_contracted=ibis.ifelse(rows.is_churned, ibis.null("boolean"), rows["_then"] < rows["_before"]),
        is_not_renewed=ibis.ifelse(ibis.coalesce(is_due, ibis.literal(False)), rows.is_churned, ibis.null("boolean")),
    )
    over = ibis.literal(as_of).delta(rows.scored_on, unit="day") >= rows.window_days
    return conform(rows.filter(over), contract(portfolio))


def _by_contracts(windows: ir.Table, subscription_periods: ir.Table) -> ir.Table:
    """The windows with is_churned, and the MRR in force on the day scored (`_before`) and on the last (`_then`)."""
    p = subscription_periods.filter(is_contract(subscription_periods), subscription_periods.mrr_amount > 0)
    days = windows.select("scored_on", "account_id").distinct()
    spans = _unbroken(p)
    of_day = days.join(
        spans,
        [
            days.account_id == spans["_account"],
            days.scored_on >= spans["_from"],
            spans["_until"].isnull() | (days.scored_on < spans["_until"]),
        ],
        how="left",
    ).select("scored_on", "account_id", "_until", _paid=spans["_from"].notnull())
    rows = beside(windows, of_day, "scored_on", "account_id")
    ends = [(rows.window_days == n, (rows.scored_on + ibis.interval(days=n)).cast("date")) for n in WINDOWS]
    rows = rows.mutate(_last=ibis.cases(*ends, else_=rows.scored_on))
    rows = rows.mutate(is_churned=~rows["_paid"] | ibis.coalesce(rows["_until"] <= rows["_last"], ibis.literal(False)))
    before = _in_force_on(days.mutate(_on=days.scored_on), p).rename(_before="_mrr").drop("_on")
    lasts = rows.select("scored_on", "account_id", _on=rows["_last"])
    then = _in_force_on(lasts, p).rename(_then="_mrr", _last="_on")
    rows = beside(rows, before, "scored_on", "account_id")
    return beside(rows, then, "scored_on", "account_id", "_last")


def _in_force_on(days: ir.Table, periods: ir.Table) -> ir.Table:
    """scored_on, account_id, _on and the MRR in force on that day."""
    p = periods.select(
        "mrr_amount", _account=periods.account_id, _from=periods.counts_from, _until=periods.counts_until
    )
    found = days.join(
        p,
        [
            days.account_id == p["_account"],
            days["_on"] >= p["_from"],
            p["_until"].isnull() | (days["_on"] < p["_until"]),
        ],
    )
    return found.group_by("scored_on", "account_id", "_on").agg(_mrr=found.mrr_amount.cast(SUM).sum())


def _unbroken(periods: ir.Table) -> ir.Table:
    """_account, _from, _until: the times over which an account paid without a day between; null: it goes on."""
    far = ibis.literal(date(9999, 12, 31))
    p = periods.select(
        _account=periods.account_id, _begins=periods.counts_from, _ends=ibis.coalesce(periods.counts_until, far)
    )
    before = ibis.window(group_by="_account", order_by=["_begins", "_ends"], rows=(None, -1))
    p = p.mutate(_covered=p["_ends"].max().over(before))
    p = p.mutate(_opens=ibis.ifelse(p["_covered"].isnull() | (p["_covered"] < p["_begins"]), 1, 0).cast("int64"))
    so_far = ibis.window(group_by="_account", order_by=["_begins", "_ends"], rows=(None, 0))
    p = p.mutate(_span=p["_opens"].sum().over(so_far))
    spans = p.group_by("_account", "_span").agg(_from=p["_begins"].min(), _end=p["_ends"].max())
    return spans.select("_account", "_from", _until=ibis.ifelse(spans["_end"] < far, spans["_end"], ibis.null("date")))


def _by_months(windows: ir.Table, fct_revenue: ir.Table, as_of: date) -> ir.Table:
    """As _by_contracts, by months of the ledger; windows that reach beyond its last month are left out."""
    ledger = fct_revenue.select("account_id", "mrr", _month=month_index(fct_revenue.revenue_month))
    reach = ledger.agg(_reach=ledger["_month"].max())
    scored = month_index(windows.scored_on)
    rows = windows.mutate(_scored=scored, _last=(scored + windows.window_days // DAYS_OF_A_MONTH).cast("int64"))
    rows = rows.cross_join(reach)
    rows = rows.filter(rows["_last"] <= ibis.least(rows["_reach"], last_complete_month(as_of)))
    paid = ledger.filter(ledger.mrr > NO_MONEY).select(_account="account_id", _paid_month="_month", _mrr="mrr")
    months = rows.left_join(
        paid,
        [
            rows.account_id == paid["_account"],
            rows["_scored"] <= paid["_paid_month"],
            rows["_last"] >= paid["_paid_month"],
        ],
    )
    keys = ["scored_on", "account_id", "window_days", "days_to_renewal", "_scored", "_last"]
    found = months.group_by(keys).agg(
        _paid_months=months["_paid_month"].nunique(),
        _before=months["_mrr"].sum(where=months["_paid_month"] == months["_scored"]).cast(MONEY),
        _then=months["_mrr"].sum(where=months["_paid_month"] == months["_last"]).cast(MONEY),
    )
    return found.mutate(is_churned=found["_paid_months"] < found["_last"] - found["_scored"] + 1)
