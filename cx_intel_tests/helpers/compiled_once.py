"""Ibis writes the SQL of equal expressions once in a process, which is most of what models cost in tests.

Expressions are equal when they are built alike over tables of the same names and columns; the rows of a table in memory
do not matter, as SQL only names it, nor in which file a table lies. The text is the one that Ibis writes without this:
how it is written is the same. Tables and rows for tests stand in `builders.py`.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends import BaseBackend
from ibis.backends.sql import SQLBackend
from ibis.common.graph import Node

from cx_intel.warehouse.duckdb.database import SelectsAsWritten

GENERATED = re.compile(r"ibis_\w*memtable_\w+")
"""The name that Ibis gives a table in memory, of its own each."""

_compilers = {backend: backend.compile for backend in (SQLBackend, SelectsAsWritten)}
_compiled: dict[Hashable, tuple[str, list[str]]] = {}
_shapes: dict[Hashable, int] = {}


def compile_once() -> None:
    """From now on, for all backends of this process."""
    for backend, compile_ in _compilers.items():
        backend.compile = _once(compile_)


def forget() -> None:
    """At the end of the process: expressions hold on to what DuckDB would report as leaked."""
    _compiled.clear()
    _shapes.clear()


def _once(compile_: Callable[..., str]) -> Callable[..., str]:
    def compiled(self: SQLBackend, expr: ir.Expr, /, **options: Any) -> str:
        if any(options.values()):
            return compile_(self, expr, **options)
        shape, names = _shape(expr.op())
        key = (type(self), ibis.options.sql.fuse_selects, shape)
        if key not in _compiled:
            _compiled[key] = compile_(self, expr), names
        sql, before = _compiled[key]
        now = dict(zip(before, names, strict=True))
        return GENERATED.sub(lambda name: now[name[0]], sql) if now else sql

    return compiled


def _shape(root: Node) -> tuple[int, list[str]]:
    """A number that expressions share which are built alike; and their tables in memory, in the order found."""
    found: dict[int, int] = {}
    names: list[str] = []
    waiting: list[tuple[Node, bool]] = [(root, False)]
    while waiting:
        node, is_ready = waiting.pop()
        if id(node) in found:
            continue
        if not is_ready:
            waiting.append((node, True))
            waiting.extend((child, False) for value in node.__args__ for child in _nodes(value))
            continue
        if isinstance(node, ops.InMemoryTable) and GENERATED.fullmatch(node.name):
            if node.name not in names:
                names.append(node.name)
            part: Hashable = (type(node), names.index(node.name), node.schema)
        elif isinstance(node, ops.InMemoryTable):
            part = (type(node), node.name, node.schema)
        else:
            part = (type(node), *(_part(value, found) for value in node.__args__))
        found[id(node)] = _shapes.setdefault(part, len(_shapes))
    return found[id(root)], names


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, (tuple, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _nodes(item)


def _part(value: Any, found: Mapping[int, int]) -> Hashable:
    if isinstance(value, Node):
        return (Node, found[id(value)])
    if isinstance(value, tuple):
        return tuple(_part(item, found) for item in value)
    if isinstance(value, Mapping):
        return tuple((name, _part(item, found)) for name, item in value.items())
    return (type(value), None if isinstance(value, BaseBackend) else value)
