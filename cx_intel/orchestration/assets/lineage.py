"""Which columns of which tables each column of a table is computed from, by a walk over its expression."""

from collections.abc import Collection, Mapping
from typing import TypeAlias

import ibis.expr.operations as ops
import ibis.expr.types as ir

Source: TypeAlias = tuple[str, str]
"""A table in the warehouse and its column."""


def column_sources(expression: ir.Table, tables: Collection[str]) -> Mapping[str, list[Source]]:
    """For each column that is computed from columns of the tables named, those, in order."""
    remembered: dict[ops.Node, frozenset[Source]] = {}
    found = {
        name: sorted(source for source in _sources(expression[name].op(), remembered) if source[0] in tables)
        for name in expression.columns
    }
    return {name: sources for name, sources in found.items() if sources}


def _sources(node: ops.Node, remembered: dict[ops.Node, frozenset[Source]]) -> frozenset[Source]:
    found = remembered.get(node)
    if found is None:
        remembered[node] = frozenset()  # a cycle cannot occur; this only bounds the walk
        if isinstance(node, ops.Field):
            found = _of_column(node.rel, node.name, remembered)
        else:
            children = [c for c in node.__children__ if isinstance(c, ops.Value)]
            found = frozenset().union(*(_sources(child, remembered) for child in children))
        remembered[node] = found
    return found


def _of_column(relation: ops.Relation, name: str, remembered: dict[ops.Node, frozenset[Source]]) -> frozenset[Source]:
    if isinstance(relation, ops.PhysicalTable):
        return frozenset({(getattr(relation, "name", ""), name)})
    if isinstance(relation, ops.Set):
        return _of_column(relation.left, name, remembered) | _of_column(relation.right, name, remembered)
    value = relation.values.get(name) if hasattr(relation, "values") else None
    if value is None:
        return frozenset()
    if isinstance(value, ops.Field) and value.rel is relation:
        return frozenset()
    return _sources(value, remembered)
