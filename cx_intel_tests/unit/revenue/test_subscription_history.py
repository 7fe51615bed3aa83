"""A source that delivers several rows of one subscription: the periods are its own, on rows worked out by hand."""

from datetime import date, datetime
from typing import Any

import pytest

from cx_intel_tests.helpers.subscription_loads import Loads

JANUARY, MARCH, MAY, JUNE, JULY = (date(2025, month, 1) for month in (1, 3, 5, 6, 7))


def s(mrr: float, occurrence: int, **more: Any) -> dict[str, Any]:
    row = {"subscription_id": "s", "mrr_amount": mrr, "start_date": JANUARY, "status": "active"}
    return row | {"occurrence": occurrence} | more


OLD, NEW = s(100, 2, valid_from=JANUARY), s(120, 1, valid_from=MARCH)
BOTH = [(JANUARY, MARCH, 100), (MARCH, None, 120)]


@pytest.mark.parametrize("column", ["valid_from", "changed_at", "updated_at"])
def test_each_row_holds_from_its_own_date(column: str) -> None:
    def on(day: date) -> Any:
        return {column: datetime(day.year, day.month, day.day, 12) if column == "updated_at" else day}

    for rows in (
        [s(100, 2, **on(JANUARY)), s(120, 1, **on(MARCH))],
        [s(120, 1, **on(MARCH)), s(100, 2, **on(JANUARY))],
    ):
        assert Loads().load(MAY, *rows).counting("s") == BOTH


def test_the_oldest_row_holds_from_the_start() -> None:
    rows = s(100, 2, updated_at=datetime(2025, 2, 14)), s(120, 1, updated_at=datetime(2025, 3, 1, 8))
    assert Loads().load(MAY, *rows).counting("s") == BOTH
    assert Loads().load(MAY, s(100, 2), s(120, 1, valid_from=MARCH)).counting("s") == BOTH


def test_the_newest_row_gives_the_dates() -> None:
    rows = OLD | {"renewal_date": JUNE, "end_date": JUNE}, NEW | {"renewal_date": JULY}
    found = Loads().load(MAY, *rows)["s"]
    assert [(row["renewal_date"], row["end_date"]) for row in found] == [(JULY, None)] * 2


def test_of_two_rows_from_one_day_the_newer_holds() -> None:
    rows = OLD | {"occurrence": 3}, s(110, 2, valid_from=MARCH), NEW
    assert Loads().load(MAY, *rows).counting("s") == BOTH


def test_days_without_any_row_are_not_in_force() -> None:
    gap = OLD | {"valid_to": date(2025, 2, 1)}
    assert Loads().load(MAY, gap, NEW).counting("s") == [(JANUARY, date(2025, 2, 1), 100), (MARCH, None, 120)]
    last_day = OLD | {"valid_to": date(2025, 2, 28)}
    assert Loads().load(MAY, last_day, NEW).counting("s") == BOTH


def test_the_newest_row_ends_with_its_validity() -> None:
    assert Loads().load(MAY, OLD, NEW | {"valid_to": JUNE}).counting("s") == [BOTH[0], (MARCH, JUNE, 120)]
    never = NEW | {"valid_to": date(9999, 12, 31)}
    assert Loads().load(MAY, OLD, never).counting("s") == BOTH


def test_a_status_holds_from_its_row_too() -> None:
    trial = OLD | {"status": "trialing"}
    assert Loads().load(MAY, trial, NEW).counting("s") == [(MARCH, None, 120)]
    assert Loads().load(MAY, OLD, NEW | {"status": "canceled"}).counting("s") == [(JANUARY, MARCH, 100)]


class TestLoadAfterLoad:
    @pytest.mark.slow
    def test_the_same_history_again_changes_nothing_but_its_delivery(self) -> None:
        loads = Loads().load(MAY, OLD, NEW)
        before = loads["s"]
        assert loads.load(MAY, NEW, OLD)["s"] == before
        assert loads.load(JUNE, OLD, NEW)["s"] == [row | {"delivered_on": JUNE} for row in before]

    @pytest.mark.slow
    def test_a_row_that_is_added_opens_a_period_and_a_day_again_replaces_it(self) -> None:
        third = [OLD | {"occurrence": 3}, NEW | {"occurrence": 2}, s(150, 1, valid_from=JUNE)]
        loads = Loads().load(MAY, OLD, NEW).load(JULY, *third)
        assert loads.counting("s") == [BOTH[0], (MARCH, JUNE, 120), (JUNE, None, 150)]
        assert [row["known_from"] for row in loads["s"]] == [MAY, MAY, JULY]
        assert loads.load(JULY, OLD, NEW).counting("s") == BOTH

    def test_a_row_that_is_put_in_between_leaves_the_later_one(self) -> None:
        between = [OLD | {"occurrence": 3}, s(110, 2, valid_from=date(2025, 2, 1)), NEW]
        loads = Loads().load(MAY, OLD, NEW).load(JUNE, *between)
        expected = [(JANUARY, date(2025, 2, 1), 100), (date(2025, 2, 1), MARCH, 110), (MARCH, None, 120)]
        assert loads.counting("s") == expected
        assert loads.load(JULY, NEW).counting("s") == expected

    def test_a_history_that_begins_after_single_rows(self) -> None:
        loads = Loads().load(MAY, OLD | {"occurrence": 1}).load(JUNE, OLD, NEW)
        assert loads.counting("s") == BOTH
        assert [row["first_seen_on"] for row in loads["s"]] == [MAY, MAY]

    def test_an_end_stays_known_from_the_load_that_first_showed_it(self) -> None:
        ending = NEW | {"end_date": date(2026, 1, 1)}
        loads = Loads().load(MAY, OLD, NEW).load(JUNE, OLD, ending).load(JULY, OLD, ending)
        assert [row["end_known_from"] for row in loads["s"]] == [JUNE, JUNE]
