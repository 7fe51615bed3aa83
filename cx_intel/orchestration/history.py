"""What Dagster has recorded of the runs of a portfolio: found, and removed with all that is kept of them.

Dagster's own methods leave results of checks and tags behind, which `dagster_internals` removes. When runs are old is
decided by the `retention` block; a whole portfolio goes by `removal.py`.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME

from cx_intel.orchestration.alerts.run_reports import PORTFOLIO_TAG, is_of
from cx_intel.orchestration.dagster_internals import compact, forget_rest_of
from cx_intel.settings.portfolio import Portfolio

ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
GOING = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
AT_ONCE = 100
"""Runs that are removed at a time: a sensor may not take long."""
LOOK_EVERY_SECONDS = 3600
NEVER_LAUNCHED = (dg.DagsterRunStatus.NOT_STARTED,)


def runs_of(
    instance: dg.DagsterInstance,
    portfolio: str,
    statuses: Collection[dg.DagsterRunStatus],
    before: datetime | None = None,
) -> list[dg.DagsterRun]:
    """The runs of a portfolio's jobs, and those of its assets that were chosen by hand in the UI, which bear no tag.

    Args:
        instance: Where they are recorded.
        portfolio: Its name.
        statuses: How they stand.
        before: Only those that changed last before this instant, aware.
    """
    wanted = {"statuses": list(statuses), "updated_before": before}
    tagged = instance.get_runs(dg.RunsFilter(tags={PORTFOLIO_TAG: portfolio}, **wanted))  # type: ignore[arg-type]
    by_hand = instance.get_runs(dg.RunsFilter(job_name=IMPLICIT_ASSET_JOB_NAME, **wanted))  # type: ignore[arg-type]
    return [*tagged, *(run for run in by_hand if PORTFOLIO_TAG not in run.tags and is_of(run, portfolio))]


def forget_runs(instance: dg.DagsterInstance, runs: Iterable[dg.DagsterRun]) -> int:
    """Removes what was recorded of runs: events, results of checks, tags, what they wrote to the console. How many."""
    count = 0
    for run in runs:
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
        forget_rest_of(instance, run.run_id)
        instance.delete_run(run.run_id)  # last: what a killed removal leaves is found by it again
        count += 1
    return count


def forget_old_runs(instance: dg.DagsterInstance, portfolio: Portfolio, now: datetime) -> int:
    """Removes the runs that ended before the period of the portfolio, the oldest first. How many; 0: all others are younger.

    The last good run of each job stays, however old: what it made is what the UI shows.

    Args:
        instance: Where they are recorded.
        portfolio: Whose, and how long they are kept.
        now: An instant, aware.
    """
    days = portfolio.retention.runs_days
    if days is None:
        return 0
    old = runs_of(instance, portfolio.name, (*ENDED, *NEVER_LAUNCHED), now - timedelta(days=days))
    kept = {run_id for job in {run.job_name for run in old} for run_id in _last_good(instance, job)}
    count = forget_runs(instance, [run for run in reversed(old) if run.run_id not in kept][:AT_ONCE])
    if count:
        compact(instance)
    return count


def _last_good(instance: dg.DagsterInstance, job: str) -> list[str]:
    good = instance.get_runs(dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1)
    return [run.run_id for run in good]


def history_sensor(portfolio: Portfolio) -> dg.SensorDefinition:
    """The sensor that keeps what Dagster recorded of a portfolio within its period."""
    days = portfolio.retention.runs_days
    kept = f"is kept for {days} days" if days else "is kept for ever"

    @dg.sensor(
        name=f"{portfolio.name}_history",
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Removes old runs from Dagster's history: that of {portfolio.name} {kept} (retention.runs_days).",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        count = forget_old_runs(context.instance, portfolio, datetime.now(UTC))
        return dg.SkipReason(f"Removed {count} runs." if count else f"No run is too old: the history {kept}.")

    return look
