"""Which currencies a sign beside an amount can mean, and that amounts are in the currency of their row.

How the signs are found in cells is in `cx_intel.warehouse.duckdb.files.local_spellings`, what becomes of them at
staging in `cx_intel.models.staging.signed_amounts`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import CrossInvariant
from cx_intel.settings.portfolio import Portfolio

SIGNED = r"^[0-9.eE+-]+ ([^0-9 ]+)$"
"""A number as it is kept with the sign or code of its currency: `1234.56 EUR`."""
OF_ONE = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "zł": "PLN",
    "R$": "BRL",
    "US$": "USD",
    "A$": "AUD",
    "AU$": "AUD",
    "C$": "CAD",
    "CA$": "CAD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "S$": "SGD",
    "MX$": "MXN",
}
"""Signs of a single currency, and its code."""
OF_SEVERAL = {
    "$": ("USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP"),
    "¥": ("JPY", "CNY"),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
}
"""Signs that several currencies have."""


def fits(sign: ir.StringValue, currency: ir.StringValue) -> ir.BooleanValue:
    """Whether an amount with this sign can be in the currency; null without a sign."""
    several = [(sign == text, currency.isin(codes)) for text, codes in OF_SEVERAL.items()]
    single = [(sign == text, currency == code) for text, code in OF_ONE.items()]
    return ibis.cases((sign.isnull(), ibis.null("boolean")), *several, *single, else_=currency == sign)


def amounts_in_currency(table: str, columns: tuple[str, ...], portfolio: Portfolio) -> tuple[CrossInvariant, ...]:
    """That no amount with a sign such as $ is in a currency that has another one.

    Args:
        table: The canonical table.
        columns: Its amounts.
        portfolio: Whether it has the table.
    """
    if table not in portfolio.tables:
        return ()
    raw, key = f"raw_{table}", f"{table.removesuffix('s')}_id"

    def in_another(tables: Mapping[str, ir.Table]) -> ir.Table:
        rows, staged = tables[raw], tables["self"]
        names = [name for name in columns if name in rows.columns and rows[name].type().is_string()]
        if key not in rows.columns or not names:
            return staged.filter(ibis.literal(False))
        signs = ibis.coalesce(*(rows[name].re_extract(SIGNED, 1).nullif("") for name in names))
        signed = rows.select(_id=rows[key].cast("string").strip(), sign=signs).filter(ibis._.sign.notnull())
        joined = staged.select(key, "currency").inner_join(signed, staged[key] == signed["_id"]).drop("_id")
        return joined.filter(~ibis.coalesce(fits(joined.sign, joined.currency), ibis.literal(True)))

    return (
        CrossInvariant(
            "amounts_in_currency",
            f"No amount ({', '.join(columns)}) carries the sign of another currency than its row has.",
            (raw,),
            in_another,
            "The row states no currency, so that the amount counts as one of its account or of the reporting currency: map "
            f"`currency`, or state `constants: {{currency: USD}}` on the source of {table}, with its rate under currency.rates.",
            "warn",
        ),
    )
