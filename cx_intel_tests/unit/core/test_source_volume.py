"""Whether a source delivers as many rows as it usually does."""

from datetime import date, timedelta
from typing import Any

import pytest

from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.source_days import AS_OF, ago, freshness

# volume


def volume(counts: dict[int, int], usual: int = 100, weeks: int = 9, **blocks: Any) -> dict[str, Any]:
    """Tickets of which `usual` are created each day from so many weeks ago on, and on some days before AS_OF another number."""
    days = dict.fromkeys(range(7 * weeks + 1), usual) | counts
    given = [{"created_date": day} for n, count in days.items() for day in ago(n) * count]
    found = freshness(portfolio(["support_tickets"], **blocks), stg_support_tickets=given)["support_tickets"]
    return {name: found[name] for name in ("volume_on", "volume_rows", "usual_rows", "is_low_volume")}


def test_a_day_without_any_row_is_told_at_once() -> None:
    assert volume({}) == {"volume_on": AS_OF, "volume_rows": 100, "usual_rows": 100.0, "is_low_volume": False}
    assert volume({0: 0}) == {"volume_on": AS_OF, "volume_rows": 0, "usual_rows": 100.0, "is_low_volume": True}
    assert not volume({1: 0})["is_low_volume"]  # it delivers again


def test_a_day_of_fewer_than_a_quarter_is_told_when_it_is_the_second() -> None:
    assert not volume({0: 24})["is_low_volume"]
    assert volume({0: 24, 1: 24})["is_low_volume"]
    assert not volume({0: 25, 1: 24})["is_low_volume"]
    assert not volume({0: 24, 1: 25})["is_low_volume"]


def test_usual_is_the_median_of_the_same_weekday_in_the_last_eight_weeks() -> None:
    fridays = {7: 10, 14: 20, 21: 30, 28: 40, 35: 50, 42: 60, 49: 70, 56: 80, 63: 1000}
    assert volume(fridays)["usual_rows"] == 45.0
    assert volume({7 * n: 0 for n in range(1, 5)})["usual_rows"] == 50.0  # days without rows count too


def test_where_fewer_than_twenty_rows_are_usual_no_day_is_judged() -> None:
    assert volume({0: 0}, usual=20)["is_low_volume"]
    assert volume({0: 0, 1: 0}, usual=19) == {
        "volume_on": None, "volume_rows": None, "usual_rows": None, "is_low_volume": False
    }  # fmt: skip


def test_a_source_is_judged_from_its_fifth_week_on() -> None:
    assert volume({0: 0}, weeks=4)["is_low_volume"]
    young = volume({0: 0}, weeks=3)
    assert (young["volume_on"], young["is_low_volume"]) == (None, False)


def test_a_source_that_always_comes_a_day_late_is_judged_by_the_day_that_can_have_come() -> None:
    days = dict.fromkeys(range(1, 64), 100)
    given = [{"created_date": day} for n, count in days.items() for day in ago(n) * count]

    def told(snapshots: int, age: int) -> tuple[Any, ...]:
        known = {"source_table": "support_tickets", "age_days": age}
        previous = [known | {"as_of": day} for day in ago(*range(1, snapshots + 1))]
        found = freshness(portfolio(["support_tickets"]), stg_support_tickets=given, previous=previous)[
            "support_tickets"
        ]
        return found["volume_on"], found["is_low_volume"]

    assert told(snapshots=4, age=1) == (AS_OF, True)  # too few to tell
    assert told(snapshots=5, age=1) == (AS_OF - timedelta(days=1), False)
    assert told(snapshots=5, age=0) == (AS_OF, True)


@pytest.mark.slow
def test_weekends_are_left_out_where_little_is_usual_and_holidays_where_the_portfolio_keeps_them() -> None:
    monday, new_year = date(2025, 1, 6), date(2025, 1, 1)  # Epiphany, in Austria
    days = {n: 0 if day.weekday() >= 5 else 100 for n, day in enumerate(ago(*range(70), as_of=monday))}
    of = portfolio(["support_tickets"])

    def found(day: date, book: Portfolio, counts: dict[int, int]) -> dict[str, Any]:
        given = [{"created_date": d} for n, count in counts.items() for d in ago(n, as_of=monday) * count]
        return freshness(book, as_of=day, stg_support_tickets=given)["support_tickets"]

    sunday = found(monday - timedelta(days=1), of, days)
    assert (sunday["volume_on"], sunday["is_low_volume"]) == (date(2025, 1, 3), False)
    quiet = days | {0: 0, 5: 0}
    assert found(monday, of, quiet)["is_low_volume"]
    assert found(new_year, of, quiet)["is_low_volume"]
    austrian = portfolio(["support_tickets"], holidays=["AT"])
    assert (found(monday, austrian, quiet)["volume_on"], found(monday, austrian, quiet)["is_low_volume"]) == (
        date(2025, 1, 3),
        False,
    )
    hours = {"business_hours": {"zone": "Europe/Vienna", "holidays": ["AT"]}}
    assert not found(new_year, portfolio(["support_tickets"], support=hours), quiet)["is_low_volume"]
