"""A sync: reads what stands at the vendors, makes the plan, sends the differences batch by batch, and notes each.

One object a sync, for the command line and for Dagster alike; the warehouse is open for writing, so that no second sync runs
beside it. What is wanted comes from `wanted.py`, the plan from `plan.py`, requests from the module of each vendor.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.write_back import PLAN, RETRY, SEND, SYNC, UNDO, write_back_plan
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.sync.audit import Audit
from cx_intel.sync.outcome import Outcome
from cx_intel.sync.plan import PRESENT_LIKE, STAGED_PRESENT, STAGED_WANTED, WANTED_LIKE, planned
from cx_intel.sync.vendors import PRESENT, RECORDS_OF, Record, VendorWriter
from cx_intel.sync.wanted import Wanted
from cx_intel.warehouse.protocol import Warehouse

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
    """

    portfolio: Portfolio
    warehouse: Warehouse
    writers: Sequence[VendorWriter]
    wanted: Wanted
    on_progress: Told = lambda _what, _done, _of: None
    overwrites: bool = False

    def plan(self, operation: str = SYNC, *, undoes_all: bool = False) -> tuple[Outcome, Audit]:
        """Makes the plan and writes it; nothing is sent.

        Args:
            operation: sync; retry: only what was refused; undo: what stood there before the newest sync not undone.
            undoes_all: Of an undo: what stood there before the first sync.

        Raises:
            SourceError: A vendor cannot be read, or there is nothing to undo.
        """
        sync_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        outcome = Outcome(sync_id, operation, self.wanted.as_of)
        audit = Audit(self.portfolio, self.warehouse, operation, sync_id)
        undoes = audit.newest_sync() if operation == UNDO else None
        if operation == UNDO and not undoes:
            raise SourceError("There is nothing to undo: no sync has sent anything that stands.")
        audit = Audit(self.portfolio, self.warehouse, operation, sync_id, undoes)
        try:
            present = self.warehouse.stage(STAGED_PRESENT, self._present(), PRESENT_LIKE)
            if self.warehouse.exists(PLAN):
                with self.warehouse.transaction():
                    outcome.confirmed = audit.confirm(audit.left_half_way(present))
            wanted = self._undone(audit, None if undoes_all else undoes) if undoes else self._wanted(present, audit)
            self._write_plan(wanted, present, audit, outcome)
        finally:
            for staged in (STAGED_PRESENT, STAGED_WANTED):
                self.warehouse.discard(staged)
        self._count_requests(outcome)
        return outcome, audit

    def run(self, outcome: Outcome, audit: Audit) -> Outcome:
        """Sends what the plan says, vendor by vendor; one that fails stops none of the others."""
        for writer in self.writers:
            try:
                for name in writer.objects:
                    self._send(writer, name, outcome, audit)
            except SourceError as error:
                outcome.failures.append(str(error))
        with self.warehouse.transaction():
            outcome.dead = audit.write_rejected()
        self._count_requests(outcome)
        return outcome

    def _present(self) -> Iterator[ir.Table]:
        yield ibis.memtable(pd.DataFrame(columns=list(PRESENT_LIKE), dtype=object), schema=PRESENT_LIKE)
        for writer in self.writers:
            read = 0
            for frame in writer.present():
                read += frame["record_key"].nunique()
                self.on_progress(f"{writer.name}: records read", read, read)
                told = frame.assign(target=writer.name)[["target", *PRESENT]]
                columns = ["target", "object", "record_key", "record_id", "field", "value"]
                rows = ibis.memtable(told[columns], schema=PRESENT_LIKE)
                yield rows

    def _wanted(self, present: ir.Table, audit: Audit) -> ir.Table:
        return self.warehouse.stage(STAGED_WANTED, self._parts(), WANTED_LIKE)

    def _parts(self) -> Iterator[ir.Table]:
        yield ibis.memtable(pd.DataFrame(columns=list(WANTED_LIKE), dtype=object), schema=WANTED_LIKE)
        for frame in self.wanted.frames():
            yield ibis.memtable(frame, schema=WANTED_LIKE)

    def _undone(self, audit: Audit, sync_id: str | None) -> ir.Table:
        before = audit.before(sync_id)
        found_in = ibis.cases(
            *((before.object == of, parent) for of, parent in RECORDS_OF.items()), else_=before.object
        )
        return before.mutate(found_in=found_in).select(*WANTED_LIKE)

    def _write_plan(self, wanted: ir.Table, present: ir.Table, audit: Audit, outcome: Outcome) -> None:
        contract = write_back_plan(self.portfolio)
        rows = planned(
            wanted,
            present,
            audit.last(),
            portfolio=self.portfolio,
            sync_id=audit.sync_id,
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
        of = int(self.warehouse.rows(rows.agg(most=rows.record_number.max()))[0]["most"] or 0)
        for first in range(1, of + 1, writer.most(name)):
            last = first + writer.most(name) - 1
            batch = rows.filter(rows.record_number.between(first, last)).order_by("record_number", "field")
            found = self.warehouse.rows(batch)
            written = writer.write(name, [*_records(found)])
            with self.warehouse.transaction():
                audit.note(found, written)
            _count(outcome, found, {key for key, one in written.items() if one.reason})
            self.on_progress(f"{writer.name}: {name}", min(last, of), of)

    def _count_requests(self, outcome: Outcome) -> None:
        outcome.requests = sum(client.requests for writer in self.writers for client in writer.clients)


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
