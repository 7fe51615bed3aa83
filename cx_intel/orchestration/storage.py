"""Dagster's SQLite storage with pooled connections in place of a new engine for every statement.

The stock storage opens an engine and a connection for each event, which costs a small run several times its own work.
Everything else is Dagster's; `dagster.yaml` names these classes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

BUSY_SECONDS = 60
UNTOLD = {dg.DagsterEventType.STEP_INPUT, dg.DagsterEventType.LOADED_INPUT}
"""Events that are not kept: that an input was looked up, a sixth of all, tells nobody anything."""


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

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


class PooledEventLogStorage(Pooled, ConsolidatedSqliteEventLogStorage):
    """The event log of all runs in one SQLite file."""

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._begin() as connection:
            yield connection

    def store_event(self, event: dg.EventLogEntry) -> None:
        if event.dagster_event_type not in UNTOLD:
            super().store_event(event)

    def has_table(self, table_name: str) -> bool:
        with self._begin() as connection:
            return bool(self._engine.dialect.has_table(connection, table_name))

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()


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
