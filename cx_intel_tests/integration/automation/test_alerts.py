"""Alerts, from real runs in a real event log to real deliveries at a listener on this machine."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from cx_intel.orchestration.alerts.addresses import Address, addresses, redacted
from cx_intel.orchestration.alerts.delivery import deliver
from cx_intel.orchestration.alerts.incidents import Evaluation, RunReport, changes
from cx_intel.orchestration.alerts.lifecycle import lifecycle_news
from cx_intel.orchestration.alerts.outbox import Draft
from cx_intel.orchestration.alerts.sensors import alert_sensors
from cx_intel.orchestration.alerts.wording import lifecycle_message
from cx_intel.settings.automation import Alerts
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.office import Office, lifecycle_event, office

SECRET = "very-secret-token"


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


# problems and their end


def test_a_failed_blocking_check_is_told_with_rows_remedy_and_link(team: Office) -> None:
    run_id = team.run(broken=2)
    team.look()
    (message,) = team.listener.taken
    assert message["title"] == "[small] 2 problems"  # the check, and the run that it stopped
    for part in (
        "stg_usage_events: not_null failed",
        "2 of 9 rows: event_id is never null.",
        "Mend the rows.",
        "E-1",
        "small_refresh for 2025-01-31 failed",
        f"https://dagster.example/runs/{run_id}",
    ):
        assert part in message["message"]
    assert "Odd" not in message["message"]


def test_what_fails_again_is_not_told_again_and_its_end_is_told_once(team: Office) -> None:
    for _ in range(2):
        team.run(broken=2)  # a run and its retry
        team.look()
    team.look()
    assert len(team.listener.taken) == 1
    team.run()
    for _ in range(3):
        team.look()
    assert team.listener.titles[1:] == ["[small] Resolved: 2 problems"]
    assert "- Resolved: stg_usage_events: not_null failed" in team.listener.taken[1]["message"]
    team.run(broken=1)
    team.look()
    assert team.listener.titles[2:] == ["[small] 2 problems"]


def test_a_failed_run_is_told_without_any_failed_check(team: Office) -> None:
    team.run(error="the disk is full")
    team.look()
    assert team.listener.titles == ["[small] small_refresh for 2025-01-31 failed"]
    assert "stg_usage_events: the disk is full" in team.listener.taken[0]["message"]


def test_a_failure_of_another_day_is_another_problem_and_a_later_success_ends_both(team: Office) -> None:
    for day in ("2025-01-30", "2025-01-31"):
        team.run(day, error="no network")
        team.look()
    team.run("2025-01-29")
    team.look()
    assert len(team.listener.taken) == 2
    team.run("2025-02-01")
    team.look()
    assert team.listener.titles[2:] == ["[small] Resolved: 2 problems"]


def test_a_stale_source_is_told_though_its_check_only_warns(team: Office) -> None:
    team.run(stale=True)
    team.look()
    assert team.listener.titles == ["[small] usage_events: the source is late or incomplete"]
    assert "The newest row is 9 days old." in team.listener.taken[0]["message"]
    team.run()
    team.look()
    assert team.listener.titles[1:] == ["[small] Resolved: usage_events: the source is late or incomplete"]


def test_what_began_and_ended_between_two_looks_is_no_news(team: Office) -> None:
    team.run(broken=1)
    team.run()
    assert team.look() == "Nothing new in 2 finished runs; 0 problems are known and not over."
    assert team.listener.taken == []


def test_rules_switched_off_are_not_told(tmp_path: Path) -> None:
    off = {"failed_checks": False, "stale_sources": False, "failed_runs": False}
    with office(tmp_path, {"alerts": off}) as team:
        team.run(broken=1, stale=True)
        team.look()
        assert team.listener.taken == []


def test_rows_are_left_out_where_samples_are_not_wanted(tmp_path: Path) -> None:
    with office(tmp_path, {"alerts": {"samples": False}}) as team:
        team.run(broken=2)
        team.look()
        assert "E-1" not in team.listener.taken[0]["message"]
        assert "2 of 9 rows" in team.listener.taken[0]["message"]


def test_runs_of_another_portfolio_are_not_heard(team: Office) -> None:
    @dg.op
    def fails() -> None:
        raise dg.Failure("not ours")

    @dg.job(tags={"portfolio": "other"})
    def other_refresh() -> None:
        fails()

    other_refresh.execute_in_process(instance=team.instance, raise_on_error=False)
    team.look()
    assert team.listener.taken == []


def report(event: int, passed: bool | None, status: str = "success") -> RunReport:
    checks = () if passed is None else (Evaluation("fct_usage", "grain_unique", passed, blocks=True),)
    return RunReport(event, f"run-{event}", "small_refresh", status, checks=checks)  # type: ignore[arg-type]


KNOWN = {"check/fct_usage/grain_unique": "fct_usage: grain_unique failed"}


@pytest.mark.parametrize(
    ("reports", "known", "opened", "resolved"),
    [
        ([report(1, False)], {}, 1, 0),
        ([report(1, False), report(2, False)], {}, 1, 0),
        ([report(1, False), report(2, True)], {}, 0, 0),
        ([report(1, False)], KNOWN, 0, 0),
        ([report(1, True)], KNOWN, 0, 1),
        ([report(1, True), report(2, False)], KNOWN, 0, 0),
        ([report(1, None)], KNOWN, 0, 0),  # a run that did not ask ends nothing
        ([report(1, None, "canceled")], {}, 0, 0),
    ],
)
def test_a_problem_lasts_from_its_failure_to_its_passing(reports, known, opened, resolved) -> None:
    found = changes(reports, known, Alerts())
    assert (len(found.opened), len(found.resolved)) == (opened, resolved)


# delivery


def test_a_message_that_is_refused_is_kept_and_sent_later_after_growing_waits(team: Office) -> None:
    team.listener.refusing = True
    team.run(error="the disk is full")
    assert "Not sent, to be tried again: json://***: " in team.look()
    assert team.listener.refused == 1
    team.look()
    assert team.listener.refused == 1, "not before its time"
    for wait, refused in ((31, 2), (31, 2), (31, 3)):  # 30 seconds, then 60
        team.now += wait
        team.look()
        assert team.listener.refused == refused
    team.listener.refusing = False
    team.now += 3600
    assert "Sent 1 messages." in team.look()
    team.now += 3600
    team.look()
    assert team.listener.titles == ["[small] small_refresh for 2025-01-31 failed"]


def test_an_address_that_took_the_message_does_not_get_it_again(team: Office) -> None:
    team.variables["CX_ALERT_URLS"] = f"{team.listener.url('first')}, json://127.0.0.1:9/closed"
    team.run(error="the disk is full")
    team.look()
    team.now += 31
    team.look()
    assert [message["path"] for message in team.listener.taken] == ["/first"]
    assert [attempts for _, attempts, _ in team.dispatcher.outbox.waiting("small")] == [2]


def test_nothing_is_sent_twice_by_two_that_look_at_once(team: Office) -> None:
    team.run(error="the disk is full")
    looks = [Thread(target=team.look) for _ in range(4)]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    assert len(team.listener.taken) == 1


def test_without_addresses_nothing_is_kept_for_later(team: Office) -> None:
    del team.variables["CX_ALERT_URLS"]
    team.run(error="the disk is full")
    assert team.look() == "Messages go nowhere: none of CX_ALERT_URLS is set in the environment."
    team.variables["CX_ALERT_URLS"] = team.listener.url()
    team.look()
    assert team.listener.taken == []


def test_a_first_look_leaves_what_is_long_past(team: Office) -> None:
    team.run(error="the disk is full")
    team.now += 2 * 86400
    team.look()
    team.look()
    assert team.listener.taken == []


def test_secrets_are_in_no_message_error_file_or_log(team: Office, caplog, capfd) -> None:
    team.listener.refusing = True
    team.variables["CX_ALERT_URLS"] = f"{team.listener.url()},json://user:{SECRET}@127.0.0.1:9/,nonsense://{SECRET}"
    team.run(error=f"posting to {team.listener.url()} failed")
    caplog.clear()
    capfd.readouterr()  # what the failing step itself says is not ours
    said = team.look()
    stored = b"".join(f.read_bytes() for f in team.home.glob("alerts.sqlite*"))
    shown = said + caplog.text + "".join(capfd.readouterr()) + repr(team.environment) + repr(team.dispatcher)
    assert "nonsense://*** is no address that Apprise knows" in said
    assert SECRET not in shown
    assert SECRET.encode() not in stored


def test_a_failed_delivery_says_why_without_the_address() -> None:
    reason = deliver(Address(f"json://user:{SECRET}@127.0.0.1:9/{SECRET}"), "title", "body")
    assert reason is not None
    assert reason.startswith("json://***: ")
    assert SECRET not in reason
    assert SECRET not in repr(Address(f"json://{SECRET}"))


def test_several_addresses_in_one_variable_may_hold_commas_themselves() -> None:
    found = addresses(["${A}", "${UNSET}"], {"A": "mailto://u:p@host?to=a,b, json://host/x,json://host/x"})
    assert [a.url for a in found] == ["mailto://u:p@host?to=a,b", "json://host/x"]
    assert redacted("to a host of p@ss", [Address("json://host/p%40ss")]) == "to a *** of ***"


def test_an_address_in_the_yaml_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        portfolio(automation={"alerts": {"urls": [f"slack://{SECRET}"]}})
    assert SECRET not in caught.value.errors()[0]["msg"]


def test_files_travel_with_a_message(team: Office, tmp_path: Path) -> None:
    picture = tmp_path / "dashboard.png"
    picture.write_bytes(b"\x89PNG")
    team.dispatcher.post(Draft("Review", "Look.", files=(picture, tmp_path / "missing.png")))
    (message,) = team.listener.taken
    assert [a["filename"] for a in message["attachments"]] == ["dashboard.png"]


def test_words_that_arrived_are_not_kept(team: Office) -> None:
    team.run(broken=2)
    team.look()
    with sqlite3.connect(team.home / "alerts.sqlite") as connection:
        assert connection.execute("SELECT body FROM message").fetchall() == [("",)]


# accounts that changed


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


def test_a_long_list_is_cut_and_says_so() -> None:
    title, body = lifecycle_message("small", "Ann", [lifecycle_event(n) for n in range(30)])
    assert title == "[small] Ann: 30 accounts changed"
    assert body.splitlines()[-1] == "- and 5 more, in the table lifecycle_events"


# the sensors


def test_sensors_say_what_they_did_and_carry_their_cursor(team: Office) -> None:
    problems, tiers = alert_sensors(team.portfolio, team.environment)
    assert (problems.name, tiers.name) == ("small_alerts", "small_tier_changes")
    cursor, said = None, []
    for action in (lambda: None, lambda: team.run(broken=1), lambda: None, team.run):
        action()
        result = problems(dg.build_sensor_context(instance=team.instance, cursor=cursor))
        cursor, said = result.cursor, [*said, result.skip_reason.skip_message]
    assert said == [
        "Nothing new in 0 finished runs; 0 problems are known and not over.",
        "2 new problems, 0 resolved. Sent 1 messages.",
        "Nothing new in 0 finished runs; 2 problems are known and not over.",
        "0 new problems, 2 resolved. Sent 1 messages.",
    ]
    assert int(cursor) > 0
    assert tiers(dg.build_sensor_context(instance=team.instance)).skip_reason.skip_message.startswith("No account")
