"""Cells: every spelling that is read, and those that are refused; amounts: `test_parsing_of_amounts.py`."""

from datetime import date, datetime
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from cx_intel.models.staging import parsing
from cx_intel.models.staging.parsing import Written
from cx_intel_tests.helpers.read_cells import CON, evaluated, texts


def times(*cells: str) -> ir.Table:
    """One row a text, with the time as it states it: `local` and `offset`."""
    rows = texts(list(cells))
    stated = parsing.written(rows.cell)
    return rows.select("n", local=stated.local, offset=stated.offset_minutes)


def test_text_is_trimmed_and_empty_text_is_missing() -> None:
    rows = texts(["  a b\t\n", "", " \t ", None, "0"])
    assert evaluated(rows, parsing.text(rows.cell)) == ["a b", None, None, None, "0"]


def test_numbers() -> None:
    cells = [
        "42",
        "-1.50",
        "+.5",
        "1e3",
        "1E-2",
        "7.",
        "1,234.5",
        "1.234,5",
        "45%",
        "€5",
        "1 000",
        "nan",
        "inf",
        "1e999",
        "x",
        "-",
    ]
    rows = texts(cells)
    refused = [None] * 10
    assert evaluated(rows, parsing.number(rows.cell)) == [42, -1.5, 0.5, 1000, 0.01, 7, *refused]


def test_flags_are_numbers_only_where_asked() -> None:
    rows = texts(["yes", "No", "TRUE", "false", "1", "0", "maybe"])
    assert evaluated(rows, parsing.number(rows.cell, flags=True)) == [1, 0, 1, 0, 1, 0, None]
    assert evaluated(rows, parsing.number(rows.cell)) == [None, None, None, None, 1, 0, None]


def test_whole_numbers() -> None:
    rows = texts(["42", "42.0", "-7", "+5", "42.5", "1e3", "9" * 18, "9" * 19, "0x1"])
    expected = [42, 42, -7, 5, None, None, 10**18 - 1, None, None]
    assert evaluated(rows, parsing.whole(rows.cell)) == expected


TIMES_IN_BERLIN = {
    "2024-07-01": datetime(2024, 6, 30, 22),
    "2024-07-01T10:20:30": datetime(2024, 7, 1, 8, 20, 30),
    "2024-07-01 10:20:30": datetime(2024, 7, 1, 8, 20, 30),
    "2024-07-01T10:20:30.5": datetime(2024, 7, 1, 8, 20, 30, 500_000),
    "2024-07-01T10:20:30.123456789": datetime(2024, 7, 1, 8, 20, 30, 123_456),
    "2024-07-01T10:20:30Z": datetime(2024, 7, 1, 10, 20, 30),
    "2024-07-01 10:20:30.25 UTC": datetime(2024, 7, 1, 10, 20, 30, 250_000),
    "2024-07-01T10:20:30+05:30": datetime(2024, 7, 1, 4, 50, 30),
    "2024-07-01T10:20:30-0330": datetime(2024, 7, 1, 13, 50, 30),
    "2024-07-01T10:20:30-00:30": datetime(2024, 7, 1, 10, 50, 30),
    "2024-07-01 10:20:30+02": datetime(2024, 7, 1, 8, 20, 30),
    "1719829230500": datetime(2024, 7, 1, 10, 20, 30, 500_000),
    "2024-02-30": None,
    "2023-02-29T00:00:00": None,
    "2024-07-01T24:00:00": None,
    "2024-07-01T10:20": datetime(2024, 7, 1, 8, 20),
    "2024-07-01 10:20": datetime(2024, 7, 1, 8, 20),
    "2024-07-01T10:20Z": datetime(2024, 7, 1, 10, 20),
    "2024-07-01 10:20 +05:30": datetime(2024, 7, 1, 4, 50),
    "2024-07-01T10:20-03": datetime(2024, 7, 1, 13, 20),
    "2024-07-01 3:24:36": datetime(2024, 7, 1, 1, 24, 36),  # as spreadsheets write it
    "2024-07-01 3:24": datetime(2024, 7, 1, 1, 24),
    "2024-07-01 3:24:36.5Z": datetime(2024, 7, 1, 3, 24, 36, 500_000),
    "2024-07-01 3:4:36": None,
    "2024-07-01T10": None,
    "2024-07-01T24:00": None,
    "2024-07-01T10:60": None,
    "2024-07-01T10:20.5": None,
    "01.07.2024": None,
    "31/12/2024": None,
    "07/01/2024 10:20:30": None,
    "2024-7-1": None,
    "20240701": None,
    "2024-07-01T10:20:30+25:00": None,
    "x2024-07-01": None,
    "2024-07-01x": None,
    "now": None,
}


def test_times_become_utc() -> None:
    rows = times(*TIMES_IN_BERLIN)
    utc = evaluated(rows, parsing.instant(Written(rows.local, rows.offset), "Europe/Berlin"))
    assert dict(zip(TIMES_IN_BERLIN, utc, strict=True)) == TIMES_IN_BERLIN


YEARS = {
    "1000-01-01": datetime(1000, 1, 1),
    "1000-01-01T00:00:00Z": datetime(1000, 1, 1),
    "9999-12-30T23:59:59Z": datetime(9999, 12, 30, 23, 59, 59),
    "1735689600": datetime(2025, 1, 1),  # ten digits are seconds
    "1735689600.75": datetime(2025, 1, 1),
    "1735689600.0": datetime(2025, 1, 1),
    "1735689600000": datetime(2025, 1, 1),  # thirteen are milliseconds
    "1735689600000.0": datetime(2025, 1, 1),
    "1735689600000000": datetime(2025, 1, 1),  # sixteen are microseconds
    "100000000000": None,
    "173568960": None,
    "0735689600": None,
    "9999999999999": datetime(2286, 11, 20, 17, 46, 39, 999_000),
    "0999-12-31": None,
    "0001-01-01": None,  # what some systems write where they know no day
    "0001-01-01T00:00:00Z": None,
    "0000-00-00": None,
    "0204-01-01T10:20:30+02:00": None,  # a typing error for 2024
    "204-01-01": None,
    "10000-01-01": None,
    "20240-01-01": None,
    "+12024-01-01": None,
    "-2024-01-01": None,
    "99999999999": None,
    "10000000000000": None,
}


def test_years_have_four_digits_and_none_is_before_1000() -> None:
    rows = times(*YEARS)
    found = evaluated(rows, parsing.instant(Written(rows.local, rows.offset), "UTC"))
    assert dict(zip(YEARS, found, strict=True)) == YEARS


NEVER = [
    "9999-12-31",
    "9999-12-31T00:00:00",
    "9999-12-31 23:59:59.999999999",
    "9999-12-31T23:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",  # half a day after the end of the calendar
    "9999-12-31T00:00:00+14:00",
]


@cache
def read_as_never(zone: str) -> dict[str, dict[str, Any]]:
    """Each cell: its local time, its instant, and its day from a source of UTC and of the zone."""
    rows = times(*NEVER)
    stated = Written(rows.local, rows.offset)
    rows = rows.mutate(at=parsing.instant(stated, zone))
    days = {f"from {source}": parsing.day(stated, rows.at, zone, source) for source in ("UTC", zone)}
    found = CON.to_pyarrow(rows.select("n", "local", "at", **days).order_by("n")).drop_columns("n").to_pylist()
    return dict(zip(NEVER, found, strict=True))


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("cell", NEVER)
def test_the_last_day_of_the_calendar_means_never_with_any_clock_in_any_zone(cell: str, zone: str) -> None:
    never, last = datetime(9999, 12, 31), date(9999, 12, 31)
    expected = {"local": never, "at": never, "from UTC": last, f"from {zone}": last}
    assert read_as_never(zone)[cell] == expected


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("us", "UTC")])
def test_never_in_a_typed_column_has_a_day_in_every_zone(kind: pa.DataType, zone: str) -> None:
    cells = [datetime(9999, 12, 31, 23, 59, 59), datetime(9999, 12, 31), datetime(2024, 7, 1, 12), None]
    typed = ibis.memtable(pa.table({"n": range(4), "cell": pa.array(cells, kind)}))
    stated = parsing.written(typed.cell)
    rows = typed.select("n", local=stated.local, offset=stated.offset_minutes)
    rows = rows.mutate(at=parsing.instant(Written(rows.local, rows.offset), "UTC"))
    days = evaluated(rows, parsing.day(Written(rows.local, rows.offset), rows.at, zone, "UTC"))
    noon = date(2024, 7, 2 if zone == "Pacific/Kiritimati" else 1)
    assert days == [date(9999, 12, 31), date(9999, 12, 31), noon, None]


def test_never_with_a_clock_that_is_none_is_no_time() -> None:
    rows = times("9999-12-31T24:00:00", "9999-12-31T23:60", "9999-12-32")
    assert evaluated(rows, rows.local) == [None] * 3


def test_months_have_the_years_of_days() -> None:
    texts_of = {"1000-01": True, "2024-12": True, "9999-12": True}
    texts_of |= dict.fromkeys(("0999-12", "0000-01", "2024-13", "2024-00", "2024-1", "12024-01"), False)
    rows = texts(list(texts_of))
    assert evaluated(rows, rows.cell.re_search(parsing.MONTH_PATTERN)) == list(texts_of.values())


DAYS = [
    ("2024-06-04", "America/New_York", "UTC", date(2024, 6, 4)),
    ("2024-06-04T00:00:00", "America/New_York", "UTC", date(2024, 6, 4)),  # an exported day
    ("2024-06-04T00:00:00Z", "America/New_York", "UTC", date(2024, 6, 4)),
    ("2024-06-03T22:00:00Z", "Europe/Berlin", "UTC", date(2024, 6, 4)),  # midnight in Berlin
    ("2024-06-03T23:30:00", "Europe/Berlin", "UTC", date(2024, 6, 4)),
    ("2024-06-03T23:30:00", "Europe/Berlin", "Europe/Berlin", date(2024, 6, 3)),
    ("2024-06-03T23:30:00Z", "Europe/Berlin", "Europe/Berlin", date(2024, 6, 4)),
]


@cache
def days_of(zone: str, source_zone: str) -> dict[str, date]:
    """The day of each cell of the cases of these zones."""
    cells = [cell for cell, *zones, _ in DAYS if zones == [zone, source_zone]]
    rows = times(*cells)
    stated = Written(rows.local, rows.offset)
    rows = rows.mutate(at=parsing.instant(stated, source_zone))
    return dict(zip(cells, evaluated(rows, parsing.day(stated, rows.at, zone, source_zone)), strict=True))


@pytest.mark.parametrize(("cell", "zone", "source_zone", "expected"), DAYS)
def test_days_are_those_of_the_zone(cell: str, zone: str, source_zone: str, expected: date) -> None:
    assert days_of(zone, source_zone)[cell] == expected


def test_countries_become_codes_and_unknown_ones_stay() -> None:
    given = {
        "de": "DE",
        "Deutschland": "DE",
        "Österreich": "AT",
        "switzerland": "CH",
        "India": "IN",
        "Estados Unidos": "US",
        "U.S.": "US",
        "GBR": "GB",
        "UK": "GB",
        "Czech Republic": "CZ",
        "Türkei": "TR",
        "Südkorea": "KR",
        "Atlantis": "ATLANTIS",
        None: None,
    }
    rows = texts(list(given))
    assert evaluated(rows, parsing.country(rows.cell)) == list(given.values())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e301])
def test_a_typed_number_that_nothing_can_be_reckoned_with_is_none(value: float) -> None:
    cells = ibis.memtable(pa.table({"cell": pa.array([value, 2.5], pa.float64())}))
    found = CON.to_pyarrow(cells.select(n=parsing.number(cells.cell))).to_pylist()
    assert sorted((row["n"] for row in found), key=str) == [2.5, None]
