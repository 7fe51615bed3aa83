"""Signals: each measure by hand, missing told from zero, and nothing of what came after as_of."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cx_intel.models.health.measures import quarter_start, usage_columns
from cx_intel.models.health.signals import account_signals
from cx_intel.settings.health.measures import DaysSinceEvent, EventCount
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, health, portfolio, rows, shipped, values
from cx_intel_tests.helpers.measured_signals import READ, days, events, measured, ticket


def test_events_are_counted_by_day_within_the_last_n_days() -> None:
    count = {"kind": "event_count", "window_days": 30}
    given = days(d0=3, d29=4, d30=100) | {}
    given["fct_usage"].append({"account_id": "A", "event_date": date(2025, 2, 1), "total_events": 1000})
    assert measured(count, given) == {"A": 7}


def test_named_events_are_counted_from_the_events() -> None:
    given = events(
        (date(2025, 1, 31),),
        (date(2025, 1, 2), "Export".lower()),
        (date(2025, 1, 1), "export"),
        (AS_OF, "other"),
    )
    assert measured({"kind": "event_count", "events": ["Export", "login"], "window_days": 30}, given) == {"A": 2}


def test_nothing_happened_is_zero_and_an_absent_source_is_missing() -> None:
    for kind in ("event_count", "distinct_actors", "distinct_events"):
        assert measured({"kind": kind, "events": ["login"]}) == {"A": 0}
        assert measured({"kind": kind, "events": ["login"]}, tables=()) == {"A": None}
    assert measured({"kind": "tickets", "figure": "unresolved"}) == {"A": 0}
    assert measured({"kind": "tickets", "figure": "unresolved"}, tables=()) == {"A": None}


def test_distinct_actors_and_events_count_each_once() -> None:
    given = events((AS_OF, "a", "u1"), (AS_OF, "b", "u1"), (AS_OF, "a", "u2"), (AS_OF, "a", None))
    assert measured({"kind": "distinct_actors", "window_days": 30}, given) == {"A": 2}
    assert measured({"kind": "distinct_actors", "events": ["b"]}, given) == {"A": 1}
    assert measured({"kind": "distinct_events", "window_days": 30}, given) == {"A": 2}


def test_days_since_the_last_event_and_from_signup_when_it_never_was() -> None:
    given = events((date(2025, 1, 24), "login"), (date(2025, 1, 1), "login"), (AS_OF, "other"))
    since = {"kind": "days_since", "events": ["login"]}
    of = [
        {"account_id": "A"},
        {"account_id": "B", "signup_date": date(2025, 1, 1)},
        {"account_id": "C", "signup_date": None},
        {"account_id": "D", "signup_date": date(2025, 2, 9)},
    ]
    assert measured(since, given, of=of) == {"A": 7, "B": 30, "C": None, "D": 0}
    assert measured({"kind": "days_since"}, days(d3=1, d9=1)) == {"A": 3}
    assert measured(since, tables=()) == {"A": None}


def test_dau_mau_is_the_mean_of_daily_actors_over_those_of_the_window() -> None:
    first = AS_OF - timedelta(days=9)
    given = events(
        (AS_OF, "drive", "u1"), (AS_OF, "drive", "u1"), (AS_OF, "drive", "u2"), (first, "drive", "u1"),
        (first - timedelta(days=1), "drive", "u3"), (AS_OF, "other", "u4"),
    )  # fmt: skip
    stickiness = {"kind": "dau_mau", "events": ["drive"], "window_days": 10}
    of = [{"account_id": "A"}, {"account_id": "B"}]
    assert measured(stickiness, given, of=of) == {"A": pytest.approx(3 / 10 / 2), "B": None}


def test_a_ratio_is_missing_over_zero_or_nothing_and_cut_where_asked() -> None:
    ratio = {
        "kind": "ratio",
        "numerator": {"kind": "event_count", "events": ["entry"]},
        "denominator": {"kind": "event_count", "events": ["trip"]},
        "times": 100,
        "at_most": 100,
    }
    given = events((AS_OF, "entry"), (AS_OF, "trip"), (AS_OF, "trip"))
    assert measured(ratio, given) == {"A": 50}
    assert measured(ratio, events((AS_OF, "trip"))) == {"A": 0}
    assert measured(ratio, events((AS_OF, "entry"))) == {"A": None}
    assert measured(ratio, events((AS_OF, "trip"), (AS_OF, "entry"), (AS_OF, "entry"))) == {"A": 100}


def test_actors_over_an_attribute() -> None:
    ratio = {
        "kind": "ratio",
        "numerator": {"kind": "distinct_actors", "events": ["ping"]},
        "denominator": {"kind": "attribute", "attribute": "vehicles"},
    }
    attributes = {"vehicles": {"type": "integer", "description": "Vehicles."}}
    of = [{"account_id": a, "vehicles": n} for a, n in (("A", 4), ("B", 0), ("C", None))]
    found = measured(ratio, events((AS_OF, "ping", "v1")), of=of, account_attributes=attributes)
    assert found == {"A": 0.25, "B": None, "C": None}


def test_an_attribute_that_accounts_do_not_have_is_an_error() -> None:
    with pytest.raises(KeyError, match="'vehicles', which accounts do not have"):
        measured({"kind": "attribute", "attribute": "vehicles"})


TICKETS = {
    "stg_support_tickets": [
        ticket(1, datetime(2025, 1, 2), datetime(2025, 1, 4), satisfaction_score=3.0),
        ticket(2, datetime(2025, 1, 1), datetime(2025, 1, 10), satisfaction_score=5.0),  # created too early
        ticket(3, datetime(2025, 1, 30), datetime(2025, 2, 1), satisfaction_score=1.0),  # resolved too late
        ticket(4, datetime(2025, 1, 20), status="escalated"),
        ticket(5, datetime(2025, 2, 1)),
    ]
}


@pytest.mark.parametrize(
    ("figure", "more", "expected"),
    [
        ("created", {"window_days": 30}, 3),
        ("created", {}, 4),
        ("unresolved", {}, 2),
        ("escalated", {"window_days": 30}, 1),
        ("resolution_days", {"window_days": 30}, 2),
        ("resolution_days", {"window_days": 30, "over": "resolved"}, 5.5),
        ("resolution_days", {}, 5.5),
        ("satisfaction", {"window_days": 30}, 3),
        ("satisfaction", {"window_days": 30, "over": "resolved"}, 4),
    ],
)
def test_tickets_as_known_at_as_of(figure: str, more: dict[str, Any], expected: float) -> None:
    assert measured({"kind": "tickets", "figure": figure, **more}, TICKETS) == {"A": pytest.approx(expected)}


def test_a_mean_over_no_ticket_is_missing_and_a_count_only_where_asked() -> None:
    old = {"stg_support_tickets": [ticket(1, datetime(2024, 6, 1))]}
    assert measured({"kind": "tickets", "figure": "satisfaction"}, old) == {"A": None}
    count = {"kind": "tickets", "figure": "unresolved", "window_days": 30}
    assert measured(count, old) == {"A": 0}
    assert measured(count | {"missing_when_none": True}, old) == {"A": None}
    resolved = {"stg_support_tickets": [ticket(1, datetime(2025, 1, 9), datetime(2025, 1, 10))]}
    assert measured(count | {"missing_when_none": True}, resolved) == {"A": 0}


def test_the_mrr_change_is_of_the_horizon_month_and_missing_without_a_row() -> None:
    def month(first: date, change: float) -> dict:
        return {"account_id": "A", "revenue_month": first, "net_mrr_change": change}

    given = {"fct_revenue": [month(date(2024, 12, 1), 5), month(date(2025, 1, 1), -20), month(date(2025, 2, 1), 9)]}
    of = [{"account_id": "A"}, {"account_id": "B"}, {"account_id": "C", "horizon_month": None}]
    assert measured({"kind": "mrr_change"}, given, of=of) == {"A": -20, "B": None, "C": None}


@pytest.mark.parametrize(
    ("as_of", "grace", "first"),
    [
        (date(2025, 1, 1), 30, date(2024, 10, 1)),
        (date(2025, 1, 30), 30, date(2024, 10, 1)),  # the thirtieth day of the quarter
        (date(2025, 1, 31), 30, date(2025, 1, 1)),
        (date(2025, 5, 1), 0, date(2025, 4, 1)),
        (date(2025, 12, 31), 30, date(2025, 10, 1)),
    ],
)
def test_the_quarter_begins_with_days_of_grace(as_of: date, grace: int, first: date) -> None:
    assert quarter_start(as_of, grace) == first


@pytest.mark.parametrize(
    ("completed", "status", "expected"),
    [
        (datetime(2024, 12, 31, 23), "done", 1),  # the first instant of the year in Berlin
        (datetime(2024, 12, 31, 22, 59), "done", 0),
        (datetime(2025, 1, 31, 22, 59), "done", 1),
        (datetime(2025, 1, 31, 23), "done", 0),  # tomorrow
        (datetime(2025, 1, 9), "planned", 0),
        (None, "done", 0),
    ],
)
def test_a_review_counts_in_its_quarter(completed: datetime | None, status: str, expected: int) -> None:
    done = {"activity_id": "1", "account_id": "A", "activity_type": "qbr", "status": status}
    given = {"stg_csm_activities": [done | {"completed_at": completed}]}
    held = {"kind": "activity_in_quarter", "activity_type": "QBR"}
    assert measured(held, given, time_zone="Europe/Berlin") == {"A": expected}


def test_the_newest_response_counts() -> None:
    def response(number: int, score: float, at: datetime) -> dict:
        return {"response_id": str(number), "account_id": "A", "score": score, "responded_at": at}

    given = {
        "stg_nps_responses": [
            response(1, 9, datetime(2024, 6, 1)),
            response(2, 4, datetime(2024, 12, 1)),
            response(3, 7, datetime(2025, 2, 1)),
        ]
    }
    assert measured({"kind": "latest_response"}, given) == {"A": 4}
    assert measured({"kind": "latest_response", "window_days": 30}, given) == {"A": None}


def test_the_last_measurement_at_as_of_counts() -> None:
    def figure(day: date, value: float, metric: str = "nps") -> dict:
        return {"account_id": "A", "metric": metric, "measured_on": day, "value": value}

    given = {
        "stg_metrics": [
            figure(date(2024, 12, 1), 5),
            figure(date(2024, 11, 1), 6),
            figure(date(2025, 2, 1), 7),
            figure(AS_OF, 8, "x"),
        ]
    }
    assert measured({"kind": "metric", "metric": "NPS"}, given) == {"A": 5}
    assert measured({"kind": "metric", "metric": "nps", "window_days": 30}, given) == {"A": None}
    assert measured({"kind": "metric", "metric": "nps"}, tables=()) == {"A": None}


@pytest.mark.parametrize(
    ("measure", "columns"),
    [
        (EventCount(kind="event_count"), ["total_events"]),
        (EventCount(kind="event_count", events=["API_call"]), ["api_calls"]),
        (
            EventCount(kind="event_count", events=["workflow_created", "api_call"]),
            ["api_calls", "workflows_created"],
        ),
        (
            EventCount(kind="event_count", events=["note_added", "contact_added", "deal_updated"]),
            ["crm_core_events"],
        ),
        (EventCount(kind="event_count", events=["note_added"]), None),
        (DaysSinceEvent(kind="days_since"), ["total_events"]),
        (DaysSinceEvent(kind="days_since", events=["api_call"]), None),
    ],
)
def test_days_answer_where_they_can(measure: Any, columns: list[str] | None) -> None:
    assert usage_columns(measure, shipped("novacrm")) == columns


def people(**blocks: Any) -> set[str]:
    of = [
        {"account_id": "payer"},
        {"account_id": "trial", "status": "trial", "current_mrr": 0},
        {"account_id": "gone", "is_churned": True},
        {"account_id": "gone_free", "status": "churned", "is_churned": True, "current_mrr": 0},
    ]
    population = blocks.pop("population", "paying")
    book = portfolio((), health=health({"it": {"kind": "constant", "value": 1}}, population=population), **blocks)
    return set(values(_signals_of(book, of), "value"))


def _signals_of(book: Portfolio, of: list[dict[str, Any]]) -> Any:
    read = {name: rows(contract(book), []) for name, contract in READ.items()}
    return account_signals(accounts(book, of), **read, portfolio=book, as_of=AS_OF)


def test_the_population_is_who_pays_or_has_a_status_without_the_churned() -> None:
    assert people() == {"payer"}
    assert people(include_churned=True) == {"payer", "gone"}
    assert people(population={"status": ["Trial", "active"]}) == {"payer", "trial"}
    assert people(population={"status": ["trial", "active"]}, include_churned=True) == {
        "payer",
        "trial",
        "gone",
    }
