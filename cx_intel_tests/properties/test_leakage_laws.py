"""No leakage: whatever is delivered, or announced by its own date, after a day, nothing of that day moves by a bit.

Over the whole graph of both shipped portfolios: the day of a refresh whose files run on beyond it, and a past day made once
more from a load that was taken weeks later. Files of a vendor's shape over three loads are in `test_replayed_loads.py`.
"""

from datetime import date, timedelta
from functools import cache
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pytest

from cx_intel.contracts.contract import Contract
from cx_intel.demo_data import build_world
from cx_intel.orchestration.assets.backtest.replay import Replay
from cx_intel.orchestration.assets.graph import steps_of
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.synthetic import SyntheticSource
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.later_news import Frames, altered
from cx_intel_tests.helpers.small_worlds import as_text
from cx_intel_tests.helpers.whole_graph import WholeGraph

pytestmark = pytest.mark.slow

MONTH_END, MID_MONTH, LOADED = date(2026, 8, 31), date(2026, 9, 17), date(2026, 10, 10)
"""The past day that is replayed, the day of a refresh, and the day up to which the files tell."""
EVENT_DAYS = 66
ACCOUNTS = {"fleet": 25, "novacrm": 35}
SEEDS = (1, 2)
"""Of the news that are drawn."""
REMEMBERED = ("account_history", "subscription_periods", "revenue_ledger", "restatements")
"""What a replay reads beside the snapshots."""
Rows = list[tuple[Any, ...]]


class Graph(WholeGraph):
    """The snapshots of a day and all that they are made of; whether rules hold is tested elsewhere."""

    def __init__(self, portfolio: Portfolio, as_of: date):
        steps = steps_of(portfolio)
        self.snapshots = {s.table for s in steps if s.contract.kind == "snapshot"} - {
            "quarantine"
        }  # of rows, not of a day
        wanted = {*self.snapshots, *REMEMBERED}
        for step in reversed(steps):
            if step.table in wanted:
                wanted |= {i.table for i in step.inputs}
        super().__init__(portfolio, as_of, only=wanted)

    def broken(self, contract: Contract, *, warnings: bool = False) -> dict[tuple[str, ...], ir.Table]:
        return {}


@cache
def graph(name: str, as_of: date) -> Graph:
    return Graph(shipped(name), as_of)


@cache
def delivered(name: str) -> dict[str, pd.DataFrame]:
    """What the made-up company of a shipped portfolio delivers on the day of the load."""
    source = shipped(name).source_of("accounts")
    assert isinstance(source, SyntheticSource)
    first = MONTH_END - timedelta(days=EVENT_DAYS)
    world = build_world(
        world=source.world, seed=source.seed, accounts=ACCOUNTS[name], starts_on=source.starts_on, events_from=first
    )
    tables = {t: world.table(t, LOADED) for t in shipped(name).tables if t != "usage_events"}
    days = [world.day("usage_events", first + timedelta(days=n)) for n in range((LOADED - first).days + 1)]
    return tables | {"usage_events": pd.concat(days)}


def load(of: Graph, frames: Frames) -> None:
    assert of.run({table: as_text(frame) for table, frame in frames.items()}) == []


def refreshed(of: Graph, frames: Frames) -> dict[str, Rows]:
    """The snapshots of a refresh for the day of the graph."""
    load(of, frames)
    return {table: ordered(of.warehouse.table(table), of) for table in of.snapshots}


def replayed(of: Graph, frames: Frames) -> dict[str, Rows]:
    """The snapshots of the day, made once more from a later load."""
    load(of, frames)
    made = Replay(of.portfolio, of.warehouse).of_day(MONTH_END, tables=of.snapshots)
    return {table: ordered(made[table], of) for table in of.snapshots if table in made}


def ordered(rows: ir.Table, of: Graph) -> Rows:
    return sorted((tuple(row.values()) for row in of.warehouse.rows(rows)), key=repr)


@cache
def as_it_was(name: str, made: Any, as_of: date) -> dict[str, Rows]:
    found: dict[str, Rows] = made(graph(name, as_of), delivered(name))
    assert all(found[table] for table in ("customer_health_scores", "renewal_pipeline", "nrr_outlook"))
    return found


def assert_unmoved(found: dict[str, Rows], expected: dict[str, Rows]) -> None:
    for table, rows in expected.items():
        missing, new = ([r for r in a if r not in b][:2] for a, b in ((rows, found[table]), (found[table], rows)))
        assert (missing, new) == ([], []), f"{table} moved"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", sorted(ACCOUNTS))
def test_what_files_tell_beyond_the_day_of_a_refresh_moves_nothing_of_it(name: str, seed: int) -> None:
    news = altered(delivered(name), MID_MONTH, seed, with_ends=False)
    assert_unmoved(refreshed(graph(name, MID_MONTH), news), as_it_was(name, refreshed, MID_MONTH))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", sorted(ACCOUNTS))
def test_what_came_after_a_past_day_moves_nothing_of_its_replay(name: str, seed: int) -> None:
    news = altered(delivered(name), MONTH_END, seed, with_ends=True)
    assert_unmoved(replayed(graph(name, LOADED), news), as_it_was(name, replayed, LOADED))
