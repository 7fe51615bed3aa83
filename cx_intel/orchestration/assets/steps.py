"""Runs one step of a portfolio: gathers what its model reads, and builds the rows of a table, of days, or of snapshots.

Everything here is about which rows and which days; how they become an asset, are checked and reported is the matter of
`assets.py`. How days and snapshots are kept: Time in DESIGN.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract
from cx_intel.models.expressions.time import offsets
from cx_intel.models.staging.tables import staged
from cx_intel.orchestration.assets.graph import Input, Step
from cx_intel.orchestration.assets.lineage import Source, column_sources
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Rows, Warehouse

DAY = "_day"
"""The column of a raw table delivered by day that tells the day."""
RECENT = timedelta(days=7)
"""How far back the quarantine of a day looks into raw tables delivered by day."""
NO_TIME = timedelta(0)


@dataclass(frozen=True)
class Built:
    """Rows ready to be staged.

    Attributes:
        parts: The rows, made lazily, one part after the other.
        days: The partitions that they make up; none for a whole table.
        state: What each day was built from.
    """

    parts: Iterator[Rows]
    days: tuple[date, ...] = ()
    state: dict[date, str] = field(default_factory=dict)


class StepRunner:
    """One step within one run."""

    def __init__(
        self,
        step: Step,
        portfolio: Portfolio,
        warehouse: Warehouse,
        tables: Mapping[str, ir.Table],
        fitting: Collection[str] = (),
    ):
        self.step = step
        self.portfolio = portfolio
        self.warehouse = warehouse
        self.tables = tables
        self.fitting = fitting
        """Canonical tables of which this run has seen that every delivered row fits."""
        self.days: tuple[date, ...] = ()
        """Of a snapshot: the days that it is built for, one after the other."""
        self.sources: Mapping[str, Sequence[Source]] = {}
        """For each column of the last rows built, what it is computed from; nothing where the model works on frames."""

    def build(self, days: tuple[date, ...]) -> Built:
        """The rows of the step for a run over `days` (at least one; a whole table stands at the last)."""
        kind = self.step.contract.kind
        if kind == "by_day":
            return self._events(days)
        if kind == "snapshot":
            self.days = days
            return Built((self.rows(day) for day in days), days)
        return Built(iter([self.rows(days[-1])]))

    @property
    def raw(self) -> ir.Table:
        """Of a table of staging or of events: the rows that it is made from."""
        return self.tables[self.step.inputs[0].parameter]

    @property
    def is_delivered_whole(self) -> bool:
        """Whether it is made from rows of which the source delivers all each time, and not those of a day."""
        return self.step.inputs[0].table.startswith("raw_") and DAY not in self.raw.columns

    def judged(self, as_of: date) -> ir.Table:
        """Of a staged table: the delivered rows, with the `_reason` of those turned away."""
        table, accounts = self.step.table.removeprefix("stg_"), self.tables.get("stg_accounts")
        return staged(self.raw, table=table, portfolio=self.portfolio, as_of=as_of, accounts=accounts)

    def rows(self, as_of: date) -> Rows:
        """The rows of a day as the model makes them, compiled nowhere yet."""
        read = [self._input(i, as_of) for i in self.step.inputs]
        settings: dict[str, Any] = {"portfolio": self.portfolio, "as_of": as_of}
        if "previous" in self.step.settings:
            settings["previous"] = self._previous(as_of)
        settings["doubtful"] = tuple(table for table in self.portfolio.tables if table not in self.fitting)
        rows: Rows = self.step.model(*read, **{k: v for k, v in settings.items() if k in self.step.settings})
        if isinstance(rows, ir.Table):
            self.sources = column_sources(rows, {i.table for i in self.step.inputs if i.exists})
        return rows

    def _input(self, wanted: Input, as_of: date) -> Rows:
        if not wanted.exists:
            rows = _empty(wanted.table, self.portfolio)
        else:
            rows = self.tables[wanted.parameter]
            if DAY in rows.columns and self.step.contract.kind == "snapshot":
                # of a source that delivers days, a snapshot is about the newest ones, so that a day costs no history
                rows = rows.filter(rows[DAY].between(ibis.literal(as_of - RECENT), ibis.literal(as_of)))
            if not wanted.table.startswith("raw_") and contract_of(wanted.table, self.portfolio).kind == "snapshot":
                day = ibis.literal(as_of)
                rows = rows.filter(rows.as_of <= day if wanted.reads == "history" else rows.as_of == day)
        return self.warehouse.execute(rows) if wanted.as_frame else rows

    def _previous(self, as_of: date) -> ir.Table:
        """The table's own rows: all of a whole table, those of earlier days of a snapshot, this run's included."""
        contract = self.step.contract
        rows = contract.no_rows()
        if self.warehouse.exists(self.step.table):
            rows = _with_columns(self.warehouse.table(self.step.table), contract)
        if contract.kind == "snapshot":
            rows = rows.filter(rows.as_of < ibis.literal(as_of))
            if done := [ibis.literal(day) for day in self.days if day < as_of]:
                staged = self.warehouse.staged(self.step.table)
                rows = rows.filter(rows.as_of.notin(done)).union(staged.filter(staged.as_of < ibis.literal(as_of)))
        return rows

    def _events(self, days: tuple[date, ...]) -> Built:
        """The days of an event table that the run is for, and all others whose input changed since they were built."""
        as_of = days[-1]
        source = self.step.inputs[0]
        recipe = _fingerprint(
            self.portfolio.usage.model_dump_json(),
            self.portfolio.time_zone,
            [s.model_dump_json() for s in self.portfolio.sources],
            self.step.contract.column_names,
        )
        if self.is_delivered_whole:
            expression = self.rows(as_of)
            assert isinstance(expression, ir.Table)
            contents = self.warehouse.day_contents(expression, self.step.contract.day_column)
        else:
            contents = self.warehouse.day_state(source.table)
            contents = _of_local_days(contents, reach) if (reach := self._reach(source)) else contents
        built = self.warehouse.day_state(self.step.table)
        wanted = {day: f"{content}|{recipe}" for day, content in contents.items() if day <= as_of}
        stale = {day for day, state in wanted.items() if built.get(day) != state}
        gone = {day for day in built if day not in wanted and day <= as_of}
        chosen = tuple(sorted(stale | gone | set(days)))
        state = {day: wanted.get(day, f"nothing|{recipe}") for day in chosen}
        if not self.is_delivered_whole:
            expression = self._of_days(source, chosen, as_of)
        else:
            column = expression[self.step.contract.day_column]
            expression = expression.filter(among(column, chosen))
        return Built(iter([expression]), chosen, state)

    def _reach(self, source: Input) -> tuple[int, ...]:
        """Which other days of the source, -1 or 1, hold parts of a day: sources deliver days of UTC."""
        if DAY not in self.tables[source.parameter].columns:
            return ()
        first, transitions = offsets(self.portfolio.time_zone)
        found = {first, *(t.after for t in transitions)}
        return tuple(n for n, is_needed in ((-1, max(found) > NO_TIME), (1, min(found) < NO_TIME)) if is_needed)

    def _of_days(self, source: Input, days: tuple[date, ...], as_of: date) -> ir.Table:
        rows = self.tables[source.parameter]
        column = rows[DAY] if DAY in rows.columns else rows[contract_of(source.table, self.portfolio).day_column]
        around = sorted({day + timedelta(days=n) for day in days for n in (0, *self._reach(source))})
        self.tables = {**self.tables, source.parameter: rows.filter(among(column, tuple(around)))}
        result = self.rows(as_of)
        assert isinstance(result, ir.Table)
        return result.filter(among(result[self.step.contract.day_column], days))


def _of_local_days(contents: dict[date, str], reach: tuple[int, ...]) -> dict[date, str]:
    """What each day is made from where parts of it lie in other days of the source."""
    return {day: "/".join(contents.get(day + timedelta(days=n), "") for n in (0, *reach)) for day in contents}


def among(column: ir.Value, days: tuple[date, ...]) -> ir.BooleanValue:
    """The day is one of the days; the bounds beside the list let the engine skip what lies outside."""
    return column.between(ibis.literal(days[0]), ibis.literal(days[-1])) & column.isin(
        [ibis.literal(day) for day in days]
    )


def _empty(table: str, portfolio: Portfolio) -> ir.Table:
    """A table that the portfolio has not: its contract's columns, or for a raw one those of its staged contract."""
    return contract_of(table.replace("raw_", "stg_", 1), portfolio).no_rows()


def _with_columns(rows: ir.Table, contract: Contract) -> ir.Table:
    """The rows with the contract's columns and types; a column that an older version had not is null."""
    return rows.select(
        **{c.name: rows[c.name].cast(c.type) if c.name in rows.columns else ibis.null(c.type) for c in contract.columns}
    )


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]
