"""Sensors that ask for runs over several days: what came late, and backfills of the UI."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from cx_intel.orchestration.schedules.backfill_job import backfill_job, backfill_sensor
from cx_intel.orchestration.schedules.jobs import refresh_job
from cx_intel.orchestration.sensors.late_events import Asked, News, decide, late_sensor
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.office import portfolio_with_renewals
from cx_intel_tests.helpers.ticking import Ticking, carried_out

NEWS = News("2025-01-29", "2025-01-31", "k1")
ASKED = Asked("k1", "2025-01-29", "2025-01-31", attempts=1, done=False)


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
    return {"first": first, "last": last}


def test_days_given_in_the_ui_become_one_run_over_the_range(instance: dg.DagsterInstance) -> None:
    small = portfolio(as_of={"earliest": "2025-01-01"})
    job = backfill_job(small)
    sensor = Ticking(backfill_sensor(small, job, refresh_job(small)), instance)
    assert sensor.tick() == []
    assert sensor.said == ["No run of small_backfill of the last day waits for its days."]
    result = job.execute_in_process(instance=instance, run_config=days_of_job("2025-01-29", "2025-01-31"))
    (asked,) = sensor.tick()
    assert asked.run_key == f"backfill-{result.run_id}"
    assert asked.tags == {
        "dagster/asset_partition_range_start": "2025-01-29",
        "dagster/asset_partition_range_end": "2025-01-31",
    }
    carried_out(instance, asked, fails=True)
    assert sensor.tick() == []
    assert sensor.said[-1] == sensor.said[0]


def test_days_that_are_none_any_more_are_refused_with_the_reason(instance: dg.DagsterInstance) -> None:
    job = backfill_job(portfolio(as_of={"earliest": "2025-01-01"}))
    result = job.execute_in_process(instance=instance, run_config=days_of_job("2025-01-29", "2025-01-31"))
    later = portfolio(as_of={"earliest": "2025-01-30"})
    sensor = Ticking(backfill_sensor(later, job, refresh_job(later)), instance)
    assert sensor.tick() == []
    assert sensor.said[0].startswith(f"Run {result.run_id[:8]} names no days to make: 2025-01-29 to 2025-01-31 is no ")


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
