"""A model is called and compiled once in a process for tables of the same columns, then executed over whatever rows.

Most of what a small model test costs is building its expression, which is the same for any rows. Only for models that
look at no rows while they build; rows themselves are made in `builders.py`, equal SQL is shared by `compiled_once.py`.
"""

import re
from collections.abc import Callable, Hashable
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb.converter import DuckDBPyArrowData

from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import executed, run

PATH = re.compile(r"\bpath='[^']*'")
"""Where the files of a source lie, which is no matter to models."""

_ready: dict[Hashable, tuple[ir.Table, str]] = {}
"""Model, settings and columns: the expression, which its own literal tables live with, and its SQL."""


def made(model: Callable[..., ir.Table], *given: ir.Table, **keys: Any) -> pa.Table:
    """What `model(*given, **keys)` gives; among the keys may be tables too, as `previous`."""
    tables = {f"{model.__name__}_{n}": table for n, table in enumerate(given)}
    tables |= {f"{model.__name__}_{name}": table for name, table in keys.items() if isinstance(table, ir.Table)}
    settings = tuple(
        (name, PATH.sub("", repr(value)) if isinstance(value, Portfolio) else value)
        for name, value in keys.items()
        if not isinstance(value, ir.Table)
    )
    key = (model, settings, tuple((name, table.schema()) for name, table in tables.items()))
    backend = ibis.get_backend()
    if key not in _ready:
        unbound = {name: ibis.table(table.schema(), name=name) for name, table in tables.items()}
        named = {name: unbound.get(f"{model.__name__}_{name}", value) for name, value in keys.items()}
        expression = model(*(unbound[f"{model.__name__}_{n}"] for n in range(len(given))), **named)
        backend._run_pre_execute_hooks(expression)
        _ready[key] = expression, backend.compile(expression)
    expression, sql = _ready[key]
    for name, table in tables.items():
        backend.con.register(name, _rows_of(table))
    try:
        found = run(backend, sql)
    finally:
        for name in tables:
            backend.con.unregister(name)
    return expression.__pyarrow_result__(found, data_mapper=DuckDBPyArrowData)


def _rows_of(table: ir.Table) -> pa.Table:
    literal = table.op()
    if isinstance(literal, ops.InMemoryTable):
        return literal.data.to_pyarrow(literal.schema)
    return executed(table)


def kept_once(model: Callable[..., ir.Table], *given: ir.Table, **keys: Any) -> ir.Table:
    """The same as a table that others read."""
    return ibis.memtable(made(model, *given, **keys))


def forget() -> None:
    """At the end of the process: expressions hold on to what DuckDB would report as leaked."""
    _ready.clear()
