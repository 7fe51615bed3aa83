"""Marks runs as failed whose process was killed: Dagster would take them as started for ever, and its queue would wait.

Dagster notices by itself only while the code server that started a run lives on: not after a power cut or a restart, and
never of a run of the command line. Whether a process is alive is told by `cx_intel.warehouse.processes.running`.
"""

import time
from pathlib import Path

import dagster as dg

from cx_intel.orchestration.alerts.run_reports import PORTFOLIO_TAG
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel.warehouse.processes.running import FOLDER, forget, state_of

LOOK_EVERY_SECONDS = 30
COUNTED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
"""The runs that the queue takes as going on."""
SILENT_SECONDS = 300
"""A run of ours that has no file, and has said nothing for so long, is over: refreshes have one within seconds, and the
other jobs, which need none, last for seconds."""
CHECK_SECONDS = 30
KILLED = (
    "The process of this run ended without a word: it was killed, or the machine went down. Every table is as it was "
    "before the run or as the run made it. The next refresh does what is left."
)


def fail_killed(instance: dg.DagsterInstance, home: Path, now: float | None = None) -> list[str]:
    """Marks the killed runs of a home as failed, or as canceled where that was asked for; their ids.

    Runs that wait for the warehouse or write it are alive, whoever started them, and are left alone.

    Args:
        instance: Where the runs are recorded.
        home: CX_HOME.
        now: Seconds since 1970.
    """
    folder, now = home / FOLDER, time.time() if now is None else now
    lock = WriterLock(folder / ".lock")
    lock.acquire("a look for killed runs", wait_seconds=CHECK_SECONDS)  # so that nobody marks a run twice
    try:
        suspects = [path.name for path in folder.glob("[!.]*") if state_of(folder, path.name) == "killed"]
        suspects += [
            run.run_id
            for run in instance.get_runs(dg.RunsFilter(statuses=COUNTED))
            if state_of(folder, run.run_id) == "unknown" and _is_silent(instance, run, now)
        ]
        return [run_id for run_id in suspects if _end(instance, folder, run_id)]
    finally:
        lock.release()


def _is_silent(instance: dg.DagsterInstance, run: dg.DagsterRun, now: float) -> bool:
    last = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
    return PORTFOLIO_TAG in run.tags and bool(last) and now - last[0].event_log_entry.timestamp > SILENT_SECONDS


def _end(instance: dg.DagsterInstance, folder: Path, run_id: str) -> bool:
    """Marks a run, unless Dagster has noticed by itself, and removes its file."""
    run = instance.get_run_by_id(run_id)
    is_counted = run is not None and run.status in COUNTED
    if run is not None and is_counted:
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, KILLED)
        else:
            instance.report_run_failed(run, KILLED)
    forget(folder, run_id)
    return is_counted


def killed_runs_sensor(portfolio: Portfolio, home: Path) -> dg.SensorDefinition:
    """The sensor that keeps killed runs from holding up the queue, all those of the home.

    Args:
        portfolio: Gives the name.
        home: CX_HOME.
    """

    @dg.sensor(
        name=f"{portfolio.name}_killed_runs",
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs as failed whose process was killed, so that the queue goes on and the failure is told.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        found = fail_killed(context.instance, home)
        told = ", ".join(run_id[:8] for run_id in found)
        return dg.SkipReason(f"Marked as failed: {told}." if found else "Every run that has begun is alive.")

    return look
