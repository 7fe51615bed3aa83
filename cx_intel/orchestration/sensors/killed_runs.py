"""Marks runs as failed whose process was killed: Dagster would take them as started for ever, and its queue would wait.

Dagster notices by itself only while the code server that started a run lives on: not after a power cut or a restart, and
never of a run of the command line. Whether a process is alive is told by `cx_intel.warehouse.processes`.
"""

import json
import re
import socket
import time
from pathlib import Path

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.storage.tags import GRPC_INFO_TAG

from cx_intel.orchestration.alerts.run_reports import PORTFOLIO_TAG
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel.warehouse.processes.machine import Moment, booted_at, counts_alone, has_gone, moment
from cx_intel.warehouse.processes.running import FOLDER, began, forget, state_of

LOOK_EVERY_SECONDS = 30
COUNTED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
"""The runs that the queue takes as going on."""
SILENT_SECONDS = 300
"""A run of ours that has no file, whose process may be anywhere, and that has said nothing for so long, is over: refreshes
have a file within seconds, and the other jobs, which need none, last for seconds."""
LAUNCHING_SECONDS = 30
"""So long a run may stand as starting before it is noted which server is to start it."""
ANSWER_SECONDS = 2
CHECK_SECONDS = 30
AS_IT_WAS = "Every table is as it was before the run or as the run made it. The next refresh does what is left."
WORKER = re.compile(r"[(]pid: (\d+)[)]")
"""What Dagster says of the process of a run before that has said anything of ours."""


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
            if state_of(folder, run.run_id) == "unknown" and _is_over(instance, folder, run, now)
        ]
        return [run_id for run_id in suspects if _end(instance, folder, run_id)]
    finally:
        lock.release()


def _is_over(instance: dg.DagsterInstance, folder: Path, run: dg.DagsterRun, now: float) -> bool:
    """Whether a run without a file is over: by its process or the machine's start, where they prove it, or its silence."""
    if PORTFOLIO_TAG not in run.tags and run.job_name != IMPLICIT_ASSET_JOB_NAME:
        return False
    entries = [record.event_log_entry for record in instance.get_records_for_run(run.run_id).records]
    if not entries:
        return False
    last = max(entry.timestamp for entry in entries)
    if last < booted_at() or now - last > SILENT_SECONDS:
        return True
    if not counts_alone(folder):
        return False
    workers = [(found, entry) for entry in entries if (found := WORKER.search(entry.message))]
    if workers:
        return any(has_gone(int(found[1]), entry.timestamp) for found, entry in workers)
    return run.status == dg.DagsterRunStatus.STARTING and _launcher_has_gone(run, now - last)


def _launcher_has_gone(run: dg.DagsterRun, silent: float) -> bool:
    """Whether nobody is left to start a run: a process that comes up all the same finds it ended, and does nothing."""
    server = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    if path := server.get("socket"):
        return not _answers(socket.AF_UNIX, path)
    if port := server.get("port"):
        return not _answers(socket.AF_INET, (server.get("host", "localhost"), int(port)))
    return silent > LAUNCHING_SECONDS


def _answers(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.settimeout(ANSWER_SECONDS)
        try:
            tried.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # not known
    return True


def _end(instance: dg.DagsterInstance, folder: Path, run_id: str) -> bool:
    """Marks a run, unless Dagster has noticed by itself, and removes its file."""
    run = instance.get_run_by_id(run_id)
    is_counted = run is not None and run.status in COUNTED
    if run is not None and is_counted:
        told = f"{cause_of_death(began(folder, run_id), moment())} {AS_IT_WAS}"
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, told)
        else:
            instance.report_run_failed(run, told)
    forget(folder, run_id)
    return is_counted


def cause_of_death(then: Moment | None, now: Moment) -> str:
    """What ended the process of a run without a word, as far as it shows.

    Args:
        then: How things stood when it began; None where it had not come so far.
        now: How they stand now.
    """
    if then is None:
        return (
            "The process of this run ended before it had begun: it was killed, or the machine or a service went down."
        )
    if then.boot != now.boot:
        return f"The machine went down while process {then.pid} of this run was at work, and came up again."
    if killed := now.oom_kills - then.oom_kills:
        return (
            f"Process {then.pid} of this run was killed (SIGKILL), most likely for want of memory: since it began, the "
            f"kernel's OOM killer has ended {killed} process{'es' * (killed > 1)} on this machine. Give it more memory, or "
            "set CX_MEMORY_LIMIT lower."
        )
    return (
        f"Process {then.pid} of this run was killed (SIGKILL: `kill -9`, a service that was stopped and did not end in "
        "time, or a container's limit of memory), or it crashed. The kernel reports no want of memory since it began."
    )


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
