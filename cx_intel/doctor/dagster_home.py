"""Dagster's part of a deployment: `dagster.yaml`, its storages, the daemon that runs schedules, the last good runs.

Reads through Dagster's own instance and starts nothing. What its storage should be is argued in docs/deploy.md.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus

from cx_intel.doctor.findings import Finding, note, ok, problem
from cx_intel.orchestration.removal import bytes_of
from cx_intel.orchestration.schedules.jobs import refresh_job_name
from cx_intel.settings.portfolio import Portfolio

DAEMONS = ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR")
MOST_TICK_DAYS = 2
TICKS = (
    "That is some 100,000 rows a portfolio: give it a `retention` block, such as "
    "`retention: {sensor: {purge_after_days: {skipped: 1, success: 90}}}`."
)
SILENT_AFTER = timedelta(minutes=5)
OVERDUE_AFTER = timedelta(hours=36)
START = "Start `cx-intel ui`, or a service that runs `dagster-daemon run`."


def examine(home: Path, portfolios: Iterable[Portfolio], now: datetime | None = None) -> Iterator[Finding]:
    """Dagster's home, its daemon, and the last good refresh of each portfolio.

    Args:
        home: CX_HOME.
        portfolios: The portfolios that can be read.
        now: The time to judge ages by, aware.
    """
    if not (home / "dagster.yaml").exists():
        yield note("dagster.yaml", f"is not in {home} yet", "The first `cx-intel refresh` or `cx-intel ui` makes it.")
        return
    now = now or datetime.now(UTC)
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            runs = instance.get_runs_count()
            instance.event_log_storage.get_maximum_record_id()
            instance.all_instigator_state()
            yield ok("Dagster", f"its storages answer, {runs} runs{_size(home)}")
            if instance.get_tick_retention_settings(InstigatorType.SENSOR)[TickStatus.SKIPPED] > MOST_TICK_DAYS:
                yield note("Dagster", f"{home / 'dagster.yaml'} keeps every look of a sensor for a week", TICKS)
            yield _daemon(instance, now)
            for portfolio in portfolios:
                yield _last_run(instance, portfolio, now)
    except Exception as error:  # whatever a storage of the user's choice raises
        text = (str(error).strip().splitlines() or [type(error).__name__])[0]
        yield problem(
            "Dagster", f"its storage cannot be used: {text}", f"Check {home / 'dagster.yaml'} and its database."
        )


def _size(home: Path) -> str:
    """What the storages take, where they lie in the home."""
    size = bytes_of(home / "dagster")
    return f" in {size / 1e6:,.1f} MB" if size else ""


def _daemon(instance: dg.DagsterInstance, now: datetime) -> Finding:
    beats = instance.get_daemon_heartbeats()
    last = [datetime.fromtimestamp(beats[name].timestamp, UTC) for name in DAEMONS if name in beats]
    if not last:
        return note("daemon", "has never run: schedules and sensors do nothing", START)
    silent = now - min(last)
    if len(last) < len(DAEMONS) or silent > SILENT_AFTER:
        return problem("daemon", f"silent for {_age(silent)}: schedules and sensors do nothing", START)
    return ok("daemon", f"alive {_age(silent)} ago")


def _last_run(instance: dg.DagsterInstance, portfolio: Portfolio, now: datetime) -> Finding:
    subject = f"refresh of {portfolio.name}"
    job = refresh_job_name(portfolio.name)
    wanted = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
    found = instance.get_run_records(wanted, limit=1)
    to_do = f"Look at the last run in the UI, or run `cx-intel refresh {portfolio.name}`."
    if not found or found[0].end_time is None:
        return note(subject, "has never succeeded", to_do)
    age = now - datetime.fromtimestamp(found[0].end_time, UTC)
    if age > OVERDUE_AFTER and portfolio.automation.daily_refresh.enabled:
        return problem(subject, f"last succeeded {_age(age)} ago, and should every day", to_do)
    return ok(subject, f"last succeeded {_age(age)} ago")


def _age(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"
