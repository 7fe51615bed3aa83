"""Events in a table of a database, brought in by a cursor and staged: SQLite or PostgreSQL, with rows that change in place.

events = EventQuery(tmp_path, SqliteTable(tmp_path / "product.sqlite"))
events.server.put("E1", "A", "2025-01-06T08:00:00", updated="2025-01-06T09:00:00")
events.refresh(date(2025, 1, 6))
events.fetched
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import adbc_driver_postgresql.dbapi as driver
import ibis.expr.types as ir

from cx_intel.orchestration.assets.delivery.raw_cursors import CursorDelivery
from cx_intel.privacy.guard import Guard
from cx_intel.settings.sources.sql import SqlSource
from cx_intel_tests.helpers.event_files import EventLoads

COLUMNS = ("event_id", "account_id", "event_timestamp", "event_name", "updated_at", "is_deleted")
QUERY = "SELECT event_id, account_id, event_timestamp, event_name, updated_at, is_deleted FROM events"


class Server(Protocol):
    """A database with a table of events."""

    address: str

    def run(self, statement: str) -> None:
        """Executes one statement and commits."""
        ...


class SqliteTable:
    """A table of events in a SQLite file, made where it is not there; the cursor is of the type given, or none."""

    def __init__(self, file: Path, cursor_type: str = "TEXT"):
        self.file, self.address = file, f"sqlite:///{file}"
        self.run(
            "CREATE TABLE IF NOT EXISTS events (event_id TEXT, account_id TEXT, event_timestamp TEXT, event_name TEXT, "
            f"updated_at {cursor_type}, is_deleted INTEGER)"
        )

    def run(self, statement: str) -> None:
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute(statement)
            connection.commit()


class PostgresTable:
    """The same in a schema of a PostgreSQL."""

    def __init__(self, address: str, schema: str, cursor_type: str = "timestamptz"):
        self._server = address
        self.run(f"CREATE SCHEMA {schema}")
        self.address = f"{address}?options=-csearch_path%3D{schema}"
        self._server = self.address
        self.run(
            "CREATE TABLE events (event_id text, account_id text, event_timestamp timestamptz, event_name text, "
            f"updated_at {cursor_type}, is_deleted boolean)"
        )

    def run(self, statement: str) -> None:
        with closing(driver.connect(self._server)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement)
            connection.commit()


def put(server: Server, event: str, account: str, at: str, updated: str | int | None, **more: Any) -> None:
    """Writes a row, in the place of one with its id."""
    server.run(f"DELETE FROM events WHERE event_id = '{event}'")
    add(server, event, account, at, updated, **more)


def add(
    server: Server,
    event: str | None,
    account: str,
    at: str,
    updated: str | int | None,
    name: str = "login",
    is_deleted: str = "NULL",
) -> None:
    """Writes a row beside all others."""
    cells = [event, account, at, name, updated]
    listed = ", ".join(
        "NULL" if cell is None else f"'{cell}'" if isinstance(cell, str) else str(cell) for cell in cells
    )
    server.run(f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({listed}, {is_deleted})")


class EventQuery(EventLoads):
    """A table of events that is read by a cursor, and a warehouse.

    Attributes:
        server: Where the table is.
    """

    def __init__(self, folder: Path, server: Server, zone: str = "UTC", query: str = QUERY, **cursor: Any):
        self.server = server
        source = {"kind": "sql", "table": "usage_events", "connection": "${THERE}", "query": query}
        super().__init__(folder, source | {"cursor": {"column": "updated_at", **cursor}}, zone)

    def deliver(self, day: date, *, reads_all: bool = False) -> tuple[date, ...]:
        of = self.portfolio
        source = of.source_of("usage_events")
        assert isinstance(source, SqlSource)
        guard = Guard(of.name, self.home, {})
        with self.warehouse.transaction():
            days, self.told = CursorDelivery(
                source,
                "usage_events",
                "by_day",
                of,
                {"THERE": self.server.address},
                guard,
                self.warehouse,
                reads_all,
            ).take(day)
        return days

    @property
    def raw_table(self) -> ir.Table:
        """What was delivered."""
        return self.warehouse.table("raw_usage_events")

    def raw(self) -> dict[str, date]:
        """Event: the day that it was delivered under."""
        return {row["event_id"]: row["_day"] for row in self.warehouse.rows(self.raw_table)}

    @property
    def fetched(self) -> int:
        """How many rows the last delivery fetched."""
        return int(self.told["rows_fetched"])


@contextmanager
def event_query(folder: Path, server: Server, **settings: Any) -> Iterator[EventQuery]:
    """Events at a database for as long as the block lasts."""
    events = EventQuery(folder, server, **settings)
    try:
        yield events
    finally:
        events.close()
