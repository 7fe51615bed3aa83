"""Refreshes of the small company in processes of their own: to be watched, killed, starved and locked out.

Each process comes from a server that has the modules loaded and no connection open, so that it starts at once. What is
tested with it: `test_crashes.py`, `test_a_month.py`.
"""

import ctypes
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import dagster as dg

from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.runs import Outcome, refresh
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import SmallCompany

FILES = ("dashboard", "exports", "weekly_brief")
"""Assets that are files for people and no tables: left out, they take as long as all tables."""
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Hardship:
    """What a process has to cope with.

    Attributes:
        killed_in_swap: It is killed in this transaction that replaces a table, counted from 1, before it commits.
        largest_file: It cannot write files of more bytes.
        no_privileges: Permissions of files hold for it even if it runs as root.
        lock_wait_seconds: How long it waits for another run.
    """

    killed_in_swap: int = 0
    largest_file: int = 0
    no_privileges: bool = False
    lock_wait_seconds: float = 5


@cache
def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


class RefreshProcess:
    """A refresh that has been started elsewhere; `step` and `outcome` wait for what it tells."""

    def __init__(self, company: SmallCompany, day: date, hardship: Hardship = Hardship()):
        self._pipe, theirs = server().Pipe(duplex=False)
        company.variables["CX_LOCK_WAIT_SECONDS"] = str(hardship.lock_wait_seconds)
        self._process: BaseProcess = server().Process(
            target=_refresh, args=(company.folder, company.variables, day, hardship, theirs)
        )
        self._process.start()
        theirs.close()
        self.steps: list[tuple[float, str, int | None]] = []
        self._outcome: Outcome | None = None

    def step(self) -> tuple[float, str, int | None] | None:
        """When which table was begun (rows None) or done; None when no more are to come."""
        if not self._pipe.poll(PATIENCE_SECONDS):
            raise TimeoutError(f"nothing for {PATIENCE_SECONDS} seconds after {self.steps[-1:]}")
        try:
            told = self._pipe.recv()
        except EOFError:
            return None
        if isinstance(told, Outcome):
            self._outcome = told
            return None
        self.steps.append(told)
        return told

    def kill(self) -> None:
        """kill -9, as by a power cut."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join(PATIENCE_SECONDS)

    def outcome(self) -> Outcome | None:
        """What became of it; None when it was killed."""
        while self.step():
            pass
        self._process.join(PATIENCE_SECONDS)
        return self._outcome

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode


@contextmanager
def refreshing(company: SmallCompany, day: date, hardship: Hardship = Hardship()) -> Iterator[RefreshProcess]:
    """A refresh in a process of its own, which ends with the block at the latest."""
    process = RefreshProcess(company, day, hardship)
    try:
        yield process
    finally:
        if process.exit_code is None:
            process.kill()


def _refresh(folder: Path, variables: dict[str, str], day: date, hardship: Hardship, pipe: Connection) -> None:
    company = SmallCompany(folder)
    company.variables.update(variables)
    if hardship.largest_file:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hardship.largest_file, hardship.largest_file))
    if hardship.no_privileges:
        _drop_privileges()
    if hardship.killed_in_swap:
        _die_in_swap(hardship.killed_in_swap)
    definitions = build_definitions(company.environment)
    with company.instance() as instance:
        outcome = run(company, day, definitions, instance, pipe)
    pipe.send(outcome)


def run(
    company: SmallCompany, day: date, definitions: dg.Definitions, instance: dg.DagsterInstance, pipe: Connection
) -> Outcome:
    return refresh(
        definitions,
        company.name,
        day,
        instance,
        on_step=lambda table, rows: pipe.send((time.monotonic(), table, rows)),
        without=FILES,
    )


def _die_in_swap(number: int) -> None:
    """Dies where the new rows are in place and nothing is committed yet."""
    left = number
    remember = DuckDBWarehouse._remember

    def dying(self: DuckDBWarehouse, table: str, state: Mapping[date, str]) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        remember(self, table, state)

    DuckDBWarehouse._remember = dying  # type: ignore[method-assign]


def _drop_privileges() -> None:
    """Gives all Linux capabilities up; a user other than root has none."""
    version_3, this_process = 0x20080522, 0
    header = (ctypes.c_uint32 * 2)(version_3, this_process)
    none = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")
