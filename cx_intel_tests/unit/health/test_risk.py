"""Churn risk: each flag at its bound, every level reached, the rank; worked by hand."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cx_intel.contracts.core import fct_usage
from cx_intel.contracts.health.scores import customer_health_scores
from cx_intel.contracts.revenue.ledger import fct_revenue
from cx_intel.contracts.staging.support import stg_support_tickets
from cx_intel.models.health.risk import churn_risk_view
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, health, portfolio, rows, shipped, values
from cx_intel_tests.helpers.made_once import kept_once

NOVACRM = shipped("novacrm")


def risk(
    *columns: str,
    scores: Iterable[dict[str, Any]] = ({},),
    usage: Iterable[tuple[int, int]] = (),
    tickets: Iterable[dict[str, Any]] = (),
    contractions: Iterable[date] = (),
    of: Portfolio = NOVACRM,
) -> Any:
    """The columns of account A, or of all where there are more.

    `usage` is pairs of days before as_of and events, `contractions` the months in which A's MRR shrank.
    """
    ordinary = {
        "as_of": AS_OF,
        "account_id": "A",
        "health_score": 90,
        "health_tier": "champion",
        "current_arr": 1200,
    }
    scored = [ordinary | row for row in scores]
    day = [
        {"account_id": "A", "event_date": AS_OF - timedelta(days=back), "total_events": events}
        for back, events in usage
    ]
    ticket = {"account_id": "A", "status": "escalated"}
    opened = [ticket | {"ticket_id": str(n)} | row for n, row in enumerate(tickets)]
    shrunk = [{"account_id": "A", "revenue_month": m, "revenue_movement": "contraction"} for m in contractions]
    table = kept_once(
        churn_risk_view,
        rows(customer_health_scores(of), scored),
        accounts(of, [{"account_id": row["account_id"]} for row in scored]),
        rows(fct_usage(of), day),
        rows(stg_support_tickets(of), opened),
        rows(fct_revenue(of), shrunk),
        portfolio=of,
        as_of=AS_OF,
    )
    found = values(table, *columns)
    return found["A"] if set(found) == {"A"} else found


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ([(0, 4), (29, 6), (30, 7), (59, 8), (60, 99)], (10, 15, pytest.approx(-100 / 3), False)),
        ([(0, 49), (30, 100)], (49, 100, pytest.approx(-51), True)),
        ([(0, 50), (30, 100)], (50, 100, pytest.approx(-50), False)),
        ([(30, 1)], (0, 1, -100, True)),
        ([(0, 5)], (5, 0, None, False)),
        ([], (0, 0, None, False)),
        ([(-1, 5)], (0, 0, None, False)),  # tomorrow
    ],
)
def test_usage_declines_below_half_of_the_thirty_days_before(usage: list, expected: tuple) -> None:
    columns = ("events_last_30d", "events_prev_30d", "usage_change_pct", "is_usage_declining")
    assert risk(*columns, usage=usage) == expected


def created(back: int, **more: Any) -> dict[str, Any]:
    day = AS_OF - timedelta(days=back)
    return {"created_date": day, "created_at": datetime(day.year, day.month, day.day)} | more


@pytest.mark.parametrize(
    ("tickets", "expected"),
    [
        ([created(0), created(89)], (2, True)),
        ([created(0), created(90)], (1, False)),
        ([created(0), created(1, status="open")], (1, False)),
        ([created(0), created(1, status="resolved", resolved_at=datetime(2025, 1, 31))], (1, False)),
        ([created(0), created(-1)], (1, False)),
    ],
)
def test_two_escalated_tickets_of_the_last_90_days_are_a_sign(tickets: list, expected: tuple) -> None:
    assert risk("escalated_tickets_90d", "has_escalations", tickets=tickets) == expected


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        ([date(2025, 1, 1), date(2024, 8, 1)], (2, True)),  # the horizon and five months before
        ([date(2025, 1, 1), date(2024, 7, 1)], (1, False)),
        ([date(2025, 1, 1), date(2025, 2, 1)], (1, False)),
    ],
)
def test_two_months_of_contraction_in_six_are_a_sign(months: list[date], expected: tuple) -> None:
    assert risk("contraction_months_6m", "has_revenue_contraction", contractions=months) == expected


DECLINING = [(0, 1), (30, 10)]
SHRINKING = [date(2025, 1, 1), date(2024, 12, 1)]
ESCALATED = [created(0), created(1)]


@pytest.mark.parametrize(
    ("score", "given", "expected"),
    [
        (19.9, {}, ("critical", 1)),
        (20, {}, ("high", 1)),
        (39.9, {}, ("high", 1)),
        (40, {}, ("medium", 0)),
        (59.9, {}, ("medium", 0)),
        (60, {}, ("low", 0)),
        (90, {"usage": DECLINING}, ("high", 1)),
        (90, {"tickets": ESCALATED}, ("high", 1)),
        (90, {"contractions": SHRINKING}, ("medium", 1)),
        (10, {"usage": DECLINING, "tickets": ESCALATED, "contractions": SHRINKING}, ("critical", 4)),
    ],
)
def test_the_level_is_the_worst_that_a_sign_gives(score: float, given: dict, expected: tuple) -> None:
    assert risk("risk_level", "risk_signal_count", scores=[{"health_score": score}], **given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, ("medium", False, 0)), ({"usage": DECLINING}, ("high", False, 1))],
)
def test_an_unknown_tier_is_no_low_health_and_of_medium_risk(given: dict, expected: tuple) -> None:
    unknown = [{"health_score": 10, "health_tier": "unknown"}]
    assert risk("risk_level", "is_low_health", "risk_signal_count", scores=unknown, **given) == expected


def test_the_rank_goes_by_level_flags_score_arr_and_account() -> None:
    def account(name: str, score: float, arr: float = 1200, tier: str = "neutral") -> dict[str, Any]:
        return {"account_id": name, "health_score": score, "current_arr": arr, "health_tier": tier}

    scores = [
        account("low", 95),
        account("b_tie", 45),
        account("a_tie", 45),
        account("richer", 45, 5000),
        account("A", 50),  # medium as the others, with a flag
        account("worse", 44),
        account("blank", 30, tier="unknown"),
        account("critical", 5, 12),
    ]
    found = risk("intervention_priority", scores=scores, contractions=SHRINKING)
    assert sorted(found, key=found.get) == [
        "critical",
        "A",
        "blank",
        "worse",
        "richer",
        "a_tie",
        "b_tie",
        "low",
    ]
    assert sorted(found.values()) == list(range(1, 9))


def test_without_a_source_its_counts_are_missing_and_its_flags_false() -> None:
    of = portfolio((), health=health({"a": {"kind": "constant", "value": 1}}), churn_risk={})
    columns = (
        "events_last_30d",
        "escalated_tickets_90d",
        "contraction_months_6m",
        "is_usage_declining",
        "risk_level",
    )
    scores = [{"health_tier": "good"}]
    assert risk(*columns, scores=scores, of=of) == (None, None, 0, False, "low")


def test_a_portfolio_without_the_block_has_no_such_view() -> None:
    with pytest.raises(ValueError, match="no churn_risk block"):
        risk("risk_level", of=shipped("fleet"))
