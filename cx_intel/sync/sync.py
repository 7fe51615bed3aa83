"""A sync: reads what stands at the vendors, makes the plan, sends the differences batch by batch, and notes each.

One object a sync, for the command line and for Dagster alike; the warehouse is open for writing, so that no second sync runs
beside it. What is wanted comes from `wanted.py`, the plan from `plan.py`, requests from the module of each vendor.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.write_back import CONFIRMED, PLAN, RETRY, SEND, SYNC, UNDO, write_back_plan
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.sync.audit import Audit
from cx_intel.sync.former_customers import fields_of_former_customers
from cx_intel.sync.opportunities import opportunities_wanted
from cx_intel.sync.outcome import Outcome
from cx_intel.sync.plan import PRESENT_LIKE, STAGED_PRESENT, STAGED_WANTED, WANTED_LIKE, planned
from cx_intel.sync.read_back import read_back
from cx_intel.sync.tasks import Tasks, as_planned, tasks_present, tasks_sent, written_tasks
from cx_intel.sync.wanted import Wanted
from cx_intel.sync.writers.writer import RECORDS_OF, TASK, Record, TaskDraft, VendorWriter, Written
from cx_intel.warehouse.protocol import Warehouse

FIELDS_AT_ONCE = 25_000
"""Of one batch, which is held in memory."""
Told = Callable[[str, int, int], None]
"""What is done, how much of it, and how much there is."""


@dataclass
class Sync:
    """One sync of a portfolio.

    Attributes:
        portfolio: Its settings, with `write_back`.
        warehouse: Its tables, open for writing.
        writers: The vendors.
        wanted: What is to stand there.
        on_progress: Told of each batch.
        overwrites: What was edited at a vendor is sent too.
        drafts: The tasks of the plan, by their keys.
        former: What is to stand in the fields of those who are customers no longer.
    """

    portfolio: Portfolio
    warehouse: Warehouse
    writers: Sequence[VendorWriter]
    wanted: Wanted
    on_progress: Told = lambda _what, _done, _of: None
    overwrites: bool = False
    drafts: dict[str, TaskDraft] = field(default_factory=dict)
    former: pd.DataFrame = field(default_factory=pd.DataFrame)

    def plan(self, operation: str = SYNC, *, undoes_all: bool = False) -> tuple[Outcome, Audit]:
        """Makes the plan and writes it; nothing is sent.

        Args:
            operation: sync; retry: only what was refused; undo: what stood there before the newest sync not undone.
            undoes_all: Of an undo: what stood there before the first sync.

        Raises:
            SourceError: There is nothing to undo.
        """
        sync_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        outcome = Outcome(sync_id, operation, self.wanted.as_of)
        audit = Audit(self.portfolio, self.warehouse, operation, sync_id)
        undoes = audit.to_undo() if operation == UNDO else None
        if operation == UNDO and not undoes:
            raise SourceError("There is nothing to undo: no sync has sent anything that stands.")
        audit = Audit(self.portfolio, self.warehouse, operation, sync_id, undoes)
        self.former = fields_of_former_customers(self.wanted, audit)
        try:
            present = self.warehouse.stage(STAGED_PRESENT, self._present(audit, outcome), PRESENT_LIKE)
            if self.warehouse.exists(PLAN):
                with self.warehouse.transaction():
                    outcome.confirmed = audit.confirm(audit.left_half_way(present))
            wanted = self._undone(audit, None if undoes_all else undoes) if undoes else self._wanted(present, audit)
            is_read = wanted.target.isin([writer.name for writer in self.writers])
            self._write_plan(wanted.filter(is_read), present, audit, outcome)
        finally:
            for staged in (STAGED_PRESENT, STAGED_WANTED):
                self.warehouse.discard(staged)
        self._count_requests(outcome)
        return outcome, audit

    def run(self, outcome: Outcome, audit: Audit) -> Outcome:
        """Sends what the plan says, vendor by vendor; one that fails stops none of the others."""
        for writer in self.writers:
            try:
                for name in (*writer.objects, TASK):
                    self._send(writer, name, outcome, audit)
            except SourceError as error:
                outcome.failures.append(str(error))
        with self.warehouse.transaction():
            outcome.dead = audit.write_rejected()
        if outcome.operation == SYNC:
            self._read_back(outcome)
        self._count_requests(outcome)
        return outcome

    def _read_back(self, outcome: Outcome) -> None:
        """Which tasks are done at the vendor that has them."""
        tasks = self.wanted.settings.tasks
        for writer in (w for w in self.writers if tasks and w.name == tasks.to):
            try:
                outcome.tasks_done += read_back(self.wanted, writer)
            except SourceError as error:
                outcome.failures.append(str(error))

    def _present(self, audit: Audit, outcome: Outcome) -> Iterator[ir.Table]:
        """What stands at the vendors; one that cannot be read is left out of this sync."""
        yield _rows([], PRESENT_LIKE)
        for writer in list(self.writers):
            read = 0
            try:
                for frame in self._read(writer, audit):
                    read += frame["record_key"].nunique()
                    self.on_progress(f"{writer.name}: records read", read, read)
                    yield _rows(frame.assign(target=writer.name), PRESENT_LIKE)
            except SourceError as error:
                outcome.failures.append(str(error))
                self.writers = [other for other in self.writers if other is not writer]

    def _read(self, writer: VendorWriter, audit: Audit) -> Iterator[pd.DataFrame]:
        if audit.operation == UNDO:
            yield from tasks_present(self.warehouse, writer)
        yield from writer.present(self._keys(writer, audit))

    def _keys(self, writer: VendorWriter, audit: Audit) -> list[str]:
        """The accounts whose records are looked at: those that are to be written, of an undo those that were."""
        if audit.operation != UNDO:
            former = self.former[self.former["target"] == writer.name]["record_key"]
            return [*self.wanted.accounts_of(writer.name), *dict.fromkeys(former)]
        rows = audit.rows()
        accounts = rows.filter(rows.target == writer.name).select("account_id").distinct()
        found = (row["account_id"] for row in self.warehouse.rows(accounts))
        return [key for account in found for key in self.wanted.keys_of(writer.name, account)]

    def _wanted(self, present: ir.Table, audit: Audit) -> ir.Table:
        return self.warehouse.stage(STAGED_WANTED, self._parts(present, audit), WANTED_LIKE)

    def _parts(self, present: ir.Table, audit: Audit) -> Iterator[ir.Table]:
        yield _rows([], WANTED_LIKE)
        settings = self.wanted.settings
        for frame in self.wanted.frames():
            yield _rows(frame, WANTED_LIKE)
        yield _rows(self.former, WANTED_LIKE)
        if settings.salesforce and settings.salesforce.opportunities:
            for frame in opportunities_wanted(self.wanted, settings.salesforce.opportunities, present, audit):
                yield _rows(frame, WANTED_LIKE)
        for writer in self.writers:
            if settings.tasks and settings.tasks.to == writer.name:
                yield _rows(self._tasks(Tasks(self.wanted, writer, settings.tasks), present, audit), WANTED_LIKE)

    def _tasks(self, tasks: Tasks, present: ir.Table, audit: Audit) -> pd.DataFrame:
        """The tasks that are not there: of an event that had one, none, whatever became of it."""
        had = {row["record_key"] for row in tasks_sent(self.warehouse, tasks.writer.name)}
        events = [event for event in tasks.events() if event["event_id"] not in had]
        there = tasks.writer.tasks_there([event["event_id"] for event in events]) if events else {}
        missing = [event for event in events if event["event_id"] not in there]
        self.drafts = tasks.drafts(missing, present)
        if there:  # created by a sync that ended half-way
            found = tasks.frame([event for event in events if event["event_id"] in there])
            told = {key: Written("", "found at the vendor", one) for key, (one, _) in there.items()}
            with self.warehouse.transaction():
                audit.note(as_planned(found), told, outcome=CONFIRMED)
        return tasks.frame(missing)

    def _undone(self, audit: Audit, sync_id: str | None) -> ir.Table:
        before = audit.before(sync_id)
        found_in = ibis.cases(
            *((before.object == of, parent) for of, parent in RECORDS_OF.items()), else_=before.object
        )
        return before.mutate(found_in=found_in, found_key=before.record_key).select(*WANTED_LIKE)

    def _write_plan(self, wanted: ir.Table, present: ir.Table, audit: Audit, outcome: Outcome) -> None:
        contract = write_back_plan(self.portfolio)
        rows = planned(
            wanted,
            present,
            audit.last(),
            portfolio=self.portfolio,
            sync_id=audit.sync_id,
            undoes=audit.undoes,
            as_of=self.wanted.as_of,
            retries=audit.operation == RETRY,
            overwrites=self.overwrites,
        )
        with self.warehouse.transaction():
            staged = self.warehouse.stage(PLAN, [rows], like=contract.schema())
            counted = staged.group_by("target", "object", "action").agg(fields=staged.count())
            for row in self.warehouse.rows(counted.order_by("target", "object", "action")):
                outcome.planned[row["target"], row["object"], row["action"]] = row["fields"]
            self.warehouse.swap(PLAN)

    def _send(self, writer: VendorWriter, name: str, outcome: Outcome, audit: Audit) -> None:
        plan = self.warehouse.table(PLAN)
        rows = plan.filter(plan.target == writer.name, plan.object == name, plan.action == SEND)
        (found,) = self.warehouse.rows(rows.agg(most=rows.record_number.max(), fields=rows.count()))
        of = int(found["most"] or 0)
        step = max(1, min(writer.most(name), FIELDS_AT_ONCE * of // max(1, found["fields"])))
        for first in range(1, of + 1, step):
            last = first + step - 1
            batch = rows.filter(rows.record_number.between(first, last)).order_by("record_number", "field")
            fields = self.warehouse.rows(batch)
            if name == TASK:
                written: Mapping[str, Written] = written_tasks(writer, fields, self.drafts)
            else:
                written = writer.write(name, [*_records(fields)])
            with self.warehouse.transaction():
                audit.note(fields, written)
            _count(outcome, fields, {key for key, one in written.items() if one.reason})
            self.on_progress(f"{writer.name}: {name}", min(last, of), of)

    def _count_requests(self, outcome: Outcome) -> None:
        outcome.requests = sum(client.requests for writer in self.writers for client in writer.clients)


def _rows(frame: Any, like: ibis.Schema) -> ir.Table:
    return ibis.memtable(pd.DataFrame(frame, columns=list(like), dtype=object), schema=like)


def _records(rows: Iterable[dict[str, Any]]) -> Iterator[Record]:
    """The rows of each record together; they come one after the other."""
    held: list[dict[str, Any]] = []
    for row in rows:
        if held and held[0]["record_key"] != row["record_key"]:
            yield _record(held)
            held = []
        held.append(row)
    if held:
        yield _record(held)


def _record(rows: Sequence[dict[str, Any]]) -> Record:
    values = {row["field"]: row["new_value"] for row in rows}
    return Record(rows[0]["record_key"], rows[0]["record_id"], values, {row["field"]: row["kind"] for row in rows})


def _count(outcome: Outcome, rows: Sequence[dict[str, Any]], refused: set[str]) -> None:
    keys = {row["record_key"] for row in rows}
    fields = sum(row["record_key"] in refused for row in rows)
    outcome.records += len(keys)
    outcome.rejected_records += len(keys & refused)
    outcome.rejected += fields
    outcome.sent += len(rows) - fields
