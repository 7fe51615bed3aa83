"""What Dagster has recorded of the runs of a portfolio: found, and removed with all that is kept of them.

Dagster's own methods leave results of checks and tags behind, which `dagster_internals` removes. When runs are old is
decided by the `retention` block (`assets/retention.py`); a whole portfolio goes by `removal.py`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME

from cx_intel.orchestration.alerts.run_reports import PORTFOLIO_TAG, is_of
from cx_intel.orchestration.dagster_internals import forget_rest_of

ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
GOING = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
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
