"""Where the time of a repeated refresh goes: by step, by what is done in it, and from start to end of the command.

    python benchmarks/refresh.py [portfolio] [--day 2026-10-31] [--rounds 2] [--portfolios examples]

Refreshes a portfolio in a folder of its own, first once to fill it, then again for the same day with every step
executed, and splits the last rounds, by the clock and of the processor: compiling expressions to SQL, executing SQL,
what Dagster records, and the rest. Then the command itself, from its start to its end: with nothing new, with every step
executed, and for the next day; and the imports alone, all with the processor time that they took. With nothing changed
in the code the figures of two calls differ by some tenths; a regression shows as a step or a kind of work that grew. On
a loaded machine compare processor time, and figures of one call.
"""

import argparse
import functools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import dagster as dg
import duckdb

from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import refresh
from cx_intel.settings.environment import read_environment
from cx_intel.warehouse.duckdb.access import opening
from cx_intel.warehouse.duckdb.database import SelectsAsWritten

FILES = ("dashboard", "exports", "weekly_brief", "published")
IMPORTED = "cx_intel.definitions"
KINDS = ("compile", "execute", "record", "rest")
Seconds: TypeAlias = tuple[float, float]
"""By the clock, and of the processor."""
Cells: TypeAlias = dict[tuple[str, str], Seconds]
"""Step and kind of work: what it took."""


class Clock:
    """Seconds by step and kind of work; what is done within other work counts where it is done."""

    def __init__(self) -> None:
        self.seconds: Cells = defaultdict(lambda: (0.0, 0.0))
        self.step, self._kinds, self._since = "start", ["rest"], _now()

    def _charge(self) -> None:
        now, cell = _now(), (self.step, self._kinds[-1])
        self.seconds[cell] = _sum([self.seconds[cell], (now[0] - self._since[0], now[1] - self._since[1])])
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

    def stop(self) -> Cells:
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
    backend = SelectsAsWritten
    kept = (backend.compile, backend.execute, dg.DagsterInstance.handle_new_event)
    backend.compile = clock.timed("compile", kept[0])  # type: ignore[method-assign]
    backend.execute = clock.timed("execute", kept[1])  # type: ignore[method-assign]
    dg.DagsterInstance.handle_new_event = clock.timed("record", kept[2])  # type: ignore[method-assign]
    opening._connect = lambda *args, **keys: TimedConnection(connect(*args, **keys), clock)  # type: ignore[assignment, return-value]
    try:
        yield
    finally:
        backend.compile, backend.execute, dg.DagsterInstance.handle_new_event = kept  # type: ignore[method-assign]
        opening._connect = connect


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("portfolio", nargs="?", default="novacrm")
    arguments.add_argument("--day", type=date.fromisoformat, default=date(2026, 10, 31))
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--portfolios", default="", help="a folder of YAML files; default: those that ship")
    given = arguments.parse_args()
    rounds: list[Cells] = []
    with tempfile.TemporaryDirectory() as folder:
        environment = read_environment(os.environ | _variables(folder, given.portfolios))
        for number in range(given.rounds + 1):
            clock = Clock()
            with instance_of(Path(folder)) as instance, watched(clock):
                definitions = build_definitions(environment, only=[given.portfolio])
                outcome = refresh(definitions, given.portfolio, given.day, instance, clock.begin, rebuild=number > 0)
            if not outcome.succeeded:
                raise SystemExit(f"the refresh failed: {outcome.failures}")
            if number:
                rounds.append(clock.stop())
        variables = _variables(folder, given.portfolios)
        commands = {
            text: [_timed(_command(given.portfolio, day, *more), variables) for day in days]
            for text, days, more in (
                ("the command, nothing new", [given.day] * given.rounds, ()),
                ("the command, every step executed", [given.day] * given.rounds, ("--rebuild",)),
                ("the command, the next day", [given.day + timedelta(days=n + 1) for n in range(given.rounds)], ()),
            )
        }
        imports = [_timed(["-c", f"import {IMPORTED}"], {}) for _ in range(given.rounds)]
    cells = {key: _median([r.get(key, (0, 0)) for r in rounds]) for key in rounds[-1]}
    steps = {step: _sum(cells.get((step, kind), (0, 0)) for kind in KINDS) for step, _ in cells}
    print(f"{'seconds, and of the processor':<34}{'all':>16}" + "".join(f"{kind:>16}" for kind in KINDS))
    for step in sorted(steps, key=lambda s: -steps[s][0]):
        print(_line(step, steps[step], *(cells.get((step, kind), (0, 0)) for kind in KINDS)))
    kinds = [_sum(seconds for (_, of), seconds in cells.items() if of == kind) for kind in KINDS]
    print(_line("all", _sum(steps.values()), *kinds))
    print(_line("of it files and the copy", _sum(steps.get(step, (0, 0)) for step in FILES)))
    for text, several in commands.items():
        print(_line(text, _median(several)))
    print(_line(f"import {IMPORTED}", _median(imports)))


def _command(portfolio: str, day: date, *more: str) -> list[str]:
    return ["-m", "cx_intel", "refresh", portfolio, "--as-of", day.isoformat(), *more]


def _variables(home: str, portfolios: str) -> dict[str, str]:
    return {"CX_HOME": home} | ({"CX_PORTFOLIOS": portfolios} if portfolios else {})


def _timed(words: list[str], variables: dict[str, str]) -> Seconds:
    """Seconds by the clock and of the processor that Python takes for these words."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], env=os.environ | variables, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _now() -> Seconds:
    return time.perf_counter(), time.process_time()


def _sum(several: Iterable[Seconds]) -> Seconds:
    wall, processor = 0.0, 0.0
    for seconds in several:
        wall, processor = wall + seconds[0], processor + seconds[1]
    return wall, processor


def _median(several: Sequence[Seconds]) -> Seconds:
    wall, processor = zip(*several, strict=True)
    return statistics.median(wall), statistics.median(processor)


def _line(text: str, *several: Seconds) -> str:
    return f"{text:<34}" + "".join(f"{wall:>9.2f}{processor:>7.2f}" for wall, processor in several)


if __name__ == "__main__":
    main()
