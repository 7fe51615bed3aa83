"""Schedules on the clock of the portfolio's zone, and the reports that they send."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pandas as pd
import pytest
from pydantic import ValidationError

from cx_intel.orchestration.build import definitions_of
from cx_intel.orchestration.schedules.report_jobs import report_jobs, revenue_draft
from cx_intel.orchestration.schedules.times import weekly_cron
from cx_intel.settings.automation import Weekly
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.resource import WarehouseResource
from cx_intel_tests.helpers.builders import portfolio, shipped
from cx_intel_tests.helpers.office import Office, office, portfolio_with_renewals

BRIEF = "# Renewals of the week\n\nCall Company 1.\n"


def environment(home: Path) -> Environment:
    return Environment(home=home, portfolios=home, lock_wait_seconds=1)


def repository(small: Portfolio, home: Path) -> dg.RepositoryDefinition:
    definitions = definitions_of([small], environment(home))
    dg.Definitions.validate_loadable(definitions)
    return definitions.get_repository_def()


def asked_at(schedule: dg.ScheduleDefinition, when: datetime, repo: dg.RepositoryDefinition) -> list[str | None]:
    """The days that a tick asks for."""
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=when, repository_def=repo)
        return [request.partition_key for request in schedule.evaluate_tick(context).run_requests or []]


def test_a_portfolio_has_its_schedules_and_sensors_without_saying_so(tmp_path: Path) -> None:
    repo = repository(portfolio_with_renewals(time_zone="Europe/Berlin"), tmp_path)
    found = {s.name: (s.cron_schedule, s.execution_timezone, s.default_status.value) for s in repo.schedule_defs}
    assert found == {
        "small_daily": ("0 6 * * *", "Europe/Berlin", "RUNNING"),
        "small_revenue_report": ("0 7 * * 1", "Europe/Berlin", "RUNNING"),
        "small_renewal_review": ("30 7 * * 1", "Europe/Berlin", "RUNNING"),
        "small_backtest_monthly": ("0 8 2 * *", "Europe/Berlin", "RUNNING"),
    }
    assert {s.name: s.default_status.value for s in repo.sensor_defs} == {
        "small_backfill_days": "RUNNING",
        "small_late_events": "RUNNING",
        "small_alerts": "RUNNING",
        "small_tier_changes": "RUNNING",
        "small_killed_runs": "RUNNING",
        "small_history": "RUNNING",
    }


def test_a_portfolio_of_a_fixed_day_is_not_refreshed_for_yesterday(tmp_path: Path) -> None:
    fixed = portfolio_with_renewals(as_of={"default": "2025-01-31"})
    found = {s.name for s in repository(fixed, tmp_path).schedule_defs}
    assert found == {"small_revenue_report", "small_renewal_review"}


def test_writing_back_has_a_job_and_a_schedule_that_is_off_unless_it_is_switched_on(tmp_path: Path) -> None:
    planhat = {"planhat": {"token": "${PLANHAT_TOKEN}"}}
    for schedule, status in ({}, "STOPPED"), ({"schedule": {"enabled": True, "at": "06:45"}}, "RUNNING"):
        repo = repository(portfolio_with_renewals(write_back=planhat | schedule), tmp_path)
        found = repo.get_schedule_def("small_write_back_daily")
        at = "45 6 * * *" if schedule else "0 7 * * *"
        assert (found.cron_schedule, found.default_status.value, found.job_name) == (at, status, "small_write_back")
        refreshed = repo.get_job("small_refresh").asset_layer.executable_asset_keys
        written = repo.get_job("small_write_back").asset_layer.executable_asset_keys
        assert {key.path[-1] for key in written} == {"write_back_plan", "write_back_audit", "write_back_rejected"}
        assert not set(written) & set(refreshed)


@pytest.mark.slow
def test_portfolios_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    definitions = definitions_of([shipped("fleet"), shipped("novacrm")], environment(tmp_path))
    dg.Definitions.validate_loadable(definitions)
    repo = definitions.get_repository_def()
    assert {s.name for s in repo.schedule_defs} == {
        f"{name}_{what}"
        for name in ("fleet", "novacrm")
        for what in ("daily", "revenue_report", "renewal_review", "backtest_monthly")
    }
    jobs = {job.name for job in repo.get_all_jobs() if not job.name.startswith("__")}
    assert {"fleet_refresh", "fleet_backfill", "novacrm_refresh", "novacrm_backfill"} <= jobs


def test_times_and_switches_are_settings(tmp_path: Path) -> None:
    automation: dict[str, Any] = {
        "daily_refresh": {"at": "05:15"},
        "revenue_report": {"on": "friday", "at": "16:00", "enabled": False},
        "late_events": {"enabled": False},
        "landing": {"folder": "${INBOX}"},
    }
    repo = repository(portfolio(automation=automation), tmp_path)
    found = {s.name: (s.cron_schedule, s.default_status.value) for s in repo.schedule_defs}
    assert found == {"small_daily": ("15 5 * * *", "RUNNING"), "small_revenue_report": ("0 16 * * 5", "STOPPED")}
    sensors = {s.name: s.default_status.value for s in repo.sensor_defs}
    assert {sensors.pop(f"small_{name}") for name in ("backfill_days", "killed_runs", "history")} == {"RUNNING"}
    assert sensors == {"small_late_events": "STOPPED", "small_alerts": "RUNNING", "small_landing": "RUNNING"}


@pytest.mark.parametrize(
    "zone",
    ["Pacific/Auckland", *(pytest.param(z, marks=pytest.mark.slow) for z in ("Europe/Berlin", "America/Los_Angeles"))],
)
def test_the_morning_asks_for_the_day_before_in_the_zone_also_when_clocks_change(tmp_path: Path, zone: str) -> None:
    repo = repository(portfolio(time_zone=zone, as_of={"earliest": "2025-01-01"}), tmp_path)
    schedule = repo.get_schedule_def("small_daily")
    for day, before in ((30, "2025-03-29"), (31, "2025-03-30")):  # on the 30th, clocks are set forward in Berlin
        when = datetime(2025, 3, day, 6, tzinfo=ZoneInfo(zone))
        assert asked_at(schedule, when, repo) == [before]


@pytest.mark.parametrize("bad", [{"daily_refresh": {"at": "24:00"}}, {"renewal_review": {"on": "Montag"}}])
def test_a_time_that_is_none_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        portfolio(automation=bad)


def test_weekdays_are_those_of_cron() -> None:
    assert weekly_cron(Weekly(on="sunday", at="23:59")) == "59 23 * * 0"
    assert weekly_cron(Weekly(on="saturday", at="00:05")) == "5 0 * * 6"


# the reports


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


def send(team: Office, name: str) -> dg.ExecuteInProcessResult:
    job = report_jobs(team.portfolio, team.environment)[name]
    warehouse = WarehouseResource(database=str(team.environment.warehouse), wait_seconds=1)
    return job.execute_in_process(instance=team.instance, raise_on_error=False, resources={"warehouse": warehouse})


def reports_of(team: Office) -> Path:
    folder = team.environment.reports("small")
    folder.mkdir(parents=True)
    (folder / "brief.md").write_text(BRIEF)
    (folder / "dashboard.png").write_bytes(b"\x89PNG")
    return folder


def test_the_renewal_review_sends_the_brief_with_the_dashboard(team: Office) -> None:
    reports_of(team)
    assert send(team, "renewal_review").success
    (message,) = team.listener.taken
    assert message["title"] == "[small] Renewals of the week"
    assert "Call Company 1." in message["message"]
    assert "http://127.0.0.1:3030/reports/small/brief.html" in message["message"]
    assert [a["filename"] for a in message["attachments"]] == ["dashboard.png"]


def test_a_service_that_is_down_fails_no_report_and_loses_none(team: Office) -> None:
    reports_of(team)
    team.listener.refusing = True
    assert send(team, "renewal_review").success
    team.listener.refusing = False
    team.now += 60
    team.look()
    assert team.listener.titles == ["[small] Renewals of the week"]


def test_without_a_brief_the_review_fails_and_says_what_to_do(team: Office) -> None:
    assert not send(team, "renewal_review").success
    team.look()
    assert team.listener.titles == ["[small] small_renewal_review failed"]
    assert "refresh small first" in team.listener.taken[0]["message"]


def summary(months: int) -> pd.DataFrame:
    """Each month starts with 1,000, gains 100 and 50 more of old customers, loses 20 and 30."""
    rows = [
        {
            "revenue_month": pd.Timestamp(2024, n + 1, 1),
            "starting_mrr": 1000.0,
            "new_mrr": 100.0,
            "expansion_mrr": 50.0,
            "contraction_mrr": 20.0,
            "churned_mrr": 30.0,
            "ending_mrr": 1100.0,
            "nrr_pct": 100.0,
            "grr_pct": 95.0,
            "nrr_trailing_3m_pct": 100.0 if n >= 2 else None,
            "grr_trailing_3m_pct": 95.0 if n >= 2 else None,
            "nrr_ttm_pct": None,
            "grr_ttm_pct": None,
        }
        for n in range(months)
    ]
    return pd.DataFrame(rows)


def test_the_revenue_report_names_its_measure_and_shows_six_months() -> None:
    draft = revenue_draft(summary(8), portfolio())
    assert draft.title == "[small] Revenue retention: NRR 100.0%, GRR 95.0%, trailing 3 months"
    lines = draft.body.splitlines()
    assert lines[0] == "MRR at the end of Aug 2024: €1,100.00."
    assert [line[2:5] for line in lines[4:]] == ["Mar", "Apr", "May", "Jun", "Jul", "Aug"]
    assert lines[-1] == "| Aug 2024 | 100.0% | 95.0% | €100.00 | €50.00 | €20.00 | €30.00 | €1,100.00 |"
    assert revenue_draft(summary(2), portfolio()).title == "[small] Revenue retention"
    assert revenue_draft(summary(2).head(0), portfolio()).body == "There is no month of revenue yet."


def test_the_revenue_report_reads_the_warehouse(team: Office) -> None:
    frame = summary(3)
    with duckdb.connect(str(team.environment.warehouse)) as connection:
        connection.execute("CREATE SCHEMA small")
        connection.execute("CREATE TABLE small.nrr_summary AS SELECT * FROM frame")
    assert len(frame) == 3
    assert send(team, "revenue_report").success
    assert team.listener.titles == ["[small] Revenue retention: NRR 100.0%, GRR 95.0%, trailing 3 months"]
