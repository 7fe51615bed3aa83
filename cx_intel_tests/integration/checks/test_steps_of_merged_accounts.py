"""Events that a source delivers by day are staged anew when an account that they name is merged later, and only those."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.contracts.staging.accounts import stg_account_aliases, stg_accounts
from cx_intel.orchestration.assets.graph import steps_of
from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio, rows

MONDAY, TUESDAY, WEDNESDAY = (date(2025, 1, day) for day in (6, 7, 8))
BOOK = portfolio(
    sources=[
        {"kind": "synthetic", "world": "novacrm"},
        {"kind": "files", "table": "account_aliases", "path": "account_aliases.csv"},
    ]
)
STEP = next(step for step in steps_of(BOOK) if step.table == "stg_usage_events")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    """Events of A on Monday and Tuesday, of B on Tuesday and Wednesday."""
    file = tmp_path / "warehouse.duckdb"
    made = DuckDBWarehouse(open_warehouse(file), "small")
    days = {MONDAY: ["A"], TUESDAY: ["A", "B"], WEDNESDAY: ["B"]}
    made.stage("raw_usage_events", (events(day, accounts) for day, accounts in days.items()))
    made.swap("raw_usage_events", column=DELIVERED_DAY, days=tuple(days), state=dict.fromkeys(days, "1"))
    yield made
    close_warehouse(file)


def events(day: date, accounts: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "event_id": [f"{day.day}-{account}" for account in accounts],
            "account_id": accounts,
            "user_id": "U",
            "event_name": "login",
            "event_timestamp": datetime(day.year, day.month, day.day, 12),
            DELIVERED_DAY: day,
        }
    )


def staged(warehouse: DuckDBWarehouse, accounts: str, *merged: tuple[str, str]) -> tuple[date, ...]:
    """The days that a refresh of Wednesday builds."""
    warehouse.stage("stg_accounts", [rows(stg_accounts(BOOK), [{"account_id": account} for account in accounts])])
    warehouse.swap("stg_accounts")
    given = [{"old_account_id": old, "account_id": new} for old, new in merged]
    warehouse.stage("stg_account_aliases", [rows(stg_account_aliases(BOOK), given)])
    warehouse.swap("stg_account_aliases")
    built = StepRunner(STEP, BOOK, warehouse).build((WEDNESDAY,))
    warehouse.swap("stg_usage_events", column="event_date", days=built.days, state=dict(built.state))
    return built.days


def test_days_that_name_a_merged_account_are_built_again(warehouse: DuckDBWarehouse) -> None:
    assert staged(warehouse, "AB") == (MONDAY, TUESDAY, WEDNESDAY)
    assert staged(warehouse, "AB") == (WEDNESDAY,)
    assert staged(warehouse, "B", ("A", "B")) == (MONDAY, TUESDAY, WEDNESDAY)
    found = warehouse.execute(warehouse.table("stg_usage_events"))
    assert sorted(zip(found["event_id"], found["account_id"], strict=True)) == [
        ("6-A", "B"),
        ("7-A", "B"),
        ("7-B", "B"),
        ("8-B", "B"),
    ]
    assert staged(warehouse, "B", ("A", "B")) == (WEDNESDAY,)
    assert staged(warehouse, "B", ("A", "B"), ("X", "B")) == (WEDNESDAY,), "no event names X"
