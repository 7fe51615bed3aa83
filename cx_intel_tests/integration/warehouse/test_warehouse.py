"""Tables in a real DuckDB file: replaced whole or by partition, whatever came before and however the writer ends."""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd
import pytest

from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse, reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseError

MONDAY, TUESDAY, WEDNESDAY = date(2025, 1, 6), date(2025, 1, 7), date(2025, 1, 8)
ZONE_ROWS = 122_880
"""Rows of a DuckDB row group: statistics are kept for each."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def warehouse(file: Path) -> Iterator[DuckDBWarehouse]:
    yield DuckDBWarehouse(open_warehouse(file), "s")
    close_warehouse(file)


def rows(warehouse: DuckDBWarehouse, table: str = "t") -> list[tuple[Any, ...]]:
    frame = warehouse.execute(warehouse.table(table))
    return sorted(tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False))


def replace(warehouse: DuckDBWarehouse, **columns: list[Any]) -> None:
    warehouse.stage("t", [pd.DataFrame(columns)])
    warehouse.swap("t")


def replace_day(warehouse: DuckDBWarehouse, day: date, **columns: list[Any]) -> None:
    count = len(next(iter(columns.values())))
    warehouse.stage("t", [pd.DataFrame({"day": [day] * count, **columns})])
    warehouse.swap("t", column="day", days=[day])


def by_day(warehouse: DuckDBWarehouse) -> dict[date, list[Any]]:
    found: dict[date, list[Any]] = {}
    for day, value in warehouse.execute(warehouse.table("t").select("day", "x")).itertuples(index=False):
        found.setdefault(pd.Timestamp(day).date(), []).append(None if pd.isna(value) else value)
    return {day: sorted(values, key=str) for day, values in sorted(found.items())}


class TestReplacing:
    def test_a_whole_table_is_replaced_whole(self, warehouse: DuckDBWarehouse) -> None:
        replace(warehouse, x=[1, 2, 3])
        replace(warehouse, x=[4])
        assert rows(warehouse) == [(4,)]
        assert warehouse.tables() == ["t"]

    def test_only_the_given_days_are_replaced(self, warehouse: DuckDBWarehouse) -> None:
        replace_day(warehouse, MONDAY, x=[1, 2])
        replace_day(warehouse, TUESDAY, x=[3])
        replace_day(warehouse, MONDAY, x=[9])
        assert by_day(warehouse) == {MONDAY: [9], TUESDAY: [3]}

    def test_an_empty_result_empties_the_table_and_keeps_its_columns(self, warehouse: DuckDBWarehouse) -> None:
        replace(warehouse, x=[1], name=["a"])
        replace(warehouse, x=[], name=[])
        assert rows(warehouse) == []
        assert warehouse.table("t").columns == ("x", "name")

    def test_an_empty_day_goes_and_the_others_stay(self, warehouse: DuckDBWarehouse) -> None:
        replace_day(warehouse, MONDAY, x=[1])
        replace_day(warehouse, TUESDAY, x=[2])
        replace_day(warehouse, MONDAY, x=[])
        assert by_day(warehouse) == {TUESDAY: [2]}

    def test_parts_are_written_one_after_the_other_and_see_the_earlier_ones(self, warehouse: DuckDBWarehouse) -> None:
        def parts() -> Iterator[Any]:
            yield pd.DataFrame({"x": [1]})
            staged = warehouse.staged("t")
            yield staged.select(x=staged.x + 1)

        warehouse.stage("t", parts(), like=ibis.schema({"x": "int64"}))
        warehouse.swap("t")
        assert rows(warehouse) == [(1,), (2,)]

    def test_what_is_staged_is_not_seen_before_the_swap_and_may_be_discarded(self, warehouse: DuckDBWarehouse) -> None:
        replace(warehouse, x=[1])
        warehouse.stage("t", [pd.DataFrame({"x": [2]})])
        assert rows(warehouse) == [(1,)]
        warehouse.discard("t")
        assert rows(warehouse) == [(1,)]
        assert warehouse.tables() == ["t"]

    def test_rows_that_an_aborted_run_has_staged_are_not_taken_up(self, warehouse: DuckDBWarehouse) -> None:
        warehouse.stage("t", [pd.DataFrame({"x": [99]})])
        warehouse.stage("t", [pd.DataFrame({"x": [1]})], like=ibis.schema({"x": "int64"}))
        warehouse.swap("t")
        assert rows(warehouse) == [(1,)]

    def test_the_state_of_days_changes_with_the_rows(self, warehouse: DuckDBWarehouse) -> None:
        warehouse.stage("t", [pd.DataFrame({"day": [MONDAY], "x": [1]})])
        warehouse.swap("t", column="day", days=[MONDAY], state={MONDAY: "a"})
        warehouse.stage("t", [pd.DataFrame({"day": [MONDAY], "x": [1]})])
        warehouse.swap("t", column="day", days=[MONDAY], state={MONDAY: "b", TUESDAY: "c"})
        assert warehouse.day_state("t") == {MONDAY: "b", TUESDAY: "c"}

    def test_a_whole_table_remembers_the_day_it_stands_at(self, warehouse: DuckDBWarehouse) -> None:
        for day in (MONDAY, TUESDAY):
            warehouse.stage("t", [pd.DataFrame({"x": [1]})])
            warehouse.swap("t", stands_at=day)
        assert (warehouse.stands_at("t"), warehouse.newest()) == (TUESDAY, TUESDAY)
        assert warehouse.stands_at("other") is None

    def test_the_latest_view_shows_the_newest_snapshot(self, warehouse: DuckDBWarehouse) -> None:
        for day in (TUESDAY, MONDAY):
            warehouse.stage("t", [pd.DataFrame({"as_of": [day], "x": [day.day]})])
            warehouse.swap("t", column="as_of", days=[day])
        assert [x for _, x in rows(warehouse, "t_latest")] == [7]

    def test_a_day_is_told_from_another_by_its_rows_alone(self, warehouse: DuckDBWarehouse) -> None:
        frame = pd.DataFrame({"day": [MONDAY, MONDAY, TUESDAY], "x": [1, 2, 3]})
        one = warehouse.day_contents(ibis.memtable(frame), "day")
        same = warehouse.day_contents(ibis.memtable(frame.iloc[[1, 0, 2]]), "day")
        other = warehouse.day_contents(ibis.memtable(frame.assign(x=[1, 2, 4])), "day")
        assert one == same
        assert (one[MONDAY], one[TUESDAY]) == (other[MONDAY], one[TUESDAY])
        assert one[TUESDAY] != other[TUESDAY]


class TestChangedColumns:
    def test_a_column_that_comes_is_null_in_older_days(self, warehouse: DuckDBWarehouse) -> None:
        warehouse.stage("t", [pd.DataFrame({"day": [MONDAY]})])
        warehouse.swap("t", column="day", days=[MONDAY])
        replace_day(warehouse, TUESDAY, x=[1])
        assert by_day(warehouse) == {MONDAY: [None], TUESDAY: [1]}

    def test_a_column_that_goes_stays_with_its_old_values(self, warehouse: DuckDBWarehouse) -> None:
        replace_day(warehouse, MONDAY, x=[1], y=["a"])
        replace_day(warehouse, TUESDAY, y=["b"])
        assert by_day(warehouse) == {MONDAY: [1], TUESDAY: [None]}

    def test_columns_are_matched_by_name_and_not_by_position(self, warehouse: DuckDBWarehouse) -> None:
        replace_day(warehouse, MONDAY, x=["a"], y=["b"])
        warehouse.stage("t", [pd.DataFrame({"y": ["d"], "x": ["c"], "day": [TUESDAY]})])
        warehouse.swap("t", column="day", days=[TUESDAY])
        assert by_day(warehouse) == {MONDAY: ["a"], TUESDAY: ["c"]}

    @pytest.mark.parametrize(
        ("old", "new", "kind"),
        [([1], [2.5], "float64"), ([1], ["a"], "string"), ([1.5], [2], "float64"), (["a"], [None], "string")],
    )
    def test_a_type_widens_and_never_loses_an_old_value(
        self, warehouse: DuckDBWarehouse, old: list[Any], new: list[Any], kind: str
    ) -> None:
        replace_day(warehouse, MONDAY, x=old)
        replace_day(warehouse, TUESDAY, x=new)
        assert warehouse.table("t").x.type() == ibis.dtype(kind)
        as_text = str if kind == "string" else lambda value: value
        assert by_day(warehouse) == {MONDAY: [as_text(v) for v in old], TUESDAY: new}

    def test_a_day_without_any_value_leaves_the_type_alone(self, warehouse: DuckDBWarehouse) -> None:
        replace_day(warehouse, MONDAY, x=[1.5])
        replace_day(warehouse, TUESDAY, x=[None])
        assert warehouse.table("t").x.type().is_float64()
        assert by_day(warehouse) == {MONDAY: [1.5], TUESDAY: [None]}

    def test_a_whole_table_takes_the_new_columns(self, warehouse: DuckDBWarehouse) -> None:
        replace(warehouse, x=[1], gone=["a"])
        replace(warehouse, come=["b"], x=["c"])
        assert rows(warehouse) == [("b", "c")]

    def test_columns_without_a_value_and_times_of_seconds_get_types_that_every_engine_knows(
        self, warehouse: DuckDBWarehouse
    ) -> None:
        at = pd.Series([datetime(2025, 1, 6, 9, 30)]).astype("datetime64[s]")
        warehouse.stage("t", [pd.DataFrame({"nothing": pd.Series([None], dtype="object"), "at": at})])
        warehouse.swap("t")
        assert warehouse.table("t").schema() == ibis.schema({"nothing": "string", "at": "timestamp(6)"})


def test_filters_find_the_rows_of_a_large_first_partition(warehouse: DuckDBWarehouse) -> None:
    """DuckDB 2.0.0 keeps wrong statistics when a table made from an empty result is filled in the same transaction."""
    count = ZONE_ROWS + 10_000
    large = ibis.range(count).unnest().name("x").as_table().mutate(day=ibis.literal(MONDAY))
    for day, part in ((MONDAY, large.limit(0)), (MONDAY, large)):
        warehouse.stage("t", [part], like=ibis.schema({"x": "int64", "day": "date"}))
        warehouse.swap("t", column="day", days=[day])
    table = warehouse.table("t")
    assert warehouse.execute(table.filter(table.x == 5).count()) == 1
    assert warehouse.execute(table.filter(table.day == MONDAY).count()) == count
    assert warehouse.execute(table.filter(table.x >= count - 1).count()) == 1


def test_a_failure_inside_a_swap_leaves_everything_as_it_was(warehouse: DuckDBWarehouse) -> None:
    replace_day(warehouse, MONDAY, x=[1])
    warehouse.stage("t", [pd.DataFrame({"day": [MONDAY], "x": [2]})])
    with pytest.raises(duckdb.Error):
        warehouse.swap("t", column="no_such_column", days=[MONDAY])
    assert by_day(warehouse) == {MONDAY: [1]}
    warehouse.swap("t", column="day", days=[MONDAY])
    assert by_day(warehouse) == {MONDAY: [2]}


WRITER = """
import sys, time
from datetime import date
from pathlib import Path

import pandas as pd
from cx_intel.warehouse.duckdb.access.opening import open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse

file, moment = Path(sys.argv[1]), sys.argv[2]
DAY = date(2025, 1, 6)

def stop():
    print("ready", flush=True)
    time.sleep(60)

class Stopping:
    def __init__(self, connection):
        self.connection = connection

    def execute(self, sql, *rest):
        if moment in sql:
            stop()
        return self.connection.execute(sql, *rest)

def parts():
    yield pd.DataFrame({"day": [DAY], "x": [2]})
    if moment == "second part":
        stop()
    yield pd.DataFrame({"day": [DAY], "x": [3]})

database = open_warehouse(file)
database.connection = Stopping(database.connection)
warehouse = DuckDBWarehouse(database, "s")
warehouse.stage("t", parts())
warehouse.swap("t", column="day", days=[DAY], state={DAY: "second"})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment", ["second part", "DELETE FROM", "BY NAME SELECT * FROM", "INSERT INTO cx_state", "COMMIT"]
)
def test_a_writer_killed_at_any_moment_leaves_the_old_table_whole(file: Path, moment: str) -> None:
    first = DuckDBWarehouse(open_warehouse(file), "s")
    first.stage("t", [pd.DataFrame({"day": [MONDAY, TUESDAY], "x": [1, 7]})])
    first.swap("t", column="day", days=[MONDAY, TUESDAY], state={MONDAY: "first", TUESDAY: "first"})
    close_warehouse(file)

    kill_when_ready([sys.executable, "-c", textwrap.dedent(WRITER), str(file), moment])
    with reading(file) as database:
        after = DuckDBWarehouse(database, "s")
        assert by_day(after) == {MONDAY: [1], TUESDAY: [7]}
        assert after.day_state("t") == {MONDAY: "first", TUESDAY: "first"}
        assert after.tables() == ["t"]

    following = DuckDBWarehouse(open_warehouse(file), "s")
    replace_day(following, MONDAY, x=[5])
    assert by_day(following) == {MONDAY: [5], TUESDAY: [7]}
    assert not following.exists("_staged_t")
    close_warehouse(file)


def kill_when_ready(command: list[str]) -> None:
    """Starts a process, waits until it says that it is ready, and ends it as a power cut would."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline() != "ready\n":
            pytest.fail(process.stderr.read())
        process.kill()
        process.wait()
        assert process.returncode == -signal.SIGKILL


def test_a_table_that_is_not_there_is_named(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(WarehouseError, match=r"There is no table s\.nothing in .* Materialize that asset first"):
        warehouse.table("nothing")


def test_a_query_of_many_selects_in_one_another(warehouse: DuckDBWarehouse) -> None:
    """However deep the caller already is."""
    replace(warehouse, x=[1])
    found = warehouse.table("t")
    for _ in range(200):
        found = found.mutate(x=found.x + 1)
    assert warehouse.execute(found)["x"].to_list() == [201]
