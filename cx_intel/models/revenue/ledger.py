"""The MRR ledger: what each account pays in each month, how that moved, and what is retained.

`account_mrr` says what MRR is, by `revenue.basis`; `fct_revenue` tells the six movements apart; `waterfall` adds them up,
in total and by segment. Cohorts are in `cohorts.py`. Definitions: Revenue in the metric definitions.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.revenue import ledger as contracts
from cx_intel.models.expressions.months import first_day
from cx_intel.models.revenue.account_mrr import NO_MONEY, account_mrr
from cx_intel.models.revenue.horizon import horizon_index
from cx_intel.settings.portfolio import Portfolio


def fct_revenue(
    subscription_periods: ir.Table,
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
    sums = account_mrr(subscription_periods, stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    horizon = horizon_index(stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    paid = sums.filter(sums.mrr > NO_MONEY)
    current = paid.select("account_id", "month", "mrr", "arr", previous=NO_MONEY)
    following = paid.select("account_id", month=paid.month + 1, mrr=NO_MONEY, arr=NO_MONEY, previous=paid.mrr)
    both = current.union(following.filter(following.month <= horizon))
    ledger = both.group_by(["account_id", "month"]).agg(
        mrr=both.mrr.sum().cast(MONEY), arr=both.arr.sum().cast(MONEY), previous=both.previous.sum().cast(MONEY)
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
            previous_mrr=rows.previous,
            expansion_mrr=ibis.cases((is_expansion, rows.change), else_=NO_MONEY),
            contraction_mrr=ibis.cases((is_contraction, -rows.change), else_=NO_MONEY),
            net_mrr_change=rows.change,
            account_month_number=rows.month - rows["_first"] + 1,
            unapplied_credit=ibis.coalesce(rows.unapplied_credit, NO_MONEY),
        ),
        contracts.fct_revenue(portfolio),
    )
