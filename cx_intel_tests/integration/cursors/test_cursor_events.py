"""Events of a table at a database: only what is new by the cursor is fetched, and only its days are judged again."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel.sources.errors import SourceError
from cx_intel_tests.helpers.event_queries import QUERY, EventQuery, SqliteTable, add, event_query, put

pytestmark = pytest.mark.slow  # loads from a real database

FIRST, SECOND, THIRD = date(2025, 1, 6), date(2025, 1, 7), date(2025, 1, 8)


@pytest.fixture
def table(tmp_path: Path) -> SqliteTable:
    """One event a day from 1 to 6 January, written an hour after it happened."""
    server = SqliteTable(tmp_path / "product.sqlite")
    for day in range(1, 7):
        add(server, f"E{day}", "A", f"2025-01-0{day}T08:00:00", f"2025-01-0{day}T09:00:00")
    return server


@pytest.fixture
def events(tmp_path: Path, table: SqliteTable) -> Iterator[EventQuery]:
    """These, read once."""
    with event_query(tmp_path, table, look_back="1 day", deleted="is_deleted") as found:
        found.refresh(FIRST)
        yield found


def test_the_first_reading_takes_everything(events: EventQuery) -> None:
    assert events.told["rows_fetched"] == events.told["rows_new_or_changed"] == 6
    assert events.told["read_whole"] is True
    assert events.told["read_up_to"] == "2025-01-06T09:00:00"
    assert events.staged() == {f"E{day}": date(2025, 1, day) for day in range(1, 7)}


def test_the_next_day_fetches_what_is_new_and_what_is_looked_back(events: EventQuery) -> None:
    add(events.server, "E7", "B", "2025-01-07T08:00:00", "2025-01-07T09:00:00")
    assert events.refresh(SECOND) == (SECOND,)
    # from the day before the newest cursor on: E5, E6 and the new one
    assert (events.fetched, events.told["rows_new_or_changed"]) == (3, 1)
    assert events.staged()["E7"] == SECOND


def test_nothing_new_changes_nothing(events: EventQuery) -> None:
    raw = events.warehouse.rows(events.warehouse.table("raw_usage_events"))
    assert events.deliver(FIRST) == ()
    assert events.told["unchanged"] is True
    assert events.warehouse.rows(events.warehouse.table("raw_usage_events")) == raw


def test_a_row_that_is_late_within_the_look_back_comes_in(events: EventQuery) -> None:
    add(events.server, "E7", "A", "2025-01-03T08:00:00", "2025-01-05T23:00:00")
    assert events.refresh(SECOND) == (date(2025, 1, 3), SECOND)
    assert events.staged()["E7"] == date(2025, 1, 3)


def test_a_row_that_is_later_still_is_missed_until_everything_is_read(events: EventQuery) -> None:
    add(events.server, "E7", "A", "2025-01-03T08:00:00", "2025-01-04T23:00:00")
    events.refresh(SECOND)
    assert "E7" not in events.staged()
    assert events.deliver(SECOND, reads_all=True)
    events.stage(SECOND)
    assert events.staged()["E7"] == date(2025, 1, 3)


def test_a_row_that_moves_to_another_day_leaves_its_old_one(events: EventQuery) -> None:
    put(events.server, "E2", "B", "2025-01-04T08:00:00", "2025-01-07T09:00:00")
    assert events.refresh(SECOND) == (date(2025, 1, 2), date(2025, 1, 4), SECOND)
    assert events.staged()["E2"] == date(2025, 1, 4)
    assert len(events.staged()) == 6


def test_blanks_around_an_id_make_no_other_row(events: EventQuery) -> None:
    events.server.run(
        "UPDATE events SET event_id = 'E2 ', event_timestamp = '2025-01-04T08:00:00', updated_at = '2025-01-07T09:00:00' "
        "WHERE event_id = 'E2'"
    )
    add(events.server, "\tE3", "A", "2025-01-03T08:00:00", "2025-01-07T09:00:00", is_deleted="1")
    add(events.server, " ", "A", "2025-01-07T08:00:00", "2025-01-07T09:00:00")
    assert events.refresh(SECOND) == (date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 4), SECOND)
    rows = events.warehouse.rows(events.raw_table)
    assert sorted(row["event_id"] for row in rows) == [" ", "E1", "E2 ", "E4", "E5", "E6"]
    assert events.staged()["E2"] == date(2025, 1, 4)


def test_of_several_rows_of_one_key_the_newest_counts(events: EventQuery) -> None:
    add(events.server, "E7", "A", "2025-01-07T08:00:00", "2025-01-07T11:00:00", name="newest")
    add(events.server, "E7", "A", "2025-01-07T08:00:00", "2025-01-07T10:00:00", name="older")
    add(events.server, "E6", "A", "2025-01-06T08:00:00", "2025-01-06T08:30:00", name="older")
    events.refresh(SECOND)
    found = events.warehouse.rows(events.warehouse.table("stg_usage_events"))
    names = {row["event_id"]: row["event_name"] for row in found}
    assert (names["E7"], names["E6"], len(found)) == ("newest", "login", 7)


def test_rows_of_one_key_and_cursor_that_differ_are_told(events: EventQuery) -> None:
    for name in ("one", "other"):
        add(events.server, "E7", "A", "2025-01-07T08:00:00", "2025-01-07T11:00:00", name=name)
    events.refresh(SECOND)
    assert list(events.staged()).count("E7") == 1
    assert list(events.quarantined(SECOND).values()) == ["duplicate of row 8 of query: the same event_id"]


def test_rows_of_one_key_and_cursor_that_come_one_after_the_other_stay_together(events: EventQuery) -> None:
    for name in ("one", "other"):
        add(events.server, "E7", "A", "2025-01-07T08:00:00", "2025-01-07T11:00:00", name=name)
        events.deliver(SECOND)
    rows = events.warehouse.rows(events.warehouse.table("raw_usage_events"))
    assert sorted(row["event_name"] for row in rows if row["event_id"] == "E7") == ["one", "other"]


def test_a_row_that_is_deleted_at_the_server_goes(events: EventQuery) -> None:
    put(events.server, "E2", "A", "2025-01-02T08:00:00", "2025-01-07T09:00:00", is_deleted="1")
    assert events.refresh(SECOND) == (date(2025, 1, 2), SECOND)
    assert "E2" not in events.staged()
    put(events.server, "E2", "A", "2025-01-02T08:00:00", "2025-01-07T10:00:00", is_deleted="0")
    events.refresh(SECOND)
    assert events.staged()["E2"] == date(2025, 1, 2)


def test_rows_without_a_cursor_are_fetched_each_time(events: EventQuery) -> None:
    add(events.server, "E7", "A", "2025-01-03T08:00:00", None)
    events.refresh(SECOND)
    assert (events.told["rows_without_cursor"], events.staged()["E7"]) == (1, date(2025, 1, 3))
    put(events.server, "E7", "A", "2025-01-04T08:00:00", None)
    events.refresh(THIRD)
    assert (events.told["rows_without_cursor"], events.staged()["E7"]) == (1, date(2025, 1, 4))
    assert events.told["read_up_to"] == "2025-01-06T09:00:00"


def test_a_clock_that_is_wrong_does_not_end_the_reading(events: EventQuery) -> None:
    add(events.server, "E7", "A", "2025-01-07T08:00:00", "2099-01-01T00:00:00")
    events.refresh(SECOND)
    assert (events.told["rows_with_cursor_ahead"], events.told["read_up_to"]) == (1, "2025-01-06T09:00:00")
    add(events.server, "E8", "A", "2025-01-08T08:00:00", "2025-01-08T09:00:00")
    events.refresh(THIRD)
    assert (events.staged()["E7"], events.staged()["E8"]) == (SECOND, THIRD)


def test_rows_that_cannot_be_read_are_quarantined_once(events: EventQuery) -> None:
    add(events.server, "E7", "A", "yesterday", "2025-01-07T09:00:00")
    add(events.server, None, "A", "2025-01-07T08:00:00", "2025-01-07T09:00:00")
    events.refresh(SECOND)
    events.refresh(THIRD)
    assert list(events.quarantined(THIRD).values()) == [
        "event_timestamp: 'yesterday' is not a time (YYYY-MM-DDTHH:MM:SS, or as date_formats say)",
        "event_id is missing",
    ]
    assert events.raw_rows()["query", 7] == (
        '{"event_id":"E7","account_id":"A","event_name":"login","event_timestamp":"yesterday"}'
    )


@pytest.mark.parametrize(
    "change",
    [
        {"query": QUERY.replace("FROM events", "FROM events WHERE event_id <> 'E1'")},
        {"values": {"event_name": {"login": "signed_in"}}},
        {"time_zone": "Europe/Berlin"},
        {"cursor": {"column": "event_timestamp"}},
        {"cursor": {"column": "updated_at", "key": ["account_id", "event_id"]}},
    ],
)
def test_what_is_read_otherwise_is_read_anew(events: EventQuery, change: dict[str, Any]) -> None:
    events.source |= change
    events.deliver(SECOND)
    assert events.told["read_whole"] is True
    events.deliver(SECOND)
    assert "read_whole" not in events.told


def test_another_look_back_reads_nothing_anew(events: EventQuery) -> None:
    events.source |= {"cursor": {"column": "updated_at", "deleted": "is_deleted", "look_back": "3 days"}}
    events.deliver(SECOND)
    assert ("read_whole" not in events.told, events.fetched) == (True, 4)


def test_another_place_is_read_anew(events: EventQuery, tmp_path: Path) -> None:
    events.server = SqliteTable(tmp_path / "moved.sqlite")
    add(events.server, "M1", "A", "2025-01-06T08:00:00", "2025-01-06T09:00:00")
    events.refresh(SECOND)
    assert events.staged() == {"M1": FIRST}


def test_a_column_that_the_query_gives_now_is_read_of_all_rows(events: EventQuery) -> None:
    events.source |= {"query": "SELECT * FROM events"}
    events.deliver(SECOND)
    events.server.run("ALTER TABLE events ADD COLUMN user_id TEXT DEFAULT 'U1'")
    events.deliver(SECOND)
    users = {row["user_id"] for row in events.warehouse.rows(events.warehouse.table("raw_usage_events"))}
    assert (events.told["read_whole"], users) == (True, {"U1"})


def test_a_whole_query_in_between_is_no_beginning(events: EventQuery) -> None:
    events.warehouse.stage("raw_usage_events", [events.warehouse.table("raw_usage_events").limit(1)])
    events.warehouse.swap("raw_usage_events", stands_at=FIRST)
    events.deliver(SECOND)
    assert (events.told["read_whole"], len(events.staged())) == (True, 6)


def test_an_empty_table_is_no_fault(tmp_path: Path) -> None:
    server = SqliteTable(tmp_path / "empty.sqlite")
    with event_query(tmp_path, server) as events:
        assert events.refresh(FIRST) == (FIRST,)
        assert (events.fetched, events.staged()) == (0, {})
        add(server, "E1", "A", "2025-01-06T08:00:00", "2025-01-06T09:00:00")
        events.refresh(FIRST)
        assert events.staged() == {"E1": FIRST}


def test_a_cursor_of_whole_numbers(tmp_path: Path) -> None:
    server = SqliteTable(tmp_path / "numbers.sqlite", "INTEGER")
    for n in range(1, 6):
        add(server, f"E{n}", "A", f"2025-01-0{n}T08:00:00", 1000 * n)
    with event_query(tmp_path, server, look_back=1500) as events:
        events.deliver(FIRST)
        events.deliver(FIRST)
        assert events.fetched == 2  # 3,500 and above
        events.source |= {"cursor": "updated_at"}
        with pytest.raises(
            SourceError, match=r"is a whole number, for which '3 days' says nothing: write .*look_back: 1000"
        ):
            events.deliver(FIRST)


def test_a_cursor_of_text_that_is_no_time_is_refused(tmp_path: Path) -> None:
    server = SqliteTable(tmp_path / "text.sqlite")
    add(server, "E1", "A", "2025-01-06T08:00:00", "06.01.2025")
    with event_query(tmp_path, server) as events:
        with pytest.raises(SourceError, match=r"its cursor updated_at holds '06.01.2025', which is no time"):
            events.deliver(FIRST)
        assert not events.warehouse.exists("raw_usage_events")


def test_columns_that_the_cursor_needs_and_the_query_lacks(tmp_path: Path) -> None:
    server = SqliteTable(tmp_path / "lacking.sqlite")
    told = pytest.raises(SourceError, match="gives no column 'gone', which its cursor reads")
    with event_query(tmp_path, server, deleted="gone") as events, told:
        events.deliver(FIRST)


def test_a_key_that_is_no_column_of_the_table(tmp_path: Path) -> None:
    server, query = SqliteTable(tmp_path / "keys.sqlite"), "SELECT *, 1 AS row_id FROM events"
    told = pytest.raises(
        SourceError, match="has 'row_id' in the `key` of its cursor, which is no column of usage_events"
    )
    with event_query(tmp_path, server, query=query, key=["event_id", "row_id"]) as events, told:
        events.deliver(FIRST)


def test_a_look_back_of_another_kind_is_refused_at_once(tmp_path: Path) -> None:
    server = SqliteTable(tmp_path / "numbers.sqlite", "INTEGER")
    add(server, "E1", "A", "2025-01-01T08:00:00", 1000)
    with event_query(tmp_path, server) as events:
        with pytest.raises(SourceError, match="is a whole number, for which '3 days' says nothing"):
            events.deliver(FIRST)
        assert not events.warehouse.exists("raw_usage_events")


def test_nothing_in_reach_is_no_fault_and_moves_nothing(events: EventQuery) -> None:
    """SQLite says no type of a column that has no value."""
    events.server.run("DELETE FROM events")
    events.refresh(SECOND)
    assert (events.fetched, events.told["read_up_to"], len(events.staged())) == (0, "2025-01-06T09:00:00", 6)
    add(events.server, "E7", "A", "2025-01-07T08:00:00", None)
    events.refresh(SECOND)
    assert (events.fetched, events.told["read_up_to"], len(events.staged())) == (1, "2025-01-06T09:00:00", 7)
    assert "read_whole" not in events.told
