"""All that leans on Dagster's inner shape: its SQLite storage with a pool of connections, and what it makes of results.

The stock storage opens an engine and a connection for each event, which costs a small run several times its own work.
`dagster.yaml` names the two classes. One test tells when Dagster has moved: `test_dagster_internals.py`. What is decided
with Dagster's public parts stands in the other modules of this package.
"""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.definitions.repository_definition.valid_definitions import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage, SqlEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs import SqliteRunStorage, SqlRunStorage
from dagster._core.storage.runs.schema import RunTagsTable
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

BUSY_SECONDS = 60
CODE_LOCATION = "cx_intel.definitions"
"""The module that the UI and the daemon load, and the name of its code location."""
TYPES = dg.DagsterEventType
LEFT_OUT = {TYPES.STEP_INPUT, TYPES.LOADED_INPUT}
"""Events that are not kept: that an input was looked up says nothing that the graph does not."""
KEPT_BACK = {
    TYPES.ASSET_MATERIALIZATION_PLANNED,
    TYPES.ASSET_CHECK_EVALUATION_PLANNED,
    TYPES.STEP_OUTPUT,
    TYPES.HANDLED_OUTPUT,
    TYPES.ASSET_CHECK_EVALUATION,
    TYPES.ASSET_MATERIALIZATION,
    TYPES.STEP_SUCCESS,
}
"""Events of a run that wait for the next one of another type, such as the start of the next step, and are written with
it: one write a step."""
WORTH_BYTES, WORTH_SHARE = 1_000_000, 0.25
"""A storage is written anew where so much of it, and such a part, is empty: else the next runs fill it again."""
ASSET_OUTPUT = "result"
"""The name that Dagster gives to the output of an asset; its checks have outputs of their own, which say nothing."""


def _write_ahead(connection: Any, _: Any) -> None:
    """Syncs at checkpoints and not at every event: a power cut may lose the last events, and corrupts nothing."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


class Pooled:
    """A pool of connections, made once for the life of the storage."""

    _conn_string: str

    @cached_property
    def _engine(self) -> Engine:
        engine = db.create_engine(
            self._conn_string,
            poolclass=db.QueuePool,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        )
        db.event.listen(engine, "connect", _write_ahead)
        return engine

    def compact(self, *, whatever_is_empty: bool = False) -> bool:
        """Writes the file anew where a good part of it is empty, and nobody else is in it; whether it did."""
        with self._engine.connect() as connection:
            free, pages, size = (
                int(connection.exec_driver_sql(f"PRAGMA {of}").scalar() or 0)
                for of in ("freelist_count", "page_count", "page_size")
            )
            if not whatever_is_empty and (free * size < WORTH_BYTES or free < WORTH_SHARE * pages):
                return False
            connection.rollback()
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            try:
                alone.exec_driver_sql("VACUUM")
                alone.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            except db.exc.OperationalError:  # somebody reads just now, or the disk has no room: the space is used again
                return False
        return True

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


class PooledEventLogStorage(Pooled, ConsolidatedSqliteEventLogStorage):
    """The event log of all runs in one SQLite file, and all that an event changes in it in one transaction."""

    @cached_property
    def _tables(self) -> set[str]:
        return set()

    @cached_property
    def _storing(self) -> threading.local:
        return threading.local()

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        if (connection := getattr(self._storing, "connection", None)) is not None:
            yield connection
            return
        with self._begin() as connection:
            yield connection

    @contextmanager
    def _one_transaction(self) -> Iterator[None]:
        with self._connect() as connection:
            self._storing.connection = connection
            try:
                yield
            finally:
                del self._storing.connection

    @cached_property
    def _waiting(self) -> dict[str, list[dg.EventLogEntry]]:
        """Run: its events that are kept back, in order."""
        return {}

    def store_event(self, event: dg.EventLogEntry) -> None:
        if _is_left_out(event):
            return
        if event.run_id and event.dagster_event_type in KEPT_BACK:
            self._waiting.setdefault(event.run_id, []).append(event)
            return
        with self._one_transaction():
            for one in (*self._waiting.pop(event.run_id, ()), event):
                super().store_event(one)

    def has_table(self, table_name: str) -> bool:
        """Whether the table is there; asked once, since a table that is there stays."""
        if table_name not in self._tables:
            with self._connect() as connection:
                if self._engine.dialect.has_table(connection, table_name):
                    self._tables.add(table_name)
        return table_name in self._tables

    @cached_property
    def _has_index_columns(self) -> bool:
        with self._connect() as connection:
            return super()._has_asset_key_index_cols_on_connection(connection)

    def _has_asset_key_index_cols_on_connection(self, conn: Connection) -> bool:
        return self._has_index_columns

    def dispose(self) -> None:
        for run_id in list(self._waiting):
            with self._one_transaction():
                for one in self._waiting.pop(run_id):
                    super().store_event(one)
        self._engine.dispose()
        super().dispose()


def _is_left_out(event: dg.EventLogEntry) -> bool:
    kind = event.dagster_event_type
    if kind == TYPES.STEP_OUTPUT and event.dagster_event is not None:
        return event.dagster_event.step_output_data.step_output_handle.output_name != ASSET_OUTPUT
    return kind in LEFT_OUT


class PooledRunStorage(Pooled, SqliteRunStorage):
    """Runs and their tags."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "PooledRunStorage":
        return cls.from_local(inst_data=inst_data, **config_value)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._begin() as connection:
            yield connection

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()


def evaluations(
    results: Iterable[dg.AssetCheckResult], specs: Iterable[dg.AssetCheckSpec]
) -> list[dg.AssetCheckEvaluation]:
    """Results of checks of rows that are about to be written, in the form that Dagster makes of results.

    Left to itself it looks up for each one which earlier materialization it is about; these are about none.

    Args:
        results: What the checks found.
        specs: The specs of the asset's checks.
    """
    by_name = {spec.name: spec for spec in specs}
    return [
        dg.AssetCheckEvaluation(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=result.passed,
            metadata=result.metadata,
            severity=result.severity,
            description=result.description,
            blocking=spec.blocking,
        )
        for result in results
        if (spec := by_name[str(result.check_name)])
    ]


def recorded(
    evaluated: Iterable[dg.AssetCheckEvaluation], specs: Iterable[dg.AssetCheckSpec]
) -> Iterator[dg.Output[None] | dg.AssetCheckEvaluation]:
    """What a step yields so that Dagster records these evaluations: each with the output of its check."""
    outputs = {spec.name: spec.get_python_identifier() for spec in specs}
    for evaluation in evaluated:
        yield dg.Output(None, output_name=outputs[evaluation.check_name])
        yield evaluation


def forget_rest_of(instance: dg.DagsterInstance, run_id: str) -> None:
    """Removes the results of checks and the tags of a run, which Dagster leaves behind when it deletes one."""
    events, runs = instance.event_log_storage, instance.run_storage
    if isinstance(events, SqlEventLogStorage):
        with events.index_connection() as connection:
            connection.execute(db.delete(AssetCheckExecutionsTable).where(AssetCheckExecutionsTable.c.run_id == run_id))
    if isinstance(runs, SqlRunStorage):
        with runs.connect() as connection:
            connection.execute(db.delete(RunTagsTable).where(RunTagsTable.c.run_id == run_id))


def forget_assets(instance: dg.DagsterInstance, prefix: str) -> None:
    """Removes the assets of a prefix and what was recorded of them outside runs: Dagster itself only marks them as wiped."""
    storage = instance.event_log_storage
    for key in [key.to_string() for key in storage.get_asset_keys(prefix=[prefix])]:
        if isinstance(storage, SqlEventLogStorage):
            with storage.index_connection() as connection:
                for table in (SqlEventLogStorageTable, AssetCheckExecutionsTable, AssetEventTagsTable, AssetKeyTable):
                    connection.execute(db.delete(table).where(table.c.asset_key == key))


def compact(instance: dg.DagsterInstance, *, whatever_is_empty: bool = False) -> None:
    """Gives the space of what was removed back, where the storage is the SQLite of a home and it is worth it."""
    for storage in (instance.event_log_storage, instance.run_storage):
        if isinstance(storage, Pooled):
            storage.compact(whatever_is_empty=whatever_is_empty)


def of_code_location(instance: dg.DagsterInstance, run_id: str) -> None:
    """Makes a run of the command line one of the code location that the UI serves: its home page shows no others.

    Args:
        instance: Where the run is recorded.
        run_id: The run.
    """
    run = instance.get_run_by_id(run_id)
    assert run is not None
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=CODE_LOCATION)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, CODE_LOCATION)
    repository = RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME)
    instance.run_storage.replace_job_origin(run, RemoteJobOrigin(repository, run.job_name))
