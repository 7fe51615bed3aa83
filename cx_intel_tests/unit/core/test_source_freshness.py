"""How new a source is by its own rhythm, and whether it delivers as many rows as usual, worked out by hand."""

from datetime import date, datetime, timedelta

import pytest

from cx_intel.contracts.freshness import days_of_sources
from cx_intel.contracts.freshness import source_freshness as contract
from cx_intel.models.core.freshness import source_freshness
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.made_once import made
from cx_intel_tests.helpers.source_days import AS_OF, READ, ago, freshness, usage

DAILY = range(0, 11)  # eleven days: ten gaps of a day


def test_a_source_of_every_day_is_late_on_the_fourth_day_of_silence_and_frozen_on_the_eighth() -> None:
    found = usage(ago(*DAILY))
    assert (found["newest_on"], found["age_days"], found["gap_count"]) == (AS_OF, 0, 10)
    assert (found["rhythm_days"], found["late_after_days"], found["freeze_after_days"]) == (1, 3, 7)  # 3.5 days, and 7
    told = {n: usage(ago(*(n + day for day in DAILY))) for n in (3, 4, 7, 8, 66)}
    assert [n for n, row in told.items() if row["is_late"]] == [4, 7, 8, 66]
    assert [n for n, row in told.items() if row["is_frozen"]] == [8, 66]


def test_nine_tenths_of_the_gaps_are_no_longer_than_the_rhythm() -> None:
    ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 18]  # eight gaps of a day, one of 3, one of 7
    assert usage(ago(*ten))["rhythm_days"] == 3
    assert usage(ago(*ten, 25))["rhythm_days"] == 7  # of eleven gaps ten are at least nine tenths, nine are not
    assert usage(ago(*ten, *ten))["rhythm_days"] == 3  # days count, however many rows they have


def test_with_fewer_than_ten_gaps_there_is_no_rhythm_and_nothing_is_late() -> None:
    found = usage(ago(*(100 + day for day in range(10))))
    assert (found["age_days"], found["gap_count"], found["rhythm_days"]) == (100, 9, None)
    assert (found["late_after_days"], found["freeze_after_days"]) == (None, None)
    assert (found["is_late"], found["is_frozen"]) == (False, False)


def test_a_rhythm_is_that_of_the_last_400_days_with_rows_however_long_the_silence() -> None:
    weekly = [7 * n for n in range(12)]
    once_daily = [401 + n for n in range(40)]
    assert usage(ago(*weekly, *once_daily))["rhythm_days"] == 7
    found = usage(ago(*(500 + n for n in weekly)))
    assert (found["rhythm_days"], found["is_late"], found["is_frozen"]) == (7, True, True)


@pytest.mark.parametrize(
    ("limits", "late", "frozen"),
    [
        ({}, 3, 7),
        pytest.param({"stale_after_days": 1}, 1, 7, marks=pytest.mark.slow),
        ({"stale_after_days": 30}, 30, 30),  # not frozen before it is late
        pytest.param({"freeze_after_days": 60}, 3, 60, marks=pytest.mark.slow),
        pytest.param({"freeze_after_days": 2}, 2, 2, marks=pytest.mark.slow),
        ({"stale_after_days": 5, "freeze_after_days": 20}, 5, 20),
    ],
)
def test_what_is_stated_stands_above_the_rhythm(limits: dict[str, int], late: int, frozen: int) -> None:
    found = usage(ago(*DAILY), **limits)
    assert (found["late_after_days"], found["freeze_after_days"]) == (late, frozen)


def test_a_source_without_rows_is_late_only_where_a_limit_is_stated() -> None:
    found = usage([AS_OF + timedelta(days=1)])  # not known yet
    assert (found["newest_on"], found["age_days"], found["is_late"]) == (None, None, False)
    found = usage([], freeze_after_days=60)
    assert (found["is_late"], found["is_frozen"]) == (True, True)


def test_a_source_that_had_rows_and_has_none_any_more_is_frozen() -> None:
    known = {"as_of": AS_OF - timedelta(days=1), "source_table": "support_tickets"}
    of = portfolio(["support_tickets"])
    told = {
        newest: freshness(of, previous=[known | {"newest_on": newest}])["support_tickets"]
        for newest in (None, date(2025, 1, 30))
    }
    assert [(row["is_late"], row["is_frozen"]) for row in told.values()] == [(False, False), (True, True)]


def test_each_source_is_judged_by_its_own_days() -> None:
    of = portfolio(
        [table.removeprefix("stg_") for table in READ if table.startswith("stg_")], time_zone="Europe/Berlin"
    )
    late = datetime(2025, 1, 30, 23, 30)  # half past midnight of the 31st in Berlin
    found = freshness(
        of,
        account_history=[
            {"valid_from": date(2025, 1, 2), "valid_to": date(2025, 1, 9)},
            {"valid_from": date(2025, 2, 1)},
        ],
        subscription_periods=[{"known_from": date(2025, 1, 3), "end_known_from": date(2025, 1, 10)}],
        stg_invoices=[{"invoice_date": date(2025, 1, 11)}],
        stg_mrr_history=[{"month": date(2024, 12, 1)}, {"month": date(2025, 2, 1)}],
        stg_usage_events=[{"event_date": date(2025, 1, 13)}],
        stg_support_tickets=[{"created_date": date(2025, 1, 2), "resolved_at": datetime(2025, 1, 14)}],
        stg_ticket_status_history=[{"changed_at": late}],
        stg_nps_responses=[{"responded_at": datetime(2025, 1, 16)}],
        stg_csm_activities=[{"completed_at": datetime(2025, 1, 17)}, {"completed_at": None}],
        stg_metrics=[{"measured_on": date(2025, 1, 18)}],
    )
    assert {table: row["newest_on"] for table, row in found.items()} == {
        "accounts": date(2025, 1, 9),
        "subscriptions": date(2025, 1, 10),
        "invoices": date(2025, 1, 11),
        "mrr_history": date(2024, 12, 31),
        "usage_events": date(2025, 1, 13),
        "support_tickets": date(2025, 1, 14),
        "ticket_status_history": date(2025, 1, 31),
        "nps_responses": date(2025, 1, 16),
        "csm_activities": date(2025, 1, 17),
        "metrics": date(2025, 1, 18),
    }
    by_deliveries = {table for table, row in found.items() if row["judged_by"] == "deliveries"}
    assert by_deliveries == {"accounts", "subscriptions"}


def test_each_of_several_sources_of_a_table_is_judged_by_itself() -> None:
    of = portfolio(
        sources=[
            {"kind": "files", "table": "accounts", "path": "a.csv"},
            {"kind": "files", "table": "subscriptions", "path": "s.csv"},
            {"kind": "files", "table": "usage_events", "path": "web.csv", "name": "web"},
            {"kind": "files", "table": "usage_events", "path": "app.csv", "name": "app"},
            {"kind": "files", "table": "usage_events", "path": "old.csv", "name": "old", "freeze_after_days": 999},
        ]
    )
    days = {"web": ago(*DAILY), "app": ago(*(8 + n for n in DAILY)), "old": ago(*(400 + n for n in DAILY))}
    given = [
        {"source_table": "usage_events", "source_name": name, "day": day, "rows": 2}
        for name, found in days.items()
        for day in found
    ]
    ahead = {"source_table": "usage_events", "source_name": "app", "day": AS_OF + timedelta(days=1), "rows": 1}
    tables = [rows(make(of), []) for make in READ.values()]
    found = made(
        source_freshness,
        *tables,
        rows(days_of_sources(of), [*given, ahead]),
        portfolio=of,
        as_of=AS_OF,
        previous=rows(contract(of), []),
    ).to_pylist()
    events = {row["source_name"]: row for row in found if row["source_table"] == "usage_events"}
    assert {name: (row["age_days"], row["is_late"], row["is_frozen"]) for name, row in events.items()} == {
        "web": (0, False, False),
        "app": (8, True, True),  # the rows of the other one do not hide that
        "old": (400, True, False),
    }
    assert {row["source_name"] for row in found if row["source_table"] != "usage_events"} == {
        "accounts",
        "subscriptions",
    }


def test_what_was_known_of_a_source_before_sources_had_names_is_known_still() -> None:
    before = {"as_of": AS_OF - timedelta(days=1), "source_table": "support_tickets", "newest_on": date(2025, 1, 30)}
    found = freshness(portfolio(["support_tickets"]), previous=[before | {"source_name": None}])["support_tickets"]
    assert found["is_frozen"]


def test_accounts_that_no_load_has_changed_for_long_are_late() -> None:
    of = portfolio()
    found = freshness(of, account_history=[{"valid_from": day} for day in ago(*(9 + day for day in DAILY))])
    assert (found["accounts"]["is_late"], found["accounts"]["is_frozen"]) == (True, True)
    assert (found["subscriptions"]["newest_on"], found["subscriptions"]["is_late"]) == (None, False)


@pytest.mark.slow
def test_a_feed_of_working_days_is_late_over_a_long_christmas_and_not_frozen() -> None:
    first_days = [date(2025, 9, 1) + timedelta(days=n) for n in range(115)]  # to 24 December, a Wednesday
    working = [day for day in first_days if day.weekday() < 5]
    of = portfolio(("usage_events",))
    found = {
        as_of: freshness(of, as_of, stg_usage_events=[{"event_date": day} for day in working])["usage_events"]
        for as_of in (date(2025, 12, 28), date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 6), date(2026, 1, 7))
    }
    assert {row["rhythm_days"] for row in found.values()} == {3}  # four gaps of a day, one of three
    assert [day.day for day, row in found.items() if row["is_late"]] == [31, 6, 7]  # 1.5 x 3 + 2 = 6.5 days
    assert [day.day for day, row in found.items() if row["is_frozen"]] == [7]  # 13 days


@pytest.mark.slow
def test_a_feed_of_month_ends_is_late_when_the_next_has_not_come_for_two_weeks() -> None:
    months = [date(2024, month, 1) for month in range(1, 13)]  # the newest row is of 31 December
    of = portfolio(("mrr_history",))
    found = {
        as_of: freshness(of, as_of, stg_mrr_history=[{"month": month} for month in months])["mrr_history"]
        for as_of in (date(2025, 1, 31), date(2025, 2, 17), date(2025, 2, 18), date(2025, 4, 7), date(2025, 4, 8))
    }
    newest = found[date(2025, 1, 31)]
    assert (newest["newest_on"], newest["rhythm_days"]) == (date(2024, 12, 31), 31)
    assert [as_of for as_of, row in found.items() if row["is_late"]] == [  # 1.5 x 31 + 2 = 48.5 days
        date(2025, 2, 18),
        date(2025, 4, 7),
        date(2025, 4, 8),
    ]
    assert [as_of for as_of, row in found.items() if row["is_frozen"]] == [date(2025, 4, 8)]  # 97 days


def test_a_source_of_one_row_and_one_dated_ahead_is_as_new_as_the_row_that_can_be() -> None:
    found = usage([AS_OF - timedelta(days=40), date(2062, 1, 31)])
    assert (found["newest_on"], found["gap_count"], found["rhythm_days"]) == (AS_OF - timedelta(days=40), 0, None)
    assert (found["is_late"], found["is_low_volume"]) == (False, False)
