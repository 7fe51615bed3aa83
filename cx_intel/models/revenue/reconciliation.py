"""Contracts and invoices held against each other: what each says of an account's MRR in a month.

Only the comparison; what either gives is in `account_mrr.py`, what is published in `published.py`. Definitions:
Reconciliation in `docs/definitions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.revenue import published as contracts
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.expressions.shares import ratio
from cx_intel.models.expressions.statistics import quantiles
from cx_intel.models.revenue.account_mrr import NO_MONEY, account_months
from cx_intel.settings.portfolio import Portfolio

TOLERANCE = 0.02
"""How near to a whole number a ratio is called round."""


def mrr_reconciliation(
    revenue_ledger: ir.Table,
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The MRR of each account and month by contracts, by invoices and by the ledger, to the horizon.

    Grain: revenue_month, account_id, where any of the three is above 0. `round_multiple` is the whole number of 2 or more
    that the median ratio of the two is near to, or that it is near to dividing by.
    """
    tables = (subscription_periods, stg_invoices, stg_mrr_history)
    published = revenue_ledger.filter(revenue_ledger.revenue_month <= revenue_ledger.horizon_month)
    parts = {
        "ledger_mrr": published.select("account_id", month=month_index(published.revenue_month), mrr=published.mrr)
    }
    for name, basis in (("contract_mrr", "subscriptions"), ("invoice_mrr", "invoices")):
        months = account_months(*tables, portfolio=portfolio, as_of=as_of, basis=basis)
        parts[name] = months.select("account_id", "month", "mrr")
    horizon = published.agg(_horizon=month_index(published.horizon_month.max()))
    rows = ibis.union(*(part.select("account_id", "month") for part in parts.values())).distinct().cross_join(horizon)
    rows = rows.filter(rows.month <= rows["_horizon"])
    for name, part in parts.items():
        rows = beside(rows, part.rename(**{name: "mrr"}), "account_id", "month")
    rows = rows.mutate(**{name: ibis.coalesce(rows[name], NO_MONEY) for name in parts})
    rows = rows.filter((rows.contract_mrr > NO_MONEY) | (rows.invoice_mrr > NO_MONEY) | (rows.ledger_mrr > NO_MONEY))
    quotient = ratio(rows.contract_mrr, rows.invoice_mrr)
    rows = rows.mutate(
        revenue_month=first_day(rows.month),
        ratio=ibis.ifelse(
            (rows.contract_mrr > NO_MONEY) & (rows.invoice_mrr > NO_MONEY), quotient, ibis.null("float64")
        ),
        _all=ibis.literal(1),
    )
    middle = quantiles(rows, by=["_all"], value="ratio", points={"median_ratio": 0.5})
    rows = beside(rows, middle, "_all")
    larger = ibis.greatest(rows.median_ratio, 1 / rows.median_ratio.nullif(0))
    whole = larger.round()
    is_round = (whole >= 2) & ((larger - whole).abs() <= TOLERANCE * whole)
    rows = rows.mutate(
        round_multiple=ibis.ifelse(ibis.coalesce(is_round, ibis.literal(False)), whole, ibis.null("float64"))
    )
    return conform(rows, contracts.mrr_reconciliation(portfolio))
