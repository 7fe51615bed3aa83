"""Which lifecycle events become a task, what the task says, and which tasks are there already.

An event has one task for ever, by a key of our own, whatever became of it at the vendor. Tasks are sent by `sync.py`; events
come from `cx_intel.models.renewals.lifecycle`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import HOLD_OUT
from cx_intel.contracts.renewals.hold_out import held_out
from cx_intel.contracts.renewals.lifecycle import CANCELLATION, SIGNAL_DROP, TIER_CHANGE
from cx_intel.contracts.write_back import AUDIT, REFUSED
from cx_intel.settings.outputs.write_back import TaskWriting
from cx_intel.sync.values import TEXT
from cx_intel.sync.wanted import WANTED, Wanted
from cx_intel.sync.writers.writer import CREATED, OWNER, PRESENT, TASK, TaskDraft, VendorWriter, Written
from cx_intel.warehouse.protocol import Warehouse

INTERVENTIONS = "cs_intervention_list"
DUE_DAYS = 7
"""Days by which a task is due where neither the list nor a playbook says so."""
MOST_SUBJECT = 250
REMOVED, DONE = None, "done"
"""What a task is to be, or is, besides its subject."""


@dataclass(frozen=True)
class Tasks:
    """The tasks of a sync.

    Attributes:
        wanted: The portfolio, its tables and the day.
        writer: Where they go.
        settings: Which events have one.
    """

    wanted: Wanted
    writer: VendorWriter
    settings: TaskWriting

    def events(self) -> list[dict[str, Any]]:
        """The events that are to have a task, the oldest first: rows of lifecycle_events, with subject, text and due.

        Accounts that are held out by lot have none.
        """
        warehouse, as_of = self.wanted.warehouse, self.wanted.as_of
        events = warehouse.table("lifecycle_events")
        first = as_of - timedelta(days=self.settings.within_days - 1)
        recent = events.filter(events.as_of >= first, events.as_of <= as_of)
        if warehouse.exists(HOLD_OUT[0]):
            held = held_out(warehouse.table(HOLD_OUT[0]), self.wanted.portfolio, as_of)
            recent = recent.anti_join(held, "account_id")
        recent = recent.order_by("as_of", "event_id")
        due, listed = self._due_days(), self._due_dates(first)
        found = []
        for event in warehouse.rows(recent):
            kind = self._kind(event)
            if kind in self.settings.events and not self.wanted.is_erased(event["account_id"]):
                by = event["as_of"] + timedelta(days=due.get(event["playbook"], DUE_DAYS))
                by = listed.get((event["account_id"], event["as_of"]), by)
                told = f"{event['reason']}. {event['playbook'] or ''}".strip()
                found.append(event | {"subject": _subject(kind, event), "text": told, "due": by.isoformat()})
        return found

    def _due_days(self) -> dict[str | None, int]:
        return {playbook.action: playbook.due_in_days for playbook in self.wanted.portfolio.playbooks}

    def _due_dates(self, first: date) -> dict[tuple[str, date], date]:
        """Account and day: by when the intervention list of that day has it done."""
        if not self.wanted.warehouse.exists(INTERVENTIONS):
            return {}
        listed = self.wanted.warehouse.table(INTERVENTIONS)
        rows = listed.filter(listed.as_of >= first).select("account_id", "as_of", "due_date")
        return {(row["account_id"], row["as_of"]): row["due_date"] for row in self.wanted.warehouse.rows(rows)}

    def frame(self, events: list[dict[str, Any]]) -> pd.DataFrame:
        """The tasks that are to be created, in the columns of `WANTED`: each in the first record of its account."""
        rows = []
        for event in events:
            for key in self.wanted.keys_of(self.writer.name, event["account_id"])[:1]:
                record = (self.writer.name, TASK, self.writer.parent, key, event["event_id"], event["account_id"])
                rows.append((*record, CREATED, TEXT, event["subject"]))
        return pd.DataFrame(rows, columns=list(WANTED), dtype=object)

    def drafts(self, events: list[dict[str, Any]], present: ir.Table) -> dict[str, TaskDraft]:
        """Key: the task as it is created, for the owner of the account's record."""
        owners = present.filter(present.target == self.writer.name, present.field == OWNER)
        rows = self.wanted.warehouse.rows(owners.select("record_key", "record_id", "value"))
        of = {row["record_key"]: row for row in rows}
        found = {}
        for event in events:
            keys = self.wanted.keys_of(self.writer.name, event["account_id"])[:1]
            for record in (of[key] for key in keys if key in of):
                told = (event["subject"], event["text"], event["due"])
                found[event["event_id"]] = TaskDraft(event["event_id"], record["record_id"], record["value"], *told)
        return found

    def _kind(self, event: Mapping[str, Any]) -> str:
        if event["event_type"] == TIER_CHANGE:
            return "tier_fall" if self._is_fall(event["from_value"], event["to_value"]) else ""
        return {SIGNAL_DROP: "signal_drop", CANCELLATION: "cancellation_announced"}.get(event["event_type"], "")

    def _is_fall(self, before: str, now: str) -> bool:
        """Whether a tier is worse than the one before, and not healthy; from or to an unknown one it is no fall."""
        assert self.wanted.portfolio.health is not None
        for model in self.wanted.portfolio.health.all_models():
            names = [level.name for level in model.tiers.levels]
            if before in names and now in names:
                return names.index(now) > names.index(before) and not model.tiers.levels[names.index(now)].is_healthy
        return False


def as_planned(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Tasks in the columns of `WANTED` as rows of a plan, of tasks that were not there."""
    rows = (dict(zip(WANTED, row, strict=True)) for row in frame.itertuples(index=False, name=None))
    return [row | {"record_id": None, "old_value": None, "new_value": row["value"]} for row in rows]


def tasks_sent(warehouse: Warehouse, target: str) -> list[dict[str, Any]]:
    """The newest audit row of each task that was created at a vendor, in whatever sync."""
    if not warehouse.exists(AUDIT):
        return []
    rows = warehouse.table(AUDIT)
    taken = rows.filter(rows.object == TASK, rows.target == target, rows.outcome != REFUSED).order_by("written_at")
    return list({row["record_key"]: row for row in warehouse.rows(taken)}.values())


def tasks_present(warehouse: Warehouse, writer: VendorWriter) -> Iterator[pd.DataFrame]:
    """What became of the tasks that were created, in the columns of `PRESENT`: its subject while it is open, else done."""
    sent = {row["record_key"]: row["new_value"] for row in tasks_sent(warehouse, writer.name) if row["new_value"]}
    there = writer.tasks_there(list(sent)) if sent else {}
    rows = [(TASK, key, one, CREATED, sent[key] if is_open else DONE) for key, (one, is_open) in there.items()]
    if rows:
        yield pd.DataFrame(rows, columns=list(PRESENT), dtype=object)


def written_tasks(
    writer: VendorWriter, rows: list[dict[str, Any]], drafts: Mapping[str, TaskDraft]
) -> dict[str, Written]:
    """Creates the tasks of these rows of the plan, or removes those that are to be none; by the keys of the rows."""
    removed = {row["record_key"]: row["record_id"] for row in rows if row["new_value"] is REMOVED}
    by_id = writer.remove_tasks(list(removed.values())) if removed else {}
    created = [drafts[row["record_key"]] for row in rows if row["new_value"] is not REMOVED]
    written = dict(writer.create_tasks(created)) if created else {}
    return written | {key: by_id[one] for key, one in removed.items()}


def _subject(kind: str, event: Mapping[str, Any]) -> str:
    said = {
        "tier_fall": f"Health fell from {event['from_value']} to {event['to_value']}",
        "signal_drop": str(event["reason"]).split(" in ", 1)[0],
        "cancellation_announced": f"Cancellation announced for {event['to_value']}",
    }
    return said[kind][:MOST_SUBJECT]
