"""The clocks of tickets: business hours, holidays, days on which clocks are set, pauses, priority, first reply."""

from datetime import datetime
from typing import Any

import ibis.expr.types as ir
import pytest
from pydantic import ValidationError

from cx_intel.contracts import core
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.support import business_hours as business_hours_contract
from cx_intel.models.support.adherence import sla_adherence
from cx_intel.models.support.business_hours import business_hours
from cx_intel.models.support.tickets import fct_tickets
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.support import SupportSettings
from cx_intel_tests.helpers.builders import AS_OF, portfolio, rows, values
from cx_intel_tests.helpers.made_once import kept_once

HOURS = {"zone": "Europe/Berlin", "hours": ["09:00-12:00", "13:00-17:00"], "holidays": ["DE-BY"]}
TARGETS = {"p1": 4, "p2": 12}


def book(**support: Any) -> Portfolio:
    block = {"sla_target_hours": TARGETS, "first_reply_target_hours": {"p1": 1, "p2": 2}} | support
    return portfolio(["support_tickets", "ticket_status_history"], support=block)


def at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def ticket(created: str, resolved: str | None = None, priority: str = "p1", replied: str | None = None) -> Any:
    return {
        "ticket_id": created,
        "account_id": "A",
        "created_at": at(created),
        "created_date": datetime.fromisoformat(created).date(),
        "first_reply_at": at(replied),
        "resolved_at": at(resolved),
        "priority": priority,
        "status": "resolved" if resolved else "open",
        "csat_scale": "1-5",
    }


def change(ticket_id: str, when: str, value: str, field: str = "status") -> dict[str, Any]:
    return {"ticket_id": ticket_id, "field": field, "changed_at": at(when), "value": value}


def facts(of: Portfolio, tickets: list[Any], changes: list[Any] | None = None) -> ir.Table:
    pieces = business_hours(portfolio=of, as_of=AS_OF).to_dict("records")
    return kept_once(
        fct_tickets,
        rows(STAGING["support_tickets"](of), tickets),
        rows(STAGING["ticket_status_history"](of), changes or []),
        rows(business_hours_contract(of), pieces),
        rows(core.dim_account(of), [{"account_id": "A", "segment": "SMB"}]),
        portfolio=of,
        as_of=AS_OF,
    )


def in_order(table: ir.Table, *columns: str) -> list[Any]:
    """The values of the tickets in the order of their creation."""
    return [found for _, found in sorted(values(table, *columns, by="ticket_id").items())]


BUSINESS = {
    # Wednesday 10:00 to 15:00 in Berlin, an hour of lunch between
    ("2025-01-15T09:00:00", "2025-01-15T14:00:00"): 4.0,
    # created on Saturday night, resolved on Monday at 10:30
    ("2025-01-11T22:30:00", "2025-01-13T09:30:00"): 1.5,
    # Friday 16:00 to Tuesday 9:30; Monday, the 6th, is Epiphany in Bavaria
    ("2025-01-03T15:00:00", "2025-01-07T08:30:00"): 1.5,
    # Friday 16:00 to Monday 10:00, over the night to summer time: Monday opens at 7:00 UTC
    ("2024-03-22T15:00:00", "2024-03-25T09:00:00"): 2.0,
    ("2024-03-28T15:00:00", "2024-04-02T07:30:00"): 1.5,  # Easter and the change of the clocks
    ("2024-10-25T14:00:00", "2024-10-28T08:30:00"): 1.5,  # back to winter time
    # created and resolved while nobody works
    ("2025-01-11T10:00:00", "2025-01-12T10:00:00"): 0.0,
    # the seconds of opening and closing
    ("2025-01-15T07:59:59", "2025-01-15T08:00:01"): 1 / 3600,
    ("2025-01-15T15:59:59", "2025-01-15T16:00:01"): 1 / 3600,
}


def test_business_hours_by_hand() -> None:
    found = values(
        facts(book(business_hours=HOURS), [ticket(*span) for span in BUSINESS]),
        "sla_elapsed_hours",
        "sla_clock",
        by="ticket_id",
    )
    assert found == {created: (pytest.approx(hours), "business") for (created, _), hours in BUSINESS.items()}


def test_a_day_without_end_has_the_hours_that_the_clocks_give_it() -> None:
    of = book(business_hours={"zone": "Europe/Berlin", "weekdays": ["sun"], "hours": ["00:00-24:00"]})
    spans = [("2024-03-30T12:00:00", "2024-04-01T12:00:00"), ("2024-10-26T12:00:00", "2024-10-28T12:00:00")]
    assert in_order(facts(of, [ticket(*span) for span in spans]), "sla_elapsed_hours") == [23, 25]


def test_a_priority_may_keep_to_the_calendar() -> None:
    of = book(business_hours=HOURS, clocks={"p1": "calendar"})
    tickets = [ticket("2025-01-11T22:30:00", "2025-01-13T09:30:00", p) for p in ("p1", "p2")]
    tickets[1]["ticket_id"] = "other"
    found = values(facts(of, tickets), "sla_clock", "sla_elapsed_hours", "is_sla_breach", by="ticket_id")
    assert found == {"2025-01-11T22:30:00": ("calendar", 35, True), "other": ("business", 1.5, False)}


def test_an_open_ticket_is_late_by_its_own_clock() -> None:
    of = book(business_hours=HOURS)  # Friday, the 31st: support closes at 16:00 UTC
    tickets = [ticket("2025-01-31T10:59:59"), ticket("2025-01-31T11:59:00"), ticket("2025-01-31T12:00:00")]
    # to 11:00, then 12:00 to 16:00: four hours and a second are late
    assert in_order(facts(of, tickets), "sla_elapsed_hours", "is_open_breach") == [
        (pytest.approx(4 + 1 / 3600), True),
        (4.0, False),
        (4.0, False),
    ]


RAISED: dict[str, tuple[str, str | None, str, bool]] = {
    "while it was open": ("2025-01-15T09:00:00", "2025-01-15T20:00:00", "p1", True),
    "in the very second": ("2025-01-15T20:00:00", "2025-01-15T20:00:00", "p1", True),
    "when it was over": ("2025-01-15T20:00:01", "2025-01-15T20:00:00", "p2", False),
    "of an open one": ("2025-01-20T08:00:00", None, "p1", True),
    "after as_of, and open for 16 days": ("2025-02-01T08:00:00", None, "p2", True),
}


@pytest.fixture(scope="module")
def raised() -> dict[str, Any]:
    """Priority and breach of a p2 of each case of RAISED, raised to p1 at its time."""
    tickets = [ticket("2025-01-15T08:00:00", row[1], "p2") | {"ticket_id": case} for case, row in RAISED.items()]
    changes = [
        change(case, when, value, "priority")
        for case, (changed, *_) in RAISED.items()
        for when, value in (("2025-01-15T08:00:00", "p2"), (changed, "p1"))
    ]
    table = facts(book(), tickets, changes)
    return values(table, "sla_priority", "is_sla_breach", by="ticket_id")


class TestHistory:
    name = "2025-01-15T08:00:00"

    def elapsed(self, of: Portfolio, changes: list[Any], resolved: str | None = "2025-01-15T20:00:00") -> Any:
        table = facts(of, [ticket(self.name, resolved, "p2")], [change(self.name, *c) for c in changes])
        columns = ("sla_priority", "sla_elapsed_hours", "paused_hours", "is_sla_breach")
        return values(table, *columns, by="ticket_id")[self.name]

    def test_a_clock_stands_still_in_the_statuses_that_pause_it(self) -> None:
        of = book(pauses=["pending", "Hold"])
        changes = [
            ("2025-01-15T08:00:00", "new"),
            ("2025-01-15T09:00:00", "pending"),
            ("2025-01-15T11:00:00", "open"),
            ("2025-01-15T12:00:00", "hold"),
            ("2025-01-15T12:30:00", "pending"),
            ("2025-01-15T13:00:00", "open"),
            ("2025-01-15T20:00:00", "solved"),
        ]
        assert self.elapsed(of, changes) == ("p2", 9.0, 3.0, False)

    def test_a_pause_ends_with_the_ticket_and_began_no_earlier(self) -> None:
        of = book(pauses=["pending"])
        changes = [("2025-01-15T07:00:00", "pending"), ("2025-01-15T09:00:00", "open")]
        assert self.elapsed(of, changes) == ("p2", 11.0, 1.0, False)
        assert self.elapsed(of, [("2025-01-15T19:00:00", "pending"), ("2025-01-16T19:00:00", "open")])[1:3] == (11, 1)

    @pytest.mark.slow
    def test_a_pause_over_night_takes_nothing_from_business_hours(self) -> None:
        of = book(pauses=["pending"], business_hours=HOURS)
        changes = [("2025-01-15T15:00:00", "pending"), ("2025-01-16T09:00:00", "open")]
        # 9:00 to 17:00 less lunch and the hour from 16:00, then the next day from 10:00 to 11:00
        assert self.elapsed(of, changes, "2025-01-16T10:00:00") == ("p2", 7.0, 2.0, False)

    def test_without_the_setting_nothing_pauses(self) -> None:
        assert self.elapsed(book(), [("2025-01-15T09:00:00", "pending")]) == ("p2", 12.0, 0.0, False)

    @pytest.mark.parametrize("case", RAISED)
    def test_the_priority_of_the_time_decides(self, case: str, raised: dict[str, Any]) -> None:
        assert raised[case] == RAISED[case][2:]

    def test_a_priority_that_was_taken_away_leaves_no_target(self) -> None:
        changes = [("2025-01-15T08:00:00", "p2", "priority"), ("2025-01-15T09:00:00", None, "priority")]
        assert self.elapsed(book(), changes)[0] is None


def test_first_replies_are_judged_beside_the_resolution() -> None:
    tickets = [
        ticket("2025-01-15T08:00:00", "2025-01-15T09:30:00", replied="2025-01-15T09:00:00"),
        ticket("2025-01-15T08:00:01", "2025-01-15T09:30:00", replied="2025-01-15T09:00:02"),
        ticket("2025-01-15T08:00:02", "2025-01-15T09:30:00"),  # solved without a word
        ticket("2025-01-15T08:00:03", replied="2025-02-01T00:00:00"),  # after as_of: none yet
        ticket("2025-01-31T22:59:59"),  # an hour and a second without a word
        ticket("2025-01-31T23:00:00"),
    ]
    table = facts(book(), tickets)
    columns = ("first_reply_hours", "is_first_reply_judged", "is_first_reply_breach")
    assert in_order(table, *columns) == [
        (1.0, True, False),
        (pytest.approx(3601 / 3600), True, True),
        (None, False, False),
        (None, False, True),
        (None, False, True),
        (None, False, False),
    ]
    counted = ("first_replies_judged", "first_reply_breaches", "first_reply_adherence_pct")
    found = values(sla_adherence(table, portfolio=book()), *counted, by="dimension_type")
    assert found["priority"] == found["segment"] == (2, 1, 50)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"clocks": {"p1": "business"}}, "p1 runs in business hours, and no business_hours are stated"),
        ({"business_hours": {"zone": "Europe/Bonn"}}, "is no IANA time zone"),
        ({"business_hours": HOURS | {"hours": ["9-17"]}}, "is no span of a day"),
        ({"business_hours": HOURS | {"hours": ["13:00-17:00", "09:00-12:00"]}}, "the next begins after that"),
        ({"business_hours": HOURS | {"holidays": ["XX"]}}, "is no country whose holidays are known"),
        ({"business_hours": HOURS | {"holidays": ["DE-XX"]}}, "is no part of DE"),
        ({"business_hours": HOURS | {"weekdays": []}}, "at least 1 item"),
        ({"sla_target_hours": {"p1": 0}}, "greater than 0"),
    ],
)
def test_settings_that_cannot_be(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SupportSettings.model_validate(block)


def test_pauses_need_a_history() -> None:
    with pytest.raises(ValidationError, match="needs a source of `ticket_status_history`"):
        portfolio(["support_tickets"], support={"pauses": ["pending"]})
