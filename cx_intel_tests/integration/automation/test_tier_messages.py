"""Changes of tier told to the owners of the accounts: each once, in one message an owner."""

import re
from pathlib import Path
from typing import Any

import pytest

from cx_intel.orchestration.alerts.lifecycle import lifecycle_news
from cx_intel.orchestration.alerts.wording import lifecycle_message
from cx_intel_tests.helpers.office import SECRET, Office, lifecycle_event, office


def test_each_owner_gets_one_message_about_all_accounts_and_no_event_twice(team: Office) -> None:
    events = [lifecycle_event(1), lifecycle_event(2), lifecycle_event(3, "Ben"), lifecycle_event(4, None)]
    team.run(events=events)
    for _ in range(2):
        team.look_at_tiers()
    assert team.listener.titles == [
        "[small] Ann: 2 accounts changed",
        "[small] Ben: an account changed",
        "[small] accounts without an owner: an account changed",
    ]
    line = "Company 1 (A1, 2025-01-31): Green to Red: Logins -30 points. Playbook: Call them."
    assert line in re.sub(r"<[^>]+>", "", team.listener.taken[0]["message"])
    team.run(events=[*events, lifecycle_event(5, "Ben")])  # the snapshot made anew
    team.look_at_tiers()
    assert team.listener.titles[3:] == ["[small] Ben: an account changed"]


def moved_to(day: str, **changes: Any) -> dict[str, Any]:
    """The change of account A1 from the 31st, found on another day."""
    return lifecycle_event(1, event_id=f"event-of-{day}", as_of=day, **changes)


def test_a_change_that_a_snapshot_made_anew_finds_on_another_day_is_not_told_again(team: Office) -> None:
    for event in (lifecycle_event(1), moved_to("2025-01-30"), lifecycle_event(1), moved_to("2025-01-25")):
        team.run(events=[event])
        team.look_at_tiers()
    assert team.listener.titles == ["[small] Ann: an account changed"]


@pytest.mark.parametrize(
    ("event", "is_news"),
    [
        (moved_to("2025-01-25"), False),
        (moved_to("2025-01-24"), True),
        (moved_to("2025-02-06"), False),
        (moved_to("2025-02-07"), True),
        (moved_to("2025-01-30", to_value="Green"), True),
        (moved_to("2025-01-30", signal="logins", to_value="3"), True),
        (lifecycle_event(2, as_of="2025-01-30"), True),
    ],
)
def test_a_change_is_the_same_within_the_days_in_which_an_account_has_no_second_one(event, is_news) -> None:
    told = lifecycle_news([lifecycle_event(1)], ()).told
    assert bool(lifecycle_news([event], told).by_owner) is is_news


def test_a_week_after_the_day_that_a_change_moved_to_the_next_one_is_news() -> None:
    first = lifecycle_news([lifecycle_event(1)], ()).told
    moved = lifecycle_news([moved_to("2025-01-30")], first)
    assert moved.by_owner == {}
    assert lifecycle_news([moved_to("2025-02-06")], first - moved.moved | moved.told).by_owner


def test_two_changes_of_an_account_are_two_lines_about_an_account() -> None:
    title, body = lifecycle_message("small", "Ann", [moved_to("2025-01-30", to_value="Green"), lifecycle_event(1)])
    assert title == "[small] Ann: an account changed"
    assert len(body.splitlines()) == 2


def test_an_owner_with_an_address_of_their_own_is_told_there(tmp_path: Path) -> None:
    with office(tmp_path, {"alerts": {"owners": {"Ann": ["${ANN_URL}"]}}}) as team:
        team.variables["ANN_URL"] = team.listener.url("ann")
        team.run(events=[lifecycle_event(1), lifecycle_event(2, "Ben")])
        team.look_at_tiers()
        assert [message["path"] for message in team.listener.taken] == ["/ann", f"/hooks/{SECRET}"]


def test_a_message_about_accounts_says_where_they_open(tmp_path: Path) -> None:
    with office(tmp_path) as team:
        team.run(events=[lifecycle_event(1)])
        team.look_at_tiers()
        assert "http://127.0.0.1:3030/reports/small/accounts.html" in team.listener.taken[0]["message"]


def test_a_long_list_is_cut_and_says_so() -> None:
    title, body = lifecycle_message("small", "Ann", [lifecycle_event(n) for n in range(30)])
    assert title == "[small] Ann: 30 accounts changed"
    assert body.splitlines()[-1] == "- and 5 more, in the table lifecycle_events"
