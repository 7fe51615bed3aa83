"""Events of several sources of files: each file is read once, and the rows of all sources stand beside each other."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel.orchestration.assets.delivery.raw import raw_kind
from cx_intel.orchestration.assets.delivery.raw_files import FilesDelivery
from cx_intel.privacy.guard import Guard
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.event_files import EventFiles

MONDAY = date(2025, 1, 6)
TUESDAY, WEDNESDAY = (MONDAY + timedelta(days=n) for n in (1, 2))


class TwoSources(EventFiles):
    """Events of a website and of an app, each in a folder of its own."""

    def __init__(self, folder: Path, **source: Any):
        self.app = folder / "app"
        self.app.mkdir()
        super().__init__(folder, **source)

    @property
    def portfolio(self) -> Portfolio:
        app = {"kind": "files", "table": "usage_events", "path": str(self.app), "name": "app"}
        world = {"kind": "synthetic", "world": "novacrm"}
        return portfolio(sources=[self.source, app, world], time_zone=self.zone)

    def write_app(self, name: str, *events: list[str]) -> None:
        self.write(f"of-app-{name}", *events).rename(self.app / f"{name}.csv")

    def deliver(self, day: date) -> tuple[date, ...]:
        days: set[date] = set()
        self.read = ()
        for part, source in self.portfolio.parts_of("usage_events").items():
            assert isinstance(source, FilesSource)
            alone = self.portfolio.only("usage_events", source)
            assert raw_kind("usage_events", alone) == "by_day"
            before = self.warehouse.known_files(f"raw_{part}")
            guard = Guard(alone.name, self.home, {})
            with self.warehouse.transaction():
                found, _ = FilesDelivery(f"raw_{part}", source, alone, {}, guard, self.warehouse).take(day)
            now = self.warehouse.known_files(f"raw_{part}")
            self.read += tuple(f"{part}/{name}" for name, file in now.items() if before.get(name) != file)
            days |= set(found)
        return tuple(sorted(days))


@pytest.fixture
def events(tmp_path: Path) -> Iterator[TwoSources]:
    made = TwoSources(tmp_path, name="web")
    try:
        made.write_app("mon", ["E1", "A", "2025-01-06T10:00:00"], ["X", "C", "2025-01-06T11:00:00"])
        made.write("mon", ["E1", "A", "2025-01-06T08:00:00"], ["E2", "B", "2025-01-06T09:00:00"])
        yield made
    finally:
        made.close()


def test_only_new_files_of_each_source_are_read_and_only_their_days_are_built(events: TwoSources) -> None:
    assert events.refresh(MONDAY) == (MONDAY,)
    assert events.read == ("usage_events/mon.csv", "usage_events__app/mon.csv")
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "app-E1": MONDAY}
    assert list(events.quarantined(MONDAY)) == [("mon.csv", 2)]
    events.write_app("tue", ["E4", "B", "2025-01-07T10:00:00"])
    assert events.refresh(TUESDAY) == (TUESDAY,)
    assert events.read == ("usage_events__app/tue.csv",)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "app-E1": MONDAY, "E4": TUESDAY}
    assert list(events.quarantined(TUESDAY)) == [("mon.csv", 2)]


@pytest.mark.slow
def test_rows_of_a_changed_file_of_one_source_are_replaced(events: TwoSources) -> None:
    events.refresh(MONDAY)
    events.write_app("mon", ["E5", "A", "2025-01-06T10:00:00"])
    assert events.refresh(WEDNESDAY) == (MONDAY, WEDNESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E5": MONDAY}
