"""What is told of the ledger beside it: how much of a month is delivered, and who came and went within one.

Which month is the last is decided in `horizon.py`; contracts and invoices are compared in `reconciliation.py`.
Definitions: Horizon in `docs/definitions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.revenue import published as contracts
from cx_intel.models.expressions.money import in_cents
from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.revenue.horizon import delivered_months
from cx_intel.models.subscriptions.in_force import is_contract
from cx_intel.settings.portfolio import Portfolio


def mrr_delivery(
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """How much of each month has been delivered, and whether it counts.

    Grain: revenue_month, from the first with a row to the last complete one. See `delivered_months`.
    """
    months = delivered_months(subscription_periods, stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    return conform(months.mutate(revenue_month=first_day(months.month)), contracts.mrr_delivery(portfolio))


def fct_revenue_intra_month(subscription_periods: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The subscriptions that came and went between two month ends, ended by `as_of`.

    Grain: subscription_id, from. They are in no month of the ledger, whatever they cost.
    """
    periods = subscription_periods
    ended = periods.filter(is_contract(periods) & (periods.counts_until <= ibis.literal(as_of)))
    is_within = month_index(ended.counts_from) == month_index(ended.counts_until)
    within = ended.filter(is_within & (ended.counts_from < ended.counts_until))
    # what goes on under another price, or before and after, did not come and go
    others = periods.filter(is_contract(periods)).select(
        "subscription_id", _from=periods.counts_from, _until=periods.counts_until
    )
    touching = within.inner_join(others, "subscription_id")
    touching = touching.filter(
        (touching["_from"] == touching.counts_until) | (touching["_until"] == touching.counts_from)
    )
    alone = within.anti_join(touching.select("subscription_id").distinct(), "subscription_id")
    rows = alone.select(
        "account_id",
        "subscription_id",
        **{"from": alone.counts_from, "to": alone.counts_until},
        mrr=ibis.greatest(in_cents(alone.mrr_amount), ibis.literal(0).cast(MONEY)),
    )
    return conform(rows, contracts.fct_revenue_intra_month(portfolio))
