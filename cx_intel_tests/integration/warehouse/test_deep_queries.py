"""Queries that are deeper than Python's calls may be by default: which account each id of many systems belongs to."""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.identity.identity_map import identity_map
from cx_intel.orchestration.assets.lineage import column_sources
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.identity_loads import DELIVERED, ids

pytestmark = pytest.mark.slow

LEFT = 700
"""What is left of the default of 1,000 below the calls of Dagster."""


@pytest.fixture
def limit() -> Iterator[None]:
    """As in a new process, until the test is over."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(LEFT)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("limit")
def test_ids_of_every_table_are_led_to_accounts(tmp_path: Path) -> None:
    own = [{"kind": "files", "table": table, "path": f"{table}.csv"} for table in ("accounts", "identity_links")]
    systems = [{"kind": "files", "table": t, "path": f"{t}.csv", "system": f"of_{t}"} for t in DELIVERED]
    of = portfolio(sources=own + systems)
    file = tmp_path / "w.duckdb"
    try:
        warehouse = DuckDBWarehouse(open_warehouse(file), "deep")
        for table in ("stg_identity_links", "stg_account_aliases", "identity_map"):
            warehouse.stage(table, [contract_of(table, of).no_rows()])
            warehouse.swap(table)
        for table in DELIVERED:
            warehouse.stage(f"raw_{table}", [ids([f"id of {table}"])])
            warehouse.swap(f"raw_{table}")
        rows = identity_map(
            warehouse.table("stg_identity_links"),
            ids(["A"]),
            warehouse.table("stg_account_aliases"),
            *(warehouse.table(f"raw_{table}") for table in DELIVERED),
            portfolio=of,
            as_of=date(2025, 1, 31),
            previous=warehouse.table("identity_map"),
        )
        assert column_sources(rows, {"stg_identity_links"})
        assert warehouse.count(rows) == 1 + len(DELIVERED)
    finally:
        close_warehouse(file)
