"""Alerts, from real runs in a real event log to real deliveries at a listener on this machine."""

from pathlib import Path

import dagster as dg
import pytest

from cx_intel.orchestration.alerts.incidents import Evaluation, RunReport, changes
from cx_intel.orchestration.alerts.sensors import alert_sensors
from cx_intel.settings.automation import Alerts
from cx_intel_tests.helpers.office import Office, office

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
        "2 new problems, 0 resolved. Sent 1 message.",
        "Nothing new in 0 finished runs; 2 problems are known and not over.",
        "0 new problems, 2 resolved. Sent 1 message.",
    ]
    assert int(cursor) > 0
    assert tiers(dg.build_sensor_context(instance=team.instance)).skip_reason.skip_message.startswith("No account")
