"""Retention: days beyond their period go, stay away, and take nothing else with them."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from cx_intel.orchestration.build import load_portfolios
from cx_intel.orchestration.history import ENDED, forget_old_runs, forget_runs, runs_of
from cx_intel.privacy.retention import first_kept, forget_old_days
from cx_intel.settings.base import SettingsError
from cx_intel.settings.retention import RetentionSettings
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.state import WHOLE
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

TABLES = {"scores": "as_of", "fct_usage": "event_date", "quarantine": "as_of"}
PERIODS = RetentionSettings(snapshots_days=40, usage_events_days=92, quarantine_days=1)


@pytest.fixture
def warehouse(tmp_path: Path):
    """A hundred days of three tables, up to AS_OF."""
    opened = DuckDBWarehouse(open_warehouse(tmp_path / "warehouse.duckdb"), "small")
    days = [AS_OF - timedelta(days=n) for n in range(100)]
    for table, column in TABLES.items():
        opened.stage(table, [pd.DataFrame({column: days, "value": range(100)})])
        opened.swap(table, column=column, days=days, state={day: f"made of {day}" for day in days})
    opened.stage("dim_account", [pd.DataFrame({"account_id": ["a"]})])
    opened.swap("dim_account", stands_at=AS_OF)
    yield opened
    close_warehouse(opened.database.path)


def test_each_group_of_tables_keeps_its_period(warehouse: DuckDBWarehouse):
    gone = forget_old_days(warehouse, TABLES, PERIODS)
    assert {g.table: g.rows for g in gone} == {"scores": 60, "fct_usage": 8, "quarantine": 99}
    assert _days(warehouse, "scores") == (AS_OF - timedelta(days=39), AS_OF, 40)
    assert _days(warehouse, "fct_usage", "event_date") == (AS_OF - timedelta(days=91), AS_OF, 92)
    assert _days(warehouse, "quarantine") == (AS_OF, AS_OF, 1)


def test_a_second_time_nothing_goes_and_what_days_were_made_of_stays_known(warehouse: DuckDBWarehouse):
    forget_old_days(warehouse, TABLES, PERIODS)
    assert {g.rows for g in forget_old_days(warehouse, TABLES, PERIODS)} == {0}
    assert len(warehouse.day_state("fct_usage")) == 100
    assert warehouse.day_state("dim_account") == {AS_OF: WHOLE}


def test_without_periods_everything_is_kept(warehouse: DuckDBWarehouse):
    assert forget_old_days(warehouse, TABLES, RetentionSettings()) == []
    assert _days(warehouse, "scores")[2] == 100


def test_tables_that_are_not_there_are_let_be(warehouse: DuckDBWarehouse):
    assert forget_old_days(warehouse, {"absent": "as_of"}, PERIODS) == []
    assert forget_old_days(DuckDBWarehouse(warehouse.database, "other"), TABLES, PERIODS) == []


@pytest.mark.parametrize(
    ("table", "column", "first"),
    [
        ("quarantine", "as_of", AS_OF),
        ("customer_health_scores", "as_of", date(2024, 12, 23)),
        ("stg_usage_events", "event_date", date(2024, 11, 1)),
        ("raw_usage_events", "_day", date(2024, 11, 1)),
    ],
)
def test_the_first_day_kept(table: str, column: str, first: date):
    assert first_kept(table, column, AS_OF, PERIODS) == first


@pytest.mark.slow
def test_a_refresh_ends_with_it_and_the_next_does_not_bring_the_days_back(tmp_path: Path):
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions", "usage_events")
    company.settings["reports"] = {"exports": []}
    old = [
        row | {"event_id": f"old-{n}", "event_timestamp": "2024-06-01T08:00:00"}
        for n, row in enumerate(company.tables["usage_events"][:3])
    ]
    company.tables["usage_events"] += old
    company.settings["retention"] = {"usage_events_days": 92}
    for _ in range(2):
        assert company.refresh(AS_OF).failures == []
        for table in ("stg_usage_events", "fct_usage"):
            ((first, count),) = company.query(f"SELECT min(event_date), count(*) FROM {table}")
            assert (first, count > 100) == (date(2025, 1, 1), True)
    assert company.query("SELECT count(*) FROM account_snapshot_latest") == [(12,)]


@pytest.mark.slow
def test_what_dagster_recorded_of_old_runs_goes_and_nothing_else(tmp_path: Path):
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.settings |= {"reports": {"exports": []}, "retention": {"runs_days": 30}}
    assert [company.refresh(AS_OF).failures for _ in range(2)] == [[], []]
    with company.instance() as instance:
        runs = instance.get_runs()
        assert len(runs) == 2
        assert runs_of(instance, "small", ENDED, datetime(2020, 1, 1, tzinfo=UTC)) == []
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert runs_of(instance, "other", ENDED, tomorrow) == []
        assert len(instance.get_runs()) == 2
        assert len(runs_of(instance, "small", ENDED, tomorrow)) == 2
        small = load_portfolios(company.portfolios)["small"]
        assert forget_old_runs(instance, small, datetime.now(UTC) + timedelta(days=29)) == 0
        said = [forget_old_runs(instance, small, datetime.now(UTC) + timedelta(days=31)) for _ in range(2)]
        assert said == [1, 0], "the last good one stays"
        assert [run.run_id for run in instance.get_runs()] == [runs[0].run_id]
        assert instance.get_records_for_run(runs[1].run_id).records == []
        assert forget_runs(instance, instance.get_runs()) == 1
    assert rows_about(runs[0].run_id, company.home) == rows_about(runs[1].run_id, company.home) == {}
    assert company.query("SELECT count(*) FROM dim_account") == [(12,)]


def rows_about(run_id: str, home: Path) -> dict[str, int]:
    """Table of Dagster's storages: how many of its rows name a run."""
    found = {}
    for file in sorted((home / "dagster").glob("*.db")):
        with closing(sqlite3.connect(file)) as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
                if "run_id" in columns:
                    query = f"SELECT count(*) FROM {table} WHERE run_id = ?"
                    if count := connection.execute(query, [run_id]).fetchone()[0]:
                        found[table] = count
    return found


def test_what_dagster_keeps_has_a_period_by_default():
    assert RetentionSettings().runs_days == 90
    assert not RetentionSettings().is_on


def test_a_period_shorter_than_a_signal_looks_back_is_refused(tmp_path: Path):
    company = SmallCompany(tmp_path)
    health = company.settings["health"]
    measure = {"kind": "event_count", "events": ["login"], "window_days": 60}
    signals = health["signals"] | {"logins_30d": {"label": "Logins", "measure": measure}}
    company.settings |= {"health": health | {"signals": signals}, "retention": {"usage_events_days": 100}}
    company.write()
    with pytest.raises(SettingsError, match=r"retention.usage_events_days: is 100, shorter than twice .* logins_30d"):
        load_portfolio(company.portfolios / "small.yaml")


def _days(warehouse: DuckDBWarehouse, table: str, column: str = "as_of") -> tuple:
    query = f'SELECT min("{column}"), max("{column}"), count(*) FROM small."{table}"'
    return warehouse.database.connection.execute(query).fetchone()
