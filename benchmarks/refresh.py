"""Where the time of a repeated refresh goes: by step, and by what is done in it.

    python benchmarks/refresh.py [portfolio] [--day 2026-10-31] [--rounds 2]

Refreshes a shipped portfolio in a folder of its own, first once to fill it, then again for the same day, and splits the
seconds of the last rounds by the clock: compiling expressions to SQL, executing SQL, what Dagster records, and the rest.
All of that is in one process. Then the command itself, from its start to its end, in turns with and without the second
process that compiles ahead (`cx_intel.ahead`). With nothing changed in the code the figures of two calls differ by some
tenths; a regression shows as a step or a kind of work that grew.
"""

import argparse
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from ibis.backends.duckdb import Backend

from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import refresh
from cx_intel.settings.environment import read_environment
from cx_intel.warehouse.duckdb import opening

FILES = ("dashboard", "exports", "weekly_brief", "published")
KINDS = ("compile", "execute", "record", "rest")


class Clock:
    """Seconds by step and kind of work; what is done within other work counts where it is done."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.step, self._kinds, self._since = "start", ["rest"], time.perf_counter()

    def _charge(self) -> None:
        now = time.perf_counter()
        self.seconds[self.step, self._kinds[-1]] += now - self._since
        self._since = now

    def begin(self, table: str, rows: int | None) -> None:
        if rows is None:
            self._charge()
            self.step = table

    def timed(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **keys: Any) -> Any:
            self._charge()
            self._kinds.append(kind)
            try:
                return function(*args, **keys)
            finally:
                self._charge()
                self._kinds.pop()

        return wrapper

    def stop(self) -> dict[tuple[str, str], float]:
        self._charge()
        return dict(self.seconds)


class TimedConnection:
    """A DuckDB connection whose statements are timed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, clock: Clock):
        self._connection, self._clock = connection, clock

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._connection, name)
        return self._clock.timed("execute", value) if name in ("execute", "sql", "register") else value


@contextmanager
def watched(clock: Clock) -> Iterator[None]:
    """Compiling, executing and recording are timed within the block."""
    connect = opening._connect
    kept = (Backend.compile, Backend.execute, dg.DagsterInstance.handle_new_event)
    Backend.compile = clock.timed("compile", kept[0])  # type: ignore[method-assign]
    Backend.execute = clock.timed("execute", kept[1])  # type: ignore[method-assign]
    dg.DagsterInstance.handle_new_event = clock.timed("record", kept[2])  # type: ignore[method-assign]
    opening._connect = lambda *args, **keys: TimedConnection(connect(*args, **keys), clock)  # type: ignore[assignment, return-value]
    try:
        yield
    finally:
        Backend.compile, Backend.execute, dg.DagsterInstance.handle_new_event = kept  # type: ignore[method-assign]
        opening._connect = connect


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("portfolio", nargs="?", default="novacrm")
    arguments.add_argument("--day", type=date.fromisoformat, default=date(2026, 10, 31))
    arguments.add_argument("--rounds", type=int, default=2)
    given = arguments.parse_args()
    rounds: list[dict[tuple[str, str], float]] = []
    with tempfile.TemporaryDirectory() as folder:
        environment = read_environment({"CX_HOME": folder})
        for number in range(given.rounds + 1):
            clock = Clock()
            with instance_of(Path(folder)) as instance, watched(clock):
                definitions = build_definitions(environment, only=[given.portfolio])
                outcome = refresh(definitions, given.portfolio, given.day, instance, clock.begin)
            if not outcome.succeeded:
                raise SystemExit(f"the refresh failed: {outcome.failures}")
            if number:
                rounds.append(clock.stop())
        commands = [_command(given, folder, one) for _ in range(given.rounds) for one in (False, True)]
    cells = {key: statistics.median(r.get(key, 0) for r in rounds) for key in rounds[-1]}
    steps = {step: sum(cells.get((step, kind), 0) for kind in KINDS) for step, _ in cells}
    print(f"{'step':<34}{'seconds':>9}" + "".join(f"{kind:>9}" for kind in KINDS))
    for step in sorted(steps, key=lambda s: -steps[s]):
        print(f"{step:<34}{steps[step]:>9.2f}" + "".join(f"{cells.get((step, kind), 0):>9.2f}" for kind in KINDS))
    print(f"{'all':<34}{sum(steps.values()):>9.2f}" + "".join(_sums(cells, kind) for kind in KINDS))
    files = sum(steps.get(step, 0) for step in FILES)
    print(f"{'of it files and the copy':<34}{files:>9.2f}")
    with_second, alone = statistics.median(commands[::2]), statistics.median(commands[1::2])
    print(f"{'the command, start to end':<34}{with_second:>9.2f}")
    print(f"{'the same in one process':<34}{alone:>9.2f}   ratio {with_second / alone:.2f}")


def _command(given: argparse.Namespace, home: str, is_alone: bool) -> float:
    words = ["refresh", given.portfolio, "--as-of", given.day.isoformat()]
    off = "ahead.begin = lambda _: None; " if is_alone else ""
    code = f"import sys; from cx_intel import ahead; {off}from cx_intel.__main__ import main; sys.argv[1:] = {words}; main()"
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"CX_HOME": home}, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - began


def _sums(cells: dict[tuple[str, str], float], kind: str) -> str:
    return f"{sum(seconds for (_, of), seconds in cells.items() if of == kind):>9.2f}"


if __name__ == "__main__":
    main()
