"""The MRR ledger: what each account pays in each month, and how that moved.

What is published of a month is in `published.py`; `waterfall.py` adds the movements up, in total and by segment; cohorts
are in `cohorts.py`. Definitions: Revenue in the metric definitions.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.revenue import ledger as contracts
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.settings.portfolio import Portfolio


def fct_revenue(revenue_ledger: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """What an account pays in a month and how that moved: the ledger that every revenue figure is read from.

    Grain: account_id, revenue_month, for months in which the MRR or the previous month's is above 0, or was restated.
    Exactly one of six movements. In the first month of the data all is `new`, or `flat` where the portfolio opens with a
    balance. In the first open month after closed ones the movement compares today's two months, and `restated_mrr` is
    what the previous one is now beyond what was closed. A month that credit notes bring to 0 between paying months is a
    contraction, and the one after it an expansion. Always true: movement_agrees, net_is_difference.
    """
    ledger = revenue_ledger.filter(revenue_ledger.revenue_month <= revenue_ledger.horizon_month)
    ledger = ledger.mutate(month=month_index(ledger.revenue_month), horizon=month_index(ledger.horizon_month))
    rows = _moved(_pairs(ledger, portfolio), ledger, portfolio)
    details = ledger.select("account_id", "month", "unapplied_credit", closed_segment=_closed_segment(ledger))
    rows = beside(rows, details, "account_id", "month")
    is_expansion, is_contraction = rows.revenue_movement == "expansion", rows.revenue_movement == "contraction"
    return conform(
        rows.mutate(
            revenue_month=first_day(rows.month),
            previous_mrr=rows.previous,
            expansion_mrr=ibis.cases((is_expansion, rows.change), else_=NO_MONEY),
            contraction_mrr=ibis.cases((is_contraction, -rows.change), else_=NO_MONEY),
            net_mrr_change=rows.change,
            restated_mrr=rows.restated,
            account_month_number=rows.month - rows["_first"] + 1,
            unapplied_credit=ibis.coalesce(rows.unapplied_credit, NO_MONEY),
        ),
        contracts.fct_revenue(portfolio),
    )


def _closed_segment(ledger: ir.Table) -> ir.StringValue:
    return ibis.ifelse(ledger.is_closed, ledger.segment, ibis.null("string"))


def _pairs(ledger: ir.Table, portfolio: Portfolio) -> ir.Table:
    """Each account's months beside the month before: account_id, month, mrr, arr, previous, restated."""
    nothing = {"mrr": NO_MONEY, "arr": NO_MONEY, "previous": NO_MONEY, "restated": NO_MONEY}
    columns = ("account_id", "month", *nothing)
    paid = ledger.filter(ledger.mrr > NO_MONEY)
    before = paid.filter(paid.month < paid.horizon)
    restated = ledger.filter(ledger.restated_mrr != NO_MONEY)
    parts = [
        paid.mutate(previous=NO_MONEY, restated=NO_MONEY).select(*columns),
        before.mutate(**nothing | {"previous": before.mrr}, month=before.month + 1).select(*columns),
        restated.mutate(**nothing | {"previous": restated.restated_mrr, "restated": restated.restated_mrr}).select(
            *columns
        ),
    ]
    both = ibis.union(*parts)
    summed = both.group_by(["account_id", "month"]).agg(
        **{name: both[name].sum().cast(MONEY) for name in ("mrr", "arr", "previous", "restated")}
    )
    summed = summed.mutate(
        _first=summed.month.min().over(ibis.window(group_by="account_id")),
        _opening=summed.month.min().over(ibis.window()),
    )
    if portfolio.revenue.opens_with_balance:
        is_opening = summed.month == summed["_opening"]
        summed = summed.mutate(previous=ibis.cases((is_opening, summed.mrr), else_=summed.previous))
    return summed


def _moved(pairs: ir.Table, ledger: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The pairs with `revenue_movement`, `change` and `is_credited`."""
    if portfolio.revenue.basis == "invoices":
        credited = ledger.filter(ledger.is_credited).select("account_id", "month")
        months = credited.union(credited.mutate(month=credited.month + 1)).distinct()
        rows = beside(pairs, months.mutate(_credited=ibis.literal(True)), "account_id", "month")
        # of the two months around it the flag is for those that would be a churn and a comeback
        is_gap = (rows.mrr == NO_MONEY) | (rows.previous == NO_MONEY)
        rows = rows.mutate(is_credited=ibis.coalesce(rows["_credited"], ibis.literal(False)) & is_gap).drop("_credited")
    else:
        rows = pairs.mutate(is_credited=ibis.literal(False))
    return rows.mutate(
        revenue_movement=ibis.cases(
            ((rows.previous == NO_MONEY) & (rows.mrr == NO_MONEY), "flat"),  # all of it restated
            (rows.is_credited & (rows.previous == NO_MONEY), "expansion"),
            (rows.is_credited & (rows.mrr == NO_MONEY), "contraction"),
            ((rows.previous == NO_MONEY) & (rows.month == rows["_first"]), "new"),
            (rows.previous == NO_MONEY, "reactivation"),
            (rows.mrr == NO_MONEY, "churn"),
            (rows.mrr > rows.previous, "expansion"),
            (rows.mrr < rows.previous, "contraction"),
            else_="flat",
        ),
        change=(rows.mrr - rows.previous).cast(MONEY),
    )
