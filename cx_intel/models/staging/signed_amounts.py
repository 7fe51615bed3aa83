"""The sign or code of a currency that an amount carries: what it says of the row, and where it contradicts the row.

Which currencies a sign can mean is in `cx_intel.contracts.staging.currency_signs`, amounts themselves in
`cx_intel.models.expressions.money`.
"""

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.currency_signs import OF_ONE, OF_SEVERAL, SIGNED, fits
from cx_intel.models.expressions.reasons import Fault, Gap, reason


def without_sign(cell: ir.StringValue) -> ir.StringValue:
    """The number of `1234.56 EUR`; other cells as they are."""
    return ibis.ifelse(cell.re_search(SIGNED), cell.re_replace(r" [^0-9 ]+$", ""), cell)


def sign_of(cell: ir.StringValue) -> ir.StringValue:
    """The sign or code behind the number; null where there is none."""
    return cell.re_extract(SIGNED, 1).nullif("")


def stated_currency(rows: ir.Table, columns: Iterable[str]) -> ir.StringValue:
    """The currency of the first sign of a row's amounts (`_currency_sign_<column>`) that leaves no doubt; else null."""
    signs = [rows[f"_currency_sign_{name}"] for name in columns if f"_currency_sign_{name}" in rows.columns]
    return ibis.coalesce(*map(_without_doubt, signs)) if signs else ibis.null("string")


def _without_doubt(sign: ir.StringValue) -> ir.StringValue:
    doubtful = (sign.isin(list(OF_SEVERAL)), ibis.null("string"))
    return ibis.cases(doubtful, *((sign == text, code) for text, code in OF_ONE.items()), else_=sign)


def contradicted(rows: ir.Table, name: str, cell: Mapping[str, Gap]) -> list[Fault]:
    """The faults of an amount whose sign is of another currency than the row states, or another amount of it."""
    sign_column = f"_currency_sign_{name}"
    if sign_column not in rows.columns or "_own_currency" not in rows.columns:
        return []
    sign, own, stated = rows[sign_column], rows["_own_currency"], rows["_stated_currency"]
    others = [rows[c] for c in rows.columns if c.startswith("_currency_sign_") and c != sign_column]
    faults = [(own.notnull() & ~fits(sign, own), reason("other_currency", **cell, currency=own))]
    if others:
        other = ibis.coalesce(stated, *others)
        is_other = ibis.ifelse(stated.notnull(), ~fits(sign, stated), sign != other)
        faults.append((own.isnull() & is_other, reason("two_currencies", **cell, other=other)))
    return [(ibis.coalesce(when, ibis.literal(False)), why) for when, why in faults]
