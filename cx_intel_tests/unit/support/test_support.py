"""Tickets as known at as_of, every speed and rating reached, and adherence worked by hand."""

from datetime import date, datetime, timedelta
from typing import Any

import ibis.expr.types as ir
import pytest

from cx_intel.contracts import core
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.support.adherence import sla_adherence
from cx_intel.models.support.judgement import known_tickets
from cx_intel.models.support.tickets import fct_tickets
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, fetched, no_history, portfolio, rows, values
from cx_intel_tests.helpers.made_once import kept_once

BOOK = portfolio(["support_tickets"])
CREATED = datetime(2025, 1, 20, 9)
END = datetime(2025, 2, 1)


def ticket(
    name: str,
    hours: float | None = None,
    priority: str | None = "p2",
    created: datetime = CREATED,
    account: str = "A",
    status: str | None = None,
    score: float | None = None,
) -> dict[str, Any]:
    """A ticket as staging leaves it: resolved after so many hours, or open."""
    return {
        "ticket_id": name,
        "account_id": account,
        "created_at": created,
        "created_date": created.date(),
        "resolved_at": None if hours is None else created + timedelta(hours=hours),
        "priority": priority,
        "status": status or ("open" if hours is None else "resolved"),
        "satisfaction_score": score,
        "resolution_hours": hours,
        "csat_scale": "1-5",
    }


def staged(*given: dict[str, Any], of: Portfolio = BOOK) -> ir.Table:
    return rows(STAGING["support_tickets"](of), given)


def facts(*given: dict[str, Any], of: Portfolio = BOOK) -> ir.Table:
    accounts = [
        {"account_id": "A", "plan_tier": "growth", "owner": "Ann", "region": "north", "segment": "SMB"},
        {"account_id": "B"},
    ]
    found = rows(core.dim_account(of), accounts)
    return kept_once(fct_tickets, staged(*given, of=of), *no_history(of), found, portfolio=of, as_of=AS_OF)


def of_ticket(given: dict[str, Any], *columns: str, of: Portfolio = BOOK) -> Any:
    return values(facts(given, of=of), *columns, by="ticket_id")[given["ticket_id"]]


class TestKnownAtAsOf:
    def test_a_ticket_created_later_does_not_exist(self) -> None:
        given = [ticket("last", created=END - timedelta(seconds=1)), ticket("later", created=END)]
        found = known_tickets(staged(*given), portfolio=BOOK, as_of=AS_OF)
        assert set(values(found, "status", by="ticket_id")) == {"last"}

    def test_one_resolved_later_is_open_without_anything_that_came_with_it(self) -> None:
        given = ticket("T", hours=24 * 12, score=5)
        columns = ("status", "resolved_at", "resolution_hours", "satisfaction_score", "sla_ratio", "csat_tier")
        assert of_ticket(given, *columns) == ("open", None, None, None, None, "no_rating")

    def test_one_resolved_in_the_last_instant_is_resolved(self) -> None:
        hours = (END - CREATED).total_seconds() / 3600
        assert of_ticket(ticket("T", hours=hours - 0.001), "status") == "resolved"
        assert of_ticket(ticket("T", hours=hours), "status") == "open"

    def test_one_opened_again_is_unresolved_whatever_its_old_resolution(self) -> None:
        given = ticket("T", hours=1, status="escalated", score=5)
        assert of_ticket(given, "status", "resolved_at", "resolution_speed") == ("escalated", None, "unresolved")

    def test_days_end_in_the_zone_of_the_portfolio(self) -> None:
        berlin = portfolio(["support_tickets"], time_zone="Europe/Berlin")
        late = ticket("T", created=datetime(2025, 1, 31, 23, 0))  # midnight in Berlin
        assert known_tickets(staged(late, of=berlin), portfolio=berlin, as_of=AS_OF).count().execute() == 0
        assert known_tickets(staged(late), portfolio=BOOK, as_of=AS_OF).count().execute() == 1


SPEEDS = [
    (None, "p2", "unresolved", None),
    (6.0, "p2", "fast", 0.5),
    (6.1, "p2", "on_time", 6.1 / 12),
    (12.0, "p2", "on_time", 1.0),
    (12.1, "p2", "slow", 12.1 / 12),
    (18.0, "p2", "slow", 1.5),
    (18.1, "p2", "critical_breach", 18.1 / 12),
    (2.0, "p9", "no_target", None),
    (0.0, "p1", "fast", 0.0),
]
RATINGS = [
    (5.0, "satisfied"),
    (4.0, "satisfied"),
    (3.9, "neutral"),
    (3.0, "neutral"),
    (2.9, "dissatisfied"),
    (None, "no_rating"),
]
BREACHES = [
    (ticket("in time", 12), False, False),
    (ticket("late", 12.5), True, False),
    (ticket("open and old"), True, True),
    (ticket("open and young", created=END - timedelta(hours=12)), False, False),
    (ticket("open and just too old", created=END - timedelta(hours=12, seconds=1)), True, True),
    (ticket("escalated and old", status="escalated"), True, True),
    (ticket("open without a target", priority=None), False, False),
    (ticket("resolved without a target", 900, priority=None), False, False),
]


@pytest.fixture(scope="module")
def judged() -> dict[str, dict[str, Any]]:
    """The tickets of SPEEDS (`p2 after 6.0`), RATINGS (`rated 5.0`) and BREACHES."""
    given = [ticket(f"{priority} after {hours}", hours, priority) for hours, priority, _, _ in SPEEDS]
    given += [ticket(f"rated {score}", 1, score=score) for score, _ in RATINGS]
    given += [breach for breach, _, _ in BREACHES]
    return {row["ticket_id"]: row for row in fetched(facts(*given))}


@pytest.mark.parametrize(("hours", "priority", "speed", "ratio"), SPEEDS)
def test_every_speed_is_reached(
    hours: float | None, priority: str, speed: str, ratio: float | None, judged: dict[str, dict[str, Any]]
) -> None:
    found = judged[f"{priority} after {hours}"]
    assert (found["resolution_speed"], found["sla_ratio"]) == (speed, pytest.approx(ratio))


@pytest.mark.parametrize(("score", "tier"), RATINGS)
def test_every_rating_is_reached(score: float | None, tier: str, judged: dict[str, dict[str, Any]]) -> None:
    assert judged[f"rated {score}"]["csat_tier"] == tier


@pytest.mark.parametrize(
    ("given", "breach", "open_breach"),
    BREACHES,
    ids=lambda value: value["ticket_id"] if isinstance(value, dict) else "",
)
def test_a_breach_is_late_or_unresolved_and_too_old(
    given: dict[str, Any], breach: bool, open_breach: bool, judged: dict[str, dict[str, Any]]
) -> None:
    found = judged[given["ticket_id"]]
    assert (found["is_sla_breach"], found["is_open_breach"]) == (breach, open_breach)


def test_a_ticket_carries_its_account() -> None:
    columns = ("account_plan_tier", "account_owner", "account_region", "account_segment", "ticket_month")
    assert of_ticket(ticket("T", 1), *columns) == ("growth", "Ann", "north", "SMB", date(2025, 1, 1))


class TestAdherence:
    """January: five resolved p2 tickets of 2, 4, 6, 8 and 20 hours, one of them late, and two open, one too old."""

    given = (
        *(ticket(f"R{hours}", hours, score=hours / 4 if hours < 20 else None) for hours in (4, 8, 6, 20)),
        ticket("R2", 2, score=5),
        ticket("old"),
        ticket("young", created=END - timedelta(hours=1)),
        ticket("other", 1, "p1", account="B"),
        ticket("unnamed", 3, None, account="B"),
        ticket("december", 1, created=datetime(2024, 12, 31, 9)),
    )

    def adherence(self, kind: str, value: str, *columns: str, month: date = date(2025, 1, 1)) -> Any:
        table = kept_once(sla_adherence, facts(*self.given), portfolio=BOOK)
        found = values(table, *columns, by=("ticket_month", "dimension_type", "dimension_value"))
        return found.get((month, kind, value))

    def test_counts_split_the_tickets_of_the_month_of_creation(self) -> None:
        columns = (
            "total_tickets",
            "resolved_tickets",
            "within_sla",
            "sla_breaches",
            "unresolved_tickets",
            "open_breaches",
        )
        assert self.adherence("priority", "p2", *columns) == (7, 5, 4, 1, 2, 1)
        assert self.adherence("segment", "SMB", *columns) == (7, 5, 4, 1, 2, 1)
        assert self.adherence("priority", "p2", *columns, month=date(2024, 12, 1)) == (1, 1, 1, 0, 0, 0)

    def test_shares_with_and_without_those_that_are_open_too_long(self) -> None:
        found = self.adherence("priority", "p2", "sla_adherence_pct", "adherence_incl_open_pct")
        assert found == pytest.approx((80, 100 * 4 / 6))

    def test_hours_by_hand(self) -> None:
        # 2 4 6 8 20: mean 8, the middle one 6; nine tenths of the way is at 3.6: 8 + 0.6 x 12
        found = self.adherence(
            "priority", "p2", "avg_resolution_hours", "median_resolution_hours", "p90_resolution_hours", "avg_csat"
        )
        assert found == pytest.approx((8, 6, 15.2, (1 + 2 + 1.5 + 5) / 4))

    def test_what_has_no_priority_or_segment_stands_apart(self) -> None:
        assert self.adherence("priority", "(none)", "total_tickets", "within_sla", "unjudged_tickets") == (1, 0, 1)
        assert self.adherence("priority", "(none)", "sla_adherence_pct") is None
        assert self.adherence("segment", "(none)", "total_tickets") == 2
        assert self.adherence("priority", "p3", "total_tickets") is None

    def test_nothing_resolved_has_no_shares(self) -> None:
        open_ones = facts(ticket("old"), ticket("young", created=END - timedelta(hours=1)))
        table = kept_once(sla_adherence, open_ones, portfolio=BOOK)
        found = values(
            table,
            "sla_adherence_pct",
            "adherence_incl_open_pct",
            "avg_resolution_hours",
            "median_resolution_hours",
            by="dimension_type",
        )
        assert found["priority"] == (None, 0, None, None)
