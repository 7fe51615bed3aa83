"""Rows of several days put aside in one query are those of each day by itself."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.warehouse.duckdb import aside
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.many_days import of_many_days
from cx_intel.warehouse.protocol import ASIDE_DAY

DAYS = [date(2024, 2, 29), date(2024, 3, 31), date(2024, 12, 31)]
LIKE = ibis.schema({"account_id": "string", "events": "int64", "last": "date", "place": "int64", "others": "int64"})
ROWS = [
    {"account_id": account, "day": date(2024, 1, 1) + timedelta(days=step * n)}
    for account, step in (("A", 1), ("B", 7), ("C", 40))
    for n in range(0, 400 // step)
]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    file = tmp_path / "warehouse.duckdb"
    found = DuckDBWarehouse(open_warehouse(file), "small")
    found.stage("events", [ibis.memtable(ROWS, schema={"account_id": "string", "day": "date"})])
    found.swap("events")
    yield found
    close_warehouse(file)


def counted(events: ir.Table, day: date) -> ir.Table:
    """Windows, aggregates, a join with itself and numbers that follow from the day: what models are made of."""
    rows = events.filter(events.day <= ibis.literal(day), events.day >= ibis.literal(day - timedelta(days=29)))
    found = rows.group_by("account_id").agg(events=rows.count(), last=rows.day.max())
    found = found.mutate(place=ibis.row_number().over(ibis.window(order_by=found.last.desc())) * day.day)
    other = found.view()
    pairs = found.left_join(other, found.account_id < other.account_id)
    pairs = pairs.group_by("account_id").agg(others=other.account_id.count())
    joined = found.inner_join(pairs, "account_id")
    return joined.filter(joined.events < ibis.literal(day.month + 100))


def fetched(rows: ir.Table, warehouse: DuckDBWarehouse) -> list[dict[str, Any]]:
    return sorted(warehouse.rows(rows), key=lambda row: tuple(map(str, row.values())))


def one_by_one(make: Callable[[date], ir.Table], warehouse: DuckDBWarehouse) -> list[dict[str, Any]]:
    found = [
        {ASIDE_DAY: day, **row}
        for day in DAYS
        for row in warehouse.rows(warehouse.keep_for_now("one", make(day), LIKE))
    ]
    return sorted(found, key=lambda row: tuple(map(str, row.values())))


def test_all_days_at_once_are_each_day_by_itself(warehouse: DuckDBWarehouse):
    def make(day: date) -> ir.Table:
        return counted(warehouse.table("events"), day)

    parameters = of_many_days(make, DAYS)
    assert parameters is not None
    assert len(parameters.values) > 3
    assert fetched(warehouse.put_aside("all", make, DAYS, LIKE), warehouse) == one_by_one(make, warehouse)


def test_days_whose_queries_differ_are_made_one_after_the_other(warehouse: DuckDBWarehouse):
    def make(day: date) -> ir.Table:
        rows = counted(warehouse.table("events"), day)
        return rows.filter(rows.account_id.isin(["A", "B", "C"][: day.month % 3 + 1]))

    assert of_many_days(make, DAYS) is None
    assert fetched(warehouse.put_aside("all", make, DAYS, LIKE), warehouse) == one_by_one(make, warehouse)


def test_nothing_of_it_stays(warehouse: DuckDBWarehouse):
    before = warehouse.tables()
    warehouse.put_aside("all", lambda day: counted(warehouse.table("events"), day), DAYS, LIKE)
    assert warehouse.tables() == before
    assert not warehouse.database.connection.execute(
        f"SELECT 1 FROM duckdb_views() WHERE view_name = '{aside.DAYS}'"
    ).fetchall()
