"""What MRR an account has in a month, by `revenue.basis`: contracts in force, recognised invoices, or given figures.

How it moves from month to month is in `ledger.py`. Definitions: Revenue in the metric definitions.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY
from cx_intel.models.expressions.money import in_cents
from cx_intel.models.expressions.months import each_month, last_complete_month, month_index
from cx_intel.models.revenue.horizon import horizon_index
from cx_intel.models.revenue.in_force import is_contract
from cx_intel.settings.portfolio import Portfolio

SUM = "decimal(30, 6)"
"""Monthly amounts while they are summed."""
NO_MONEY = ibis.literal(0).cast(MONEY)


def account_mrr(
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The MRR of an account in a month: account_id, month (its number), mrr, arr; only sums other than 0, to the horizon.

    Summed exactly and rounded once; arr is 12 x the sum before it is rounded. Sums below 0 are still here; the ledger
    counts them as 0.
    """
    horizon = horizon_index(stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    revenue = portfolio.revenue
    if revenue.basis == "subscriptions":
        rows = _in_force_at_month_ends(subscription_periods, last_complete_month(as_of))
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
    summed = in_reach.group_by(["account_id", "month"]).agg(total=in_reach.amount.cast(SUM).sum().cast(SUM))
    summed = summed.select("account_id", "month", mrr=in_cents(summed.total), arr=a_year_of(summed.total))
    return summed.filter(summed.mrr != NO_MONEY)


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
