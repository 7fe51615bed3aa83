"""Parquet files that DuckDB reads by itself give the same rows as those that are read as all formats are."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.sources.errors import SourceError
from cx_intel_tests.helpers.event_files import EventFiles, event_files

pytestmark = pytest.mark.slow  # loads from real files

MONDAY = date(2025, 1, 6)
TUESDAY = MONDAY + timedelta(days=1)
EIGHT = datetime(2025, 1, 6, 8)


@pytest.fixture
def events(tmp_path: Path) -> Iterator[EventFiles]:
    with event_files(tmp_path, time_zone="Europe/Berlin") as made:
        yield made


def write(events: EventFiles, name: str, times: pa.Array, **more: list[Any]) -> None:
    """A Parquet file of events E1, E2 ... of account A."""
    count = len(times)
    columns = {
        "event_id": [f"{name}{n}" for n in range(1, count + 1)],
        "account_id": ["A"] * count,
        "event_name": ["login"] * count,
        "event_timestamp": times,
        **more,
    }
    pq.write_table(pa.table(columns), events.folder / f"{name}.parquet")


def instants(events: EventFiles) -> dict[str, datetime]:
    rows = events.warehouse.rows(events.warehouse.table("stg_usage_events").select("event_id", "event_timestamp"))
    return {row["event_id"]: row["event_timestamp"] for row in rows}


BERLIN = EIGHT - timedelta(hours=1)
"""Eight in Berlin, in UTC: times without a zone are the source's."""
TIMES = {
    "microseconds": (pa.array([EIGHT], pa.timestamp("us")), BERLIN),
    "milliseconds": (pa.array([EIGHT], pa.timestamp("ms")), BERLIN),
    "nanoseconds": (pa.array([EIGHT], pa.timestamp("ns")), BERLIN),
    "in UTC": (pa.array([EIGHT.replace(tzinfo=ZoneInfo("UTC"))], pa.timestamp("us", "UTC")), EIGHT),
    "in another zone": (pa.array([EIGHT.replace(tzinfo=ZoneInfo("UTC"))], pa.timestamp("us", "Asia/Tokyo")), EIGHT),
    "text": (pa.array(["2025-01-06T08:00:00"]), BERLIN),
    "text with a zone": (pa.array(["2025-01-06T08:00:00+02:00"]), EIGHT - timedelta(hours=2)),
    "a number of seconds": (pa.array([1736150400], pa.int64()), EIGHT),
    "a day": (pa.array([MONDAY], pa.date32()), datetime(2025, 1, 5, 23)),
    "words of a dictionary": (pa.array(["2025-01-06T08:00:00"]).dictionary_encode(), BERLIN),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_are_read_whatever_their_type(events: EventFiles, kind: str) -> None:
    times, expected = TIMES[kind]
    write(events, "a", times)
    events.refresh(MONDAY)
    assert instants(events) == {"a1": expected}


@pytest.mark.parametrize("kind", ["nanoseconds", "in another zone"])
def test_nested_columns_beside_them_change_nothing(events: EventFiles, kind: str) -> None:
    times, expected = TIMES[kind]
    write(events, "a", times, properties=[{"page": "/"}])
    events.refresh(MONDAY)
    assert instants(events) == {"a1": expected}


def test_files_of_several_types_stand_in_one_table_at_once_or_one_after_the_other(
    tmp_path: Path, events: EventFiles
) -> None:
    kinds = ("microseconds", "in UTC", "text", "nanoseconds", "in another zone", "a number of seconds")
    for number, kind in enumerate(kinds):
        write(events, f"f{number}-", TIMES[kind][0])
        events.deliver(MONDAY)
    events.stage(MONDAY)
    assert instants(events) == {f"f{n}-1": TIMES[kind][1] for n, kind in enumerate(kinds)}
    (tmp_path / "other").mkdir()
    with event_files(tmp_path / "other", time_zone="Europe/Berlin", path=str(events.folder)) as at_once:
        at_once.refresh(MONDAY)
        assert instants(at_once) == instants(events)


def test_a_rejected_row_is_shown_and_a_missing_cell_left_out(events: EventFiles) -> None:
    write(events, "a", TIMES["microseconds"][0], account_id=["C"], user_id=pa.array([None], pa.string()))
    events.refresh(MONDAY)
    assert events.raw_rows() == {
        (
            "a.parquet",
            1,
        ): '{"event_id":"a1","account_id":"C","event_name":"login","event_timestamp":"2025-01-06 08:00:00"}'
    }


def test_numbers_with_fractions_are_read_as_all_formats_are(events: EventFiles) -> None:
    write(events, "a", TIMES["microseconds"][0], user_id=[Decimal("1.50")])
    events.refresh(MONDAY)
    (row,) = events.warehouse.rows(events.warehouse.table("stg_usage_events"))
    assert row["user_id"] == "1.50"


def test_a_damaged_file_is_named(events: EventFiles) -> None:
    write(events, "a", TIMES["microseconds"][0])
    (events.folder / "b.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(SourceError, match=r"b\.parquet: cannot be read as parquet .*; fetch it again"):
        events.refresh(MONDAY)


def test_a_file_of_which_a_page_is_damaged_is_named(events: EventFiles) -> None:
    write(events, "a", pa.array([EIGHT] * 5000, pa.timestamp("us")))
    file = events.folder / "a.parquet"
    content = bytearray(file.read_bytes())
    content[100:3000] = bytes(2900)
    file.write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.parquet: cannot be read as parquet .*; fetch it again"):
        events.refresh(MONDAY)


@pytest.mark.parametrize("name", ["Event_Id", "filename", "file_row_number"])
def test_columns_that_duckdb_would_take_for_others_change_nothing(events: EventFiles, name: str) -> None:
    """Names that differ in case alone, and those of columns that it adds."""
    columns = {name: ["x"], "event_id": ["E1"], "account_id": ["A"], "event_name": ["login"]}
    pq.write_table(pa.table({**columns, "event_timestamp": TIMES["text"][0]}), events.folder / "a.parquet")
    events.refresh(MONDAY)
    assert instants(events) == {"E1": BERLIN}


def test_a_name_that_is_a_pattern_is_that_file(events: EventFiles) -> None:
    write(events, "a[1]", TIMES["microseconds"][0])
    write(events, "a1", TIMES["in UTC"][0])
    events.refresh(MONDAY)
    assert instants(events) == {"a[1]1": BERLIN, "a11": EIGHT}
