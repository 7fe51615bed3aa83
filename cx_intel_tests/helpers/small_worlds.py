"""A small synthetic world, and the days that it begins on."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd
import pyarrow as pa

from cx_intel.demo_data import World, build_world
from cx_intel.settings.sources.synthetic import SyntheticSource
from cx_intel_tests.helpers.builders import shipped

STARTS_ON = date(2023, 1, 1)
EVENTS_FROM = date(2024, 3, 1)
NOTICE_DAYS = 30
EVENT_DAYS = 35


def small(world: str, *, seed: int = 5, accounts: int = 40) -> World:
    return build_world(world=world, seed=seed, accounts=accounts, starts_on=STARTS_ON, events_from=EVENTS_FROM)


def as_text(frame: pd.DataFrame) -> pa.Table:
    """A table as a file would deliver it."""
    with duckdb.connect() as con:
        con.register("frame", frame)
        return con.sql("SELECT COLUMNS(*)::VARCHAR FROM frame").to_arrow_table()


def delivered(name: str, accounts: int, day: date) -> dict[str, pd.DataFrame]:
    """What the made-up company of a shipped portfolio delivers on a day, with the events of the last five weeks."""
    source = shipped(name).source_of("accounts")
    assert isinstance(source, SyntheticSource)
    first = day - timedelta(days=EVENT_DAYS)
    world = build_world(
        world=source.world, seed=source.seed, accounts=accounts, starts_on=source.starts_on, events_from=first
    )
    tables = {t: world.table(t, day) for t in shipped(name).tables if t != "usage_events"}
    days = [world.day("usage_events", first + timedelta(days=n)) for n in range(EVENT_DAYS)]
    return tables | {"usage_events": pd.concat(days)}
