"""What a day costs with a long history behind it, against what it costs with a short one: at most 1.3 times.

    python benchmarks/daily_refresh.py [--accounts 20000] [--events 20000] [--short 40] [--long 400] [--rounds 3]

The novacrm portfolio on its synthetic world, scaled. Each history begins with a first refresh over all days of events;
the snapshots of the earlier days are then multiplied by SQL from the first one, because a run for each of 400 days would
take a day. Then the two are refreshed day by day in turns, so that both meet the same machine. Prints the medians, their
ratio, and the steps that differ most. Exit status 1 when the ratio is above the limit.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from ruamel.yaml import YAML

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.orchestration.assets.delivery import raw
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import refresh
from cx_intel.settings.environment import SHIPPED_PORTFOLIOS, read_environment
from cx_intel.settings.yaml.loader import load_portfolio

LIMIT = 1.3
LAST = date(2026, 9, 30)
"""The day of the first refresh, a Wednesday; the days that are measured follow."""


class History:
    """A home with so many days behind it."""

    def __init__(self, folder: Path, *, accounts: int, days: int):
        self.days, self.home, self.portfolios = days, folder / "home", folder / "portfolios"
        self.portfolios.mkdir(parents=True)
        with (SHIPPED_PORTFOLIOS / "novacrm.yaml").open(encoding="utf-8") as file:
            settings = YAML(typ="safe", pure=True).load(file)
        settings["sources"][0] |= {"accounts": accounts, "events_from": LAST - timedelta(days=days - 1)}
        settings["as_of"] |= {"first_snapshots": []}
        with (self.portfolios / "novacrm.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(settings, file)
        self.environment = read_environment({"CX_HOME": str(self.home), "CX_PORTFOLIOS": str(self.portfolios)})
        self.portfolio = load_portfolio(self.portfolios / "novacrm.yaml")

    def refresh(self, day: date) -> dict[str, float]:
        """Processor seconds of each step and of `all steps`, which other work on the machine leaves alone, and the
        seconds by the clock in `total`.
        """
        begun: list[tuple[str, float]] = []

        def note(table: str, rows: int | None) -> None:
            if rows is None:
                begun.append((table, time.process_time()))

        definitions = build_definitions(self.environment)
        with instance_of(self.home) as instance:
            by_clock, started = time.perf_counter(), time.process_time()
            outcome = refresh(definitions, "novacrm", day, instance, note)
            by_clock, ended = time.perf_counter() - by_clock, time.process_time()
        if not outcome.succeeded:
            raise SystemExit(f"the refresh of {day} failed: {outcome.failures}")
        following = [at for _, at in begun[1:]] + [ended]
        steps = {table: until - at for (table, at), until in zip(begun, following, strict=True)}
        before = {"before the first step": begun[0][1] - started}
        return {**steps, **before, "all steps": ended - started, "total": by_clock}

    def multiply_snapshots(self) -> None:
        """Gives each snapshot table a partition for every day of the history, like the first one."""
        with duckdb.connect(str(self.environment.warehouse)) as connection:
            for table in tables_of(self.portfolio):
                if contract_of(table, self.portfolio).kind != "snapshot":
                    continue
                name = f'novacrm."{table}"'
                earlier = {"as_of": "(t.as_of - n::INTEGER)::DATE"}
                if table == "lifecycle_events":
                    earlier["event_id"] = "t.event_id || n"
                replaced = ", ".join(f"{value} AS {column}" for column, value in earlier.items())
                connection.execute(
                    f"INSERT INTO {name} SELECT t.* REPLACE ({replaced}) FROM (FROM {name} WHERE as_of = ?) AS t "
                    "CROSS JOIN range(1, ?) AS days(n) ORDER BY n",
                    [LAST, self.days],
                )

    def rows(self) -> dict[str, int]:
        with duckdb.connect(str(self.environment.warehouse), read_only=True) as connection:
            found = connection.execute(
                "SELECT table_name, estimated_size FROM duckdb_tables() WHERE schema_name = 'novacrm'"
            )
            return dict(found.fetchall())


class Thinned:
    """A world with so many events a day."""

    def __init__(self, world: Any, events: int):
        self.world, self.events = world, events

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    def day(self, table: str, day: date) -> pd.DataFrame:
        rows: pd.DataFrame = self.world.day(table, day)
        return rows.sample(min(self.events, len(rows)), random_state=day.toordinal())


def thin_worlds(events: int) -> None:
    whole = raw.world_of
    raw.world_of = lambda source: Thinned(whole(source), events)  # type: ignore[assignment, return-value]


def measured(short: History, long: History, rounds: int) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    for n in range(1, rounds + 2):
        day = LAST + timedelta(days=n)
        seconds = short.refresh(day), long.refresh(day)
        print(
            f"{day}: {seconds[0]['total']:6.1f} s with {short.days} days, {seconds[1]['total']:6.1f} s with {long.days}"
        )
        if n > 1:  # the first warms both up
            yield seconds


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("accounts", 20_000), ("events", 20_000), ("short", 40), ("long", 400), ("rounds", 3)):
        arguments.add_argument(f"--{name}", type=int, default=default)
    arguments.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    given = arguments.parse_args()
    thin_worlds(given.events)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        both = [
            History(Path(folder) / str(days), accounts=given.accounts, days=days) for days in (given.short, given.long)
        ]
        for history in both:
            first = history.refresh(LAST)["total"]
            history.multiply_snapshots()
            rows, size = history.rows(), history.environment.warehouse.stat().st_size
            print(
                f"{history.days} days: first refresh {first:.1f} s, {sum(rows.values()):,} rows, {size / 1e6:,.0f} MB"
            )
        runs = list(measured(*both, rounds=given.rounds))
    medians = [{step: statistics.median(run[n].get(step, 0) for run in runs) for step in runs[0][n]} for n in (0, 1)]
    ratio = medians[1]["total"] / medians[0]["total"]
    print(f"\n{'step':<36}{given.short:>6} days{given.long:>6} days   more")
    for step in sorted(medians[1], key=lambda s: medians[0].get(s, 0) - medians[1][s])[:15]:
        less, more = medians[0].get(step, 0), medians[1][step]
        print(f"{step:<36}{less:>9.2f} s{more:>9.2f} s{more - less:>+7.2f} s")
    by_processor = medians[1]["all steps"] / medians[0]["all steps"]
    print(f"\nratio {ratio:.2f} by the clock, {by_processor:.2f} by processor time; limit {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
