"""Numbers and signals in words, the same on every engine: "GPS adoption 22 % (benchmark 80 %)".

Only expressions of Ibis, in English and with a decimal point; how reports write numbers in a language is
their matter.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.settings.health.curves import BooleanCurve
from cx_intel.settings.portfolio import Portfolio


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
    suffix = ibis.ifelse(known_unit == "", "", ibis.literal(" ") + known_unit)
    target = ibis.coalesce(ibis.literal(" (benchmark ") + number_in_words(benchmark) + suffix + ibis.literal(")"), "")
    answer = label + ibis.literal(": ") + ibis.ifelse(value == 0, "no", "yes")
    return ibis.ifelse(is_boolean, answer, label + ibis.literal(" ") + number_in_words(value) + suffix + target)


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
