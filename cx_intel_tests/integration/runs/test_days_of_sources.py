"""Of several sources of accounts the loads are kept that brought anything new, each source's by itself."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from cx_intel.orchestration.assets.staging.source_days import SourceDays
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio

MON, TUE, WED = (date(2025, 1, day) for day in (6, 7, 8))
OF = portfolio(
    sources=[
        {"kind": "files", "table": "accounts", "path": "crm.csv", "name": "crm"},
        {"kind": "files", "table": "accounts", "path": "billing.csv", "name": "billing", "system": "billing"},
        {"kind": "files", "table": "subscriptions", "path": "s.csv"},
    ]
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    file = tmp_path / "warehouse.duckdb"
    yield DuckDBWarehouse(open_warehouse(file), "small")
    close_warehouse(file)


def load(warehouse: DuckDBWarehouse, day: date, crm: list[str], billing: list[str]) -> list[tuple[str, date, int]]:
    """Two sources deliver the names of accounts; the loads that are kept, with their rows."""
    for part, names in {"accounts": crm, "accounts__billing": billing}.items():
        frame = pd.DataFrame({"account_id": [f"A{n}" for n in range(len(names))], "account_name": names}, dtype="str")
        warehouse.stage(f"raw_{part}", [frame])
        warehouse.swap(f"raw_{part}")
    SourceDays("accounts", OF, warehouse).keep([], day)
    kept = warehouse.rows(warehouse.table("days_of_sources"))
    return sorted((row["source_name"], row["day"], row["rows"]) for row in kept)


def test_a_source_that_is_read_again_unchanged_has_delivered_nothing(warehouse: DuckDBWarehouse) -> None:
    assert load(warehouse, MON, ["Ada"], ["Ada Ltd"]) == [("billing", MON, 1), ("crm", MON, 1)]
    assert load(warehouse, TUE, ["Ada"], ["Ada Ltd", "Bo Ltd"])[1:] == [("billing", TUE, 2), ("crm", MON, 1)]
    renamed = [("billing", MON, 1), ("billing", TUE, 2), ("crm", MON, 1), ("crm", WED, 1)]
    assert load(warehouse, WED, ["Eve"], ["Ada Ltd", "Bo Ltd"]) == renamed


def test_a_repeated_day_replaces_what_it_kept_and_an_earlier_one_keeps_nothing(warehouse: DuckDBWarehouse) -> None:
    load(warehouse, MON, ["Ada"], ["Ada Ltd"])
    load(warehouse, TUE, ["Eve"], ["Ada Ltd"])
    assert load(warehouse, TUE, ["Ada"], ["Ada Ltd"]) == [("billing", MON, 1), ("crm", MON, 1)]
    load(warehouse, WED, ["Ada"], ["Eve Ltd"])
    assert load(warehouse, TUE, ["Bo"], ["Bo Ltd"])[-1] == ("crm", MON, 1)


def test_a_source_that_delivers_no_row_has_delivered_nothing(warehouse: DuckDBWarehouse) -> None:
    assert load(warehouse, MON, [], ["Ada Ltd"]) == [("billing", MON, 1)]
