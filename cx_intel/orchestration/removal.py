"""Takes a portfolio away: its schema, files, messages, and its runs in Dagster's history. Its YAML and the back-ups stay.

Each step can be done again, so that a killed removal is ended by asking for it again; the schema goes last. How a schema
is dropped stands in `cx_intel.warehouse.duckdb.upkeep.removing`; one subject alone is taken out by `cx_intel.privacy`.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import dagster as dg

from cx_intel.orchestration.alerts.outbox import FILE, Outbox
from cx_intel.orchestration.assets.engines import named_engines
from cx_intel.orchestration.dagster_internals import compact, forget_assets
from cx_intel.orchestration.history import ENDED, GOING, NEVER_LAUNCHED, forget_runs, runs_of
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.sensors.pending_refresh import PendingNote
from cx_intel.reports.pages.frame.index import write_index
from cx_intel.reports.pages.frame.publishing import MENU
from cx_intel.settings.environment import Environment
from cx_intel.warehouse.duckdb.upkeep.removing import drop_schema, give_space_back, schema_bytes
from cx_intel.warehouse.duckdb.upkeep.rewriting import half_written
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.postgres.server import PostgresTables
from cx_intel.warehouse.processes.lock import LOCK_FILE, WriterLock
from cx_intel.warehouse.spark.remembered import cluster_files

AUTOMATION = (
    *("daily", "revenue_report", "renewal_review", "write_back_daily", "late_events", "backfill_days", "landing"),
    *("backtest_monthly", "alerts", "tier_changes", "killed_runs", "history"),
)
"""What follows the portfolio's name in the names of its schedules and sensors."""

Wait: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Holding:
    """Something that a home holds of a portfolio: what, how many of it, and the bytes that it takes."""

    what: str
    count: int
    bytes: int


def files_of(environment: Environment, name: str) -> dict[str, Path]:
    """Where the files of a portfolio lie, in words and as a path, whether they are there or not."""
    return {
        "reports": environment.reports(name),
        "exports": environment.exports(name),
        "published copy": environment.published(name),
        "tables of its Spark cluster": cluster_files(environment.home, name),
        "note of the landing folder": PendingNote(environment.home, name).path,
    }


def names_in(environment: Environment) -> dict[str, list[str]]:
    """The portfolios that a home holds tables or files of, and in words what of each. Dagster's history is not asked."""
    found: dict[str, list[str]] = {}
    for schema in schema_bytes(environment.warehouse):
        found.setdefault(schema, []).append("schema")
    for what, example in files_of(environment, "name").items():
        for path in sorted(example.parent.glob(f"[!.]*{example.suffix}")):
            if example.suffix or path.is_dir():
                found.setdefault(path.stem if example.suffix else path.name, []).append(what)
    return found


def holdings(environment: Environment, name: str, on_wait: Wait = lambda _: None) -> list[Holding]:
    """What a removal would take away. Raises WarehouseError as `remove` does."""
    with _alone(environment, name, on_wait) as instance:
        files = {what: path for what, path in files_of(environment, name).items() if path.exists()}
        schemas = schema_bytes(environment.warehouse)
        found = [Holding("schema", 1, schemas[name])] if name in schemas else []
        found += [Holding(what, 1, bytes_of(path)) for what, path in files.items()]
        runs = len(runs_of(instance, name, (*ENDED, *NEVER_LAUNCHED)))
        share = bytes_of(environment.home / "dagster") * runs // max(1, instance.get_runs_count())
        assets = len(instance.get_asset_keys(prefix=[name]))
        with _at_server(environment, name) as server:
            at_server = len(server.tables()) if server else 0
    found += [Holding("tables in PostgreSQL", at_server, 0)] if at_server else []
    found += [Holding("runs in Dagster's history", runs, share)] if runs else []
    found += [Holding("assets in Dagster's history", assets, 0)] if assets else []
    if (left_over := half_written(environment.warehouse)).exists():  # the last step of a removal that was killed
        found.append(Holding("half-written warehouse", 1, bytes_of(left_over)))
    return found


def remove(
    environment: Environment, name: str, on_step: Callable[[str], None] = lambda _: None, on_wait: Wait = lambda _: None
) -> bool:
    """Takes a portfolio away; whether the warehouse file got smaller, which takes room for a second one.

    Args:
        environment: Where.
        name: The portfolio, whether or not it has a YAML.
        on_step: Told of each step before it is taken.
        on_wait: Told who writes the warehouse, where somebody does.

    Raises:
        WarehouseError: A run of it is going or waits, somebody writes for longer than is waited for, or another program
            has the warehouse open; the same command does what is left.
    """
    with _alone(environment, name, on_wait) as instance:
        on_step("files")
        for path in files_of(environment, name).values():
            _remove(path)
        if (reports := environment.reports(name).parent).is_dir():
            write_index(reports, MENU)
        with _at_server(environment, name) as server:
            if server:
                on_step("PostgreSQL")
                for table in server.tables():
                    server.drop(table)
        on_step("messages")
        Outbox(environment.home / FILE).forget(name)
        on_step("Dagster's history")
        _forget(instance, name)
        on_step("schema")
        if not environment.warehouse.exists():
            return True
        drop_schema(environment.warehouse, name)
        on_step("space")
        return give_space_back(environment.warehouse)


@contextmanager
def _at_server(environment: Environment, name: str) -> Iterator[PostgresTables | None]:
    """The server that the portfolio's YAML names, if it does."""
    server = named_engines(environment, name)[1].get(name)
    try:
        yield server
    finally:
        if server:
            server.close()


def bytes_of(path: Path) -> int:
    """What a file takes, or a folder with all that is in it."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size if path.exists() else 0
    return sum(os.lstat(os.path.join(root, name)).st_size for root, _, names in os.walk(path) for name in names)


@contextmanager
def _alone(environment: Environment, name: str, on_wait: Wait) -> Iterator[dg.DagsterInstance]:
    """While nobody writes the warehouse, and no run of the portfolio is going."""
    with instance_of(environment.home) as instance:
        _refuse_while_going(instance, name)
        lock = WriterLock(environment.warehouse.with_name(LOCK_FILE))
        lock.acquire(f"cx-intel remove {name}", wait_seconds=environment.lock_wait_seconds, on_wait=on_wait)
        try:
            _refuse_while_going(instance, name)
            yield instance
        finally:
            lock.release()


def _refuse_while_going(instance: dg.DagsterInstance, name: str) -> None:
    if going := runs_of(instance, name, GOING):
        told = ", ".join(f"{run.run_id[:8]} ({run.status.value.lower()})" for run in going)
        raise WarehouseError(f"A run of {name} is going: {told}. Cancel it or let it end. Nothing was removed.")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _forget(instance: dg.DagsterInstance, name: str) -> None:
    """Runs, assets, and the states and ticks of schedules and sensors."""
    forget_runs(instance, runs_of(instance, name, (*ENDED, *NEVER_LAUNCHED)))
    forget_assets(instance, name)
    storage = instance.schedule_storage
    automation = {f"{name}_{part}" for part in AUTOMATION}
    for state in instance.all_instigator_state() if storage else ():
        if storage and state.instigator_name in automation:
            storage.purge_ticks(state.instigator_origin_id, state.selector_id, before=time.time())
            storage.delete_instigator_state(state.instigator_origin_id, state.selector_id)
    compact(instance, whatever_is_empty=True)  # deleted rows stay in the file until then
