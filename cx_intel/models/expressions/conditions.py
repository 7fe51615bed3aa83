"""Compiles the conditions of a portfolio's YAML to Ibis booleans, for every model that decides by configuration.

The grammar is `cx_intel.settings.health.conditions`. Null never satisfies a test, so that every result is true or false; an
account of no segment, country or owner has none for a test either.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_, or_

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import GROUPS, NO_VALUE
from cx_intel.settings.health.conditions import Condition, Test

Fields = Mapping[str, ir.Value]


def holds(condition: Condition, fields: Fields | ir.Table) -> ir.BooleanValue:
    """Whether the condition holds for a row: true or false, never null.

    Args:
        condition: The condition of the portfolio.
        fields: The values it may name: a table's columns, or a mapping of name to expression.

    Raises:
        KeyError: The condition names a field that is not there; the text lists those that are.
    """
    parts = [_passes(test, _field(fields, name)) for name, test in condition.tests.items()]
    if condition.any_of:
        parts.append(reduce(or_, (holds(c, fields) for c in condition.any_of)))
    if condition.none_of:
        parts.append(~reduce(or_, (holds(c, fields) for c in condition.none_of)))
    return reduce(and_, parts)


def first_match(
    cases: Iterable[tuple[ir.BooleanValue, ir.Value | str | float | int]], otherwise: ir.Value | str | float | None
) -> ir.Value:
    """The value of the first case whose condition holds, else `otherwise`."""
    branches = list(cases)
    if not branches:
        return otherwise if isinstance(otherwise, ir.Value) else ibis.literal(otherwise)
    return ibis.cases(*branches, else_=otherwise)


def _field(fields: Fields | ir.Table, name: str) -> ir.Value:
    names = fields.columns if isinstance(fields, ir.Table) else tuple(fields)
    if name not in names:
        raise KeyError(f"a condition names {name!r}, which is not among {', '.join(sorted(names))}")
    value = fields[name]
    return value.nullif(NO_VALUE) if name in GROUPS else value


def _passes(test: Test, value: ir.Value) -> ir.BooleanValue:
    asked = test.model_dump(exclude_none=True)
    parts = [_OPERATORS[operator](value, operand) for operator, operand in asked.items()]
    return reduce(and_, parts)


def _known(result: ir.BooleanValue) -> ir.BooleanValue:
    return ibis.coalesce(result, ibis.literal(False))


_OPERATORS = {
    "equals": lambda v, x: _known(v == x),
    "not_equals": lambda v, x: _known(v != x),
    "one_of": lambda v, xs: _known(v.isin(xs)),
    "more_than": lambda v, x: _known(v > x),
    "at_least": lambda v, x: _known(v >= x),
    "less_than": lambda v, x: _known(v < x),
    "at_most": lambda v, x: _known(v <= x),
    "contains": lambda v, x: _known((ibis.literal("|") + v + "|").contains(f"|{x}|")),
    "is_missing": lambda v, x: v.isnull() if x else v.notnull(),
}
