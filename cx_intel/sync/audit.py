"""What was sent, and what became of it: read and written in `write_back_audit`, a batch at a time.

The newest row of a field that the vendor took is what was last sent, so that nothing else has to be remembered. What is to
be sent: `plan.py`.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import conform
from cx_intel.contracts.write_back import (
    AUDIT,
    CONFIRMED,
    KEY,
    PLAN,
    REFUSED,
    REJECTED,
    SEND,
    SENT,
    UNDO,
    write_back_audit,
    write_back_rejected,
)
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sync.writers.writer import DIMENSION, TASK, Written
from cx_intel.warehouse.protocol import Warehouse

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Audit:
    """The audit of a portfolio's syncs.

    Attributes:
        portfolio: Its settings.
        warehouse: Its tables.
        operation: What the present sync is: sync, retry or undo.
        sync_id: Its id.
        undoes: The sync that it undoes.
    """

    portfolio: Portfolio
    warehouse: Warehouse
    operation: str
    sync_id: str
    undoes: str | None = None

    def rows(self) -> ir.Table:
        """All rows; none before the first sync."""
        contract = write_back_audit(self.portfolio)
        return self.warehouse.table(AUDIT) if self.warehouse.exists(AUDIT) else contract.no_rows()

    def last(self) -> ir.Table:
        """Of each field what was last sent, and what was refused since: is_sent, sent_value, is_refused, refused_value."""
        rows = self.rows()
        newest = ibis.window(group_by=[*KEY], order_by=[rows.written_at.desc(), rows.batch_id.desc()])
        taken = rows.filter(rows.outcome != REFUSED)
        sent = taken.mutate(place=ibis.row_number().over(newest)).filter(lambda t: t.place == 0)
        sent = sent.select(*KEY, sent_value="new_value", sent_at="written_at")
        refused = rows.filter(rows.outcome == REFUSED)
        refused = refused.mutate(place=ibis.row_number().over(newest)).filter(lambda t: t.place == 0)
        refused = refused.select(*KEY, refused_value="new_value", refused_at="written_at")
        both = sent.outer_join(refused, list(KEY))
        return both.select(
            **{name: ibis.coalesce(both[name], both[f"{name}_right"]) for name in KEY},
            is_sent=both.sent_at.notnull(),
            sent_value=both.sent_value,
            is_refused=both.refused_at.notnull() & (both.sent_at.isnull() | (both.refused_at > both.sent_at)),
            refused_value=both.refused_value,
        )

    def left_half_way(self, present: ir.Table) -> ir.Table:
        """What the newest plan was to send, of which no audit row tells and which stands at the vendor: it was sent.

        Dimension data cannot be read back: they are sent again, which changes nothing.
        """
        plan = self._unanswered()
        unanswered = plan.filter(plan.object != DIMENSION, plan.object != TASK)
        stands = present.select(*KEY, stands="value")
        both = unanswered.inner_join(stands, list(KEY))
        changed = ~both.old_value.identical_to(both.new_value)
        return both.filter(changed & both.stands.identical_to(both.new_value)).select(*plan.columns)

    def confirm(self, rows: ir.Table) -> int:
        """Notes rows of an earlier plan as sent. How many."""
        found = self.warehouse.rows(rows)
        told = {row["record_key"]: Written("", "found at the vendor") for row in found}
        if found:
            self.note(found, told, outcome=CONFIRMED)
        return len(found)

    def note(self, rows: Sequence[Row], written: Mapping[str, Written], *, outcome: str = SENT) -> None:
        """Notes what became of rows of the plan, by the keys of their records, in one transaction."""
        now = datetime.now(UTC).replace(tzinfo=None)
        batch = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        noted = []
        for row in rows:
            one = written[row["record_key"]]
            noted.append(
                {name: row[name] for name in (*KEY, "account_id", "kind", "old_value", "new_value")}
                | {"record_id": one.record_id or row["record_id"], "batch_id": batch, "written_at": now}
                | {"sync_id": self.sync_id, "operation": self.operation, "undoes": self.undoes}
                | {"outcome": REFUSED if one.reason else outcome, "response": one.reason or one.response}
            )
        contract = write_back_audit(self.portfolio)
        frame = pd.DataFrame(noted, columns=list(contract.column_names), dtype=object)
        frame["written_at"] = pd.to_datetime(frame["written_at"])
        table = conform(ibis.memtable(frame, schema=contract.schema()), contract)
        self.warehouse.replace_rows(AUDIT, table, like=contract.schema(), where=("batch_id", batch))

    def write_rejected(self) -> int:
        """Brings `write_back_rejected` up to date: what vendors refused and have not taken since. How many fields."""
        contract, rows = write_back_rejected(self.portfolio), self.rows()
        newest = ibis.window(group_by=[*KEY], order_by=[rows.written_at.desc(), rows.batch_id.desc()])
        last = rows.mutate(place=ibis.row_number().over(newest)).filter(lambda t: t.place == 0)
        dead = last.filter(last.outcome == REFUSED).mutate(reason=last.response, rejected_at=last.written_at)
        staged = self.warehouse.stage(REJECTED, [conform(dead, contract)], like=contract.schema())
        count = self.warehouse.count(staged)
        self.warehouse.swap(REJECTED)
        return count

    def to_undo(self) -> str | None:
        """The newest sync that sent something and was not undone; first one whose undoing ended half-way."""
        if self.warehouse.exists(PLAN):
            begun = self._unanswered().filter(lambda t: t.undoes.notnull())
            if found := self.warehouse.rows(begun.select("undoes").limit(1)):
                return str(found[0]["undoes"])
        rows = self.rows()
        undone = rows.filter(rows.undoes.notnull()).select(sync_id="undoes").distinct()
        sent = rows.filter(rows.operation != UNDO, rows.outcome != REFUSED).anti_join(undone, "sync_id")
        found = self.warehouse.rows(sent.agg(newest=sent.sync_id.max()))
        return found[0]["newest"] if found else None

    def _unanswered(self) -> ir.Table:
        """What the newest plan was to send and no audit row tells of."""
        plan = self.warehouse.table(PLAN)
        return plan.filter(plan.action == SEND).anti_join(self.rows().select(*KEY, "sync_id"), [*KEY, "sync_id"])

    def before(self, sync_id: str | None) -> ir.Table:
        """What stood at the vendor before a sync, or before the first one of all: the columns of what is wanted."""
        rows = self.rows()
        rows = rows.filter(rows.outcome != REFUSED, rows.operation != UNDO)
        if sync_id:
            rows = rows.filter(rows.sync_id == sync_id)
        oldest = ibis.window(group_by=[*KEY], order_by=[rows.written_at.asc(), rows.batch_id.asc()])
        first = rows.mutate(place=ibis.row_number().over(oldest)).filter(lambda t: t.place == 0)
        return first.select(*KEY, "account_id", "record_id", "kind", value="old_value")
