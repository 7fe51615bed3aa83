"""Lets Ibis weigh two selects, before it makes one of them, by what stands in them alone.

Ibis merges a select with the one it reads from where the result is no more complex. To tell, it walks through all that
lies beneath both, for each pair anew: half the time of merging, a fifth of compiling. What lies beneath is the same on
both sides, so that the same selects are merged without it; a test compiles every model both ways.
"""

import sys

import ibis.expr.operations as ops
from ibis.backends.sql import rewrites

AS_SHIPPED = rewrites.complexity


def complexity(node: ops.Node) -> int:
    """The number of operations in a select and in those that it reads from, a field counted as one.

    What can give another result each time counts as the largest number, so that it is never written twice.
    """
    known: dict[ops.Node, int] = {}
    total = 0
    while isinstance(node, rewrites.Select):
        values = (*node.selections.values(), *node.predicates, *node.qualified, *node.sort_keys)
        total += 1 + sum(1 if type(value) is ops.Field else _weigh(value, known) for value in values)
        node = node.parent
    return total


def _weigh(value: ops.Node, known: dict[ops.Node, int]) -> int:
    todo = [value]
    while todo:
        node = todo[-1]
        if node not in known:
            parts = () if isinstance(node, ops.Field) else _values_in(node)
            if missing := [part for part in parts if part not in known]:
                todo += missing
                continue
            known[node] = sys.maxsize if isinstance(node, ops.Impure) else 1 + sum(known[part] for part in parts)
        todo.pop()
    return known[value]


def _values_in(node: ops.Node) -> list[ops.Node]:
    return [child for child in node.__children__ if isinstance(child, ops.Value)]


def weigh_selects_alone() -> None:
    """Sets it for this process."""
    rewrites.complexity = complexity
