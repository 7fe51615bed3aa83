"""One query for many days: an expression that is built for each of them, with what differs put into parameters.

The expressions of a model for two days are the same but for literals (the day, the first day of a window, the number of a
month), so that an engine has to plan only one of them. Here they are laid over each other; how an engine then executes it
for all days at once is decided there (`duckdb/warehouse.py`).
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.common.graph import Node

from cx_intel.warehouse.deep_calls import deep_calls

PARAMETER = "cx_day_value"
"""The function that stands for a value of the day, by its number."""


class Unlike(Exception):
    """The expressions of two days differ in more than literals."""


@dataclass(frozen=True)
class OfManyDays:
    """An expression for several days.

    Attributes:
        rows: The expression, with calls of `PARAMETER` where days differ.
        types: The type of each value of the day.
        values: The values of each, a day after the other.
    """

    rows: ir.Table
    types: tuple[dt.DataType, ...]
    values: tuple[tuple[Any, ...], ...]


def of_many_days(make: Callable[[date], ir.Table], days: Sequence[date]) -> OfManyDays | None:
    """The expression that `make` gives on each of the days, as one; None where they differ in more than literals."""
    overlay = _Overlay()
    try:
        with deep_calls():
            rows = overlay.node(tuple(make(day).op() for day in days))
    except Unlike:
        return None
    return OfManyDays(rows.to_expr(), tuple(kind for kind, _ in overlay.found), tuple(v for _, v in overlay.found))


@dataclass
class _Overlay:
    """Goes down the expressions of all days at once; equal parts stay, literals that differ become parameters."""

    found: list[tuple[dt.DataType, tuple[Any, ...]]] = field(default_factory=list)
    _done: dict[tuple[int, ...], tuple[tuple[Any, ...], Any]] = field(default_factory=dict)

    def node(self, nodes: tuple[Any, ...]) -> Any:
        """The one node that stands for those of the days."""
        key = tuple(map(id, nodes))
        if key not in self._done:
            self._done[key] = nodes, self._node(nodes)  # nodes that are kept do not give their id to others
        return self._done[key][1]

    def _node(self, nodes: tuple[Any, ...]) -> Any:
        first = nodes[0]
        if all(node is first for node in nodes):
            return first
        if any(type(node) is not type(first) for node in nodes):
            raise Unlike
        if isinstance(first, ops.Literal):
            return self._literal(nodes)
        old = first.__args__
        counted = [isinstance(first, ops.Reference) and name == "identifier" for name in first.__argnames__]
        given = zip(*(node.__args__ for node in nodes), strict=True)
        new = [a[0] if is_count else self._argument(a) for is_count, a in zip(counted, given, strict=True)]
        if all(a is b for a, b in zip(old, new, strict=True)):
            return first
        return type(first)(**dict(zip(first.__argnames__, new, strict=True)))

    def _literal(self, nodes: tuple[Any, ...]) -> Any:
        first = nodes[0]
        if any(node.dtype != first.dtype for node in nodes):
            raise Unlike
        values = tuple(node.value for node in nodes)
        if all(value == values[0] for value in values):
            return first
        entry = (first.dtype, values)
        if entry not in self.found:
            self.found.append(entry)
        return _parameter(first.dtype)(self.found.index(entry)).op()

    def _argument(self, given: tuple[Any, ...]) -> Any:
        first = given[0]
        if all(value is first for value in given):
            return first
        if isinstance(first, Node):
            return self.node(given)
        if isinstance(first, Mapping):
            if any(not isinstance(other, Mapping) or list(other) != list(first) for other in given):
                raise Unlike
            parts = {name: self._argument(tuple(other[name] for other in given)) for name in first}
            return first if all(parts[name] is first[name] for name in first) else parts
        if isinstance(first, tuple):
            if any(not isinstance(other, tuple) or len(other) != len(first) for other in given):
                raise Unlike
            elements = tuple(self._argument(those) for those in zip(*given, strict=True))
            return first if all(a is b for a, b in zip(first, elements, strict=True)) else elements
        if any(value != first for value in given):
            raise Unlike
        return first


@cache
def _parameter(kind: dt.DataType) -> Callable[[int], ir.Value]:
    def cx_day_value(number: int) -> Hashable: ...

    made: Callable[[int], ir.Value] = ibis.udf.scalar.builtin(
        cx_day_value, name=PARAMETER, signature=((dt.int64,), kind.copy(nullable=True))
    )
    return made
