"""Events by day where the days of the source are UTC's and those of the portfolio are not."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.contracts.staging.accounts import stg_accounts
from cx_intel.orchestration.assets.graph import steps_of
from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio, rows

FIRST = date(2025, 1, 6)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]
HOURS = (0, 6, 12, 18, 23)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    file = tmp_path / "warehouse.duckdb"
    yield DuckDBWarehouse(open_warehouse(file), "small")
    close_warehouse(file)


def book(zone: str) -> Portfolio:
    return portfolio(sources=[{"kind": "synthetic", "world": "novacrm"}], time_zone=zone)


def events_of(day: date) -> pd.DataFrame:
    """What the source delivers of a UTC day: an event at each of five hours, named after day and hour."""
    return pd.DataFrame(
        {
            "event_id": [f"{day.day:02}T{hour:02}" for hour in HOURS],
            "account_id": "A",
            "user_id": "U",
            "event_name": "login",
            "event_timestamp": [datetime(day.year, day.month, day.day, hour) for hour in HOURS],
            DELIVERED_DAY: day,
        }
    )


class Refreshes:
    """The staging of events, day after day."""

    def __init__(self, zone: str, warehouse: DuckDBWarehouse):
        self.of, self.warehouse = book(zone), warehouse
        self.step = next(step for step in steps_of(self.of) if step.table == "stg_usage_events")
        warehouse.stage("stg_accounts", [rows(stg_accounts(self.of), [{"account_id": "A"}])])
        warehouse.swap("stg_accounts")

    def deliver(self, *days: date, version: str = "1") -> None:
        self.warehouse.stage("raw_usage_events", (events_of(day) for day in days))
        self.warehouse.swap("raw_usage_events", column=DELIVERED_DAY, days=days, state=dict.fromkeys(days, version))

    def stage(self, day: date) -> tuple[date, ...]:
        """Stages the day; the days that were built."""
        built = StepRunner(self.step, self.of, self.warehouse).build((day,))
        self.warehouse.swap("stg_usage_events", column="event_date", days=built.days, state=dict(built.state))
        return built.days

    def staged(self) -> dict[str, date]:
        frame = self.warehouse.execute(self.warehouse.table("stg_usage_events"))
        assert frame["event_id"].is_unique
        return {e: pd.Timestamp(d).date() for e, d in zip(frame["event_id"], frame["event_date"], strict=True)}


AUCKLAND = ("Pacific/Auckland", 13)
ZONES = [("UTC", 0), AUCKLAND, ("America/Los_Angeles", -8)]


def known_in(offset: int, last: date) -> dict[str, date]:
    """Every event delivered whose day in the zone is over, with that day."""
    found = {}
    for day in (d for d in DAYS if d <= last):
        for hour in HOURS:
            local = (datetime(day.year, day.month, day.day, hour) + timedelta(hours=offset)).date()
            if FIRST <= local <= last:
                found[f"{day.day:02}T{hour:02}"] = local
    return found


OTHER_ZONES = [pytest.param(*zone, marks=pytest.mark.slow) for zone in ZONES if zone != AUCKLAND]


@pytest.mark.parametrize(("zone", "offset"), [AUCKLAND, *OTHER_ZONES])
def test_no_event_is_lost_or_doubled_when_days_come_one_by_one(
    zone: str, offset: int, warehouse: DuckDBWarehouse
) -> None:
    refreshes = Refreshes(zone, warehouse)
    for day in DAYS:
        refreshes.deliver(day)
        refreshes.stage(day)
        assert refreshes.staged() == known_in(offset, day)


@pytest.mark.parametrize(("zone", "offset"), [AUCKLAND, *OTHER_ZONES])
def test_all_days_at_once_give_the_same(zone: str, offset: int, warehouse: DuckDBWarehouse) -> None:
    refreshes = Refreshes(zone, warehouse)
    refreshes.deliver(*DAYS)
    refreshes.stage(DAYS[-1])
    assert refreshes.staged() == known_in(offset, DAYS[-1])


def test_a_day_that_is_built_is_built_again_only_when_it_is_asked_for_or_changed(warehouse: DuckDBWarehouse) -> None:
    refreshes = Refreshes("UTC", warehouse)
    refreshes.deliver(*DAYS)
    assert refreshes.stage(DAYS[-1]) == tuple(DAYS)
    assert refreshes.stage(DAYS[-1]) == (DAYS[-1],)
    refreshes.deliver(DAYS[1], version="2")
    assert refreshes.stage(DAYS[-1]) == (DAYS[1], DAYS[-1])


def test_a_changed_day_of_the_source_rebuilds_the_days_that_lie_in_it(warehouse: DuckDBWarehouse) -> None:
    refreshes = Refreshes("Pacific/Auckland", warehouse)
    refreshes.deliver(*DAYS)
    refreshes.stage(DAYS[-1])
    refreshes.deliver(DAYS[1], version="2")
    assert refreshes.stage(DAYS[-1]) == (DAYS[1], DAYS[2], DAYS[-1])
