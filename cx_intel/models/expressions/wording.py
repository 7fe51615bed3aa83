"""Numbers and signals in words, the same on every engine: "GPS adoption 22 % (benchmark 80 %)".

Only expressions of Ibis, in English and with a decimal point; how reports write numbers in a language is
their matter.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.settings.health.curves import BooleanCurve
from cx_intel.settings.portfolio import Portfolio

SINGULAR_UNITS = {
    "accounts": "account",
    "calls": "call",
    "days": "day",
    "events": "event",
    "events per day": "event per day",
    "features": "feature",
    "hours": "hour",
    "logins": "login",
    "modules": "module",
    "months": "month",
    "points": "point",
    "products": "product",
    "reports": "report",
    "runs": "run",
    "seats": "seat",
    "tickets": "ticket",
    "users": "user",
    "vehicles": "vehicle",
    "weeks": "week",
}
"""Units of signals that are counted: how they read after 1."""


def number_in_words(value: ir.FloatingValue) -> ir.StringValue:
    """The number with one decimal, two below 1, rounded half up, without closing zeros; null for null."""
    amount = value.cast("float64").abs()
    hundredths = (amount * 100 + 0.5).floor().cast("int64")
    rounded = ibis.ifelse(amount < 1, hundredths, (amount * 10 + 0.5).floor().cast("int64") * 10)
    whole, tenth, hundredth = rounded // 100, (rounded // 10) % 10, rounded % 10
    decimals = ibis.cases(
        (rounded % 100 == 0, ""),
        (hundredth == 0, ibis.literal(".") + tenth.cast("string")),
        else_=ibis.literal(".") + tenth.cast("string") + hundredth.cast("string"),
    )
    sign = ibis.ifelse((value < 0) & (rounded > 0), "-", "")
    return sign + whole.cast("string") + decimals


def with_unit(number: ir.StringValue, unit: ir.StringValue) -> ir.StringValue:
    """A number in words and its unit, in the singular after 1; the number alone where there is no unit."""
    one = unit.cases(*SINGULAR_UNITS.items(), else_=unit)
    return number + ibis.ifelse(unit == "", "", ibis.literal(" ") + ibis.ifelse(number == "1", one, unit))


def signal_in_words(
    label: ir.StringValue,
    value: ir.FloatingValue,
    unit: ir.StringValue,
    benchmark: ir.FloatingValue,
    *,
    is_boolean: ir.BooleanValue,
) -> ir.StringValue:
    """A signal's label, value, unit and, where it has one, benchmark; yes or no for a boolean signal."""
    known_unit = ibis.coalesce(unit, "")
    goal = with_unit(number_in_words(benchmark), known_unit)
    target = ibis.coalesce(ibis.literal(" (benchmark ") + goal + ibis.literal(")"), "")
    answer = label + ibis.literal(": ") + ibis.ifelse(value == 0, "no", "yes")
    return ibis.ifelse(
        is_boolean, answer, label + ibis.literal(" ") + with_unit(number_in_words(value), known_unit) + target
    )


def boolean_signals(portfolio: Portfolio) -> list[str]:
    """The signals that some health model of the portfolio reads as yes or no."""
    if portfolio.health is None:
        return []
    return sorted(
        {
            signal
            for model in portfolio.health.all_models()
            for dimension in model.dimensions.values()
            for signal, part in dimension.signals.items()
            if isinstance(part.curve, BooleanCurve)
        }
    )
