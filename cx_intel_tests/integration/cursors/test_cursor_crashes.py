"""A delivery by a cursor that is killed at any step leaves rows and cursor as they were, or both as they are to be."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.event_queries import SqliteTable, add, event_query, put
from cx_intel_tests.helpers.sudden_death import killed_before, steps_of

pytestmark = pytest.mark.slow

FIRST, SECOND = date(2025, 1, 6), date(2025, 1, 7)
TRIED, LAST = 10, 120
"""How many of the last steps are tried; before them the process only begins."""


def deliver(folder: str, day: str) -> None:
    """Brings the events in, in whatever process."""
    with event_query(Path(folder), SqliteTable(Path(folder) / "product.sqlite"), look_back="1 day") as events:
        events.deliver(date.fromisoformat(day))


def state(folder: Path) -> tuple[Any, ...]:
    """Rows, their days and how far the table was read."""
    with event_query(folder, SqliteTable(folder / "product.sqlite"), look_back="1 day") as events:
        warehouse = events.warehouse
        rows = warehouse.rows(warehouse.table("raw_usage_events"))
        told = sorted((row["event_id"], row["_day"], row["event_name"]) for row in rows)
        cursor = warehouse.known_cursor("raw_usage_events")
        assert cursor is not None
        return told, warehouse.day_state("raw_usage_events"), cursor.value


def landed(folder: Path) -> Path:
    """A company whose first day is read, and that has more to read."""
    folder.mkdir()
    server = SqliteTable(folder / "product.sqlite")
    for day in range(1, 7):
        add(server, f"E{day}", "A", f"2025-01-0{day}T08:00:00", f"2025-01-0{day}T09:00:00")
    deliver(str(folder), FIRST.isoformat())
    put(server, "E2", "A", "2025-01-03T08:00:00", "2025-01-07T09:00:00", name="moved")
    add(server, "E7", "A", "2025-01-07T08:00:00", "2025-01-07T09:00:00")
    return folder


def test_killed_at_any_step_and_run_again_it_is_the_same(tmp_path: Path) -> None:
    once = landed(tmp_path / "once")
    before = state(once)
    count = steps_of(deliver, str(once), SECOND.isoformat())
    after = state(once)
    assert before != after
    for n in range(TRIED):
        step = count - LAST + n * LAST // (TRIED - 1)
        folder = landed(tmp_path / f"killed_{n}")
        killed_before(step, deliver, str(folder), SECOND.isoformat())
        found = state(folder)
        assert found in (before, after), f"killed before step {step} of {count}"
        deliver(str(folder), SECOND.isoformat())
        assert state(folder) == after
