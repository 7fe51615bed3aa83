"""Months as numbers: there and back, the last complete one, and every month of a span."""

from datetime import date, timedelta

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cx_intel.models.expressions.months import each_month, first_day, first_of_month, last_complete_month, month_index

DAYS = [date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 29), date(2024, 12, 1), date(1999, 6, 15)]


def test_a_month_is_its_number_and_its_first_day() -> None:
    table = ibis.memtable({"day": DAYS})
    index = month_index(table.day)
    rows = table.select("day", index=index, first=first_day(index), also=first_of_month(table.day)).to_pyarrow()
    for row in rows.to_pylist():
        first = row["day"].replace(day=1)
        assert row == {"day": row["day"], "index": first.year * 12 + first.month - 1, "first": first, "also": first}


@pytest.mark.parametrize(
    ("as_of", "month"),
    [
        (date(2025, 1, 31), (2025, 1)),
        (date(2025, 1, 30), (2024, 12)),
        (date(2024, 2, 28), (2024, 1)),
        (date(2024, 2, 29), (2024, 2)),
        (date(2023, 2, 28), (2023, 2)),
        (date(2024, 12, 31), (2024, 12)),
    ],
)
def test_a_month_is_complete_on_its_last_day(as_of: date, month: tuple[int, int]) -> None:
    assert last_complete_month(as_of) == month[0] * 12 + month[1] - 1


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_the_last_complete_month_ends_by_the_day_and_the_next_one_after_it(day: date) -> None:
    def last_day(index: int) -> date:
        return date((index + 1) // 12, (index + 1) % 12 + 1, 1) - timedelta(days=1)

    assert last_day(last_complete_month(day)) <= day < last_day(last_complete_month(day) + 1)


def test_every_month_of_a_span_has_a_row_and_one_without_bounds_or_that_ends_early_has_none() -> None:
    given = [("year's turn", 23, 25), ("one", 5, 5), ("none", 9, 8), ("open", None, 3)]
    spans = ibis.memtable(
        [dict(zip(("name", "a", "b"), row, strict=True)) for row in given],
        schema={"name": "string", "a": "int64", "b": "int64"},
    )
    months: dict[str, list[int]] = {}
    for row in each_month(spans, first=spans.a, last=spans.b, name="month").to_pyarrow().to_pylist():
        months.setdefault(row["name"], []).append(row["month"])
    assert {name: sorted(values) for name, values in months.items()} == {"year's turn": [23, 24, 25], "one": [5]}
