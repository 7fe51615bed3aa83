"""Sensors that ask for runs: what came late, and the landing folder; several ticks each, the cursor carried over."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cx_intel.orchestration.backfill_job import backfill_job, backfill_sensor
from cx_intel.orchestration.jobs import refresh_job
from cx_intel.orchestration.landing_sensor import day_of_refresh, landing_sensors
from cx_intel.orchestration.late_sensor import Asked, News, decide, late_sensor
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.landing import Look, settled, sources_for
from cx_intel_tests.automation.listener import Listener, listening
from cx_intel_tests.automation.office import portfolio_with_renewals
from cx_intel_tests.builders import portfolio

NEWS = News("2025-01-29", "2025-01-31", "k1")
ASKED = Asked("k1", "2025-01-29", "2025-01-31", attempts=1, done=False)


@dataclass
class Ticking:
    """A sensor, tick after tick, with its cursor."""

    sensor: dg.SensorDefinition
    instance: dg.DagsterInstance
    cursor: str | None = None
    said: list[str] = field(default_factory=list)

    def tick(self) -> list[dg.RunRequest]:
        result: Any = self.sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        self.cursor = result.cursor if result.cursor is not None else self.cursor
        asked = list(result.run_requests or [])
        self.said.append(result.skip_reason.skip_message if result.skip_reason else "")
        assert bool(asked) is not bool(self.said[-1]), "a sensor asks for a run, or says why not"
        return asked


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


# what came late


@pytest.mark.parametrize(
    ("news", "asked", "outcome", "asks", "said"),
    [
        (News(), Asked(), "none", False, "No snapshot is stale or missing."),
        (News(left="3 old ones"), Asked(), "none", False, "No snapshot is stale or missing. Left alone: 3 old ones."),
        (NEWS, Asked(), "none", True, "Snapshots from 2025-01-29 on are stale or missing."),
        (NEWS, ASKED, "under way", False, "The run over 2025-01-29 to 2025-01-31 is under way."),
        (NEWS, ASKED, "none", True, "The run over 2025-01-29 to 2025-01-31 has not begun; it is asked for again."),
        (NEWS, ASKED, "failed", True, "The run over 2025-01-29 to 2025-01-31 failed; attempt 2 of 3."),
        (News(), ASKED, "failed", True, "The run over 2025-01-29 to 2025-01-31 failed; attempt 2 of 3."),
        (
            News("2025-01-30", "2025-02-01", "k2"),
            ASKED,
            "failed",
            True,
            "Snapshots from 2025-01-30 on are stale or missing.",
        ),
        (News(), ASKED, "succeeded", False, "No snapshot is stale or missing."),
        (
            NEWS,
            Asked("k1", "2025-01-29", "2025-01-31", attempts=3, done=False),
            "failed",
            False,
            "The snapshots from 2025-01-29 on were asked for 3 times; nothing has changed since. "
            "Make them by `cx-intel backfill`.",
        ),
    ],
)
def test_a_run_over_late_days_is_asked_for_once_and_again_when_it_fails(news, asked, outcome, asks, said) -> None:
    decision = decide(news, asked, outcome, attempts=3)
    assert (decision.request, decision.reason) == (asks, said)


def refreshed(instance: dg.DagsterInstance, **told: str) -> None:
    """A refresh that tells of stale snapshots."""
    metadata = {"stale_since": "", "stale_until": "", "stale_key": ""} | told
    instance.report_runless_asset_event(
        dg.AssetMaterialization(["small", "account_signals"], partition="2025-01-31", metadata=metadata)
    )


def carried_out(instance: dg.DagsterInstance, request: dg.RunRequest, *, fails: bool) -> None:
    """What the daemon does with a request."""

    @dg.op
    def work() -> None:
        if fails:
            raise dg.Failure("no network")

    @dg.job(name="small_refresh")
    def job() -> None:
        work()

    tags = {**request.tags, "dagster/run_key": request.run_key or ""}
    job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def test_late_days_are_made_anew_by_one_run_which_is_tried_again_when_it_fails(instance: dg.DagsterInstance) -> None:
    small = portfolio_with_renewals()
    sensor = Ticking(late_sensor(small, refresh_job(small)), instance)
    assert sensor.tick() == []
    refreshed(instance, stale_since="2025-01-29", stale_until="2025-01-31", stale_key="k1")
    (first,) = sensor.tick()
    assert {k: v for k, v in first.tags.items() if "range" in k} == {
        "dagster/asset_partition_range_start": "2025-01-29",
        "dagster/asset_partition_range_end": "2025-01-31",
    }
    carried_out(instance, first, fails=True)
    (second,) = sensor.tick()
    assert second.run_key != first.run_key
    carried_out(instance, second, fails=False)
    refreshed(instance)
    assert sensor.tick() == sensor.tick() == []
    refreshed(instance, stale_since="2025-01-30", stale_until="2025-02-01", stale_key="k2")
    assert len(sensor.tick()) == 1
    assert len(set(sensor.said)) == 2


# a backfill from the UI


def days_of_job(first: str, last: str) -> dict[str, Any]:
    return {"ops": {"small_days": {"config": {"first": first, "last": last}}}}


def test_days_given_in_the_ui_become_one_run_over_the_range(instance: dg.DagsterInstance) -> None:
    small = portfolio(as_of={"earliest": "2025-01-01"})
    job = backfill_job(small)
    sensor = backfill_sensor(small, job, refresh_job(small))
    result = job.execute_in_process(instance=instance, run_config=days_of_job("2025-01-29", "2025-01-31"))
    event = result.get_run_success_event()
    context = dg.build_run_status_sensor_context(sensor.name, event, instance, result.dagster_run)
    asked: Any = sensor(context)
    assert asked.run_key == f"backfill-{result.run_id}"
    assert asked.tags == {
        "dagster/asset_partition_range_start": "2025-01-29",
        "dagster/asset_partition_range_end": "2025-01-31",
    }


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2025-01-31", "2025-01-29", "is no range of days within 2025-01-01 to "),
        ("2024-12-31", "2025-01-29", "is no range of days within 2025-01-01 to "),
        ("2025-01-31", "2999-01-01", "is no range of days within 2025-01-01 to "),
        ("yesterday", "2025-01-29", "write days as 2026-11-01"),
    ],
)
def test_days_that_cannot_be_fail_the_job_with_the_reason(
    instance: dg.DagsterInstance, first: str, last: str, said: str
) -> None:
    job = backfill_job(portfolio(as_of={"earliest": "2025-01-01"}))
    result = job.execute_in_process(instance=instance, run_config=days_of_job(first, last), raise_on_error=False)
    assert not result.success
    assert said in str(result.failure_data_for_node("small_days"))


# the landing folder


class Inbox:
    """A portfolio with a landing folder, and its sensor."""

    def __init__(self, home: Path, instance: dg.DagsterInstance, listener: Listener):
        self.folder, self.data, self.listener = home / "inbox", home / "data", listener
        self.folder.mkdir()
        self.variables = {"INBOX": str(self.folder), "DATA": str(self.data), "CX_ALERT_URLS": listener.url()}
        self.portfolio = landing_portfolio()
        environment = Environment(home, home, 1, self.variables)
        (sensor,) = landing_sensors(self.portfolio, environment, refresh_job(self.portfolio))
        self.sensor = Ticking(sensor, instance)
        self.seconds = 0

    def put(self, name: str, text: str) -> Path:
        """Writes a file; each time it is seen to have changed."""
        self.seconds += 1
        file = self.folder / name
        file.write_text(text)
        os.utime(file, (self.seconds, self.seconds))
        return file


def landing_portfolio(**landing: Any) -> Portfolio:
    sources = [
        {"kind": "files", "table": "accounts", "path": "${DATA}/accounts.csv"},
        {"kind": "files", "table": "subscriptions", "path": "${DATA}/subscriptions.csv"},
        {"kind": "files", "table": "usage_events", "path": "${DATA}/events"},
        {"kind": "files", "table": "support_tickets", "path": "${DATA}/tickets/t_*.csv"},
    ]
    block = {"folder": "${INBOX}", "settle_seconds": 0} | landing
    return portfolio(sources=sources, automation={"landing": block}, as_of={"default": "2025-01-31"})


@pytest.fixture
def inbox(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[Inbox]:
    with listening() as listener:
        yield Inbox(tmp_path, instance, listener)


ACCOUNTS = "account_id,account_name\nA1,Company 1\n"


def test_a_file_is_taken_once_it_no_longer_changes_and_once_only(inbox: Inbox) -> None:
    inbox.put("accounts.csv", ACCOUNTS[:12])
    assert inbox.sensor.tick() == [], "seen for the first time"
    inbox.put("accounts.csv", ACCOUNTS)
    assert inbox.sensor.tick() == [], "it has changed"
    (request,) = inbox.sensor.tick()
    assert request.partition_key == "2025-01-31"
    assert (inbox.data / "accounts.csv").read_text() == ACCOUNTS
    assert inbox.sensor.tick() == []
    assert inbox.sensor.said[-1] == "No file is complete."
    assert list(inbox.folder.iterdir()) == []


def test_a_file_that_comes_again_is_taken_again_by_another_run(inbox: Inbox) -> None:
    keys = set()
    for name in ("Company 1", "Company One"):
        inbox.put("accounts.csv", f"account_id,account_name\nA1,{name}\n")
        inbox.sensor.tick()
        keys.add(inbox.sensor.tick()[0].run_key)
    assert len(keys) == 2
    assert "Company One" in (inbox.data / "accounts.csv").read_text()


def test_a_bad_file_is_set_aside_with_its_reason_and_told_while_good_ones_go_on(inbox: Inbox) -> None:
    inbox.put("accounts.csv", ACCOUNTS)
    inbox.put("subscriptions.csv", "who,what\nA1,base\n")
    inbox.put("holiday.jpg", "no table")
    inbox.sensor.tick()
    assert len(inbox.sensor.tick()) == 1
    rejected = inbox.folder / "rejected"
    assert sorted(f.name for f in rejected.iterdir()) == [
        "holiday.jpg",
        "holiday.jpg.txt",
        "subscriptions.csv",
        "subscriptions.csv.txt",
    ]
    assert "subscription_id" in (rejected / "subscriptions.csv.txt").read_text()
    assert "automation.landing.files" in (rejected / "holiday.jpg.txt").read_text()
    assert not (inbox.data / "subscriptions.csv").exists()
    assert inbox.listener.titles == ["[small] Set aside: 2 files"]
    inbox.sensor.tick()
    assert len(inbox.listener.taken) == 1


def test_files_that_are_still_written_are_left_alone(inbox: Inbox) -> None:
    for name in (".accounts.csv", "accounts.csv.part", "accounts.csv.tmp"):
        inbox.put(name, ACCOUNTS)
    for _ in range(3):
        assert inbox.sensor.tick() == []
    assert len(list(inbox.folder.iterdir())) == 3


def test_a_file_that_cannot_be_moved_is_tried_again(inbox: Inbox) -> None:
    inbox.put("accounts.csv", ACCOUNTS)
    inbox.data.write_text("a file where the folder should be")
    for _ in range(3):
        assert inbox.sensor.tick() == []
    inbox.data.unlink()
    assert len(inbox.sensor.tick()) == 1


def test_without_its_variable_or_its_folder_the_sensor_says_so(inbox: Inbox) -> None:
    del inbox.variables["DATA"]
    inbox.put("accounts.csv", ACCOUNTS)
    assert inbox.sensor.tick() == inbox.sensor.tick() == []
    assert inbox.sensor.said[-1] == "The environment variable DATA is not set."
    assert (inbox.folder / "accounts.csv").exists()
    inbox.variables["INBOX"] = str(inbox.folder / "nowhere")
    inbox.sensor.tick()
    assert inbox.sensor.said[-1].startswith("There is no folder ")
    del inbox.variables["INBOX"]
    inbox.sensor.tick()
    assert inbox.sensor.said[-1] == "The environment variable INBOX is not set."


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("accounts.csv", ["accounts"]),
        ("usage_events_2025-01-31.csv.gz", ["usage_events"]),
        ("usage_eventsandmore.csv", []),
        ("t_17.csv", ["support_tickets"]),
        ("crm_export.csv", ["accounts"]),
        ("readme.md", []),
    ],
)
def test_the_source_of_a_file_is_told_by_pattern_path_or_name(name: str, tables: list[str]) -> None:
    small = landing_portfolio(files={"crm_*.csv": "accounts"})
    assert small.automation.landing is not None
    assert [s.table for s in sources_for(name, small, small.automation.landing)] == tables


def test_a_file_is_complete_when_it_was_seen_before_and_has_not_changed_for_long_enough() -> None:
    ready, looks = settled({"a": (1, 1), "b": (2, 2)}, {}, now=100, settle_seconds=10)
    assert (ready, looks) == ((), {"a": Look(1, 1, 100), "b": Look(2, 2, 100)})
    ready, looks = settled({"a": (1, 1), "b": (3, 2)}, looks, now=105, settle_seconds=10)
    assert (ready, looks) == ((), {"a": Look(1, 1, 100), "b": Look(3, 2, 105)})
    ready, looks = settled({"a": (1, 1), "b": (3, 2)}, looks, now=110, settle_seconds=10)
    assert (ready, looks) == (("a",), {"b": Look(3, 2, 105)})


def test_new_files_are_for_the_portfolios_day_or_for_yesterday() -> None:
    now = datetime(2025, 6, 1, 23, 30, tzinfo=UTC)
    assert day_of_refresh(landing_portfolio(), now) == date(2025, 1, 31)
    assert day_of_refresh(portfolio(time_zone="Europe/Berlin"), now) == date(2025, 6, 1)
