"""Cells and amounts: every spelling that is read, and those that are refused."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cx_intel.models.expressions import money
from cx_intel.models.staging import parsing
from cx_intel.models.staging.parsing import Written
from cx_intel_tests.helpers.builders import portfolio

CON = ibis.duckdb.connect()
EUR = portfolio(currency={"reporting": "EUR", "rates": {"CHF": 1.05, "JPY": 0.0061, "USD": 0.9234567}})


def texts(values: list[str | None]) -> ir.Table:
    """One row a text, in a column `cell`, numbered by `n`."""
    return ibis.memtable(pa.table({"n": range(len(values)), "cell": pa.array(values, pa.string())}))


def times(*cells: str) -> ir.Table:
    """One row a text, with the time as it states it: `local` and `offset`."""
    rows = texts(list(cells))
    stated = parsing.written(rows.cell)
    return rows.select("n", local=stated.local, offset=stated.offset_minutes)


def evaluated(rows: ir.Table, value: ir.Value) -> list[Any]:
    return CON.to_pyarrow(rows.select("n", value=value).order_by("n"))["value"].to_pylist()


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


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize(
    "cell",
    [
        "9999-12-31",
        "9999-12-31T00:00:00",
        "9999-12-31 23:59:59.999999999",
        "9999-12-31T23:59",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",  # half a day after the end of the calendar
        "9999-12-31T00:00:00+14:00",
    ],
)
def test_the_last_day_of_the_calendar_means_never_with_any_clock_in_any_zone(cell: str, zone: str) -> None:
    rows = times(cell)
    stated = Written(rows.local, rows.offset)
    assert evaluated(rows, rows.local) == [datetime(9999, 12, 31)]
    rows = rows.mutate(at=parsing.instant(stated, zone))
    assert evaluated(rows, rows.at) == [datetime(9999, 12, 31)]
    for source_zone in ("UTC", zone):
        assert evaluated(rows, parsing.day(stated, rows.at, zone, source_zone)) == [date(9999, 12, 31)]


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


@pytest.mark.parametrize(
    ("cell", "zone", "source_zone", "expected"),
    [
        ("2024-06-04", "America/New_York", "UTC", date(2024, 6, 4)),
        ("2024-06-04T00:00:00", "America/New_York", "UTC", date(2024, 6, 4)),  # an exported day
        ("2024-06-04T00:00:00Z", "America/New_York", "UTC", date(2024, 6, 4)),
        ("2024-06-03T22:00:00Z", "Europe/Berlin", "UTC", date(2024, 6, 4)),  # midnight in Berlin
        ("2024-06-03T23:30:00", "Europe/Berlin", "UTC", date(2024, 6, 4)),
        ("2024-06-03T23:30:00", "Europe/Berlin", "Europe/Berlin", date(2024, 6, 3)),
        ("2024-06-03T23:30:00Z", "Europe/Berlin", "Europe/Berlin", date(2024, 6, 4)),
    ],
)
def test_days_are_those_of_the_zone(cell: str, zone: str, source_zone: str, expected: date) -> None:
    rows = times(cell)
    stated = Written(rows.local, rows.offset)
    rows = rows.mutate(at=parsing.instant(stated, source_zone))
    assert evaluated(rows, parsing.day(stated, rows.at, zone, source_zone)) == [expected]


def test_countries_become_codes_and_unknown_ones_stay() -> None:
    rows = texts(["de", "Deutschland", "Österreich", "switzerland", "Atlantis", None])
    assert evaluated(rows, parsing.country(rows.cell)) == ["DE", "DE", "AT", "CH", "ATLANTIS", None]


def test_amounts_are_read_exactly_or_not_at_all() -> None:
    cells = [
        "12.345",
        "-0.5",
        "1e3",
        "999999999999.999999999",
        "1000000000001",
        "1e13",
        "12,50",
        "five",
        None,
    ]
    rows = texts(cells)
    assert evaluated(rows, money.amount(rows.cell)) == [
        Decimal("12.345"),
        Decimal("-0.5"),
        Decimal(1000),
        Decimal("999999999999.999999999"),
        *[None] * 5,
    ]


def test_typed_amounts_are_read_at_nine_decimals() -> None:
    rows = ibis.memtable(pa.table({"n": range(3), "cell": [0.1 + 0.2, 12.345, 1e15]}))
    assert evaluated(rows, money.amount(rows.cell)) == [Decimal("0.3"), Decimal("12.345"), None]


def convert(rows: list[tuple[str, str, int]]) -> list[Decimal | None]:
    amounts, currencies, months = zip(*rows, strict=True)
    table = ibis.memtable(
        pa.table(
            {
                "n": range(len(rows)),
                "amount": pa.array([Decimal(a) for a in amounts], pa.decimal128(22, 9)),
                "currency": currencies,
                "months": months,
            }
        )
    )
    result = money.converted(table, {"mrr": ("amount", "months")}, portfolio=EUR)
    return evaluated(result, result.mrr)


@pytest.mark.parametrize(
    ("amount", "currency", "months", "expected"),
    [
        ("12.345", "EUR", 1, "12.35"),
        ("12.344999999", "EUR", 1, "12.34"),
        ("0.125", "EUR", 1, "0.13"),
        ("0.115", "EUR", 1, "0.12"),  # as a float 0.11499999999999999
        ("1.005", "EUR", 1, "1.01"),
        ("-12.345", "EUR", 1, "-12.35"),  # a credit note mirrors its invoice
        ("1", "EUR", 3, "0.33"),
        ("2", "EUR", 3, "0.67"),
        ("0.06", "EUR", 12, "0.01"),  # half a cent a month
        ("10", "CHF", 1, "10.50"),
        ("0.10", "CHF", 1, "0.11"),  # 0.105
        ("100", "CHF", 12, "8.75"),
        ("4.38", "CHF", 12, "0.38"),  # 0.38325; of the rounded 4.60 too
        ("1.39", "CHF", 2, "0.73"),  # 0.72975; the amount alone would be 1.46
        ("1000", "JPY", 1, "6.10"),
        ("999999999999.995", "CHF", 1, "1049999999999.99"),
        ("0", "EUR", 1, "0.00"),
        ("5", "GBP", 1, None),
    ],
)
def test_amounts_are_converted_and_rounded_half_up_once(
    amount: str, currency: str, months: int, expected: str | None
) -> None:
    assert convert([(amount, currency, months)]) == [None if expected is None else Decimal(expected)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.decimals(min_value=-(10**11), max_value=10**11, places=5).map(str),
            st.sampled_from(["EUR", "CHF", "JPY", "USD"]),
            st.integers(1, 1200),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_conversion_agrees_with_exact_fractions(rows: list[tuple[str, str, int]]) -> None:
    rates = EUR.currency.rate_of()
    for (amount, currency, months), result in zip(rows, convert(rows), strict=True):
        exact = Fraction(amount) * Fraction(rates[currency]) / months
        cents = int((abs(exact) * 200 + 1) // 2)
        assert result == Decimal(cents if exact >= 0 else -cents) / 100


def test_rates_beyond_exact_arithmetic_are_refused() -> None:
    rates = {"AAA": "1.0000000000001", "BBB": 1000}
    too_fine = portfolio(currency={"reporting": "EUR", "rates": rates})
    with pytest.raises(ValueError, match=r"currency\.rates: with 13 decimals"):
        money.whole_rates(too_fine)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e301])
def test_a_typed_number_that_nothing_can_be_reckoned_with_is_none(value: float) -> None:
    cells = ibis.memtable(pa.table({"cell": pa.array([value, 2.5], pa.float64())}))
    found = CON.to_pyarrow(cells.select(n=parsing.number(cells.cell))).to_pylist()
    assert sorted((row["n"] for row in found), key=str) == [2.5, None]
