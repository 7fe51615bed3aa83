"""A backfill from the UI as one run: a job that is given the first and the last day, and a sensor that has them made.

The UI's own dialog splits a range into several runs, because tables by day and whole tables differ in their partitions.
The run that is asked for here is the one of `cx-intel backfill`; what it does stands in `assets.py`.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from cx_intel.orchestration.alerts.run_reports import PORTFOLIO_TAG
from cx_intel.orchestration.assets.partitions import range_tags
from cx_intel.orchestration.schedules.jobs import Job
from cx_intel.orchestration.sensors.late_events import RUN_KEY_TAG
from cx_intel.settings.portfolio import Portfolio

LOOK_BACK = timedelta(days=1)
"""How long a run of the job waits for a daemon that is not running."""


ASKED = {"first": "The first day, as 2026-11-01.", "last": "The last day, itself included."}
"""What the launchpad asks for."""


class Days(dg.Config):
    """The days of a backfill, both included."""

    first: str
    last: str


def days_asked_for(days: Mapping[str, Any], portfolio: Portfolio, now: datetime) -> tuple[date, date]:
    """The first and last day; raises ValueError with what is wrong about them."""
    try:
        first, last = (date.fromisoformat(str(days[name])) for name in ("first", "last"))
    except ValueError as error:
        raise ValueError(f"{error}: write days as 2026-11-01") from None
    earliest, latest = portfolio.as_of.earliest, portfolio.latest_as_of(now)
    if not earliest <= first <= last <= latest:
        raise ValueError(f"{first} to {last} is no range of days within {earliest} to {latest}")
    return first, last


def backfill_job(portfolio: Portfolio) -> dg.JobDefinition:
    """The job that takes the days, `first` and `last` and nothing else; it only checks them."""
    op_name = f"{portfolio.name}_days"  # unique among all portfolios

    @dg.op(name=op_name)
    def check(context: dg.OpExecutionContext, config: Days) -> None:
        try:
            first, last = days_asked_for(config.model_dump(), portfolio, datetime.now(UTC))
        except ValueError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        context.log.info(f"{portfolio.name}_refresh is asked for over {first} to {last}, as one run.")

    @dg.config_mapping(config_schema={name: dg.Field(dg.String, description=about) for name, about in ASKED.items()})
    def days(given: Mapping[str, str]) -> Mapping[str, Any]:
        return {"ops": {op_name: {"config": given}}}

    @dg.job(
        name=f"{portfolio.name}_backfill",
        config=days,
        description=f"Refreshes {portfolio.name} for a range of days in one run: give the days in the launchpad.",
        tags={PORTFOLIO_TAG: portfolio.name},
    )
    def backfill() -> None:
        check()

    return backfill


def backfill_sensor(portfolio: Portfolio, backfill: dg.JobDefinition, refresh: Job) -> dg.SensorDefinition:
    """The sensor that asks for the run over the days of each backfill job that ended well, once."""

    @dg.sensor(
        name=f"{portfolio.name}_backfill_days",
        job=refresh,
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Has the days made that {portfolio.name}_backfill was given.",
    )
    def make_days(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        asked, refused = [], []
        for run in _unanswered(context.instance, backfill.name, now - LOOK_BACK):
            try:
                days = days_asked_for(run.run_config, portfolio, now)
            except (KeyError, ValueError) as error:
                refused.append(f"Run {run.run_id[:8]} names no days to make: {error}.")
            else:
                asked.append(dg.RunRequest(run_key=_run_key(run), tags=range_tags(*days)))
        if asked:
            return dg.SensorResult(run_requests=asked)
        waits = f"No run of {backfill.name} of the last day waits for its days."
        return dg.SensorResult(skip_reason=" ".join(refused) or waits)

    return make_days


def _unanswered(instance: dg.DagsterInstance, job: str, since: datetime) -> list[dg.DagsterRun]:
    """The runs of the job that ended well since then and have got no run over their days, the first one first."""
    ended = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS], updated_after=since)
    runs = reversed(list(instance.get_runs(ended)))
    return [run for run in runs if not instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: _run_key(run)}), limit=1)]


def _run_key(run: dg.DagsterRun) -> str:
    return f"backfill-{run.run_id}"
