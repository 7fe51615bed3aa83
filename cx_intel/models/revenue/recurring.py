"""What of billing recurs and so is MRR, and the table of what does not: one-off fees, tax, metered use.

A line is judged by itself in `cx_intel.models.staging.columns.recurring`; here a credit note follows the line that it
takes from. What recurring lines give in each month is in `invoice_mrr.py`. Definitions: What recurs in
`docs/definitions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.revenue import non_recurring as contracts
from cx_intel.models.staging.columns.subscriptions import status_role
from cx_intel.models.subscriptions.history import newest_rows
from cx_intel.settings.portfolio import Portfolio


def recognised(stg_invoices: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The invoices of a recognised status that are dated by `as_of`, those that do not recur included."""
    return stg_invoices.filter(
        stg_invoices.status.isin(portfolio.revenue.recognised_statuses)
        & (stg_invoices.invoice_date <= ibis.literal(as_of))
    )


def with_credited(invoices: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The invoices, where a line that names a credited invoice recurs as that one does.

    One that names an invoice which is not among them is judged by itself.
    """
    if not portfolio.revenue.recurring_rules:
        return invoices
    credited = invoices.select(
        _credited_id=invoices.invoice_id, _is_known=ibis.literal(True), _why=invoices.non_recurring
    )
    rows = invoices.left_join(credited, invoices.credited_invoice_id == credited["_credited_id"])
    of_credited = ibis.literal("credits ") + rows["_credited_id"] + ", " + rows["_why"]
    own = ibis.ifelse(rows["_is_known"].isnull(), rows.non_recurring, ibis.null("string"))
    return rows.mutate(non_recurring=ibis.coalesce(of_credited, own)).select(*invoices.columns)


def non_recurring(
    stg_subscriptions: ir.Table, stg_invoices: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """What was billed or subscribed to by `as_of` and is no MRR, because it does not recur, with the reason.

    Grain: source_table, id. Read are recognised invoices, and the newest row of each subscription that is neither a
    draft nor a trial and has started. Always true: amounts are as billed, in the reporting currency, not by the month.
    """
    invoices = with_credited(recognised(stg_invoices, portfolio=portfolio, as_of=as_of), portfolio)
    lines = invoices.filter(invoices.non_recurring.notnull())
    subscriptions = newest_rows(stg_subscriptions)
    role = ibis.coalesce(status_role(subscriptions.status, portfolio), "never")
    of_contracts = subscriptions.filter(
        subscriptions.non_recurring.notnull()
        & role.notin(["never", "trial"])
        & (subscriptions.start_date <= ibis.literal(as_of))
    )
    parts = [
        part.select(
            "account_id",
            revenue_month=part[day].truncate("M").cast("date"),
            billed_on=part[day],
            source_table=ibis.literal(table),
            id=part[key],
            product_name=part.product_name,
            amount=part.amount,
            why=part.non_recurring,
        )
        for part, table, key, day in (
            (lines, "invoices", "invoice_id", "invoice_date"),
            (of_contracts, "subscriptions", "subscription_id", "start_date"),
        )
    ]
    return conform(ibis.union(*parts), contracts.non_recurring(portfolio))
