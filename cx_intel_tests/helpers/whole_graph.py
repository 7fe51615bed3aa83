"""Every table of a portfolio from raw rows, in one DuckDB in memory, without Dagster.

For tests that try many inputs: each model and each rule of its contract is compiled to SQL once, on raw tables of text
with every column that a source may deliver, and then executed as often as wanted. Whole refreshes through the real job
are those of `small_company.py`.

    graph = WholeGraph(portfolio)
    broken = graph.run({"accounts": read_files(...).raw(), ...})
    graph.rows("dim_account")
"""

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import RAW_MARKS, delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.rows import judged
from cx_intel.models.staging.tables import rejected_rows
from cx_intel.models.staging.unknown_currencies import unknown_currencies
from cx_intel.orchestration.assets.graph import REJECTED_ROWS, Step, steps_of
from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.orchestration.checks.rules import rules_of
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.staged_rows import WITHOUT_ACCOUNT

AS_OF = date(2025, 1, 31)
BACKTEST = "backtest"
Counts: TypeAlias = tuple[tuple[str, ...], str]
"""The names of some rules, and the statement that counts the rows which break each."""


class WholeGraph:
    """The graph of a portfolio, or some of its tables (`only`); each is compiled when it is first made."""

    def __init__(self, portfolio: Portfolio, as_of: date = AS_OF, only: Collection[str] = ()):
        self.portfolio, self.as_of = portfolio, as_of
        self.database = Database(Path("memory"), duckdb.connect())
        self.warehouse = DuckDBWarehouse(self.database, portfolio.name)
        self.database.connection.execute("SET threads = 1")
        self.database.connection.execute("SET TimeZone = 'UTC'")
        self._kept: list[ir.Table] = []  # an expression that is gone takes its literal tables with it
        for table in portfolio.tables:
            self._create(f"raw_{table}", _raw_schema(STAGING[table](portfolio)))
        wanted = [s for s in steps_of(portfolio) if not only or s.table in only]
        in_order = sorted(wanted, key=lambda s: s.contract.layer == BACKTEST)  # made of the snapshots, here of today's
        self._steps = {s.table: s for s in in_order}
        self._ready: dict[str, tuple[str, list[Counts]]] = {}
        self._currencies: dict[str, str] = {}
        self._rejecting: dict[str, str] = {}
        self._create(REJECTED_ROWS, contract_of(REJECTED_ROWS, portfolio).schema())

    def run(self, raw: Mapping[str, pa.Table], only: Collection[str] = ()) -> list[str]:
        """Makes the tables, or those named, from these raw ones; raw tables that are left out are empty.

        Returns the blocking rules that are broken.
        """
        self.load(raw)
        return [text for table in self._steps if not only or table in only for text in self._make(table)]

    def load(self, raw: Mapping[str, pa.Table]) -> None:
        """Puts the raw rows in place."""
        for table in self.portfolio.tables:
            self._execute(f"DELETE FROM {self._name(f'raw_{table}')}")
            if table in raw:
                self.database.connection.register("delivered", raw[table])
                self._execute(f"INSERT INTO {self._name(f'raw_{table}')} BY NAME SELECT * FROM delivered")
                self.database.connection.unregister("delivered")

    def unknown_currencies(self) -> list[str]:
        """What would stop a refresh before staging: currencies without a rate."""
        for table in self.portfolio.tables:
            if table not in self._currencies:
                self._currencies[table] = self._sql(unknown_currencies(self._table(f"raw_{table}"), self.portfolio))
        return sorted(row[0] for sql in self._currencies.values() for row in self._execute(sql).fetchall())

    @property
    def tables(self) -> list[str]:
        """The tables, in the order in which they are made."""
        return list(self._steps)

    def step(self, table: str) -> Step:
        """What makes a table."""
        return self._steps[table]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table, as dicts."""
        found: pa.Table = self.database.connection.sql(f"FROM {self._name(table)}").to_arrow_table()
        return found.to_pylist()

    def quarantined(self) -> list[tuple[str, int, str]]:
        """Table, row and reason of what was rejected, in order."""
        return sorted((r["source_table"], r["row_number"], r["reason"]) for r in self.rows("quarantine"))

    def _compiled(self, step: Step) -> tuple[str, list[Counts]]:
        self._create(step.table, step.contract.schema())
        rows = None if any(i.as_frame for i in step.inputs) else self._model(step)
        counts = self.broken(step.contract).items()
        return self._sql(rows) if isinstance(rows, ir.Table) else "", [(names, self._sql(row)) for names, row in counts]

    def _model(self, step: Step) -> Any:
        return StepRunner(step, self.portfolio, self.warehouse).model(self.as_of)

    def rejected(self, step: Step) -> ir.Table:
        """The rejected rows of a staged table."""
        table = step.table.removeprefix("stg_")
        accounts = None if table in WITHOUT_ACCOUNT else self._table("stg_accounts")
        raw = self._table(f"raw_{table}")
        found = judged(raw, table=table, portfolio=self.portfolio, as_of=self.as_of, accounts=accounts)
        return rejected_rows(found, table=table, portfolio=self.portfolio)

    def broken(self, contract: Contract, *, warnings: bool = False) -> dict[tuple[str, ...], ir.Table]:
        """A row of counts for the names of some blocking rules, or of all: how many rows break each."""
        own = self._table(contract.table)
        rules = [rule for rule in rules_of(contract) if warnings or rule.severity != "warn"]
        on_rows = {f"{contract.table}.{r.name}": own.count(where=r.broken(own)) for r in rules if r.broken}
        found = {tuple(on_rows): own.agg(**{f"c{n}": c for n, c in enumerate(on_rows.values())})} if on_rows else {}
        for rule in rules:
            if rule.broken_rows is not None:
                rows = rule.broken_rows({"self": own, **{t: self._table(t) for t in rule.tables}})
                found[(f"{contract.table}.{rule.name}",)] = rows.agg(broken=rows.count())
        return found

    def _make(self, table: str) -> list[str]:
        step = self._steps[table]
        if table not in self._ready:
            self._ready[table] = self._compiled(step)
        sql, rules = self._ready[table]
        name = self._name(step.table)
        if step.contract.layer == "staging":
            if table not in self._rejecting:
                self._rejecting[table] = self._sql(self.rejected(step))
            self._execute(f"DELETE FROM {self._name(REJECTED_ROWS)} WHERE 'stg_' || source_table = '{table}'")
            self._execute(f"INSERT INTO {self._name(REJECTED_ROWS)} BY NAME {self._rejecting[table]}")
        self._execute(f"DELETE FROM {name}")
        if sql:
            columns = ", ".join(f'"{column}"' for column in step.contract.column_names)
            self._execute(f"INSERT INTO {name} BY NAME SELECT {columns} FROM ({sql})")
        else:
            staged = self.warehouse.stage(step.table, [self._model(step)], like=step.contract.schema())
            self._execute(f"INSERT INTO {name} BY NAME {self.database.sql(staged)}")
            self.warehouse.discard(step.table)
        return [
            name
            for names, counts in rules
            for name, count in zip(names, self._execute(counts).fetchall()[0], strict=True)
            if count
        ]

    def _create(self, table: str, schema: ibis.Schema) -> None:
        self._execute(f'CREATE SCHEMA IF NOT EXISTS "{self.portfolio.name}"')
        self.database.backend.create_table(table, schema=schema, database=self.portfolio.name)

    def _table(self, table: str) -> ir.Table:
        return self.warehouse.table(table)

    def _name(self, table: str) -> str:
        return f'"{self.portfolio.name}"."{table}"'

    def _sql(self, rows: ir.Table) -> str:
        self.database.backend._run_pre_execute_hooks(rows)
        self._kept.append(rows)
        return str(self.database.backend.compile(rows))

    def _execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        return self.database.connection.execute(sql)


def _raw_schema(contract: Contract) -> ibis.Schema:
    return ibis.schema({**{c.name: "string" for c in delivered_columns(contract)}, **RAW_MARKS})
