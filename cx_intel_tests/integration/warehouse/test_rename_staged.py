"""Rows that were judged are those of their table without being written again, in one transaction with all the rest."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest

from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse

MONDAY, TUESDAY = date(2025, 1, 6), date(2025, 1, 7)
SCHEMA = ibis.schema({"day": "date", "x": "int64"})
JUDGED = ibis.schema({**SCHEMA, "_reason": "string"})


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    file = tmp_path / "warehouse.duckdb"
    yield DuckDBWarehouse(open_warehouse(file), "s")
    close_warehouse(file)


def put(warehouse: DuckDBWarehouse, days: list[date], values: list[int], *, fails: bool = False) -> None:
    judged = pd.DataFrame({"day": days, "x": values, "_reason": pd.array([None] * len(days), dtype="string")})
    with warehouse.transaction():
        warehouse.stage("judged", [judged], like=JUDGED)
        warehouse.rename_staged("judged", "t", like=SCHEMA)
        if fails:
            raise ValueError("the run ends here")
        warehouse.swap("t", column="day", days=sorted(set(days)))


def stands(warehouse: DuckDBWarehouse) -> list[tuple[date, int]]:
    return [(row["day"], row["x"]) for row in warehouse.rows(warehouse.table("t").order_by("day", "x"))]


def test_the_columns_that_are_not_wanted_go_and_the_rows_are_the_tables(warehouse: DuckDBWarehouse) -> None:
    put(warehouse, [MONDAY, TUESDAY, TUESDAY], [1, 2, 3])
    assert warehouse.table("t").schema() == SCHEMA
    assert stands(warehouse) == [(MONDAY, 1), (TUESDAY, 2), (TUESDAY, 3)]
    assert warehouse.tables() == ["t"]


def test_later_days_take_the_place_of_those_before(warehouse: DuckDBWarehouse) -> None:
    put(warehouse, [MONDAY, TUESDAY], [1, 2])
    put(warehouse, [TUESDAY], [5])
    assert stands(warehouse) == [(MONDAY, 1), (TUESDAY, 5)]


def test_what_an_aborted_run_has_staged_for_the_table_goes(warehouse: DuckDBWarehouse) -> None:
    warehouse.stage("t", [pd.DataFrame({"day": [MONDAY], "x": [99]})], like=SCHEMA)
    put(warehouse, [MONDAY], [1])
    assert stands(warehouse) == [(MONDAY, 1)]


def test_a_failure_leaves_the_table_and_no_staged_write(warehouse: DuckDBWarehouse) -> None:
    put(warehouse, [MONDAY], [1])
    with pytest.raises(ValueError, match="the run ends here"):
        put(warehouse, [MONDAY, TUESDAY], [2, 3], fails=True)
    assert stands(warehouse) == [(MONDAY, 1)]
    assert warehouse.database.staged_writes() == []


def test_filters_find_rows_after_the_file_was_closed_and_opened(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    put(warehouse, [MONDAY] * 130_000 + [TUESDAY], list(range(130_001)))
    close_warehouse(tmp_path / "warehouse.duckdb")
    again = DuckDBWarehouse(open_warehouse(tmp_path / "warehouse.duckdb"), "s")
    rows = again.table("t")
    assert again.count(rows.filter(rows.day == ibis.literal(TUESDAY))) == 1
    assert again.count(rows.filter(rows.x >= 129_990)) == 11
