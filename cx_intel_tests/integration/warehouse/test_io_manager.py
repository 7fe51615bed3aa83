"""The I/O manager in assets as a user writes them: frames and expressions, whole and partitioned, in real runs."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
from dagster_duckdb_pandas import DuckDBPandasIOManager

from cx_intel.warehouse.duckdb.access.opening import open_warehouse, reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.io_manager import WarehouseIOManager

DAYS = dg.DailyPartitionsDefinition(start_date="2025-01-06", end_date="2025-01-10")
KEPT_BY_DAY: dict[str, Any] = {
    "partitions_def": DAYS,
    "metadata": {"partition_expr": "day"},
    "backfill_policy": dg.BackfillPolicy.single_run(),
}


class Runner:
    """Materializes assets into one file, each time in a run of its own."""

    def __init__(self, file: Path, schema: str | None = "s"):
        self.file = file
        self.resources = {"io_manager": WarehouseIOManager(database=str(file), schema=schema)}
        self.instance = dg.DagsterInstance.ephemeral()

    def __call__(self, *assets: Any, day: str | None = None, until: str | None = None) -> dg.ExecuteInProcessResult:
        tags = {"dagster/asset_partition_range_start": day or "", "dagster/asset_partition_range_end": until or ""}
        return dg.materialize(
            list(assets),
            instance=self.instance,
            resources=self.resources,
            partition_key=None if until else day,
            tags=tags if until else None,
        )

    def rows(self, table: str, schema: str = "s") -> list[tuple[Any, ...]]:
        with reading(self.file) as database:
            warehouse = DuckDBWarehouse(database, schema)
            frame = warehouse.execute(warehouse.table(table))
        return sorted(frame.itertuples(index=False, name=None))


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "warehouse.duckdb")


@dg.asset
def frame() -> pd.DataFrame:
    return pd.DataFrame({"name": ["a", "b", "b"], "x": [1, 2, 3]})


@dg.asset
def summed(frame: ir.Table) -> ir.Table:
    return frame.group_by("name").agg(x=frame.x.sum())


def test_it_is_the_stock_manager_with_more_types() -> None:
    assert issubclass(WarehouseIOManager, DuckDBPandasIOManager)


def test_a_frame_comes_out_as_it_went_in(run: Runner) -> None:
    seen: list[pd.DataFrame] = []

    @dg.asset
    def reader(frame: pd.DataFrame) -> pd.DataFrame:
        seen.append(frame)
        return frame

    assert run(frame, reader).success
    pd.testing.assert_frame_equal(seen[0], pd.DataFrame({"name": ["a", "b", "b"], "x": [1, 2, 3]}))


def test_an_expression_is_executed_where_the_data_lie(run: Runner) -> None:
    assert run(frame, summed).success
    assert run.rows("summed") == [("a", 1), ("b", 5)]


def test_an_input_without_a_type_is_an_expression(run: Runner) -> None:
    kinds: list[Any] = []

    @dg.asset
    def reader(frame) -> None:  # type: ignore[no-untyped-def]
        kinds.append(frame)

    assert run(frame, reader).success
    assert isinstance(kinds[0], ir.Table)


def test_schema_and_table_are_the_last_two_parts_of_the_key_where_no_schema_is_set(tmp_path: Path) -> None:
    run = Runner(tmp_path / "warehouse.duckdb", schema=None)

    @dg.asset(key=["novacrm", "nrr"])
    def nrr() -> pd.DataFrame:
        return pd.DataFrame({"x": [1]})

    @dg.asset(ins={"nrr": dg.AssetIn(dg.AssetKey(["novacrm", "nrr"]))})
    def reader(nrr: ir.Table) -> ir.Table:
        return nrr.mutate(y=nrr.x + 1)

    assert run(nrr, reader).success
    assert run.rows("nrr", "novacrm") == [(1,)]
    assert run.rows("reader", "public") == [(1, 2)]


def of_day(make: Callable[[date], pd.DataFrame]) -> dg.AssetsDefinition:
    """An asset kept by day whose rows of a day `make` gives."""

    @dg.asset(name="daily", **KEPT_BY_DAY)
    def daily(context: dg.AssetExecutionContext) -> pd.DataFrame:
        keys = context.partition_keys
        return pd.concat([make(date.fromisoformat(key)) for key in keys], ignore_index=True)

    return daily


def one_row(day: date) -> pd.DataFrame:
    return pd.DataFrame({"day": [day], "x": [day.day]})


def test_a_partition_is_replaced_and_the_others_stay(run: Runner) -> None:
    run(of_day(one_row), day="2025-01-06")
    run(of_day(one_row), day="2025-01-07")
    run(of_day(lambda day: one_row(day).assign(x=99)), day="2025-01-06")
    assert [x for _, x in run.rows("daily")] == [99, 7]


def test_a_range_is_one_run_and_replaces_its_days(run: Runner) -> None:
    run(of_day(lambda day: one_row(day).assign(x=0)), day="2025-01-09")
    assert run(of_day(one_row), day="2025-01-06", until="2025-01-08").success
    assert [x for _, x in run.rows("daily")] == [6, 7, 8, 0]


def test_an_empty_partition_takes_the_old_rows_away(run: Runner) -> None:
    run(of_day(one_row), day="2025-01-06", until="2025-01-07")
    run(of_day(lambda day: one_row(day).head(0)), day="2025-01-06")
    assert [x for _, x in run.rows("daily")] == [7]


def test_a_frame_of_a_partitioned_table_holds_the_partitions_of_the_run(run: Runner) -> None:
    seen: list[list[int]] = []

    @dg.asset(ins={"daily": dg.AssetIn()}, **KEPT_BY_DAY)
    def reader(daily: pd.DataFrame) -> pd.DataFrame:
        seen.append(sorted(daily["x"]))
        return daily

    run(of_day(one_row), day="2025-01-06", until="2025-01-08")
    run(of_day(one_row), reader, day="2025-01-07")
    run(of_day(one_row), reader, day="2025-01-06", until="2025-01-07")
    assert seen == [[7], [6, 7]]
    assert [x for _, x in run.rows("reader")] == [6, 7]


def test_an_expression_of_a_partitioned_table_holds_all_of_it(run: Runner) -> None:
    """Models look back by themselves."""

    @dg.asset
    def counted(daily: ir.Table) -> ir.Table:
        return daily.agg(rows=daily.count())

    run(of_day(one_row), day="2025-01-06", until="2025-01-08")
    with_source = of_day(one_row)
    assert dg.materialize(
        [with_source, counted],
        selection=["counted"],
        instance=run.instance,
        resources=run.resources,
    ).success
    assert run.rows("counted") == [(3,)]


def test_a_partitioned_expression_replaces_its_days(run: Runner) -> None:
    @dg.asset(**KEPT_BY_DAY)
    def doubled(context: dg.AssetExecutionContext, daily: ir.Table) -> ir.Table:
        days = [date.fromisoformat(key) for key in context.partition_keys]
        return daily.filter(daily.day.isin(days)).mutate(x=daily.x * 2)

    run(of_day(one_row), doubled, day="2025-01-06", until="2025-01-07")
    run(of_day(one_row), doubled, day="2025-01-07")
    assert [x for _, x in run.rows("doubled")] == [12, 14]


def test_columns_may_come_and_go_from_day_to_day(run: Runner) -> None:
    run(of_day(one_row), day="2025-01-06")
    run(of_day(lambda day: one_row(day).assign(more="new")), day="2025-01-07")
    run(of_day(lambda day: pd.DataFrame({"more": ["only"], "day": [day]})), day="2025-01-08")
    found = [(None if pd.isna(x) else x, None if pd.isna(more) else more) for _, x, more in run.rows("daily")]
    assert found == [(6, None), (7, "new"), (None, "only")]


def test_a_failing_asset_leaves_its_table_as_it_was(run: Runner) -> None:
    run(of_day(one_row), day="2025-01-06")

    def broken(day: date) -> pd.DataFrame:
        raise ValueError("the source is down")

    with pytest.raises(ValueError, match="the source is down"):
        run(of_day(broken), day="2025-01-06")
    assert [x for _, x in run.rows("daily")] == [6]


def test_an_expression_that_fails_in_the_engine_leaves_its_table_as_it_was(run: Runner) -> None:
    @dg.asset(name="whole")
    def sound() -> ir.Table:
        return ibis.memtable({"x": ["1"]})

    @dg.asset(name="whole")
    def unsound(frame: ir.Table) -> ir.Table:
        return frame.select(x=frame.name.cast("int64"))

    run(frame, sound)
    with pytest.raises(Exception, match="Could not convert"):
        run(frame, unsound)
    assert run.rows("whole") == [("1",)]


def test_the_file_is_closed_when_the_run_is_over(run: Runner) -> None:
    run(frame)
    assert DuckDBWarehouse(open_warehouse(run.file), "s").tables() == ["frame"]
    from cx_intel.warehouse.duckdb.access.opening import _open, close_warehouse

    close_warehouse(run.file)
    assert run.file.resolve() not in _open
