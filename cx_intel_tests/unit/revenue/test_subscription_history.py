"""A source that delivers several rows of one subscription: the periods are its own, on rows worked out by hand."""

from datetime import date, datetime
from typing import Any

import pytest

from cx_intel_tests.helpers.subscription_loads import Loads, counting_together

JANUARY, MARCH, MAY, JUNE, JULY = (date(2025, month, 1) for month in (1, 3, 5, 6, 7))


def s(mrr: float, occurrence: int, **more: Any) -> dict[str, Any]:
    row = {"subscription_id": "s", "mrr_amount": mrr, "start_date": JANUARY, "status": "active"}
    return row | {"occurrence": occurrence} | more


OLD, NEW = s(100, 2, valid_from=JANUARY), s(120, 1, valid_from=MARCH)
BOTH = [(JANUARY, MARCH, 100), (MARCH, None, 120)]


NOON_JANUARY, NOON_MARCH = datetime(2025, 1, 1, 12), datetime(2025, 3, 1, 12)
CASES: dict[str, tuple[list[dict[str, Any]], list[Any]]] = {
    "each row holds from its own date: valid_from": ([OLD, NEW], BOTH),
    "each row holds from its own date: valid_from, the other way round": ([NEW, OLD], BOTH),
    "each row holds from its own date: changed_at": (
        [s(100, 2, changed_at=JANUARY), s(120, 1, changed_at=MARCH)],
        BOTH,
    ),
    "each row holds from its own date: changed_at, the other way round": (
        [s(120, 1, changed_at=MARCH), s(100, 2, changed_at=JANUARY)],
        BOTH,
    ),
    "each row holds from its own date: updated_at": (
        [s(100, 2, updated_at=NOON_JANUARY), s(120, 1, updated_at=NOON_MARCH)],
        BOTH,
    ),
    "each row holds from its own date: updated_at, the other way round": (
        [s(120, 1, updated_at=NOON_MARCH), s(100, 2, updated_at=NOON_JANUARY)],
        BOTH,
    ),
    "the oldest row holds from the start": (
        [s(100, 2, updated_at=datetime(2025, 2, 14)), s(120, 1, updated_at=datetime(2025, 3, 1, 8))],
        BOTH,
    ),
    "the oldest row holds from the start, without a date": ([s(100, 2), NEW], BOTH),
    "of two rows from one day the newer holds": ([OLD | {"occurrence": 3}, s(110, 2, valid_from=MARCH), NEW], BOTH),
    "days without any row are not in force": (
        [OLD | {"valid_to": date(2025, 2, 1)}, NEW],
        [(JANUARY, date(2025, 2, 1), 100), (MARCH, None, 120)],
    ),
    "a last day leaves no gap": ([OLD | {"valid_to": date(2025, 2, 28)}, NEW], BOTH),
    "the newest row ends with its validity": ([OLD, NEW | {"valid_to": JUNE}], [BOTH[0], (MARCH, JUNE, 120)]),
    "valid to never": ([OLD, NEW | {"valid_to": date(9999, 12, 31)}], BOTH),
    "a status holds from its row too: trial": ([OLD | {"status": "trialing"}, NEW], [(MARCH, None, 120)]),
    "a status holds from its row too: ended": ([OLD, NEW | {"status": "canceled"}], [(JANUARY, MARCH, 100)]),
}


@pytest.fixture(scope="module")
def counting() -> dict[str, list[Any]]:
    """What counts of each of CASES."""
    return counting_together({case: {MAY: rows} for case, (rows, _) in CASES.items()})


@pytest.mark.parametrize("case", CASES)
def test_what_counts_of_several_rows(case: str, counting: dict[str, list[Any]]) -> None:
    assert counting[case] == CASES[case][1]


def test_the_newest_row_gives_the_dates() -> None:
    rows = OLD | {"renewal_date": JUNE, "end_date": JUNE}, NEW | {"renewal_date": JULY}
    found = Loads().load(MAY, *rows)["s"]
    assert [(row["renewal_date"], row["end_date"]) for row in found] == [(JULY, None)] * 2


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
