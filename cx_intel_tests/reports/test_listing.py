"""Rows shown at a terminal: in the order of ranks, of one day, and short."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import ibis
import pytest

from cx_intel.reports.listing import as_text, table_rows
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseError
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_tables import WEEK_BEFORE, accounts_of, fill, listed

FLEET = shipped("fleet")
NAMES = ["Ada", "Berta", "Cora"]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    """The list lies from its last row to its first, accounts in no order."""
    tables = {
        "cs_intervention_list": [*listed(["Then"], WEEK_BEFORE), *reversed(listed(NAMES))],
        "account_snapshot": [accounts_of(NAMES)[n] for n in (2, 0, 1)],
        "dim_account": [],
    }
    path = fill(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb", FLEET, tables)
    opened = DuckDBWarehouse(open_warehouse(path), "fleet")
    opened.stage("raw_notes", [ibis.memtable({"n": [2, 1, 3], "share": [92.00000000000001, None, 0.5]})])
    opened.swap("raw_notes", stands_at=AS_OF)
    opened.database.connection.execute(
        f"CREATE OR REPLACE VIEW fleet.cs_intervention_list_latest AS "
        f"FROM fleet.cs_intervention_list WHERE as_of = DATE '{AS_OF}'"
    )
    yield opened
    close_warehouse(path)


def test_a_list_comes_by_rank_and_the_newest_day_first(warehouse: DuckDBWarehouse):
    found = table_rows(warehouse, "cs_intervention_list", FLEET, limit=10)
    assert list(found["account_name"]) == [*NAMES, "Then"]
    newest = table_rows(warehouse, "cs_intervention_list_latest", FLEET, limit=2)
    assert list(newest["priority_rank"]) == ["1", "2"]


def test_other_tables_come_by_grain_and_unknown_ones_as_they_lie(warehouse: DuckDBWarehouse):
    assert list(table_rows(warehouse, "account_snapshot", FLEET, limit=10)["account_name"]) == NAMES
    notes = table_rows(warehouse, "raw_notes", FLEET, limit=10)
    assert notes.to_dict("list") == {"n": ["2", "1", "3"], "share": ["92.0", None, "0.5"]}


def test_a_day_is_chosen(warehouse: DuckDBWarehouse):
    found = table_rows(warehouse, "cs_intervention_list", FLEET, limit=10, as_of=WEEK_BEFORE)
    assert found[["account_name", "as_of"]].values.tolist() == [["Then", WEEK_BEFORE.isoformat()]]
    with pytest.raises(WarehouseError, match=f"no rows as of 2020-01-01; its days are from {WEEK_BEFORE} to {AS_OF}"):
        table_rows(warehouse, "cs_intervention_list", FLEET, limit=10, as_of=date(2020, 1, 1))
    with pytest.raises(WarehouseError, match="'dim_account' has no column as_of"):
        table_rows(warehouse, "dim_account", FLEET, limit=10, as_of=AS_OF)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (92.00000000000001, "92.0"),
        (1 / 3, "0.3333"),
        (float("nan"), None),
        (None, None),
        (Decimal("10.50"), "10.50"),
        (3, "3"),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20), "2026-11-20 00:00:00"),
        (True, "True"),
    ],
)
def test_values_are_short(value: object, text: str | None):
    assert as_text(value) == text
