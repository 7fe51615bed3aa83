"""Currencies of a delivery that have no rate: they are looked for before anything is written.

What becomes of a single row with such a currency is in `faults.py` beside this module.
"""

from collections.abc import Iterable

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.currency_signs import OF_SEVERAL
from cx_intel.models.staging import parsing
from cx_intel.settings.portfolio import Portfolio


def unknown_currencies(raw: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The currencies of a raw table that have no rate, with the rows they stand in: `currency`, `row_count`.

    To be read before anything is written; a table without a currency column has none.
    """
    named = raw.currency if "currency" in raw.columns else ibis.null("string")
    rows = raw.select(currency=parsing.currency(parsing.text(named)))
    known = [*portfolio.currency.rate_of(), *(sign.upper() for sign in OF_SEVERAL)]  # such a sign is quarantined
    unknown = rows.filter(rows.currency.notnull() & ~rows.currency.isin(known))
    return unknown.group_by("currency").agg(row_count=unknown.count())


def unknown_currency_message(table: str, currencies: Iterable[str], portfolio: Portfolio) -> str:
    """What to tell the operator about currencies without a rate."""
    names = sorted(set(currencies))
    reporting = portfolio.currency.reporting
    return (
        f"portfolio {portfolio.name}: {table} has amounts in {', '.join(names)}, without a rate; nothing was "
        f"written. State how many {reporting} one unit is worth, under currency.rates: {{{names[0]}: 1.05}}"
    )
