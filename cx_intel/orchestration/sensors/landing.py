"""Looks into a landing folder: complete files go to their sources and a refresh is asked for, bad ones are set aside.

Each file is taken once, since it is no longer there afterwards; that it calls for a refresh is remembered in
`pending_refresh.py`. The files are handled by `cx_intel.sources.landing`; here is the cursor (what incomplete files looked
like), the day of the run, and who is told of a file set aside.
"""

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from cx_intel.orchestration.alerts.dispatcher import Dispatcher
from cx_intel.orchestration.alerts.messages import PROBLEMS
from cx_intel.orchestration.alerts.outbox import Draft
from cx_intel.orchestration.assets.tables import key_of
from cx_intel.orchestration.schedules.jobs import Job
from cx_intel.orchestration.sensors.pending_refresh import PendingNote, pending_with
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.files.paths import with_variables
from cx_intel.sources.landing import REJECTED, Look, Taken, files_in, settled, take
from cx_intel.warehouse.duckdb.files.reading import read_files

LOOK_EVERY_SECONDS = 30
TAKING_SECONDS = 20
"""The rest of the files waits for the next look: a sensor may not take much longer."""
UNSET = "The environment variable {} is not set."


def landing_sensors(portfolio: Portfolio, environment: Environment, job: Job) -> list[dg.SensorDefinition]:
    """The sensor of a portfolio's landing folder; none where it has no such folder.

    Args:
        portfolio: Its settings.
        environment: Gives the values of `${NAME}`.
        job: Its refresh.
    """
    landing = portfolio.automation.landing
    if landing is None:
        return []

    @dg.sensor(
        name=f"{portfolio.name}_landing",
        job=job,
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Takes complete files from {landing.folder} and refreshes {portfolio.name}; sets bad ones aside.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        try:
            folder = Path(with_variables(landing.folder, environment.variables)).expanduser()
        except KeyError as error:
            return dg.SensorResult(skip_reason=UNSET.format(error.args[0]))
        if not folder.is_dir():
            return dg.SensorResult(skip_reason=f"There is no folder {folder}.")
        before = {name: Look(**seen) for name, seen in json.loads(context.cursor or "{}").items()}
        day = day_of_refresh(portfolio, datetime.now(UTC), snapshot_days(portfolio, context.instance)).isoformat()
        found = files_in(folder)
        ready, looks = settled(found, before, now=time.time(), settle_seconds=landing.settle_seconds)
        note = PendingNote(environment.home, portfolio.name)
        pending = note.read(context.instance)
        note.write(pending_with(pending, day, {name: found[name] for name in ready}))  # before any of them is moved
        taken, late, unset = _take(folder, ready, portfolio, environment)
        pending = pending_with(pending, day, {t.name: found[t.name] for t in taken if not t.reason})
        note.write(pending)
        cursor = json.dumps({name: asdict(seen) for name, seen in (looks | {n: before[n] for n in late}).items()})
        _tell(folder, taken, Dispatcher(portfolio, environment))
        if pending is None:
            return dg.SensorResult(skip_reason=unset or _nothing_new(taken, len(looks) + len(late)), cursor=cursor)
        request = dg.RunRequest(run_key=pending.run_key, partition_key=pending.day)
        names = ", ".join(t.name for t in taken if not t.reason) or "before"
        context.log.info(f"Taken: {names}; refreshing {pending.day}.")
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return [look]


def day_of_refresh(portfolio: Portfolio, now: datetime, made: Collection[date]) -> date:
    """The day that new files are for: the portfolio's default, or the newest of the days made where that is later.

    What stands at a later day reads no file for an earlier one; what files say of earlier days is found late.
    """
    return max(portfolio.default_as_of(now), *made) if made else portfolio.default_as_of(now)


def snapshot_days(portfolio: Portfolio, instance: dg.DagsterInstance) -> set[date]:
    """The days that were refreshed, as Dagster knows them: the warehouse itself may be held by a run."""
    days = instance.get_materialized_partitions(key_of(portfolio, "account_snapshot"))
    return {date.fromisoformat(day) for day in days}


def _take(
    folder: Path, ready: Sequence[str], portfolio: Portfolio, environment: Environment
) -> tuple[list[Taken], list[str], str]:
    """What became of the files, the names of those that stay for the next look, and which variable some of them miss."""
    taken: list[Taken] = []
    late: list[str] = []
    unset = ""
    until = time.monotonic() + TAKING_SECONDS
    for name in ready:
        if time.monotonic() > until:
            late.append(name)
            continue
        try:
            taken.append(take(folder / name, portfolio, environment.variables, datetime.now(UTC), read_files))
        except OSError:
            late.append(name)
        except KeyError as error:
            late.append(name)
            unset = UNSET.format(error.args[0])
    return taken, late, unset


def _tell(folder: Path, taken: Sequence[Taken], dispatcher: Dispatcher) -> None:
    rejected = [t for t in taken if t.reason]
    if rejected and dispatcher.portfolio.automation.alerts.failed_checks:
        title = rejected[0].name if len(rejected) == 1 else f"{len(rejected)} files"
        lines = [f"- {t.name}: {t.reason}" for t in rejected]
        body = "\n".join([*lines, "", f"They are in {folder / REJECTED}, each with its reason beside it."])
        draft = Draft(f"[{dispatcher.portfolio.name}] Set aside: {title}", body, severity="warning")
        dispatcher.messages.post(draft, PROBLEMS)


def _nothing_new(taken: Sequence[Taken], waiting: int) -> str:
    parts = [f"Set aside: {', '.join(t.name for t in taken)}." if taken else "No file is complete."]
    parts += [f"{waiting} files are watched until they no longer change."] if waiting else []
    return " ".join(parts)
