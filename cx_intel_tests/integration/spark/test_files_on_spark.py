"""Files of events read by the cluster: the rows, the counts, the days and the errors are those of DuckDB.

`make test-spark` brings PySpark and the jars; without them these tests are left out. Whole refreshes: `test_on_spark.py`.
"""

import gzip
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.orchestration.assets.delivery.admission import stage_again
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.paths import SourceFile
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.spark import reading
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.spark.warehouse import SparkWarehouse
from cx_intel_tests.helpers.event_files import EventFiles
from cx_intel_tests.helpers.on_spark import NEEDS_SPARK

pytestmark = NEEDS_SPARK
RAW = "raw_usage_events"
SUNDAY, MONDAY, TUESDAY = (date(2025, 1, day) for day in (5, 6, 7))
HEAD = "event_id,account_id,event_timestamp,event_name\n"
Both = tuple[EventFiles, EventFiles]


@pytest.fixture
def both(tmp_path: Path, cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Both]:
    """Events in files for DuckDB, and the same for a portfolio on the cluster."""
    made = []
    for name in ("duck", "spark"):
        (tmp_path / name).mkdir()
        made.append(EventFiles(tmp_path / name, zone="Europe/Berlin"))
    duck, spark = made
    name = str(request.node.name)[:30]
    spark.warehouse = SparkWarehouse(spark.warehouse.database, name, cluster)
    spark.know("A", "B")
    yield duck, spark
    for events in made:
        events.close()


def held(events: EventFiles, day: date) -> dict[str, Any]:
    """Raw and staged rows with their types, what was rejected and why, and what was told of each file."""
    warehouse = events.warehouse
    found: dict[str, Any] = {"quarantined": events.quarantined(day), "told": events.told, "read": events.read}
    for name in (RAW, "stg_usage_events"):
        table = warehouse.table(name)
        rows = warehouse.rows(table.select(*sorted(table.columns)))
        found[name] = dict(table.schema().items()), sorted(map(repr, rows))
    found["files"] = {
        name: (file.size, file.digest, file.rows, file.rejects, file.ignored_columns, file.is_gone)
        for name, file in warehouse.known_files(RAW).items()
    }
    return found


def refreshed(both: Both, day: date, write: Callable[[Path], None]) -> tuple[dict[str, Any], dict[str, Any]]:
    found = []
    for events in both:
        write(events.folder)
        days = events.refresh(day)
        found.append(held(events, day) | {"days": days})
    return found[0], found[1]


def first_files(folder: Path) -> None:
    (folder / "a.csv").write_text(
        HEAD + "E1,A,2025-01-06T08:00:00,login\nE2,B,2025-01-06T23:30:00Z,login,too much\nE3,B,,login\n"
        "E4,X,2025-01-06 09:00,login\n"
    )
    (folder / "b.csv.gz").write_bytes(gzip.compress((HEAD + 'E5,B,2025-01-07T08:00:00,"log\nin"\n').encode(), mtime=0))
    (folder / "it's \\ c.jsonl").write_text(
        '{"event_id": "E6", "account_id": "A", "event_timestamp": "2025-01-05T10:00:00", "event_name": "login", "more": [1]}\n'
        '{"event_id": \n'
    )
    nested = {
        "event_id": ["E7"],
        "account_id": ["A"],
        "event_timestamp": [datetime(2025, 1, 6, 7)],
        "event_name": ["login"],
        "more": [{"x": 1.5}],
    }
    pq.write_table(pa.table(nested), folder / "d.parquet")


def next_files(folder: Path) -> None:
    (folder / "a.csv").write_text(HEAD + "E1,A,2025-01-06T08:00:00,login\nE8,A,2025-01-05T08:00:00,login\n")
    (folder / "e.csv").write_text(HEAD + "E9,B,2025-01-07T10:00:00,login\nE9,B,2025-01-07T10:00:00,login\n")
    (folder / "it's \\ c.jsonl").write_text(
        '{"event_id": "E6b", "account_id": "A", "event_timestamp": "2025-01-06", "event_name": "login"}\n'
    )
    (folder / "d.parquet").unlink()


def test_what_the_cluster_reads_is_what_duckdb_reads(both: Both) -> None:
    duck, spark = refreshed(both, MONDAY, first_files)
    assert duck["files"]["a.csv"][2:4] == (3, 1)
    assert spark == duck
    duck, spark = refreshed(both, TUESDAY, next_files)
    assert duck["told"]["files_gone"] == "d.parquet"
    assert spark == duck
    assert [len(rows) for _, rows in (spark[RAW], spark["stg_usage_events"])] == [7, 6]  # E9 stands twice
    duck, spark = refreshed(both, TUESDAY, lambda folder: None)
    assert (spark["told"], spark["days"]) == (duck["told"], duck["days"])


def test_times_of_parquet_stay_typed(both: Both) -> None:
    def write(folder: Path) -> None:
        times = pa.array([datetime(2025, 1, 6, 7), datetime(2025, 1, 6, 23, 30)], pa.timestamp("ms", "UTC"))
        for name in ("a", "b"):
            rows = {
                "event_id": [f"{name}1", f"{name}2"],
                "account_id": ["A", "B"],
                "event_timestamp": times,
                "event_name": ["login"] * 2,
            }
            pq.write_table(pa.table(rows), folder / f"{name}.parquet")

    duck, spark = refreshed(both, TUESDAY, write)
    assert str(duck[RAW][0]["event_timestamp"]) == "timestamp('UTC', 6)"
    assert spark == duck


def test_a_damaged_file_is_told_as_by_duckdb_and_leaves_the_table_as_it_was(both: Both) -> None:
    refreshed(both, MONDAY, first_files)
    told = []
    for events in both:
        before = held(events, MONDAY)[RAW]
        whole = gzip.compress((HEAD + "E1,A,2025-01-06T08:00:00,login\n" * 99).encode(), mtime=0)
        (events.folder / "z.csv.gz").write_bytes(whole[:60])
        (events.folder / "f.csv").write_text(HEAD + "E10,A,2025-01-06T08:00:00,login\n")
        with pytest.raises(SourceError) as raised:
            events.deliver(TUESDAY)
        told.append(re.sub(r"\S*/", "", str(raised.value)))
        assert held(events, MONDAY)[RAW] == before
    assert told[0] == told[1]


def test_a_machine_without_the_package_or_the_folder_is_told(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, events = both
    first_files(events.folder)
    context, parts = events.warehouse.iceberg.session.sparkContext, reading._parts  # type: ignore[attr-defined]

    def elsewhere(files: Sequence[SourceFile], parallelism: int) -> list[list[SourceFile]]:
        return [[f._replace(path=Path("/nowhere") / f.name) for f in part] for part in parts(files, parallelism)]

    with monkeypatch.context() as patch:
        patch.setattr(context, "pythonExec", str(python_without_the_package(tmp_path)))
        with pytest.raises(
            WarehouseError, match="The source of usage_events cannot be read by the cluster's Python: it takes"
        ):
            events.deliver(MONDAY)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_parts", elsewhere)
        told = r"^/nowhere/a.csv: cannot be read on the cluster's machine \S+ \(No such file .*need the folder by the same path"
        with pytest.raises(SourceError, match=told):
            events.deliver(MONDAY)
    assert not events.warehouse.exists(RAW)
    assert events.deliver(MONDAY) == (SUNDAY, MONDAY, TUESDAY)


def python_without_the_package(folder: Path) -> Path:
    """The Python of these tests with all that is installed there but what stands in a folder of its own."""
    script, installed = folder / "python", sysconfig.get_path("purelib")
    script.write_text(f'#!/bin/sh\ncd / && PYTHONPATH="{installed}:$PYTHONPATH" exec {sys.executable} -S "$@"\n')
    script.chmod(0o755)
    return script


def test_rows_of_the_erased_are_taken_out_on_the_cluster(both: Both) -> None:
    refreshed(both, MONDAY, first_files)
    _, spark = both
    warehouse = spark.warehouse
    staged = warehouse.stage(RAW, [warehouse.table(RAW)])
    stage_again(RAW, warehouse, staged.filter(staged.account_id == "A"))
    days = warehouse.swap_files(RAW, ["a.csv", "b.csv.gz", "it's \\ c.jsonl", "d.parquet"], is_whole=False)
    assert sorted(row["event_id"] for row in warehouse.rows(warehouse.table(RAW))) == ["E1", "E6", "E7"]
    assert days == (SUNDAY, MONDAY, TUESDAY)  # on Sunday there was a line that is no JSON
