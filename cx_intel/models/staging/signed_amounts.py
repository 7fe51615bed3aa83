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
    """The currency that the signs of a row's amounts (`_currency_sign_<column>`) leave no doubt about; else null."""
    signs = [rows[f"_currency_sign_{name}"] for name in columns if f"_currency_sign_{name}" in rows.columns]
    if not signs:
        return ibis.null("string")
    sign = ibis.coalesce(*signs)
    doubtful = (sign.isin(list(OF_SEVERAL)), ibis.null("string"))
    return ibis.cases(doubtful, *((sign == text, code) for text, code in OF_ONE.items()), else_=sign)


def contradicted(rows: ir.Table, name: str, cell: Mapping[str, Gap]) -> list[Fault]:
    """The fault of an amount whose sign is of another currency than the row itself states."""
    if f"_currency_sign_{name}" not in rows.columns or "_own_currency" not in rows.columns:
        return []
    own = rows["_own_currency"]
    is_other = ibis.coalesce(~fits(rows[f"_currency_sign_{name}"], own), ibis.literal(False))
    return [(is_other, reason("other_currency", **cell, currency=own))]
