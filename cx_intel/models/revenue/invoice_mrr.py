"""MRR from invoices: what recognised lines give in each month, and what credit notes take.

When a line counts is in `invoice_spans.py`, what recurs in `recurring.py`; how an account's months move is in
`ledger.py`. Definitions: Basis `invoices` in `docs/definitions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, PRICE
from cx_intel.models.expressions.months import each_month, month_index
from cx_intel.models.revenue.invoice_spans import has_period, spans
from cx_intel.models.revenue.recurring import recognised, with_credited
from cx_intel.models.staging.columns.invoices import is_credit_note
from cx_intel.settings.portfolio import Portfolio

NOTHING = ibis.literal(0).cast(PRICE)
NO_CREDIT = ibis.literal(0).cast(MONEY)


def charges_of(stg_invoices: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The recognised and recurring lines dated by `as_of` that bill something, with `first` and `last` month of `spans`."""
    known = _recurring(stg_invoices, portfolio, as_of)
    return spans(known.filter((known.amount > NO_CREDIT) & ~is_credit_note(known)))


def invoice_months(stg_invoices: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """What each account is billed for each month: account_id, month (its number), charged, taken, unapplied_credit.

    `charged` is what its lines give, `taken` what credit notes take of it, both to 6 decimals; `unapplied_credit` is
    what was given back without taking MRR: refunds, and credits beyond what the credited invoice gives. A credit note
    with a period takes from those months; one that names an invoice from the months of that invoice; any other from
    its own month. What is negative, names no invoice, has no period and is no credit note is a refund.
    """
    charges = charges_of(stg_invoices, portfolio=portfolio, as_of=as_of)
    given = _by_month(charges.select("account_id", "first", "last", charged=charges.mrr_amount), "charged")
    known = _recurring(stg_invoices, portfolio, as_of)
    back = known.filter((known.amount < NO_CREDIT) | is_credit_note(known))
    back = back.mutate(amount=back.amount.abs(), mrr_amount=back.mrr_amount.abs(), _has_period=has_period(back))
    names = back.credited_invoice_id.notnull() & ~back["_has_period"]
    own = back.filter(~names & (back["_has_period"] | is_credit_note(back)))
    start, months = ibis.coalesce(own.period_start, own.invoice_date), own.billing_period_months
    end = ibis.ifelse(own["_has_period"], month_index(own.period_end), month_index(start) + months)
    takes = own.select("account_id", first=month_index(start), last=end - 1, taken=own.mrr_amount)
    refunds = back.filter(~names & ~back["_has_period"] & ~is_credit_note(back))
    named = _taken_of_invoices(back.filter(names), charges)
    taken = _by_month(takes.union(named.select("account_id", "first", "last", "taken")), "taken")
    unapplied = refunds.select(
        "account_id", month=month_index(refunds.invoice_date), unapplied_credit=refunds.amount.cast(MONEY)
    ).union(named.select("account_id", month=named.credit_month, unapplied_credit=named.unapplied))
    parts = ibis.union(
        given.mutate(taken=NOTHING, unapplied_credit=NO_CREDIT),
        taken.mutate(charged=NOTHING, unapplied_credit=NO_CREDIT).select(
            "account_id", "month", "charged", "taken", "unapplied_credit"
        ),
        unapplied.mutate(charged=NOTHING, taken=NOTHING).select(
            "account_id", "month", "charged", "taken", "unapplied_credit"
        ),
    )
    return parts.group_by(["account_id", "month"]).agg(
        charged=parts.charged.sum(), taken=parts.taken.sum(), unapplied_credit=parts.unapplied_credit.sum().cast(MONEY)
    )


def _recurring(invoices: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    rows = with_credited(recognised(invoices, portfolio=portfolio, as_of=as_of), portfolio)
    return rows.filter(rows.non_recurring.isnull())


def _by_month(rows: ir.Table, amount: str) -> ir.Table:
    months = each_month(rows, first=rows["first"], last=rows["last"], name="month")
    return months.select("account_id", "month", amount)


def _taken_of_invoices(credits: ir.Table, charges: ir.Table) -> ir.Table:
    """What is credited to each named invoice: account_id, first, last, taken in each of those months, what is beyond it.

    An invoice that is not recognised gives nothing, so its credit is all beyond.
    """
    per_invoice = credits.group_by(["account_id", "credited_invoice_id"]).agg(
        credit=credits.amount.sum().cast(MONEY), credit_month=month_index(credits.invoice_date).max()
    )
    lines = charges.select(
        _line=charges.invoice_id, _billed=charges.amount, _gives=charges.mrr_amount, _first="first", _last="last"
    )
    rows = per_invoice.left_join(lines, per_invoice.credited_invoice_id == lines["_line"])
    billed = ibis.coalesce(rows["_billed"], NO_CREDIT)
    gives = ibis.coalesce(rows["_gives"], NOTHING)
    part = gives.cast("float64") * rows.credit.cast("float64") / billed.cast("float64").nullif(0)
    is_whole = rows.credit >= billed
    return rows.select(
        "account_id",
        "credit_month",
        first=ibis.coalesce(rows["_first"], ibis.literal(0, "int64")),
        last=ibis.coalesce(rows["_last"], ibis.literal(-1, "int64")),
        taken=ibis.ifelse(is_whole, gives, part.round(6).cast(PRICE)),
        unapplied=ibis.ifelse(is_whole, rows.credit - billed, NO_CREDIT).cast(MONEY),
    )
