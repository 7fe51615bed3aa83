"""What holds of a portfolio on a cluster where no Spark is: its settings, its views, and what is refused."""

import sys
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from cx_intel.doctor import engines as doctor_of_engines
from cx_intel.orchestration.assets.engines import clusters, tables_on_cluster
from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.proof import remains
from cx_intel.privacy.register import PrivacyError
from cx_intel.privacy.subject import Subject
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.storage import SparkStorage
from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.spark.remembered import bring_home, remember_snapshot, snapshots
from cx_intel.warehouse.spark.session import session_for
from cx_intel_tests.helpers.builders import portfolio, shipped

STORAGE = SparkStorage(engine="spark", master="spark://127.0.0.1:7077")


def with_view(warehouse: DuckDBWarehouse) -> DuckDBWarehouse:
    """The warehouse with `fct_usage` on a cluster: a view of two rows."""
    database = warehouse.database
    database.ensure_schema("small")
    database.connection.execute("CREATE VIEW small.fct_usage AS SELECT unnest([1, 2]) AS event_count")
    remember_snapshot(database, "small", "fct_usage", 7)
    return warehouse


def test_tables_of_events_live_there_and_no_other() -> None:
    found = {
        "stg_usage_events": "event_date",
        "judged_usage_events": "",
        "compared_stg_usage_events": "",
        "fct_usage": "event_date",
    }
    assert tables_on_cluster(shipped("novacrm"), STORAGE) == found
    assert clusters([shipped("novacrm")]) == {}
    events = {"kind": "files", "table": "usage_events", "path": "/events"}
    of_files = portfolio(sources=[events, {"kind": "synthetic", "world": "novacrm"}])
    assert tables_on_cluster(of_files, STORAGE) == found | {"raw_usage_events": "_day", "again_raw_usage_events": ""}
    assert tables_on_cluster(of_files, STORAGE.model_copy(update={"files": "driver"})) == found


def test_a_query_at_the_cluster_gives_events_there_and_needs_one() -> None:
    query = {"kind": "sql", "table": "usage_events", "connection": "cluster", "query": "SELECT 1"}
    sources = [query, {"kind": "synthetic", "world": "novacrm"}]
    with pytest.raises(
        ValidationError, match="the Spark cluster of the portfolio, and it names none: state `warehouse:"
    ):
        portfolio(sources=sources)
    book = portfolio(sources=sources, warehouse=STORAGE.model_dump())
    assert tables_on_cluster(book, STORAGE)["raw_usage_events"] == "_day"
    assert "raw_usage_events" not in tables_on_cluster(book, STORAGE.model_copy(update={"files": "driver"}))
    with pytest.raises(ValidationError, match="names the catalog's tables itself"):
        SqlSource.model_validate(query | {"tables": {"events": {"name": "raw.events", "columns": {"id": None}}}})


def test_the_snapshot_that_counts_is_the_last_one_noted(warehouse: DuckDBWarehouse) -> None:
    remember_snapshot(with_view(warehouse).database, "small", "fct_usage", 9)
    assert snapshots(warehouse.database, "small") == {"fct_usage": 9}
    assert snapshots(warehouse.database, "other") == {}


def test_a_portfolio_without_a_cluster_has_its_tables_in_the_file(warehouse: DuckDBWarehouse) -> None:
    database = with_view(warehouse).database
    assert bring_home(database, "small") == ["fct_usage"]
    assert warehouse.tables() == ["fct_usage"]
    assert warehouse.rows(warehouse.table("fct_usage")) == [{"event_count": 1}, {"event_count": 2}]
    assert bring_home(database, "small") == []


def test_nobody_is_erased_from_a_cluster_in_part(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with writing(file) as database:
        with_view(DuckDBWarehouse(database, "small"))
    home = Home(tmp_path, file, tmp_path / "warehouse.lock", {})
    with pytest.raises(PrivacyError, match="fct_usage of small live on a Spark cluster that its YAML does not name"):
        erase(home, "small", "account", "A01")
    with writing(file) as database:
        bring_home(database, "small")
    (tmp_path / "iceberg" / "small").mkdir(parents=True)
    with pytest.raises(PrivacyError, match="Remove that folder"):
        erase(home, "small", "account", "A01")


def test_a_missing_pyspark_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(WarehouseError, match=r"cx-intel\[spark\]"):
        session_for(STORAGE)


def test_views_are_read_without_the_cluster(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with writing(file) as database:
        with_view(DuckDBWarehouse(database, "small"))
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("SELECT sum(event_count) FROM small.fct_usage").fetchall() == [(3,)]


def test_a_name_is_found_in_the_values_of_a_compressed_file(tmp_path: Path) -> None:
    folder = tmp_path / "iceberg" / "small"
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        rows = "SELECT 'note ' || i AS note, 'Ana Bolic, ' || i AS who FROM range(1000) AS rows(i)"
        connection.execute(f"COPY ({rows}) TO '{folder / 'rows.parquet'}' (FORMAT parquet, COMPRESSION zstd)")
    found = remains(tmp_path, Subject("small", "user", "Ana Bolic", (), ""))
    assert found.places == ("iceberg/small/rows.parquet: who",)
    assert remains(tmp_path, Subject("other", "user", "Ana Bolic", (), "")).places == ()


def test_the_doctor_names_what_a_cluster_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def problems(storage: SparkStorage | None, **variables: str) -> list[str]:
        book = shipped("novacrm").model_copy(update={"warehouse": storage})
        return [f.text for f in doctor_of_engines.examine(book, tmp_path, variables) if f.level == "problem"]

    monkeypatch.setattr(doctor_of_engines, "version", lambda _: "4.0.5")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.2\"' >&2\n")
    java.chmod(0o755)
    wrong = STORAGE.model_copy(
        update={
            "location": "s3://bucket",
            "exchange": str(tmp_path),
            "settings": {"spark.jars": "/nowhere/iceberg.jar"},
        }
    )
    wrong = wrong.model_copy(update={"master": "spark://127.0.0.1:1"})
    assert problems(wrong, JAVA_HOME=str(tmp_path)) == [
        "PySpark is 4.0.5",
        f"{java} is Java 21",
        "/nowhere/iceberg.jar of spark.jars is not there",
        "spark://127.0.0.1:1 is not reached: [Errno 111] Connection refused",
        "`warehouse.location` is s3://bucket",
    ]
    assert problems(wrong, PATH="")[1] == "no Java: none in PATH cannot be run"
    assert problems(None) == []
