"""The columns that staging computes for invoices and given months of MRR, and what a credit note is.

What invoices give in which month is in `cx_intel.models.revenue.invoice_mrr`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import CREDIT_NOTES
from cx_intel.models.expressions.anniversaries import months_later
from cx_intel.models.expressions.money import converted, to_six_decimals
from cx_intel.models.expressions.months import month_index
from cx_intel.models.staging.columns.subscriptions import first_day_without
from cx_intel.settings.portfolio import Portfolio

MOST_PARTS = 999_999
"""Of a period in twelfths of days: what the exact division leaves room for, some 228 years."""


def is_credit_note(invoices: ir.Table) -> ir.BooleanValue:
    """Whether a line gives back what was billed, by its type; a negative line of another type may be a refund."""
    return ibis.coalesce(invoices.invoice_type.isin(CREDIT_NOTES), ibis.literal(False))


def invoice_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The end of the period as the first day without, invoice_month and is_paid."""
    is_last_day = portfolio.source_of("invoices").end_date.is_ == "last_day_in_force"
    return {
        "period_end": first_day_without(rows.period_end, is_last_day),
        "invoice_month": rows.invoice_date.truncate("M").cast("date"),
        "is_paid": ibis.coalesce(rows.status == "paid", ibis.literal(False)),
    }


def billed(rows: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The rows with `amount` (converted, to cents) and `mrr_amount` (a month, to 6 decimals).

    A period of whole months is so many months, any other its days / (365/12); without one `_months` says how many.
    Null where an amount or period cannot be read; a period that ends before it starts counts in no month anyway.
    """
    days = rows.period_end.delta(rows.period_start, unit="day").cast("int64")
    is_stated = ibis.coalesce(days > 0, ibis.literal(False))
    months = (month_index(rows.period_end) - month_index(rows.period_start)).cast("int64")
    is_whole = ibis.coalesce(months_later(rows.period_start, months) == rows.period_end, ibis.literal(False))
    by_days = is_stated & ~is_whole
    per = ibis.cases((by_days, days * 12), (is_stated, months), else_=rows["_months"])
    rows = rows.mutate(
        _times=ibis.ifelse(by_days, 365, 1).cast("int64"),
        _per=ibis.ifelse(per <= MOST_PARTS, per, ibis.null("int64")).cast("int64"),
    )
    rows = to_six_decimals(rows, {"mrr_amount": "amount"}, portfolio=portfolio, times=rows["_times"], per=rows["_per"])
    return converted(rows, {"amount": ("amount", None)}, portfolio=portfolio)


def newest_file(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The file that delivered an account's month last; of a merged account that of its own id."""
    file = ibis.coalesce(rows["_source_file"], "")
    newest = file.max().over(ibis.window(group_by=[_own_id(rows), "month"]))
    return {"_file": file, "_is_newest": file == newest}


def place_in_month(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The place of each row among those of its account and month that were delivered last."""
    order = [_own_id(rows), "_row_number", "currency", "product_name", "mrr"]
    in_month = ibis.window(group_by=["account_id", "month", "_is_newest"], order_by=order)
    return {"_place": ibis.ifelse(rows["_is_newest"], ibis.row_number().over(in_month) + 1, ibis.null("int64"))}


def given_month_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """`occurrence` counts the rows of an account and month in the file that delivered them last.

    Rows of an earlier file have that of the first, so that what was delivered again is a duplicate of the newest, and
    not added to it.
    """
    first = rows["_place"].min().over(ibis.window(group_by=[_own_id(rows), "month"]))
    return {"occurrence": ibis.coalesce(rows["_place"], first).cast("int64")}


def _own_id(rows: ir.Table) -> ir.Value:
    """The id that the source has for the account of a row, merged or led to another system's account or not."""
    if "_external_id" in rows.columns:
        return rows["_external_id"]
    return rows["_own_id"] if "_own_id" in rows.columns else rows.account_id
