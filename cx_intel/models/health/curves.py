"""Curves: from the value of a signal to its score of 0 to 100, and to the value that scores 100.

The grammar is `cx_intel.settings.health.model`; weights and what happens to missing signals are decided in
`health.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.conditions import holds
from cx_intel.models.expressions.literals import number
from cx_intel.settings.health.curves import (
    BooleanCurve,
    Bound,
    Curve,
    LinearCurve,
    QuartileCurve,
    RulesCurve,
    StepsCurve,
)


@dataclass(frozen=True)
class Judged:
    """What a curve may look at in a row.

    Attributes:
        value: The signal's value; null when missing.
        rank: Its score by quartile.
        signals: The account's signals by name, as far as rules read them.
        attributes: The account's attributes.
    """

    value: ir.FloatingValue
    rank: ir.FloatingValue
    signals: Mapping[str, ir.FloatingValue]
    attributes: Mapping[str, ir.Value] | ir.Table


def score(curve: Curve, judged: Judged) -> ir.FloatingValue:
    """The score of a row; null where the value, or an attribute that bounds the curve, is missing."""
    value = judged.value
    if isinstance(curve, LinearCurve):
        zero, full = (_bound(b, judged) for b in (curve.linear.zero, curve.linear.full))
        return within(100.0 * (value - zero) / (full - zero).nullif(0), 0.0, 100.0)
    if isinstance(curve, StepsCurve):
        steps = [(value <= bound, number(points)) for bound, points in curve.steps]
        return ibis.cases((value.isnull(), ibis.null("float64")), *steps, else_=number(curve.else_))
    if isinstance(curve, BooleanCurve):
        yes, no = number(curve.boolean.yes), number(curve.boolean.no)
        return ibis.cases((value.isnull(), ibis.null("float64")), (value != 0, yes), else_=no)
    if isinstance(curve, RulesCurve):
        rules = [(holds(case.if_, judged.signals), number(case.score)) for case in curve.rules]
        return ibis.cases(*rules, else_=number(curve.else_))
    return judged.rank


def best_value(curve: Curve, judged: Judged) -> ir.FloatingValue:
    """The value that scores 100, the nearest to the others where several do; null where none does."""
    if isinstance(curve, LinearCurve):
        return _bound(curve.linear.full, judged)
    if isinstance(curve, StepsCurve):
        full = [bound for bound, points in curve.steps if points == 100]
        if full:
            return number(full[-1])
        return number(curve.steps[-1][0]) if curve.else_ == 100 else ibis.null("float64")
    if isinstance(curve, BooleanCurve):
        if 100 not in (curve.boolean.yes, curve.boolean.no) or curve.boolean.yes == curve.boolean.no:
            return ibis.null("float64")
        return number(1 if curve.boolean.yes == 100 else 0)
    return ibis.null("float64")


def uses_rank(curve: Curve) -> bool:
    """Whether the score depends on the other accounts' values."""
    return isinstance(curve, QuartileCurve)


def quartile_score(value: ir.FloatingValue, among: list[ir.Value]) -> ir.FloatingValue:
    """25, 50, 75 or 100 by rank: p = (below + half of the equals with itself) / n, score 25 x ceil(4 p).

    Args:
        value: What is ranked, the higher the better. Rows of null must not be among the others.
        among: The columns whose equal values make up the population of a rank.
    """
    below = value.rank().over(group_by=among, order_by=value)
    equals = value.count().over(group_by=[*among, value])
    everyone = value.count().over(group_by=among)
    return quartile(below, equals, everyone)


def quartile(below: ir.IntegerValue, equals: ir.IntegerValue, everyone: ir.IntegerValue) -> ir.FloatingValue:
    """The score of a value with so many below it and so many equals, itself included, among so many."""
    doubled = (4 * below + 2 * equals).cast("float64")  # whole numbers until the one division: no rounding noise
    return 25.0 * (doubled / everyone.cast("float64").nullif(0)).ceil().cast("float64")


def within(value: ir.FloatingValue, low: float, high: float) -> ir.FloatingValue:
    """The value, cut to the bounds; null stays null, which `least` and `greatest` do not promise."""
    return ibis.cases((value < low, number(low)), (value > high, number(high)), else_=value)


def _bound(bound: float | Bound, judged: Judged) -> ir.FloatingValue:
    if not isinstance(bound, Bound):
        return number(bound)
    columns = judged.attributes.columns if isinstance(judged.attributes, ir.Table) else judged.attributes
    if bound.attribute not in columns:
        raise KeyError(f"a curve is bounded by the attribute {bound.attribute!r}, which accounts do not have")
    return judged.attributes[bound.attribute].cast("float64") * float(bound.times)
