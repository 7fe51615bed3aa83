"""Lifecycle events: changes of the confirmed tier and drops of watched signals, each told once."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.contracts.core import account_history
from cx_intel.contracts.health.drivers import account_signals
from cx_intel.contracts.renewals.hold_out import hold_out_assignments
from cx_intel.contracts.renewals.layer import lifecycle_events as contract
from cx_intel.models.renewals.lifecycle import lifecycle_events
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import HoldOutSettings
from cx_intel_tests.helpers.builders import AS_OF, accounts, rows, shipped, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.renewal_tables import broken, days_from, drivers, pipeline_rows, scores, signals

FLEET = shipped("fleet")
GPS = "gps_adoption_pct"


def tiers(*days_and_tiers: tuple[int, str], account: str = "a") -> list[dict[str, Any]]:
    return [{"as_of": days_from(day), "account_id": account, "health_tier": tier} for day, tier in days_and_tiers]


def adoption(history: Mapping[int, float | None], **others: Mapping[int, float | None]) -> ir.Table:
    """GPS adoption of account a by day, and of others by theirs."""
    listed = [
        {"as_of": days_from(day), "account_id": account, "signal": GPS, "value": value}
        for account, days in ({"a": history} | others).items()
        for day, value in days.items()
    ]
    return rows(account_signals(FLEET), listed)


def events(
    *,
    history: list[dict[str, Any]] | None = None,
    measured: ir.Table | None = None,
    why: list[dict[str, Any]] | None = None,
    due: list[dict[str, Any]] | None = None,
    previous: list[dict[str, Any]] | None = None,
    snapshots: list[ir.Table] | None = None,
    first_load: date = AS_OF - timedelta(days=30),
    drawn: ir.Table | None = None,
    of: Portfolio = FLEET,
    as_of: date = AS_OF,
) -> ir.Table:
    table = kept_once(
        lifecycle_events,
        scores(of, history or []),
        signals(of, {}) if measured is None else measured,
        drivers(of, why or []),
        pipeline_rows(of, due or []),
        ibis.union(*snapshots) if snapshots else accounts(of, []),
        rows(account_history(of), [{"account_id": "a", "valid_from": first_load}]),
        hold_out_assignments=drawn,
        portfolio=of,
        as_of=as_of,
        previous=rows(contract(of), previous or []),
    )
    assert broken(table, contract(of)) == []
    return table


def told(table: ir.Table, *columns: str) -> list[Any]:
    return list(values(table, *columns, by="event_id").values())


def of_accounts(table: ir.Table, *columns: str) -> dict[str, list[Any]]:
    """Account: what is told of it."""
    found: dict[str, list[Any]] = {}
    for account, *row in told(table, "account_id", *columns):
        found.setdefault(account, []).append(tuple(row))
    return found


TIER_CHANGES: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str]]]] = {
    "down": (tiers((-1, "Green"), (0, "Amber")), [("Green", "Amber")]),
    "up": (tiers((-1, "Red"), (0, "Amber")), [("Red", "Amber")]),
    "to unknown": (tiers((-1, "Green"), (0, "unknown")), [("Green", "unknown")]),
    "as before": (tiers((-1, "Green"), (0, "Green")), []),
    "first snapshot": (tiers((0, "Red")), []),
    "newest earlier one is old": (tiers((-20, "Green"), (0, "Red")), [("Green", "Red")]),
    "only the newest earlier one counts": (tiers((-2, "Green"), (-1, "Red"), (0, "Red")), []),
    "was not in it": ([*tiers((-2, "Green"), (0, "Red")), *tiers((-1, "Red"), account="b")], []),
    "later ones are unknown": (tiers((-1, "Green"), (0, "Green"), (1, "Red")), []),
}


@cache
def tier_changes_of(days: tuple[date, ...]) -> dict[str, list[Any]]:
    """What is told of the cases of TIER_CHANGES with snapshots of these days, each an account of its own."""
    history = [
        row | {"account_id": case if row["account_id"] == "a" else f"{case}, {row['account_id']}"}
        for case, (snapshots, _) in TIER_CHANGES.items()
        if tuple(dict.fromkeys(row["as_of"] for row in snapshots)) == days
        for row in snapshots
    ]
    return of_accounts(events(history=history), "from_value", "to_value", "event_type")


@pytest.mark.parametrize("case", TIER_CHANGES)
def test_tier_changes(case: str) -> None:
    history, expected = TIER_CHANGES[case]
    days = tuple(dict.fromkeys(row["as_of"] for row in history))
    assert tier_changes_of(days).get(case, []) == [(*change, "tier_change") for change in expected]


def test_it_is_the_confirmed_tier_that_changes() -> None:
    history = [row | {"confirmed_tier": "Green"} for row in tiers((-1, "Green"), (0, "Red"))]
    assert told(events(history=history), "event_id") == []


def test_the_reason_names_the_three_signals_that_moved_most_that_way() -> None:
    def on(day: int, **points: float) -> list[dict[str, Any]]:
        return [
            {"as_of": days_from(day), "account_id": "a", "signal": signal, "points": value}
            for signal, value in points.items()
        ]

    before = on(-1, gps_adoption_pct=17.5, csat_score=6, nps_score=4, open_support_tickets=8, mobile_dau_mau=2)
    after = on(0, gps_adoption_pct=9.3, csat_score=5.5, nps_score=9, open_support_tickets=5, mobile_dau_mau=1)
    down = events(history=tiers((-1, "Green"), (0, "Amber")), why=[*before, *after])
    assert told(down, "reason") == [
        "Green to Amber: GPS adoption -8.2 points, Open support tickets -3 points, Mobile DAU/MAU -1 points"
    ]
    assert told(down, "signal_points") == [
        '{"gps_adoption_pct": -8.2, "open_support_tickets": -3, "mobile_dau_mau": -1}'
    ]
    up = events(history=tiers((-1, "Red"), (0, "Amber")), why=[*before, *after])
    assert told(up, "reason") == ["Red to Amber: NPS score +5 points"]
    lost = events(history=tiers((-1, "Green"), (0, "unknown")), why=[*before, *after])
    assert told(lost, "reason", "signal_points") == [("Green to unknown", None)]


DROPS: dict[str, tuple[dict[int, float | None], list[tuple[str, str]]]] = {
    "more than 15 %": ({-7: 80, 0: 67.9}, [("80", "67.9")]),
    "exactly 15 %": ({-7: 80, 0: 68}, []),
    "exactly 15 %, in floats": ({-7: 22.2, 0: 18.87}, []),
    "rise": ({-7: 80, 0: 90}, []),
    "6 days before": ({-6: 80, 0: 10}, []),
    "3 days before that": ({-10: 80, 0: 10}, [("80", "10")]),
    "4 days before that": ({-11: 80, 0: 10}, []),
    "the newest of them": ({-10: 80, -8: 11, 0: 10}, []),
    "missing 7 days before": ({-8: 80, -7: None, 0: 10}, [("80", "10")]),
    "missing now": ({-7: 80, 0: None}, []),
    "nothing then": ({-7: 0, 0: 0}, []),
    "below zero then": ({-7: -5, 0: -3}, []),
    "all gone": ({-7: 80, 0: 0}, [("80", "0")]),
}


@pytest.fixture(scope="module")
def drops() -> dict[str, list[Any]]:
    """What is told of each case of DROPS, an account of its own."""
    table = events(measured=adoption({}, **{case: history for case, (history, _) in DROPS.items()}))
    return of_accounts(table, "from_value", "to_value", "event_type", "signal")


@pytest.mark.parametrize("case", DROPS)
def test_drops_of_a_watched_signal(case: str, drops: dict[str, list[Any]]) -> None:
    assert drops.get(case, []) == [(*change, "signal_drop", GPS) for change in DROPS[case][1]]


def test_the_reason_of_a_drop_in_words() -> None:
    table = events(measured=adoption({-9: 80, 0: 59}))
    assert told(table, "reason") == ["GPS adoption fell 26.3 % in 9 days, from 80 % to 59 %"]


def test_signals_that_nobody_watches_are_silent() -> None:
    silent = FLEET.lifecycle.model_copy(update={"watched_signals": {}})
    table = events(measured=adoption({-7: 80, 0: 1}), of=FLEET.model_copy(update={"lifecycle": silent}))
    assert told(table, "event_id") == []


SAID: dict[str, tuple[dict[str, Any], bool]] = {
    "6 days ago": ({"day": -6}, False),
    "7 days ago": ({"day": -7}, True),
    "another tier": ({"day": -1, "to_value": "Red"}, True),
    "another account": ({"day": -1, "account_id": "b"}, True),
    "another type": ({"day": -1, "event_type": "signal_drop", "signal": "Amber"}, True),
}


@pytest.fixture(scope="module")
def after_what_was_said() -> set[str]:
    """Of the cases of SAID, each an account that falls from Green to Amber, those that are told."""
    ordinary = {"event_type": "tier_change", "from_value": "Green", "to_value": "Amber"}
    earlier = [
        ordinary
        | {"account_id": case}
        | {k: v for k, v in said.items() if k != "day"}
        | {"as_of": days_from(said["day"])}
        for case, (said, _) in SAID.items()
    ]
    history = [row for case in SAID for row in tiers((-1, "Green"), (0, "Amber"), account=case)]
    return set(told(events(history=history, previous=earlier), "account_id"))


@pytest.mark.parametrize("case", SAID)
def test_no_second_event_of_the_same_kind_within_a_week(case: str, after_what_was_said: set[str]) -> None:
    assert (case in after_what_was_said) is SAID[case][1]


def test_no_second_drop_of_the_same_signal_within_a_week() -> None:
    earlier = {"as_of": days_from(-1), "account_id": "a", "event_type": "signal_drop", "signal": GPS}
    assert told(events(measured=adoption({-7: 80, 0: 9}), previous=[earlier]), "event_id") == []


def test_the_playbook_is_that_of_the_renewal() -> None:
    both = [*tiers((-1, "Green"), (0, "Amber")), *tiers((-1, "Green"), (0, "Amber"), account="b")]
    table = events(history=both, due=[{"account_id": "a"}])
    assert values(table, "playbook") == {"a": "CSM-led health review", "b": None}


def test_event_ids_are_stable_and_tell_events_apart() -> None:
    history = [*tiers((-1, "Green"), (0, "Amber")), *tiers((-1, "Green"), (0, "Amber"), account="b")]
    table = events(history=history, measured=adoption({-7: 80, 0: 9}))
    assert sorted(values(table, "account_id", by="event_id").items()) == [
        ("461f43e02980e57e-a", "a"),
        ("461f43e02980e57e-b", "b"),
        ("aee52a6469408e21-a", "a"),
    ]
    tomorrow = events(history=tiers((0, "Green"), (1, "Amber")), as_of=days_from(1))
    assert not set(told(tomorrow, "event_id")) & set(told(table, "event_id"))


def book_on(day: int, **cancelled: bool) -> ir.Table:
    """The accounts a, b ... on a day, cancelled or not; those that are end on 1 April."""
    given = [
        {"account_id": k, "is_cancelled": v, "announced_end_date": date(2025, 4, 1) if v else None}
        for k, v in cancelled.items()
    ]
    return accounts(FLEET, given, days_from(day))


def test_a_cancellation_is_told_when_it_is_announced() -> None:
    before, now = book_on(-1, a=False, b=True), book_on(0, a=True, b=True, c=True)
    due = [{"account_id": "a", "recommended_playbook": "Win-back call"}]
    table = events(snapshots=[before, now], due=due)
    columns = ("account_id", "event_type", "from_value", "to_value", "reason", "playbook")
    reason = "Cancellation announced: the last contract ends on 2025-04-01"
    assert told(table, *columns) == [("a", "cancellation_announced", "in force", "2025-04-01", reason, "Win-back call")]


def test_what_the_first_load_shows_is_no_news() -> None:
    snapshots = [book_on(-7, a=False), book_on(0, a=True)]
    assert told(events(snapshots=snapshots, first_load=AS_OF), "account_id") == []
    assert told(events(snapshots=snapshots, first_load=days_from(-1)), "account_id") == ["a"]
    assert told(events(snapshots=snapshots[1:]), "account_id") == []


def test_a_cancellation_taken_back_and_announced_again_within_a_week_is_told_once() -> None:
    earlier = {
        "as_of": days_from(-6),
        "event_id": "x",
        "account_id": "a",
        "event_type": "cancellation_announced",
        "to_value": "2025-04-01",
    }
    snapshots = [book_on(-1, a=False), book_on(0, a=True)]
    assert told(events(snapshots=snapshots, previous=[earlier]), "account_id") == []
    other = earlier | {"to_value": "2025-05-01"}
    assert told(events(snapshots=snapshots, previous=[other]), "account_id") == ["a"]


def test_an_account_that_is_held_out_is_told_of_and_has_no_playbook() -> None:
    assert FLEET.renewals is not None
    of = FLEET.model_copy(
        update={"renewals": FLEET.renewals.model_copy(update={"hold_out": HoldOutSettings(share_pct=5)})}
    )
    history = [*tiers((-1, "Green"), (0, "Red")), *tiers((-1, "Green"), (0, "Red"), account="b")]
    lot = {"assigned_on": days_from(-9), "place": 0.01, "share_pct": 5.0, "renewal_date": days_from(30)}
    drawn = rows(
        hold_out_assignments(of),
        [lot | {"account_id": "a", "is_held_out": True}, lot | {"account_id": "b", "is_held_out": False}],
    )
    table = events(history=history, due=[{"account_id": "a"}, {"account_id": "b"}], drawn=drawn, of=of)
    assert values(table, "playbook") == {"a": None, "b": "CSM-led health review"}
