"""Dagster's SQLite storage through a pool: events of concurrent threads, survival, and what the UI reads."""

import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage

from cx_intel.orchestration.dagster_internals import PooledEventLogStorage, PooledRunStorage
from cx_intel.orchestration.instance import instance_of, prepare_home

THREADS, EVENTS = 4, 25


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", "")
    return tmp_path / "home"


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with instance_of(home) as instance:
        yield instance


def count(instance: dg.DagsterInstance, key: str) -> int:
    return len(instance.fetch_materializations(dg.AssetKey(key), limit=1000).records)


def test_the_home_names_the_pooled_storages(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.event_log_storage, PooledEventLogStorage)
    assert isinstance(instance.run_storage, PooledRunStorage)
    assert isinstance(instance.event_log_storage, ConsolidatedSqliteEventLogStorage)
    assert isinstance(instance.run_storage, SqliteRunStorage)


def test_a_home_that_is_there_keeps_its_own_configuration(home: Path) -> None:
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_home(home)
    assert (home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_events_of_concurrent_threads_are_all_kept(instance: dg.DagsterInstance) -> None:
    errors: list[BaseException] = []

    def report(number: int) -> None:
        try:
            for _ in range(EVENTS):
                instance.report_runless_asset_event(dg.AssetMaterialization(f"asset_{number}"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=report, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [count(instance, f"asset_{number}") for number in range(THREADS)] == [EVENTS] * THREADS


def test_events_and_runs_survive_the_instance(home: Path) -> None:
    @dg.asset
    def table() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"dagster/row_count": 5})

    with instance_of(home) as first:
        result = dg.materialize([table], instance=first)
    with instance_of(home) as second:
        run = second.get_run_by_id(result.run_id)
        event = second.get_latest_materialization_event(dg.AssetKey("table"))
    assert run is not None
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["dagster/row_count"].value == 5


def test_another_instance_on_the_same_home_sees_a_run_as_it_goes_on(home: Path) -> None:
    """As the web server does, which has an instance of its own."""
    seen: list[int] = []
    with instance_of(home) as writer, dg.DagsterInstance.from_config(str(home)) as reader:

        @dg.asset
        def first() -> None:
            pass

        @dg.asset(deps=[first])
        def second() -> None:
            seen.append(count(reader, "first"))

        dg.materialize([first, second], instance=writer)
        assert count(reader, "second") == 1
    assert seen == [1]


def test_the_pool_keeps_its_connections(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, PooledEventLogStorage)
    for _ in range(10):
        instance.report_runless_asset_event(dg.AssetMaterialization("asset"))
    assert storage._engine.pool.checkedin() == 1  # type: ignore[attr-defined]
