"""The law of a cursor: read in parts, a table is what one reading of all of it gives."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cx_intel_tests.helpers.event_queries import EventQuery, SqliteTable, add, event_query

pytestmark = pytest.mark.slow

DAY = date(2025, 1, 6)
LOOK_BACK = 5


class Change(NamedTuple):
    """A row that is written in place of those of its key, or beside them; its cursor as told from the newest one read."""

    key: int
    after: int
    day: int
    is_beside: bool
    is_deleted: bool


CHANGES = st.builds(
    Change,
    key=st.integers(0, 4),
    after=st.integers(-LOOK_BACK, LOOK_BACK),
    day=st.integers(1, 3),
    is_beside=st.booleans(),
    is_deleted=st.booleans(),
)


def rows(events: EventQuery) -> list[tuple[Any, ...]]:
    """What stands in the raw table, without the places that rows were given in."""
    found = events.warehouse.rows(events.warehouse.table("raw_usage_events"))
    return sorted((row["event_id"], row["event_timestamp"], row["_day"]) for row in found)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deliveries=st.lists(st.lists(CHANGES, max_size=6), min_size=1, max_size=4))
def test_read_in_parts_it_is_what_one_reading_gives(deliveries: list[list[Change]]) -> None:
    with TemporaryDirectory() as folder:
        parts, whole = Path(folder) / "parts", Path(folder) / "whole"
        parts.mkdir()
        whole.mkdir()
        server = SqliteTable(Path(folder) / "product.sqlite", "INTEGER")
        newest = 100
        with event_query(parts, server, look_back=LOOK_BACK, deleted="is_deleted") as events:
            for changes in deliveries:
                for change in changes:
                    if not change.is_beside:
                        server.run(f"DELETE FROM events WHERE event_id = 'E{change.key}'")
                    at = f"2025-01-0{change.day}T08:00:00"
                    add(
                        server, f"E{change.key}", "A", at, newest + change.after, is_deleted=str(int(change.is_deleted))
                    )
                events.deliver(DAY)
                newest = max([newest, *(newest + change.after for change in changes)])
            found, states = rows(events), events.warehouse.day_state("raw_usage_events")
        with event_query(whole, server, look_back=LOOK_BACK, deleted="is_deleted") as events:
            events.deliver(DAY)
            assert found == rows(events)
            told = events.warehouse.day_state("raw_usage_events")
            assert {day: state.partition("#")[0] for day, state in states.items()} == {
                day: state.partition("#")[0] for day, state in told.items()
            }
