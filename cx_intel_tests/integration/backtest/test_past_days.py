"""Past days of a company that was refreshed three times: what is replayed is what stood there then, and what followed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel.contracts.backtest.past import REPLAYED
from cx_intel.orchestration.assets.backtest import past_days
from cx_intel.orchestration.assets.backtest.past_days import PastDays
from cx_intel.orchestration.assets.backtest.replay import SCORED, Replay
from cx_intel.orchestration.build import build_definitions, load_portfolios
from cx_intel.orchestration.runs import Outcome, backtest
from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

FEBRUARY, MARCH = date(2025, 2, 28), date(2025, 3, 10)
DECEMBER = date(2024, 12, 31)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """After 31 January prices, owners and ends change, and rows come late; everything of it is announced by no date."""
    found = SmallCompany(tmp_path_factory.mktemp("company"))
    assert found.refresh(AS_OF).succeeded
    accounts, contracts = found.tables["accounts"], found.tables["subscriptions"]
    accounts[4]["owner"], accounts[5]["segment"] = "Ben", "SMB"
    accounts.append(accounts[0] | {"account_id": "A13", "account_name": "Late", "signup_date": date(2024, 11, 1)})
    contracts[0]["amount"] = 5  # A01 pays less from February on
    contracts[1]["end_date"] = date(2025, 2, 20)  # A02 leaves
    contracts[5]["end_date"] = date(2025, 1, 10)  # that A06 left in January is known in February
    contracts.append(contracts[0] | {"subscription_id": "S13", "account_id": "A13", "start_date": date(2024, 11, 1)})
    assert found.refresh(FEBRUARY).is_complete
    assert found.refresh(MARCH).is_complete
    return found


@pytest.fixture(scope="module")
def made(company: SmallCompany) -> Outcome:
    definitions = build_definitions(company.environment)
    with company.instance() as instance:
        return backtest(definitions, company.name, MARCH, instance)


@pytest.fixture
def warehouse(company: SmallCompany) -> Iterator[DuckDBWarehouse]:
    with reading(company.warehouse) as database:
        yield DuckDBWarehouse(database, company.name)


def rows(warehouse: DuckDBWarehouse, table: Any, without: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    found = warehouse.rows(table.drop(*without))
    return sorted((tuple(row.values()) for row in found), key=str)


@pytest.mark.parametrize("day", [AS_OF, FEBRUARY])
@pytest.mark.parametrize("table", SCORED)
def test_a_day_replayed_is_the_snapshot_that_was_made_on_it(
    company: SmallCompany, warehouse: DuckDBWarehouse, table: str, day: date
):
    of = load_portfolios(company.environment.portfolios)[company.name]
    replayed = Replay(of, warehouse).of_day(day)[table]
    stored = warehouse.table(table)
    # of deliveries only the newest is remembered
    without = ("contracts_as_of",) if table == "account_snapshot" else ()
    assert rows(warehouse, replayed, without) == rows(warehouse, stored.filter(stored.as_of == day), without)


def test_all_past_days_are_scored(company: SmallCompany, made: Outcome):
    assert made.succeeded, made.failures
    scored = company.query("SELECT scored_on, count(*) FROM backtest_scores GROUP BY 1 ORDER BY 1")
    assert scored == [(DECEMBER, 11), (AS_OF, 11), (FEBRUARY, 10)]
    assert company.query("SELECT DISTINCT as_of FROM backtest_scores") == [(MARCH,)]
    known = company.values("backtest_scores", "attributes_known_from", where=f"scored_on = '{DECEMBER}'")
    assert set(known.values()) == {AS_OF}


def test_what_followed_is_as_known_today(company: SmallCompany, made: Outcome):
    followed = company.values(
        "backtest_outcomes", "is_churned", "is_contracted", by="scored_on || account_id || window_days"
    )
    assert followed["2024-12-31A0230"] == (False, False)
    assert followed["2024-12-31A0260"] == (True, None)
    assert followed["2024-12-31A0160"] == (False, True)
    assert followed["2024-12-31A0630"] == (True, None)
    assert followed["2025-01-31A0630"] == (True, None), "it paid as known then, and had left already"
    assert followed["2025-01-31A0430"] == (False, False)
    assert "2025-01-31A0160" not in followed, "sixty days are not over"


def test_results_say_how_much_is_missing(company: SmallCompany, made: Outcome):
    found = company.values(
        "backtest_results",
        "verdict",
        "events_missing",
        by="window_days",
        where="outcome = 'churn' AND slice = 'all' AND predictor = 'health_score'",
    )
    assert found[30][0] == "too_few_events"


def test_other_settings_are_tried_without_writing(company: SmallCompany, warehouse: DuckDBWarehouse):
    of = load_portfolios(company.environment.portfolios)[company.name]
    before = warehouse.tables()
    tables = PastDays(of, warehouse, prefix="other").tables(MARCH)
    assert {name: warehouse.count(table) for name, table in tables.items()}["backtest_scores"] == 32
    assert warehouse.tables() == before


def test_past_days_made_in_parts_are_those_made_at_once(
    company: SmallCompany, warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
):
    of = load_portfolios(company.environment.portfolios)[company.name]
    at_once = {name: rows(warehouse, table) for name, table in PastDays(of, warehouse, "whole").tables(MARCH).items()}
    monkeypatch.setattr(past_days, "ROWS_AT_ONCE", 1)
    parts = PastDays(of, warehouse, "parts")
    assert {name: rows(warehouse, table) for name, table in parts.tables(MARCH).items()} == at_once
    aside = warehouse.database.connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    mine = {name for (name,) in aside if name.startswith("small.parts_")}
    assert len(mine) == 2 * 3, "scores and signals of each of three days, and nothing that they were made of"
    parts.drop()
    aside = warehouse.database.connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    assert not mine & {name for (name,) in aside}


def test_a_refresh_that_follows_leaves_it_as_it_is_and_a_new_month_makes_it_anew(
    tmp_path: Path, company: SmallCompany, made: Outcome
):
    copy = company.copied(tmp_path)
    copy.settings["backtest"] = {"in_refresh": True}
    first = copy.refresh(MARCH)
    assert first.succeeded, first.failures
    next_day = copy.refresh(date(2025, 3, 11))
    assert {"backtest_scores", "backtest_signals", "backtest_outcomes", "backtest_results"} <= next_day.unchanged
    assert copy.query("SELECT DISTINCT as_of FROM backtest_scores") == [(MARCH,)]
    april = copy.refresh(date(2025, 3, 31))
    assert "backtest_scores" not in april.unchanged
    assert copy.query("SELECT max(scored_on) FROM backtest_scores") == [(date(2025, 3, 31),)]


def test_an_erased_account_is_gone_from_past_days(tmp_path: Path, company: SmallCompany, made: Outcome):
    copy = company.copied(tmp_path)
    home = Home(copy.home, copy.warehouse, copy.home / "warehouse.lock", copy.variables)
    erase(home, copy.name, "account", "A04")
    for table in REPLAYED:
        assert copy.query(
            f"SELECT count(*) FROM {table} WHERE account_id IN ('A04') OR account_id LIKE 'erased-%'"
        ) == [(0,)]
