"""What MRR an account has in a month, by `revenue.basis`: contracts in force, recognised invoices, or given figures.

How invoices become months is in `invoice_mrr.py`, which month is the last in `horizon.py`, and how MRR moves from month to
month in `ledger.py`. Definitions: Revenue in the metric definitions.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY
from cx_intel.models.expressions.money import in_cents
from cx_intel.models.expressions.months import each_month, last_complete_month, month_index
from cx_intel.models.revenue.invoice_mrr import NO_CREDIT, NOTHING, invoice_months
from cx_intel.models.subscriptions.in_force import is_contract
from cx_intel.settings.portfolio import Portfolio

SUM = "decimal(30, 6)"
"""Monthly amounts while they are summed."""
NO_MONEY = ibis.literal(0).cast(MONEY)


def account_months(
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    basis: str | None = None,
) -> ir.Table:
    """What an account has in each month up to the last complete one, whether or not that is delivered.

    Args:
        subscription_periods: Read for the basis of that name.
        stg_invoices: Likewise.
        stg_mrr_history: Likewise.
        portfolio: Its basis, and what counts.
        as_of: Nothing dated later is read.
        basis: Another basis than the portfolio's own, to compare with.

    Returns:
        account_id, month (its number), mrr (summed, then rounded once, half up; not below 0), arr (12 x the unrounded sum,
        rounded), unapplied_credit (what was given back beyond it, which counts nowhere), is_credited (there were charges,
        and credit notes took them all). Only rows in which one of them is not 0.
    """
    complete = last_complete_month(as_of)
    basis = basis or portfolio.revenue.basis
    if basis == "invoices":
        parts = invoice_months(stg_invoices, portfolio=portfolio, as_of=as_of)
    else:
        given = (
            _in_force_at_month_ends(subscription_periods, complete)
            if basis == "subscriptions"
            else stg_mrr_history.select(
                "account_id", month=month_index(stg_mrr_history.month), amount=stg_mrr_history.mrr
            )
        )
        parts = given.group_by(["account_id", "month"]).agg(charged=given.amount.cast(SUM).sum())
        parts = parts.mutate(taken=NOTHING, unapplied_credit=NO_CREDIT)
    parts = parts.filter(parts.month <= complete)
    net = parts.mutate(_net=(parts.charged.cast(SUM) - parts.taken.cast(SUM)).cast(SUM))
    net = net.mutate(_mrr=in_cents(net["_net"]))
    is_paid = net["_mrr"] > NO_MONEY
    beyond = ibis.ifelse(net["_mrr"] < NO_MONEY, -net["_mrr"], NO_MONEY)
    rows = net.select(
        "account_id",
        "month",
        mrr=ibis.ifelse(is_paid, net["_mrr"], NO_MONEY),
        arr=ibis.ifelse(is_paid, a_year_of(net["_net"]), NO_MONEY),
        unapplied_credit=(net.unapplied_credit + beyond).cast(MONEY),
        is_credited=~is_paid & (net.charged.round(2) > 0) & (net.taken.round(2) > 0),
    )
    return rows.filter((rows.mrr > NO_MONEY) | (rows.unapplied_credit != NO_MONEY) | rows.is_credited)


def a_year_of(total: ir.DecimalValue) -> ir.DecimalValue:
    """12 x an exact monthly sum, rounded once: 83.333333 a month is 1,000.00 a year."""
    return in_cents((total * 12).cast(SUM))


def _in_force_at_month_ends(periods: ir.Table, horizon: int) -> ir.Table:
    """account_id, month, amount: a row for each month on whose last day a period of a subscription is in force."""
    counting = periods.filter(is_contract(periods))
    # in force on the last day of M means not ended by the first day of M + 1: the day before the end lies in no later
    # month than M + 1, and M + 1 itself counts only when the end is beyond its last day
    end_month = month_index(counting.counts_until)  # the first month on whose last day it is no longer in force
    last = ibis.cases((counting.counts_until.isnull() | (end_month - 1 > horizon), horizon), else_=end_month - 1)
    months = each_month(
        counting.select("account_id", "mrr_amount", _from=month_index(counting.counts_from), _until=last.cast("int64")),
        first=ibis._["_from"],
        last=ibis._["_until"],
        name="month",
    )
    return months.select("account_id", "month", amount=months.mrr_amount)
