"""The horizon: the last month that the ledger tells of at `as_of`. Definitions: Revenue in the metric definitions."""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.months import last_complete_month, month_index
from cx_intel.settings.portfolio import Portfolio


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


def _horizon(dim_account: ir.Table) -> ir.Table:
    return dim_account.agg(horizon_month=dim_account.horizon_month.max())
