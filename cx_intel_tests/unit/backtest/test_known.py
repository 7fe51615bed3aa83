"""What was known on a past day of accounts, contracts, tickets and the ledger is what stood there then."""

from datetime import date, datetime
from functools import cache
from typing import Any

import pytest

from cx_intel.contracts.core import account_history
from cx_intel.contracts.revenue.published import restatements, revenue_ledger
from cx_intel.contracts.staging.support import stg_support_tickets, stg_ticket_status_history
from cx_intel.models.backtest.known import (
    account_history_known_on,
    revenue_ledger_known_on,
    subscription_periods_known_on,
    support_tickets_known_on,
)
from cx_intel_tests.helpers.builders import portfolio, rows, values
from cx_intel_tests.helpers.made_once import made
from cx_intel_tests.helpers.subscription_loads import Loads

pytestmark = pytest.mark.slow

SMALL = portfolio()
NOV, DEC, JAN, FEB, MAR = (
    date(2024, 11, 30),
    date(2024, 12, 31),
    date(2025, 1, 31),
    date(2025, 2, 28),
    date(2025, 3, 31),
)


def test_an_account_is_known_from_the_first_load_of_all_or_from_its_own():
    given = [
        {"account_id": "A", "valid_from": JAN, "valid_to": MAR, "owner": "Ann"},
        {"account_id": "A", "valid_from": MAR, "owner": "Ben"},
        {"account_id": "B", "valid_from": FEB},
    ]

    def known(as_of: date) -> dict[Any, Any]:
        history = rows(account_history(SMALL), given)
        found = account_history_known_on(history, portfolio=SMALL, as_of=as_of)
        return values(found, "owner", by=("account_id", "valid_from"))

    assert known(DEC) == {("A", JAN): "Ann"}
    assert known(FEB) == {("A", JAN): "Ann", ("B", FEB): None}
    assert len(known(MAR)) == 3


S = {"subscription_id": "S", "mrr_amount": 100}
OTHER = {"subscription_id": "T", "start_date": date(2024, 6, 1)}


@cache
def loads(days: int) -> Loads:
    """Four loads: S rises and then ends unannounced, T is there from the second load on and gone in the fourth."""
    done = Loads()
    steps = (
        lambda: done.load(JAN, S),
        lambda: done.load(FEB, S | {"mrr_amount": 120}, OTHER),
        lambda: done.load(MAR, S | {"mrr_amount": 120, "end_date": date(2025, 3, 20)}, OTHER),
        lambda: done.load(date(2025, 4, 30), S | {"mrr_amount": 120, "end_date": date(2025, 3, 20)}),
    )
    for step in steps[:days]:
        step()
    return done


def counting_on(as_of: date) -> set[tuple[Any, ...]]:
    found = made(subscription_periods_known_on, loads(4).periods, portfolio=SMALL, as_of=as_of).to_pylist()
    return of(found)


def of(periods: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    names = ("subscription_id", "counts_from", "counts_until", "mrr_amount", "end_date", "end_known_from", "is_missing")
    return {tuple(row[name] for name in names) for row in periods}


@pytest.mark.parametrize(("day", "count"), [(JAN, 1), (FEB, 2), (MAR, 3), (date(2025, 4, 30), 4)])
def test_periods_of_a_day_are_those_after_its_load(day: date, count: int):
    then = loads(count)
    assert counting_on(day) == of([*then["S"], *then["T"]])


def test_a_day_before_the_first_load_has_what_that_shows():
    assert counting_on(DEC) == of(loads(1)["S"])


def test_an_end_announced_later_is_none():
    delivered = Loads().load(JAN, S | {"end_date": date(2025, 1, 10), "canceled_at": date(2025, 1, 5)})
    found = {
        day: [
            row["end_date"]
            for row in made(subscription_periods_known_on, delivered.periods, portfolio=SMALL, as_of=day).to_pylist()
        ]
        for day in (date(2025, 1, 4), date(2025, 1, 5))
    }
    assert found == {date(2025, 1, 4): [None], date(2025, 1, 5): [date(2025, 1, 10)]}


@pytest.mark.parametrize(
    ("day", "renews"),
    [
        (date(2024, 3, 20), date(2025, 3, 15)),
        (date(2025, 3, 15), date(2025, 3, 15)),
        (date(2025, 3, 16), date(2026, 3, 15)),
        (date(2026, 3, 20), date(2027, 3, 15)),
        (date(2026, 4, 30), date(2027, 3, 15)),
    ],
)
def test_a_renewal_date_that_rolled_on_since_is_taken_back_by_the_term(day: date, renews: date):
    begun = S | {"start_date": date(2024, 3, 15), "renewal_date": date(2027, 3, 15)}
    delivered = Loads().load(date(2026, 4, 1), begun)
    found = made(subscription_periods_known_on, delivered.periods, portfolio=SMALL, as_of=day).to_pylist()
    assert [row["renewal_date"] for row in found] == [renews]


def test_what_later_refreshes_restated_is_undone_but_for_what_settings_changed():
    months = [date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1)]
    ledger = [
        {"account_id": a, "revenue_month": m, "mrr": 100, "arr": 1200, "restated_mrr": 0} for a in "ABC" for m in months
    ]
    differences = [
        {"refresh_at": FEB, "account_id": "A", "revenue_month": months[1], "difference": 30, "cause": "changed amount"},
        {"refresh_at": MAR, "account_id": "A", "revenue_month": months[1], "difference": -10, "cause": "missing row"},
        {"refresh_at": MAR, "account_id": "B", "revenue_month": months[1], "difference": 100, "cause": "late row"},
        {
            "refresh_at": MAR,
            "account_id": "C",
            "revenue_month": months[1],
            "difference": 5,
            "cause": "mapping or setting",
        },
    ]
    told = [{"figure": "mrr", **row} for row in differences]

    def known(as_of: date, horizon: int) -> dict[Any, Any]:
        tables = rows(revenue_ledger(SMALL), ledger), rows(restatements(SMALL), told)
        found = revenue_ledger_known_on(*tables, horizon, portfolio=SMALL, as_of=as_of)
        return values(found, "mrr", "arr", "horizon_month", by=("account_id", "revenue_month"))

    december = 2024 * 12 + 11
    at_january = known(JAN, december)
    assert {month for _, month in at_january} == set(months[:2])
    assert at_january["A", months[1]] == (80, 960, months[1])
    assert at_january["A", months[0]] == (100, 1200, months[1])
    assert at_january["B", months[1]] == (0, 0, months[1])
    assert at_january["C", months[1]] == (100, 1200, months[1])
    assert known(FEB, december + 1)["A", months[1]][0] == 110
    assert known(MAR, december + 1)["A", months[1]][0] == 100


def test_what_waited_behind_a_closed_month_is_undone_too():
    closed = {"account_id": "A", "revenue_month": date(2024, 12, 1), "mrr": 100, "computed_mrr": 130, "restated_mrr": 0}
    following = closed | {"revenue_month": date(2025, 1, 1), "mrr": 130, "restated_mrr": 30}
    told = {"refresh_at": MAR, "account_id": "A", "revenue_month": date(2024, 12, 1), "difference": 30}
    tables = (
        rows(revenue_ledger(SMALL), [closed, following]),
        rows(restatements(SMALL), [told | {"figure": "unpublished_mrr", "cause": "changed amount"}]),
    )
    found = revenue_ledger_known_on(*tables, 2025 * 12, portfolio=SMALL, as_of=FEB)
    assert values(found, "restated_mrr", by="revenue_month") == {date(2024, 12, 1): 0, date(2025, 1, 1): 0}


def test_a_renewal_date_that_was_further_ahead_than_a_term_stays_where_none_has_passed_since():
    """A contract of two years: the date of the year between lies after the delivery, so that nothing rolled on."""
    begun = S | {"start_date": date(2024, 3, 15), "renewal_date": date(2027, 3, 15)}
    delivered = Loads().load(date(2025, 10, 10), begun)
    found = made(subscription_periods_known_on, delivered.periods, portfolio=SMALL, as_of=date(2025, 8, 31)).to_pylist()
    assert [row["renewal_date"] for row in found] == [date(2027, 3, 15)]


def test_tickets_have_the_status_that_their_history_tells_for_the_day():
    noon = datetime(2025, 1, 10, 12)
    tickets = [
        {"ticket_id": "again", "status": "open", "source_status": "reopened"},
        {"ticket_id": "escalated", "status": "escalated", "source_status": "escalated"},
        {"ticket_id": "settled", "status": "resolved", "resolved_at": noon, "resolution_hours": 24.0},
        {"ticket_id": "untold", "status": "escalated"},
    ]
    changes = {
        "again": [(noon, "solved"), (datetime(2025, 2, 1), "reopened")],
        "escalated": [(datetime(2025, 1, 9, 12), "pending"), (datetime(2025, 2, 1), "escalated")],
        "settled": [(noon, "solved")],
        "untold": [(datetime(2025, 2, 1), "escalated")],
    }
    history = [
        {"ticket_id": ticket, "field": "status", "changed_at": at, "value": word}
        for ticket, told in changes.items()
        for at, word in told
    ]
    created = {"account_id": "A", "created_at": datetime(2025, 1, 9, 12)}
    found = support_tickets_known_on(
        rows(stg_support_tickets(SMALL), [created | ticket for ticket in tickets]),
        rows(stg_ticket_status_history(SMALL), history),
        portfolio=SMALL,
        as_of=JAN,
    )
    assert values(found, "status", "resolved_at", "resolution_hours", by="ticket_id") == {
        "again": ("resolved", noon, 24.0),
        "escalated": ("open", None, None),
        "settled": ("resolved", noon, 24.0),
        "untold": ("escalated", None, None),
    }
