"""Events in files or at a database, brought in and staged without the rest of a refresh: what a day costs and changes.

events = EventFiles(tmp_path)
events.write("2025-01-06", ["E1", "A", "2025-01-06T08:00:00"])
events.refresh(date(2025, 1, 6))
events.staged()
"""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from cx_intel.contracts.identity import identity_map
from cx_intel.contracts.staging.accounts import stg_accounts
from cx_intel.models.staging.tables import quarantine
from cx_intel.orchestration.assets.delivery.raw_files import FilesDelivery
from cx_intel.orchestration.assets.graph import REJECTED_ROWS, steps_of
from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.privacy.guard import Guard
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio, rows

LINKED_ON = date(2025, 1, 1)
HEADER = ("event_id", "account_id", "event_timestamp", "event_name")


class EventLoads(ABC):
    """A warehouse that events are brought into and staged in.

    Attributes:
        source: The settings of the source of events.
        told: What the last delivery told.
    """

    def __init__(self, folder: Path, source: dict[str, Any], zone: str = "UTC"):
        self.told: dict[str, Any] = {}
        self.home, self.source, self.zone = folder, source, zone
        self._file = folder / "warehouse.duckdb"
        self.warehouse = DuckDBWarehouse(open_warehouse(self._file), "small")
        self.know("A", "B")

    def close(self) -> None:
        close_warehouse(self._file)

    @property
    def portfolio(self) -> Portfolio:
        return portfolio(sources=[self.source, {"kind": "synthetic", "world": "novacrm"}], time_zone=self.zone)

    def know(self, *accounts: str) -> None:
        """These are the accounts from now on."""
        known = [{"account_id": account} for account in accounts]
        self.warehouse.stage("stg_accounts", [rows(stg_accounts(self.portfolio), known)])
        self.warehouse.swap("stg_accounts")

    def link(self, system: str, **accounts: str | None) -> None:
        """To these accounts the ids of another system belong from now on, by id."""
        known = [
            {"system": system, "external_id": external_id, "valid_from": LINKED_ON, "account_id": account}
            | {"rule": "direct" if account else None, "reason": None if account else "has no link"}
            | {"is_delivered": True, "first_seen_on": LINKED_ON, "last_seen_on": LINKED_ON}
            for external_id, account in accounts.items()
        ]
        self.warehouse.stage("identity_map", [rows(identity_map(self.portfolio), known)])
        self.warehouse.swap("identity_map")

    @abstractmethod
    def deliver(self, day: date) -> tuple[date, ...]:
        """Brings the events in; the days that changed."""

    def stage(self, day: date) -> tuple[date, ...]:
        """Stages the events for a day; the days that were judged."""
        step = next(step for step in steps_of(self.portfolio) if step.table == "stg_usage_events")
        with self.warehouse.transaction():
            built = StepRunner(step, self.portfolio, self.warehouse).build((day,))
            self.warehouse.swap("stg_usage_events", column="event_date", days=built.days, state=dict(built.state))
        return built.days

    def refuse(self, day: date) -> None:
        """Takes what was delivered and judges it, and leaves the staged table as it was, as where too much is rejected."""
        self.deliver(day)
        step = next(step for step in steps_of(self.portfolio) if step.table == "stg_usage_events")
        with self.warehouse.transaction():
            StepRunner(step, self.portfolio, self.warehouse).build((day,))
            self.warehouse.discard("stg_usage_events")

    def refresh(self, day: date) -> tuple[date, ...]:
        """Both; the days that were judged."""
        self.deliver(day)
        return self.stage(day)

    def staged(self) -> dict[str, date]:
        """Event: its day."""
        table = self.warehouse.table("stg_usage_events").select("event_id", "event_date")
        return {row["event_id"]: row["event_date"] for row in self.warehouse.rows(table.order_by("event_id"))}

    def accounts(self) -> dict[str, str]:
        """Event: its account."""
        table = self.warehouse.table("stg_usage_events").select("event_id", "account_id")
        return {row["event_id"]: row["account_id"] for row in self.warehouse.rows(table.order_by("event_id"))}

    def quarantined(self, day: date) -> dict[tuple[str, int], str]:
        """File and row: why it is in the quarantine of a day."""
        found = quarantine(self.warehouse.table(REJECTED_ROWS), portfolio=self.portfolio, as_of=day)
        return {(row["source_file"], row["row_number"]): row["reason"] for row in self.warehouse.rows(found)}

    def raw_rows(self) -> dict[tuple[str, int], str]:
        """File and row: what stood there, of the rows that were rejected."""
        found = self.warehouse.rows(self.warehouse.table(REJECTED_ROWS))
        return {(row["source_file"], row["row_number"]): row["raw_row"] for row in found}

    def news(self) -> dict[date, str]:
        """What of each staged day counts as news for the snapshots that rest on it."""
        states = self.warehouse.day_state("stg_usage_events")
        return {day: state.rpartition("|")[0] for day, state in states.items()}


class EventFiles(EventLoads):
    """A folder of CSV files of events, and a warehouse.

    Attributes:
        folder: The files.
        read: Names of the files that the last refresh read.
    """

    def __init__(self, folder: Path, zone: str = "UTC", **source: Any):
        self.folder = folder / "events"
        self.folder.mkdir()
        self.read: tuple[str, ...] = ()
        place: dict[str, Any] = {"kind": "files", "path": str(self.folder)}
        if "query" in source:
            place = {"kind": "sql", "files": {"calls": str(self.folder)}, "per_file": True}
        super().__init__(folder, {"table": "usage_events", **place, **source}, zone)

    def write(self, name: str, *events: Sequence[str]) -> Path:
        """A file of events: id, account, time, and name or login."""
        file = self.folder / f"{name}.csv"
        with file.open("w", newline="", encoding="utf-8") as text:
            writer = csv.writer(text)
            writer.writerow(HEADER)
            writer.writerows([*event, "login"][: max(4, len(event))] for event in events)
        return file

    def deliver(self, day: date) -> tuple[date, ...]:
        """Brings the files in; the days that changed."""
        of = self.portfolio
        source = of.source_of("usage_events")
        assert isinstance(source, FilesSource | SqlSource)
        before = self.warehouse.known_files("raw_usage_events")
        guard = Guard(of.name, self.home, {})
        with self.warehouse.transaction():
            days, self.told = FilesDelivery("raw_usage_events", source, of, {}, guard, self.warehouse).take(day)
        now = self.warehouse.known_files("raw_usage_events")
        self.read = tuple(name for name, file in now.items() if before.get(name) != file)
        return days


@contextmanager
def event_files(folder: Path, zone: str = "UTC", **source: Any) -> Iterator[EventFiles]:
    """Events in files for as long as the block lasts."""
    events = EventFiles(folder, zone, **source)
    try:
        yield events
    finally:
        events.close()
