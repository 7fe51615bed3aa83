"""Reads from Dagster's event log what finished runs of a portfolio say: how they ended, and what their checks found.

By the place of their ends in the log, so that nothing is read twice and nothing is left out. In open-source Dagster a
failed check fails no run, so that this is the one place where both are seen. Nothing is judged here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import dagster as dg

from cx_intel.orchestration.alerts.incidents import Evaluation, RunReport
from cx_intel.orchestration.alerts.lifecycle import METADATA, TABLE
from cx_intel.orchestration.assets.partitions import run_days
from cx_intel.settings.portfolio import Portfolio

ENDS: Mapping[Any, Literal["success", "failure", "canceled"]] = {
    dg.DagsterEventType.RUN_SUCCESS: "success",
    dg.DagsterEventType.RUN_FAILURE: "failure",
    dg.DagsterEventType.RUN_CANCELED: "canceled",
}
PORTFOLIO_TAG = "portfolio"
MOST_RUNS = 20
"""Read at a time; the rest at the next look."""
FIRST_LOOK_SECONDS = 86_400
"""How far the very first look goes back."""


def run_reports(
    instance: dg.DagsterInstance, portfolio: Portfolio, *, after: int | None, now: float
) -> tuple[list[RunReport], int]:
    """The reports of runs that ended after an event, in order, and the last event looked at.

    Args:
        instance: Whose log is read.
        portfolio: Whose runs.
        after: The last event looked at before; None for the first look.
        now: Seconds since 1970.
    """
    ends: list[tuple[int, str, dg.DagsterEventType]] = []
    bound: int | None = None
    for kind in ENDS:
        found = instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(
                kind,
                after_storage_id=after,
                after_timestamp=now - FIRST_LOOK_SECONDS if after is None else None,
            ),
            limit=MOST_RUNS,
            ascending=True,
        ).records
        ends += [(record.storage_id, record.run_id, kind) for record in found]
        if len(found) == MOST_RUNS:
            bound = min(found[-1].storage_id, bound or found[-1].storage_id)
    seen = [end for end in sorted(ends, key=lambda e: e[0]) if bound is None or end[0] <= bound]
    reports = []
    for event, run_id, kind in seen:
        run = instance.get_run_by_id(run_id)
        if run is not None and is_of(run, portfolio.name):
            reports.append(_report(instance, run, event, kind))
    if seen:
        return reports, seen[-1][0]
    return reports, _newest(instance) if after is None else after


def _newest(instance: dg.DagsterInstance) -> int:
    """The last end of a run, however long ago: what lies before the first look is not looked at later."""
    found = [instance.fetch_run_status_changes(kind, limit=1).records for kind in ENDS]
    return max((record.storage_id for records in found for record in records), default=0)


def is_of(run: dg.DagsterRun, portfolio: str) -> bool:
    """Whether a run is a portfolio's: by its tag, or by its assets where it has none."""
    if tagged := run.tags.get(PORTFOLIO_TAG):
        return tagged == portfolio
    return any(key.path[0] == portfolio for key in run.asset_selection or ())


def _report(instance: dg.DagsterInstance, run: dg.DagsterRun, event: int, kind: dg.DagsterEventType) -> RunReport:
    days = run_days(run.tags)
    checks = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    return RunReport(
        event,
        run.run_id,
        run.job_name,
        ENDS[kind],
        until=days[-1] if days else None,
        error=_error(instance, run.run_id) if ENDS[kind] == "failure" else "",
        checks=tuple(_evaluations(checks)),
        lifecycle=_lifecycle(instance, run.run_id),
    )


def _evaluations(entries: Sequence[dg.EventLogEntry]) -> Iterator[Evaluation]:
    for entry in entries:
        if entry.dagster_event is None:
            continue
        found = entry.dagster_event.asset_check_evaluation_data
        told = {name: value.value for name, value in found.metadata.items()}
        samples = [str(value) for name, value in told.items() if name.startswith("sample_")]
        yield Evaluation(
            found.asset_key.path[-1],
            found.check_name,
            found.passed,
            blocks=found.severity == dg.AssetCheckSeverity.ERROR,
            description=found.description or "",
            what_to_do=str(told.get("what_to_do", "")),
            sample="\n\n".join(samples),
        )


def _error(instance: dg.DagsterInstance, run_id: str) -> str:
    """What the steps failed of, in their own words; else what the run says."""
    reasons: list[str] = []
    for entry in instance.all_logs(run_id, of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}):
        event = entry.dagster_event
        if event is None or (event.is_run_failure and reasons):
            continue
        data: Any = event.event_specific_data
        told = getattr(data, "user_failure_data", None)
        error = getattr(data, "error", None)
        while error is not None and error.cause is not None:
            error = error.cause
        reason = (told and told.description) or (error and error.message.strip()) or event.message or "the run failed"
        step = f"{event.step_key.split('__', 1)[-1]}: " if event.step_key else ""
        reasons.append(f"{step}{reason}")
    return "\n\n".join(reasons)


def _lifecycle(instance: dg.DagsterInstance, run_id: str) -> tuple[Mapping[str, str | None], ...]:
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    for entry in reversed(entries):
        made = entry.asset_materialization
        if made is not None and made.asset_key.path[-1] == TABLE and METADATA in made.metadata:
            listed: Any = made.metadata[METADATA].value
            return tuple(listed)
    return ()
