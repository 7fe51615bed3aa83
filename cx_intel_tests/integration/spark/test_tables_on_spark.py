"""Tables on Spark as Iceberg tables: written, put in place, moved, erased from, and after a crash, as DuckDB keeps them.

`make test-spark` brings PySpark and the jars; without them these tests are left out. Whole refreshes: `test_on_spark.py`.
"""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.upkeep.backups import backups, take
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.processes.lock import LOCK_FILE
from cx_intel.warehouse.spark import warehouse as spark_warehouse
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.spark.remembered import bring_home
from cx_intel.warehouse.spark.tidying import tidy
from cx_intel.warehouse.spark.warehouse import SparkWarehouse
from cx_intel_tests.helpers.on_spark import NEEDS_SPARK, naming

pytestmark = NEEDS_SPARK
FIRST, SECOND, THIRD = (date(2025, 1, day) for day in (1, 2, 3))
LIKE = ibis.schema(
    {
        "account_id": "string",
        "event_date": "date",
        "amount": "decimal(18, 2)",
        "seen_at": "timestamp(6)",
        "events": "int64",
    }
)
EVENTS = "stg_usage_events"
Row = tuple[Any, ...]


def events(*rows: tuple[str, date, str, int]) -> ir.Table:
    """Account, day, amount and number of events; seen at ten in the morning, in UTC."""
    cells = [(a, d, Decimal(x), datetime(d.year, d.month, d.day, 10), n) for a, d, x, n in rows]
    return ibis.memtable([dict(zip(LIKE, row, strict=True)) for row in cells], schema=LIKE)


def rows(warehouse: DuckDBWarehouse, table: str = EVENTS) -> list[Row]:
    return sorted(tuple(row.values()) for row in warehouse.rows(warehouse.table(table)))


def put(warehouse: DuckDBWarehouse, day: date, state: str, *given: tuple[str, date, str, int]) -> None:
    warehouse.stage(EVENTS, [events(*given)], LIKE)
    warehouse.swap(EVENTS, column="event_date", days=[day], state={day: state})


def test_a_day_is_replaced_and_the_others_stay(spark: SparkWarehouse) -> None:
    put(spark, FIRST, "one", ("A", FIRST, "1.50", 3), ("B", FIRST, "2", 1))
    put(spark, SECOND, "one", ("A", SECOND, "0.10", 2))
    staged = spark.stage(EVENTS, [events(("C", SECOND, "7.25", 9))], LIKE)
    assert spark.count(staged) == 1  # what the branch adds, and the table as it was
    assert [row[0] for row in rows(spark)] == ["A", "A", "B"]
    spark.swap(EVENTS, column="event_date", days=[SECOND], state={SECOND: "two"})
    assert rows(spark) == [
        ("A", FIRST, Decimal("1.50"), datetime(2025, 1, 1, 10), 3),
        ("B", FIRST, Decimal("2.00"), datetime(2025, 1, 1, 10), 1),
        ("C", SECOND, Decimal("7.25"), datetime(2025, 1, 2, 10), 9),
    ]
    assert spark.table(EVENTS).schema() == LIKE
    assert spark.day_state(EVENTS) == {FIRST: "one", SECOND: "two"}
    assert spark.tables() == [EVENTS]
    spark.stage(EVENTS, [events()], LIKE)
    spark.swap(EVENTS, column="event_date", days=[FIRST], state={FIRST: "none"})
    assert [row[0] for row in rows(spark)] == ["C"]


def test_a_model_reads_tables_of_both(spark: SparkWarehouse, database: Database) -> None:
    put(spark, FIRST, "one", ("A", FIRST, "1.50", 3), ("B", FIRST, "2", 1))
    spark.stage("dim_account", [ibis.memtable({"account_id": ["A"], "factor": [2]})])
    spark.swap("dim_account")
    joined = spark.table(EVENTS).inner_join(spark.table("dim_account"), "account_id")
    spark.stage("judged_usage_events", [joined.select("account_id", twice=joined.events * joined.factor)])
    assert spark.rows(spark.staged("judged_usage_events")) == [{"account_id": "A", "twice": 6}]
    spark.discard("judged_usage_events")
    texts = ibis.memtable({"text": ["\v filter\f\n", "vow f\\f", "it's\t"]})
    spark.stage("judged_usage_events", [texts.select(text=texts.text.strip())])
    assert [row["text"] for row in spark.rows(spark.staged("judged_usage_events"))] == ["filter", "vow f\\f", "it's"]
    spark.discard("judged_usage_events")
    assert not database.exists(spark.schema, "_staged_judged_usage_events")
    assert rows(spark) == rows(DuckDBWarehouse(database, spark.schema))  # who reads needs no cluster


def test_a_crash_after_the_cluster_took_a_day_leaves_it_as_it_was(
    spark: SparkWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(spark, FIRST, "one", ("A", FIRST, "1.50", 3))
    with monkeypatch.context() as patch:
        patch.setattr(spark_warehouse, "remember_snapshot", _killed)
        with pytest.raises(RuntimeError, match="killed"):
            put(spark, SECOND, "one", ("B", SECOND, "2", 1))
    assert [row[0] for row in rows(spark)] == ["A"]
    assert spark.day_state(EVENTS) == {FIRST: "one"}
    put(spark, THIRD, "one", ("C", THIRD, "3", 1))  # the day that nobody noted is not in the table
    assert [row[0] for row in rows(spark)] == ["A", "C"]


def test_tables_move_to_the_cluster_and_back(spark: SparkWarehouse, database: Database) -> None:
    in_file = DuckDBWarehouse(database, spark.schema)
    put(in_file, FIRST, "one", ("A", FIRST, "1.50", 3), ("B", FIRST, "2", 1))
    put(spark, SECOND, "one", ("C", SECOND, "7.25", 9))
    assert [row[0] for row in rows(spark)] == ["A", "B", "C"]
    assert spark.delete_before(EVENTS, "event_date", SECOND) == 2
    assert bring_home(database, spark.schema) == [EVENTS]
    assert [row[0] for row in rows(in_file)] == ["C"]
    put(in_file, THIRD, "one", ("D", THIRD, "1", 1))
    assert [row[0] for row in rows(in_file)] == ["C", "D"]
    assert in_file.day_state(EVENTS).keys() == {FIRST, SECOND, THIRD}


def test_a_back_up_shows_its_rows_after_a_move_off_the_cluster_and_on_again(cluster: Cluster, tmp_path: Path) -> None:
    file, name = tmp_path / "warehouse.duckdb", "moved"
    with writing(file) as opened:
        put(SparkWarehouse(opened, name, cluster), FIRST, "one", ("A", FIRST, "1.50", 3))
    saved = take(tmp_path, file, reason="a test", keep=1).warehouse
    with writing(file) as opened:
        bring_home(opened, name)
        put(DuckDBWarehouse(opened, name), SECOND, "one", ("B", SECOND, "1", 1))
        spark = SparkWarehouse(opened, name, cluster)
        put(spark, THIRD, "one", ("C", THIRD, "1", 1))
        tidy(opened, name, cluster, [saved])
        assert [row[0] for row in rows(spark)] == ["A", "B", "C"]
    with writing(saved) as opened:  # as where it is brought back
        spark = SparkWarehouse(opened, name, cluster)
        assert [row[0] for row in rows(spark)] == ["A"]
        put(spark, SECOND, "one", ("D", SECOND, "1", 1))
        assert [row[0] for row in rows(spark)] == ["A", "D"]


def test_a_later_column_is_null_in_earlier_days(spark: SparkWarehouse) -> None:
    put(spark, FIRST, "one", ("A", FIRST, "1.50", 3))
    wider = events(("B", SECOND, "2", 1)).mutate(source=ibis.literal("app"))
    spark.stage(EVENTS, [wider], wider.schema())
    spark.swap(EVENTS, column="event_date", days=[SECOND], state={SECOND: "one"})
    assert [(row[0], row[5]) for row in rows(spark)] == [("A", None), ("B", "app")]


def test_whoever_is_erased_is_in_no_file_of_the_cluster_and_in_no_back_up(cluster: Cluster, tmp_path: Path) -> None:
    file, name = tmp_path / "warehouse.duckdb", "erased"
    with writing(file) as opened:
        spark = SparkWarehouse(opened, name, cluster)
        put(spark, FIRST, "one", ("ACC-1", FIRST, "1.50", 3), ("ACC-2", FIRST, "2", 1))
        put(spark, SECOND, "one", ("ACC-1", SECOND, "3", 4), ("O'Neil \\ of ACC-1", SECOND, "1", 1))
    take(tmp_path, file, reason="a test", keep=1)
    with writing(file) as opened:
        spark = SparkWarehouse(opened, name, cluster)
        put(spark, THIRD, "one", ("ACC-1", THIRD, "5", 6), ("ACC-3", THIRD, "2", 1))
        spark.stage(EVENTS, [events(("ACC-1", THIRD, "9", 9))], LIKE)  # a run that is killed now
    tables = cluster.files(name)
    assert len(naming(tables, "ACC-1")) > 3

    home = Home(tmp_path, file, tmp_path / LOCK_FILE, {}, clusters={name: cluster})
    done = erase(home, name, "account", "ACC-1")
    assert (done.remains, done.searched) == ((), 1)
    assert naming(tables, "ACC-1") == []
    assert not (cluster.exchange(name)).exists() or not list(cluster.exchange(name).iterdir())
    with writing(file) as opened:
        spark = SparkWarehouse(opened, name, cluster)
        assert [row[:2] for row in rows(spark)] == [("(erased)", SECOND), ("ACC-2", FIRST), ("ACC-3", THIRD)]
        assert spark.day_state(EVENTS) == {FIRST: "one", SECOND: "one", THIRD: "one"}
        put(spark, SECOND, "two", ("ACC-2", SECOND, "1", 1))
        assert [row[:2] for row in rows(spark)] == [("ACC-2", FIRST), ("ACC-2", SECOND), ("ACC-3", THIRD)]
        tidy(opened, name, cluster, [backups(tmp_path)[0].warehouse])
    with writing(backups(tmp_path)[0].warehouse) as opened:
        assert [row[:2] for row in rows(SparkWarehouse(opened, name, cluster))] == [
            ("(erased)", SECOND),
            ("ACC-2", FIRST),
        ]


def test_what_nothing_shows_goes_and_what_a_back_up_shows_stays(cluster: Cluster, tmp_path: Path) -> None:
    file, name = tmp_path / "warehouse.duckdb", "tidied"
    with writing(file) as opened:
        spark = SparkWarehouse(opened, name, cluster)
        put(spark, FIRST, "one", ("A", FIRST, "1.50", 3))
        put(spark, FIRST, "two", ("B", FIRST, "1.50", 3))
    saved = take(tmp_path, file, reason="a test", keep=1).warehouse
    with writing(file) as opened:
        spark = SparkWarehouse(opened, name, cluster)
        put(spark, FIRST, "three", ("C", FIRST, "1.50", 3))
        put(spark, FIRST, "four", ("D", FIRST, "1.50", 3))
        spark.stage("judged_usage_events", [events(("E", FIRST, "1", 1))])
        tidy(opened, name, cluster, [saved])
        assert [row[0] for row in rows(spark)] == ["D"]
        data = sorted(path for path in cluster.files(name).rglob("*.parquet"))
        assert [duckdb.read_parquet(str(path)).fetchall()[0][0] for path in data] in (["B", "D"], ["D", "B"])
        tidy(opened, name, cluster, [])
        assert len(list(cluster.files(name).rglob("*.parquet"))) == 1
        put(spark, SECOND, "one", ("E", SECOND, "1.50", 3))
        assert [row[0] for row in rows(spark)] == ["D", "E"]


def _killed(*_: object) -> None:
    raise RuntimeError("killed")
