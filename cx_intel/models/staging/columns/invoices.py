"""The columns that staging computes for invoices."""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.settings.portfolio import Portfolio


def invoice_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """invoice_month and is_paid."""
    return {
        "invoice_month": rows.invoice_date.truncate("M").cast("date"),
        "is_paid": ibis.coalesce(rows.status == "paid", ibis.literal(False)),
    }
