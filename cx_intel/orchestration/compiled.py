"""Which tables of a refresh can be compiled before it begins: those whose SQL follows from settings and day alone.

That is so where every table that a model reads has the columns of its contract. The refresh checks that they have, and
compiles in place what it does not find here; `cx_intel.ahead` brings the two together.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import ibis.expr.operations as ops
import ibis.expr.types as ir

from cx_intel.ahead import Ready
from cx_intel.orchestration.graph import steps_of
from cx_intel.orchestration.steps import StepRunner, can_be_compiled_ahead
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb_warehouse import STAGED_PREFIX, DuckDBWarehouse


def compiled(portfolio: Portfolio, as_of: date) -> Iterator[Ready]:
    """The tables of a portfolio that can be compiled for a day before its refresh, in the order of the graph."""
    warehouse = DuckDBWarehouse(Path("memory"), duckdb.connect())
    steps = steps_of(portfolio)
    for step in steps:
        for table in (step.table, STAGED_PREFIX + step.table):
            warehouse.expect(portfolio.name, table, step.contract.schema())
    for step in steps:
        if can_be_compiled_ahead(step):
            tables = {i.parameter: warehouse.table(portfolio.name, i.table) for i in step.inputs if i.exists}
            runner = StepRunner(step, portfolio, warehouse, tables)
            (rows,) = runner.build((as_of,)).parts
            if isinstance(rows, ir.Table) and not rows.op().find(ops.InMemoryTable):
                sql = warehouse.sql(rows, like=step.contract.schema())
                yield Ready(portfolio.name, portfolio.fingerprint, step.table, as_of, sql, runner.sources)
