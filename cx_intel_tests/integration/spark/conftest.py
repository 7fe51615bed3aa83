"""What tests of single tables on Spark share: a session in this process for each module, and a new portfolio for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel.settings.storage import SparkStorage
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.spark.warehouse import SparkWarehouse
from cx_intel_tests.helpers.on_spark import on_spark


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("pyspark")
    home = tmp_path_factory.mktemp("home")
    events = {"raw_usage_events": "_day", "stg_usage_events": "event_date", "fct_usage": "event_date"}
    passing = dict.fromkeys(("again_raw_usage_events", "judged_usage_events", "compared_stg_usage_events"), "")
    yield Cluster(SparkStorage(**on_spark()), events | passing, home)
    from pyspark.sql import SparkSession

    if session := SparkSession.getActiveSession():
        session.stop()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    yield open_warehouse(tmp_path / "warehouse.duckdb")
    close_warehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture
def spark(cluster: Cluster, database: Database, request: pytest.FixtureRequest) -> SparkWarehouse:
    """A new portfolio on the cluster that all tests of the module share."""
    return SparkWarehouse(database, str(request.node.name)[:30], cluster)
