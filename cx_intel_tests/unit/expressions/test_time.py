"""Zones: the days and instants of a zone, by hand around its transitions, and against Python."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import pytest

from cx_intel.models.expressions.time import date_in_zone, end_of_day_utc, in_zone, offsets, to_utc

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2024, 12, 31), "UTC", datetime(2025, 1, 1)),
        (date(2024, 12, 31), BERLIN, datetime(2024, 12, 31, 23)),
        (date(2024, 7, 1), BERLIN, datetime(2024, 7, 1, 22)),
        (date(2024, 3, 31), BERLIN, datetime(2024, 3, 31, 22)),  # the day of 23 hours
        (date(2024, 10, 27), BERLIN, datetime(2024, 10, 27, 23)),  # the day of 25 hours
        (date(2018, 11, 3), "America/Sao_Paulo", datetime(2018, 11, 4, 3)),  # the next midnight never came
        (date(2010, 11, 6), "America/St_Johns", datetime(2010, 11, 7, 2, 30)),  # midnight came twice: the earlier
        (date(2025, 11, 1), "America/Havana", datetime(2025, 11, 2, 4)),
        (date(2025, 10, 25), "Atlantic/Azores", datetime(2025, 10, 26, 0)),
        (date(2025, 10, 25), "Asia/Beirut", datetime(2025, 10, 25, 22)),  # from midnight back to 23:00
        (date(2025, 3, 29), "Asia/Beirut", datetime(2025, 3, 29, 22)),  # from midnight on to 1:00
    ],
)
def test_a_day_ends_at_its_last_instant_in_the_zone(day: date, zone: str, end: datetime) -> None:
    assert end_of_day_utc(day, zone) == end


IN_BERLIN = {
    datetime(2024, 1, 15, 12): datetime(2024, 1, 15, 11),
    datetime(2024, 7, 15, 12): datetime(2024, 7, 15, 10),
    datetime(2024, 3, 31, 2, 30): datetime(2024, 3, 31, 1, 30),  # never occurs: as if not set forward yet
    datetime(2024, 3, 31, 3, 0): datetime(2024, 3, 31, 1, 0),
    datetime(2024, 10, 27, 2, 30): datetime(2024, 10, 27, 0, 30),  # occurs twice: the first time
    datetime(2024, 10, 27, 3, 0): datetime(2024, 10, 27, 2, 0),
    datetime(1999, 7, 1, 12): datetime(1999, 7, 1, 11),  # before the known transitions: the first offset
    datetime(2070, 7, 1, 12): datetime(2070, 7, 1, 11),
}


def test_local_times_of_berlin_become_utc() -> None:
    t = ibis.memtable({"local": list(IN_BERLIN)}, schema={"local": "timestamp(6)"})
    found = ibis.duckdb.connect().to_pyarrow(t.select("local", utc=to_utc(t.local, BERLIN))).to_pylist()
    assert {row["local"]: row["utc"] for row in found} == IN_BERLIN


def test_a_single_local_time_becomes_utc() -> None:
    literal = ibis.literal(datetime(2024, 7, 15, 12))
    assert ibis.duckdb.connect().execute(to_utc(literal, BERLIN)) == datetime(2024, 7, 15, 10)


def test_utc_costs_nothing() -> None:
    at = ibis.table({"at": "timestamp(6)"}, name="t").at
    assert to_utc(at, "UTC").equals(at)
    assert in_zone(at, "Etc/UTC").equals(at)


def test_zones_have_their_transitions() -> None:
    first, berlin = offsets(BERLIN)
    assert first == timedelta(hours=1)
    assert len(berlin) == 2 * 61
    assert berlin[0].at == datetime(2000, 3, 26, 1)
    assert offsets("Asia/Kolkata") == (timedelta(hours=5, minutes=30), ())


@pytest.mark.parametrize(
    "zone",
    [
        BERLIN,
        "Australia/Lord_Howe",
        *(pytest.param(z, marks=pytest.mark.slow) for z in ("America/New_York", "Africa/Casablanca")),
    ],
)
def test_agrees_with_python_every_few_hours(zone: str) -> None:
    start = datetime(2023, 1, 1)
    instants = [start + timedelta(minutes=719 * n) for n in range(1600)]
    t = ibis.memtable({"at": instants}, schema={"at": "timestamp(6)"})
    table = t.select("at", local=in_zone(t.at, zone), day=date_in_zone(t.at, zone), utc=to_utc(t.at, zone))
    for row in ibis.duckdb.connect().to_pyarrow(table).to_pylist():
        local = row["at"].replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert row["local"] == local
        assert row["day"] == local.date()
        assert row["utc"] == row["at"].replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
