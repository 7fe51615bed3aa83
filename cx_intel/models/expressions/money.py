"""Amounts: exact decimals, converted to the reporting currency and rounded half up to cents once.

Only the arithmetic of one amount belongs here; which currency a row has and what becomes of a misfit is
staging's matter (`cx_intel.models.staging.tables`). Definitions: Money in the metric definitions.
"""

from collections.abc import Mapping
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import MONEY_LIMIT
from cx_intel.models.staging.parsing import NUMBER_PATTERN, PLAIN_NUMBER_PATTERN
from cx_intel.settings.portfolio import Portfolio

AMOUNT = "decimal(22, 9)"
"""Amounts as delivered: up to the limit, nine decimals."""
EXACT = "decimal(38, 9)"
FACTOR = "decimal(16, 0)"
DIVISOR = "decimal(20, 0)"
REST = "decimal(29, 9)"
"""What a division leaves: below its divisor."""
RATE_DIGITS = 13
"""Of all rates written with the same number of decimals: what the exact comparison leaves room for."""


def amount(cell: ir.Value) -> ir.DecimalValue:
    """The amount that a cell states, to nine decimals, or null where it is no number or beyond the limit."""
    if not cell.type().is_string():
        return ibis.ifelse(cell.cast("float64").abs() <= MONEY_LIMIT, cell, ibis.null(cell.type())).cast(AMOUNT)
    plain = ibis.ifelse(cell.re_search(PLAIN_NUMBER_PATTERN), cell, ibis.null("string"))
    with_exponent = ibis.ifelse(cell.re_search(NUMBER_PATTERN), cell, ibis.null("string")).try_cast("float64")
    is_small = with_exponent.abs() <= MONEY_LIMIT
    rare = ibis.ifelse(is_small, with_exponent, ibis.null("float64")).cast(AMOUNT)
    return ibis.ifelse(is_small, ibis.coalesce(plain.try_cast(AMOUNT), rare), ibis.null(AMOUNT))


def in_cents(total: ir.DecimalValue) -> ir.DecimalValue:
    """A sum of exact amounts rounded half up (away from 0) to cents: once, after summing."""
    return total.round(2).cast("decimal(18, 2)")


def in_major_units(value: ir.DecimalValue, currency: ir.StringValue, digits: Mapping[str, int]) -> ir.DecimalValue:
    """A whole number of the currency's smallest unit as an amount: 1999 is 19.99 where the currency has two digits."""
    units = [
        (currency == code, ibis.literal(Decimal(1).scaleb(-count), "decimal(5, 4)").cast("decimal(5, 4)"))
        for code, count in digits.items()
    ]
    return (value * ibis.cases(*units, else_=ibis.null("decimal(5, 4)"))).cast(AMOUNT)


def converted(rows: ir.Table, amounts: Mapping[str, tuple[str, str | None]], *, portfolio: Portfolio) -> ir.Table:
    """The rows with amounts in the reporting currency: amount x rate / months, rounded half up to cents,
    exactly.

    Half up is away from 0, so that a credit note mirrors its invoice. Engines divide decimals as floats;
    hence a candidate is computed in floats and set right by comparing exact products. Null for a currency
    without a rate and for results beyond a thousand times the limit.

    Args:
        rows: With a column `currency`.
        amounts: Column to write: the column of the delivered amount, and that of the months it covers, if
            any.
        portfolio: Its rates.

    Raises:
        ValueError: The rates need more digits than can be computed exactly.
    """
    rates, decimals = whole_rates(portfolio)
    # 200 x size x rate is compared with (2 cents + 1) x months, both x 10^decimals: no fraction anywhere.
    cases = [(rows.currency == code, ibis.literal(200 * rate).cast(FACTOR)) for code, rate in rates.items()]
    factor = ibis.cases(*cases, else_=ibis.null(FACTOR))
    scale = ibis.literal(10**decimals).cast("decimal(14, 0)")
    one = ibis.literal(1, "int64")
    products = {}
    for name, (amount_column, months) in amounts.items():
        products[f"_left_{name}"] = (rows[amount_column].abs() * factor).cast(EXACT)
        covered = (rows[months] if months else one).cast("decimal(6, 0)")
        products[f"_right_{name}"] = (covered * scale).cast("decimal(20, 0)")
        products[f"_sign_{name}"] = ibis.ifelse(rows[amount_column] < 0, -one, one)
    steps = rows.mutate(**products)
    steps = steps.mutate(**{f"_cents_{n}": _candidate(steps[f"_left_{n}"], steps[f"_right_{n}"]) for n in amounts})
    return steps.mutate(
        **{
            n: _settled(steps[f"_cents_{n}"], steps[f"_left_{n}"], steps[f"_right_{n}"], steps[f"_sign_{n}"])
            for n in amounts
        }
    ).drop(*(f"_{part}_{n}" for part in ("left", "right", "sign", "cents") for n in amounts))


def to_six_decimals(
    rows: ir.Table, amounts: Mapping[str, str], *, portfolio: Portfolio, times: ir.IntegerValue, per: ir.IntegerValue
) -> ir.Table:
    """The rows with amounts in the reporting currency: amount x rate x times / per, half up to 6 decimals, exactly.

    Written as a long division, whole units first and then the six decimals of the rest, each quotient estimated in
    floats and set right by comparing exact products. Null for a currency without a rate and beyond the limit.

    Args:
        rows: With a column `currency`.
        amounts: Column to write: the column of the delivered amount.
        portfolio: Its rates.
        times: A whole number, at most three digits.
        per: A whole number, at most five digits.
    """
    rates, decimals = whole_rates(portfolio)
    factor = ibis.cases(
        *((rows.currency == code, ibis.literal(rate).cast(FACTOR)) for code, rate in rates.items()),
        else_=ibis.null(FACTOR),
    )
    scale = ibis.literal(10**decimals).cast("decimal(14, 0)")
    multiplier = (factor * times.cast("decimal(3, 0)")).cast(FACTOR)
    steps = rows.mutate(
        _divisor=(per.cast("decimal(6, 0)") * scale).cast(DIVISOR),
        **{f"_units_of_{n}": (rows[source].abs() * multiplier).cast(EXACT) for n, source in amounts.items()},
        **{f"_is_negative_{n}": rows[source] < 0 for n, source in amounts.items()},
    )
    steps = _divided(steps, {f"_units_of_{n}": f"_units_{n}" for n in amounts})
    million = ibis.literal(10**6).cast("decimal(7, 0)")
    steps = steps.mutate(**{f"_rest_of_{n}": (steps[f"_units_of_{n}"] * million).cast(EXACT) for n in amounts})
    steps = _divided(steps, {f"_rest_of_{n}": f"_millionths_{n}" for n in amounts})
    results = {}
    for n in amounts:
        is_up = (steps[f"_rest_of_{n}"] * ibis.literal(2).cast("decimal(1, 0)")).cast(EXACT) >= steps["_divisor"]
        millionths = (steps[f"_millionths_{n}"] + ibis.ifelse(is_up, 1, 0)).cast("decimal(9, 0)")
        fraction = (millionths * ibis.literal(Decimal("0.000001"), "decimal(15, 6)")).cast("decimal(18, 6)")
        size = steps[f"_units_{n}"].cast("decimal(18, 6)") + fraction
        results[n] = ibis.ifelse(steps[f"_is_negative_{n}"], -size, size).cast("decimal(18, 6)")
    kept = [c for c in rows.columns if c not in results]
    return steps.mutate(**results).select(*kept, *results)


def _divided(steps: ir.Table, dividends: Mapping[str, str]) -> ir.Table:
    """Each dividend divided by `_divisor`: the whole quotient in the named column, the dividend becomes the rest."""
    estimates = {
        name: steps[dividend].cast("float64") / steps["_divisor"].cast("float64")
        for dividend, name in dividends.items()
    }
    steps = steps.mutate(
        **{
            name: ibis.ifelse(estimate < MONEY_LIMIT, estimate, ibis.null("float64")).floor().cast("int64")
            for name, estimate in estimates.items()
        }
    )
    # the estimate is right, or one off
    settled = {
        name: steps[name]
        + ibis.cases(
            (steps[dividend] < _exactly(steps[name], steps["_divisor"]), -1),
            (steps[dividend] >= _exactly(steps[name] + 1, steps["_divisor"]), 1),
            else_=0,
        )
        for dividend, name in dividends.items()
    }
    steps = steps.mutate(**settled)
    return steps.mutate(
        **{
            dividend: (steps[dividend] - _exactly(steps[name], steps["_divisor"])).cast(REST)
            for dividend, name in dividends.items()
        }
    )


def _exactly(quotient: ir.IntegerValue, divisor: ir.DecimalValue) -> ir.DecimalValue:
    return (quotient.cast("decimal(18, 0)") * divisor).cast(EXACT)


def _candidate(left: ir.DecimalValue, right: ir.DecimalValue) -> ir.IntegerValue:
    """The cents by floats: right, or one off."""
    estimate = (left.cast("float64") / right.cast("float64") + 1) / 2
    return ibis.ifelse(estimate <= MONEY_LIMIT * 1000, estimate, ibis.null("float64")).floor().cast("int64")


def _settled(
    cents: ir.IntegerValue, left: ir.DecimalValue, right: ir.DecimalValue, sign: ir.IntegerValue
) -> ir.DecimalValue:
    """The cents set right, as an amount with its sign."""

    def exactly(half_cents: ir.IntegerValue) -> ir.DecimalValue:
        return (half_cents.cast("decimal(18, 0)") * right).cast("decimal(38, 0)")

    settled = ibis.cases(
        (left >= exactly(cents * 2 + 1), cents + 1), (left < exactly(cents * 2 - 1), cents - 1), else_=cents
    )
    hundredth = ibis.literal(Decimal("0.01"), "decimal(18, 2)")
    return ((settled * sign).cast("decimal(16, 0)") * hundredth).cast("decimal(18, 2)")


def whole_rates(portfolio: Portfolio) -> tuple[dict[str, int], int]:
    """The rates as whole numbers of 10^-decimals, and those decimals."""
    rates = portfolio.currency.rate_of()
    decimals = max(0, *(-int(rate.normalize().as_tuple().exponent) for rate in rates.values()))
    whole = {code: int(rate.scaleb(decimals)) for code, rate in rates.items()}
    if decimals > RATE_DIGITS - 1 or max(whole.values()) >= 10**RATE_DIGITS:
        raise ValueError(
            f"currency.rates: with {decimals} decimals the rates take over {RATE_DIGITS} digits; round them"
        )
    return whole, decimals
