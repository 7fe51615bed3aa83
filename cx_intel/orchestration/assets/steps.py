"""Builds the rows of one step beside the table that they are to replace: all of a table, days of events, or snapshots.

Everything here is about which rows and which days. How they are checked, put in place and shown is decided in
`tables.py`; which model makes which table, in `graph.py`. How days and snapshots are kept: Time in DESIGN.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.contracts.renewals.interventions import GIVEN
from cx_intel.models.core.merged_accounts import under_surviving_ids
from cx_intel.models.staging.aliases import delivered_accounts
from cx_intel.models.staging.event_days import is_kept_by_row_day
from cx_intel.models.staging.identity import further_accounts, linked_since
from cx_intel.models.staging.repeated_rows import key_columns
from cx_intel.models.staging.rows import MARKS, judged
from cx_intel.models.staging.tables import rejected_rows, valid_rows, with_further
from cx_intel.models.subscriptions.history import seen_before
from cx_intel.orchestration.assets.graph import MAY_BE_ABSENT, REJECTED_ROWS, Input, Step
from cx_intel.orchestration.assets.lineage import Source, column_sources
from cx_intel.orchestration.assets.staging.event_days import EventDays, among, in_parts
from cx_intel.orchestration.assets.staging.judged_days import JudgedDays
from cx_intel.orchestration.assets.staging.judged_sources import SeveralSources
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Rows, Warehouse

JUDGED_PREFIX = "judged_"
"""Begins the name under which judged rows stand until they are split."""
COMPARED_PREFIX = "compared_"
"""Likewise, of rows that were compared with each other."""
IDENTITY = "identity_map"
PERIODS = "subscription_periods"
HISTORY = "account_history"
"""Both remember the loads before: no inputs of what is staged, which they are made of."""


@dataclass(frozen=True)
class Built:
    """Rows that stand beside the table that they are to replace.

    Attributes:
        rows: Those rows.
        days: The partitions that they make up; none for a whole table.
        state: What each day was built from.
        sources: For each column, what it is computed from; nothing where the model works on frames.
    """

    rows: ir.Table
    days: tuple[date, ...] = ()
    state: Mapping[date, str] = field(default_factory=dict)
    sources: Mapping[str, Sequence[Source]] = field(default_factory=dict)


@dataclass(frozen=True)
class StepRunner:
    """One step of a portfolio, and the warehouse that it reads and writes."""

    step: Step
    portfolio: Portfolio
    warehouse: Warehouse

    @property
    def days(self) -> EventDays:
        """Which days a table of events is built for."""
        return EventDays(self.step.contract, self.portfolio, self.warehouse)

    def build(self, days: tuple[date, ...]) -> Built:
        """The rows of the step for a run over `days` (at least one; a whole table stands at the last)."""
        contract = self.step.contract
        if contract.layer == "staging":
            return self._split(days)
        if contract.kind == "by_day":
            return self._changed_days(days)
        if contract.kind == "snapshot":
            models = (self.model(day, done=days[:n]) for n, day in enumerate(days))
            return self._staged(models, days)
        return self._staged([self.model(days[-1])])

    def model(self, as_of: date, *, done: tuple[date, ...] = (), only: Mapping[str, ir.Table] | None = None) -> Rows:
        """The rows of a day as the model makes them, executed nowhere yet.

        Args:
            as_of: The day.
            done: Of a snapshot: earlier days of this run, which stand beside the table already.
            only: Tables that the model reads in place of those of the warehouse, by parameter.
        """
        read = [self._input(i, as_of, (only or {}).get(i.parameter)) for i in self.step.inputs]
        settings: dict[str, Any] = {"portfolio": self.portfolio, "as_of": as_of}
        if "previous" in self.step.settings:
            settings["previous"] = self._previous(as_of, done)
        rows: Rows = self.step.model(*read, **{k: v for k, v in settings.items() if k in self.step.settings})
        return rows

    def _staged(
        self, models: Iterable[Rows], days: tuple[date, ...] = (), state: Mapping[date, str] | None = None
    ) -> Built:
        """Executes the models one after the other: a later one may read what the earlier ones have made."""
        last: list[Rows] = []

        def noted() -> Iterator[Rows]:
            for rows in models:
                last[:] = [rows]
                yield rows

        contract = self.step.contract
        rows = self.warehouse.stage(self.step.table, noted(), like=contract.schema())
        return Built(rows, days, state or {}, self._sources(*last))

    def _sources(self, rows: Rows) -> Mapping[str, Sequence[Source]]:
        tables = {i.table for i in self.step.inputs if i.exists}
        return column_sources(rows, tables) if isinstance(rows, ir.Table) else {}

    def _split(self, days: tuple[date, ...]) -> Built:
        """A staged table: its source judged once, the valid rows beside the table, the others in `rejected_rows`."""
        contract, warehouse = self.step.contract, self.warehouse
        source = self.step.inputs[0]
        table, raw = source.table.removeprefix("raw_"), self._table(source)
        is_by_source_day = DELIVERED_DAY in raw.columns
        judged_days: JudgedDays | None = None
        chosen: tuple[date, ...] = ()
        state: dict[date, str] = {}
        delivered_days: tuple[date, ...] = ()
        contents: Mapping[date, str] = {}
        read = {i.table: self._table(i) for i in self.step.inputs[1:] if i.exists}
        accounts, aliases, identity = (read.get(t) for t in ("stg_accounts", "stg_account_aliases", "identity_map"))
        if "raw_accounts" in read:
            accounts = delivered_accounts(read["raw_accounts"])
        if is_by_source_day:
            contents = self.days.contents(source.table, raw, aliases, identity)
            if is_kept_by_row_day(table, self.portfolio.source_of(table)):
                judged_days = JudgedDays(table, self.portfolio, warehouse, accounts, self.days.recipe)
                delivered_days = chosen = judged_days.chosen(days, contents)
            else:
                chosen, state = self.days.stale(days, self.days.of_local_days(contents))
                delivered_days = self.days.of_source(chosen)
            raw = raw.filter(among(raw[DELIVERED_DAY], delivered_days))
        judge = partial(
            judged,
            table=table,
            portfolio=self.portfolio,
            as_of=days[-1],
            accounts=accounts,
            aliases=aliases,
            seen=self._seen(table, days[-1]),
            identity=identity,
        )
        if self.portfolio.has_several(table):
            further = self._further_accounts(identity, raw, days[-1]) if table == "accounts" else None
            further = judge(further) if further is not None else None
            several = SeveralSources(table, self.portfolio, warehouse)
            expression = several.judged(lambda rows, of: judge(rows, portfolio=of), further, days[-1])
        elif table == "accounts":
            expression = with_further(judge(raw), self._further_accounts(identity, raw, days[-1]), judge)
        else:
            expression = judge(raw, finds_repeats=judged_days is None)
        like = ibis.schema({**contract.schema(), **MARKS})
        name = JUDGED_PREFIX + table
        found = warehouse.stage(name, [expression], like=like)
        if judged_days:
            name = self._without_repeats(name, raw, judge)
            found = warehouse.staged(name)
        rows = valid_rows(found, table, self.portfolio)
        if contract.day_column and not is_by_source_day:
            chosen, state = self.days.stale(days, warehouse.day_contents(rows, contract.day_column))
        warehouse.replace_rows(
            REJECTED_ROWS,
            rejected_rows(found, table=table, portfolio=self.portfolio),
            like=contract_of(REJECTED_ROWS, self.portfolio).schema(),
            where=("source_table", table),
            column="delivered_day" if is_by_source_day else "",
            days=delivered_days,
        )
        if judged_days:
            rejected = found.filter(found["_reason"].notnull())
            state = judged_days.states(chosen, contents, rejected)
            judged_days.remember_rejected(state)
            judged_days.remember_accounts()
        if judged_days and not warehouse.count(found.filter(~self._stays(found, chosen))):
            kept = warehouse.rename_staged(name, contract.table, like=contract.schema())
        else:
            rows = rows.filter(among(rows[contract.day_column], chosen)) if contract.day_column else rows
            kept = warehouse.stage(contract.table, [rows], like=contract.schema())
        warehouse.discard(JUDGED_PREFIX + table)
        warehouse.discard(COMPARED_PREFIX + contract.table)
        SeveralSources(table, self.portfolio, warehouse).discard()
        return Built(kept, chosen, state, self._sources(expression))

    def _stays(self, judged: ir.Table, days: tuple[date, ...]) -> ir.BooleanValue:
        """Whether a judged row of events stands in the table once these days are put in place."""
        return judged["_reason"].isnull() & among(judged[self.step.contract.day_column], days)

    def _without_repeats(self, name: str, raw: ir.Table, judge: Callable[[ir.Table], ir.Table]) -> str:
        """Where rows stand that were judged each by itself; on days that have several of one key, they are compared too."""
        contract, warehouse = self.step.contract, self.warehouse
        found = warehouse.staged(name)
        valid = found.filter(found["_reason"].isnull())
        days = warehouse.days_with_repeats(valid, contract.day_column, key_columns(contract))
        if not days:
            return name
        parts = [found.filter(~among(found[DELIVERED_DAY], days)), judge(raw.filter(among(raw[DELIVERED_DAY], days)))]
        warehouse.stage(COMPARED_PREFIX + contract.table, parts, like=found.schema())
        return COMPARED_PREFIX + contract.table

    def _seen(self, table: str, as_of: date) -> ir.Table | None:
        """The subscriptions that earlier loads had before they ended, as those left it; None where there was none."""
        if table != "subscriptions" or not self.warehouse.exists(PERIODS):
            return None
        return seen_before(self.warehouse.table(PERIODS), self.portfolio, as_of)

    def _further_accounts(self, identity: ir.Table | None, raw: ir.Table, as_of: date) -> ir.Table | None:
        """Accounts that ids belong to and no source delivers; what loads before this day delivered is known."""
        if identity is None:
            return None
        contract = contract_of(HISTORY, self.portfolio)
        rows = self.warehouse.table(HISTORY) if self.warehouse.exists(HISTORY) else contract.no_rows()
        before = _with_columns(rows, contract).filter(lambda t: t.valid_from < ibis.literal(as_of))
        return further_accounts(identity, self._merged(before, contract), raw, portfolio=self.portfolio)

    def _changed_days(self, days: tuple[date, ...]) -> Built:
        """An event table: the days that the run is for, and all others whose input changed since they were built."""
        source, contract = self.step.inputs[0], self.step.contract
        chosen, state = self.days.stale(days, self.warehouse.day_state(source.table))
        rows = self._table(source)
        day = rows[contract_of(source.table, self.portfolio).day_column]

        def made(some: tuple[date, ...]) -> ir.Table:
            found = self.model(days[-1], only={source.parameter: rows.filter(among(day, some))})
            assert isinstance(found, ir.Table)
            return found.filter(among(found[contract.day_column], some))

        parts = 1
        if at_once := self.warehouse.rows_at_once:
            parts = -(-self.warehouse.count(rows.filter(among(day, chosen))) // at_once)
        return self._staged(map(made, in_parts(chosen, parts)), chosen, state)

    def _table(self, wanted: Input) -> ir.Table:
        """A table that a model reads, all of it; an empty one where the portfolio or the warehouse has none."""
        table = wanted.table.removeprefix("raw_")
        if wanted.exists and table != wanted.table and self.portfolio.has_several(table):
            return SeveralSources(table, self.portfolio, self.warehouse).raw()
        if wanted.exists and (wanted.table not in MAY_BE_ABSENT or self.warehouse.exists(wanted.table)):
            return self.warehouse.table(wanted.table)
        return contract_of(wanted.table.replace("raw_", "stg_", 1), self.portfolio).no_rows()

    def _input(self, wanted: Input, as_of: date, given: ir.Table | None = None) -> Rows:
        """What a model reads of a table for a day: of snapshots that day's rows, or all up to it. Frames have floats."""
        rows = self._table(wanted) if given is None else given
        is_staged_or_later = wanted.exists and not wanted.table.startswith("raw_")
        if is_staged_or_later and contract_of(wanted.table, self.portfolio).kind == "snapshot":
            day = ibis.literal(as_of)
            rows = rows.filter(rows.as_of <= day if wanted.reads == "history" else rows.as_of == day)
            if wanted.reads == "history":
                rows = self._merged(rows, contract_of(wanted.table, self.portfolio))
        if wanted.table == GIVEN:
            rows = self._merged(rows, contract_of(GIVEN, self.portfolio))
        if not wanted.as_frame:
            return rows
        amounts = {c: rows[c].cast("float64") for c, kind in rows.schema().items() if kind.is_decimal()}
        return self.warehouse.execute(rows.mutate(**amounts) if amounts else rows)

    def _previous(self, as_of: date, done: tuple[date, ...]) -> ir.Table:
        """The table's own rows: all of a whole table, those of earlier days of a snapshot, this run's included."""
        contract = self.step.contract
        rows = contract.no_rows()
        if self.warehouse.exists(self.step.table):
            rows = _with_columns(self.warehouse.table(self.step.table), contract)
        if contract.kind == "snapshot":
            rows = rows.filter(rows.as_of < ibis.literal(as_of))
            if done:
                made = self.warehouse.staged(self.step.table)
                rows = rows.filter(rows.as_of.notin([ibis.literal(day) for day in done]))
                rows = rows.union(made.filter(made.as_of < ibis.literal(as_of)))
        return self._merged(rows, contract)

    def _merged(self, rows: ir.Table, contract: Contract) -> ir.Table:
        """Earlier rows of a table, with those of merged accounts under the surviving ids.

        An id that was an account itself and is both merged and linked goes where its link leads, as its rows do.
        """
        names, found = ("old_account_id", "account_id"), []
        if "account_aliases" in self.portfolio.tables:
            found.append(self.warehouse.table("stg_account_aliases").select(*names))
        if self.portfolio.has_identity and contract.table != IDENTITY and self.warehouse.exists(IDENTITY):
            linked = linked_since(self.warehouse.table(IDENTITY)).select(*names)
            found = [*(merged.anti_join(linked, "old_account_id") for merged in found), linked]
        return under_surviving_ids(rows, ibis.union(*found), contract) if found else rows


def _with_columns(rows: ir.Table, contract: Contract) -> ir.Table:
    """The rows with the contract's columns and types; a column that an older version had not is null."""
    return rows.select(
        **{c.name: rows[c.name].cast(c.type) if c.name in rows.columns else ibis.null(c.type) for c in contract.columns}
    )
