"""A portfolio whose events live on a Spark cluster: day after day, with late news, a driver and a worker killed, as on DuckDB.

`make test-spark` brings PySpark and the jars; without them these tests are left out. One cluster serves them all.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from cx_intel.warehouse.spark import warehouse as spark_warehouse
from cx_intel_tests.helpers.loopback_cluster import killing_in_mid_stage, loopback_cluster
from cx_intel_tests.helpers.on_spark import NEEDS_SPARK, Held, held, on_spark
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = [
    *NEEDS_SPARK,
    pytest.mark.timeout(1800),
]  # six processes of Java: a quarter of an hour where others work too
NEXT = AS_OF + timedelta(days=1)
ON_CLUSTER = ["fct_usage", "raw_usage_events", "stg_usage_events"]
LATE = {
    "event_id": "E-late",
    "account_id": "A05",
    "user_id": "U05",
    "event_name": "login",
    "event_timestamp": "2025-01-20T10:00:00",
}


def kinds(company: SmallCompany) -> dict[str, str]:
    """Of each table whether it lies in the file or is a view."""
    return dict(
        company.query(
            f"SELECT table_name, table_type FROM information_schema.tables WHERE table_name IN {tuple(ON_CLUSTER)!r}"
        )
    )


@dataclass
class History:
    """What both engines held after each step, and what the crash left."""

    steps: dict[str, tuple[Held, Held]] = field(default_factory=dict)
    kinds: dict[str, dict[str, str]] = field(default_factory=dict)
    crashed: Held = field(default_factory=dict)
    crash_succeeded: bool = True
    killed_at: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    SparkContext = pytest.importorskip("pyspark").SparkContext
    duck, spark = (SmallCompany(tmp_path_factory.mktemp(name)) for name in ("duck", "spark"))
    found = History()

    def refreshed(step: str, day: date, *companies: SmallCompany) -> None:
        for company in companies:
            assert company.refresh(day).succeeded, (step, company.folder)
        found.steps[step] = held(duck), held(spark)
        found.kinds[step] = kinds(spark)

    for company in (duck, spark):
        company.only("accounts", "subscriptions", "usage_events")
    refreshed("in the file", AS_OF, duck, spark)
    for company in (duck, spark):
        company.tables["usage_events"] = [*company.tables["usage_events"], LATE]
    with loopback_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        spark.settings["warehouse"] = on_spark(cluster.master)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(spark_warehouse, "remember_snapshot", _killed_at_usage(spark_warehouse.remember_snapshot))
            found.crash_succeeded = spark.refresh(NEXT).succeeded
            found.crashed = held(spark)
        with killing_in_mid_stage(cluster) as found.killed_at:
            refreshed("on the cluster", NEXT, spark)
        refreshed("on the cluster", NEXT, duck)
        SparkContext.getOrCreate().stop()
    del spark.settings["warehouse"]
    refreshed("brought back", NEXT, spark)
    return found


def _killed_at_usage(remember: Any) -> Any:
    """The note of a snapshot, which fails for fct_usage once it was moved: between the cluster's commit and the file's."""
    seen: list[str] = []

    def noted(database: Any, schema: str, table: str, snapshot: int) -> None:
        seen.append(table)
        if seen.count("fct_usage") > 1:
            raise RuntimeError("killed")
        remember(database, schema, table, snapshot)

    return noted


@pytest.mark.parametrize("step", ["in the file", "on the cluster", "brought back"])
def test_every_table_is_as_on_duckdb(history: History, step: str) -> None:
    on_duckdb, on_cluster = history.steps[step]
    assert {name for name in on_duckdb if on_duckdb[name] != on_cluster.get(name)} == set()
    assert on_cluster.keys() == on_duckdb.keys()


def test_events_live_where_the_yaml_says(history: History) -> None:
    assert set(history.kinds["in the file"].values()) == {"BASE TABLE"}
    assert history.kinds["on the cluster"] == dict.fromkeys(ON_CLUSTER, "VIEW")
    assert history.kinds["brought back"] == dict.fromkeys(ON_CLUSTER, "BASE TABLE")


def test_a_crash_between_cluster_and_file_leaves_the_table_as_it_was(history: History) -> None:
    before, _ = history.steps["in the file"]
    assert not history.crash_succeeded
    assert history.crashed["fct_usage"] == before["fct_usage"]


def test_a_worker_killed_in_mid_stage_is_done_without(history: History) -> None:
    assert len(history.killed_at) == 1  # and the tables are as on DuckDB, above
