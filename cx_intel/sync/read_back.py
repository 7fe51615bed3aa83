"""Reads back which of the tasks that were created are done, as actions on the entries of the intervention list.

A done task is an action `done` of its account's renewal, once and for ever, by its own id. What actions mean is in
`cx_intel.models.renewals.interventions`, how they are written down in `cx_intel.interventions.recording`.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from cx_intel.contracts.renewals.interventions import GIVEN
from cx_intel.contracts.staging.values import DONE
from cx_intel.interventions.recording import GivenAction, record
from cx_intel.sync.tasks import tasks_sent
from cx_intel.sync.wanted import Wanted
from cx_intel.sync.writers.writer import VendorWriter
from cx_intel.warehouse.protocol import Warehouse

PIPELINE = "renewal_pipeline"
ASKED_DAYS = 90
"""So long after it was created a task is looked at."""


def read_back(wanted: Wanted, writer: VendorWriter) -> int:
    """Writes down the tasks of a vendor that are done since they were last looked at; how many.

    A task of an account that has no renewal in the newest pipeline is about no entry of the list, and left alone.

    Args:
        wanted: The portfolio and its tables, open for writing.
        writer: The vendor.

    Raises:
        SourceError: The vendor cannot be asked.
    """
    warehouse, now = wanted.warehouse, datetime.now(UTC)
    renewals, known = _renewals(wanted), _known(warehouse)
    waiting: dict[str, dict[str, Any]] = {}
    for task in tasks_sent(warehouse, writer.name):
        is_new = task["new_value"] and f"{writer.name}:{task['record_key']}" not in known
        is_recent = task["written_at"].replace(tzinfo=UTC) > now - timedelta(days=ASKED_DAYS)
        if is_new and is_recent and task["account_id"] in renewals and not wanted.is_erased(task["account_id"]):
            waiting[task["record_key"]] = task
    there = writer.tasks_there(list(waiting)) if waiting else {}
    done = [
        GivenAction(
            action_id=f"{writer.name}:{key}",
            account_id=task["account_id"],
            renewal_date=renewals[task["account_id"]],
            status=DONE,
            acted_at=now,
            acted_by=writer.name,
            reason=task["new_value"],
        )
        for key, task in waiting.items()
        if key in there and not there[key][1]
    ]
    if done:
        record(warehouse, wanted.portfolio, done)
    return len(done)


def _known(warehouse: Warehouse) -> set[str]:
    """The ids of the actions that were given already."""
    if not warehouse.exists(GIVEN):
        return set()
    return {row["action_id"] for row in warehouse.rows(warehouse.table(GIVEN).select("action_id"))}


def _renewals(wanted: Wanted) -> dict[str, date]:
    """Account: the renewal that it has in the pipeline of the day."""
    if not wanted.warehouse.exists(PIPELINE):
        return {}
    rows = wanted.warehouse.table(PIPELINE)
    today = rows.filter(rows.as_of == wanted.as_of).select("account_id", "renewal_date")
    return {row["account_id"]: row["renewal_date"] for row in wanted.warehouse.rows(today)}
