"""What of a refresh can be compiled before it begins: what follows from settings, contracts and the day alone.

That is what is asked of every table about to be written, and the rows of those whose model reads tables with the
columns of their contracts. The refresh checks that they have them, and compiles in place what it does not find here;
`cx_intel.ahead` brings the two together.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import ibis.expr.operations as ops
import ibis.expr.types as ir

from cx_intel.ahead import TABLE, Ready
from cx_intel.orchestration.assets.graph import steps_of
from cx_intel.orchestration.assets.metadata import shown_questions
from cx_intel.orchestration.assets.steps import StepRunner, can_be_compiled_ahead
from cx_intel.orchestration.checks.contract_checks import check_questions, compared_in
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse


def compiled(portfolio: Portfolio, as_of: date) -> Iterator[Ready]:
    """The tables of a portfolio, as far as they can be compiled for a day before its refresh, in order of the graph."""
    schema, warehouse = portfolio.name, DuckDBWarehouse(Path("memory"), duckdb.connect())
    steps = steps_of(portfolio)
    for step in steps:
        for table in (step.table, STAGED_PREFIX + step.table):
            warehouse.expect(schema, table, step.contract.schema())
    for step in steps:
        queries, sources, contract = {}, {}, step.contract
        if can_be_compiled_ahead(step):
            tables = {i.parameter: warehouse.table(schema, i.table) for i in step.inputs if i.exists}
            runner = StepRunner(step, portfolio, warehouse, tables)
            rows = runner.rows(as_of)
            if isinstance(rows, ir.Table) and not rows.op().find(ops.InMemoryTable):
                queries[TABLE], sources = warehouse.sql(rows, like=contract.schema()), dict(runner.sources)
        staged, others = warehouse.staged(schema, step.table), compared_in(contract, portfolio, warehouse, (as_of,))
        asked = {**check_questions(contract, staged, others), **shown_questions(contract, staged, as_of)}
        queries |= {name: warehouse.sql(ask()) for name, ask in asked.items()}
        yield Ready(schema, portfolio.fingerprint, step.table, as_of, queries, sources)
