"""A cursor at a real PostgreSQL: every type that a cursor may have, and how the server is asked."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import adbc_driver_postgresql.dbapi as driver
import pytest
import sqlglot
from ruamel.yaml import YAML

import cx_intel
from cx_intel.sources.cursors import CursorKind
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.servers.connections import place_of, since
from cx_intel_tests.helpers.event_queries import PostgresTable, add, event_query, put
from cx_intel_tests.helpers.postgres import postgres

pytestmark = pytest.mark.slow  # a server; cursors at SQLite are in each run

FIRST, SECOND = date(2025, 1, 6), date(2025, 1, 7)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with postgres() as found:
        yield found


@pytest.mark.parametrize(
    ("cursor_type", "old", "newest", "new", "look_back"),
    [
        ("timestamptz", "2025-01-03 09:00+00", "2025-01-06 10:00+01", "2025-01-07 09:00-05", "1 day"),
        ("timestamp", "2025-01-03 09:00", "2025-01-06 09:00", "2025-01-07 09:00", "6 hours"),
        ("date", "2025-01-03", "2025-01-06", "2025-01-07", "1 day"),
        ("text", "2025-01-03T09:00:00Z", "2025-01-06T09:00:00Z", "2025-01-07T09:00:00Z", "1 day"),
        ("bigint", 1, 2000, 3000, 10),
        ("numeric(20, 0)", 1, 2000, 3000, 10),
    ],
)
def test_a_next_day_by_every_type_of_cursor(
    address: str,
    tmp_path: Path,
    cursor_type: str,
    old: str | int,
    newest: str | int,
    new: str | int,
    look_back: str | int,
) -> None:
    server = PostgresTable(address, "of_" + cursor_type.partition("(")[0], cursor_type)
    add(server, "E1", "A", "2025-01-03T08:00:00Z", old)
    add(server, "E2", "A", "2025-01-06T08:00:00Z", newest)
    with event_query(tmp_path, server, look_back=look_back, deleted="is_deleted") as events:
        events.deliver(FIRST)
        assert events.fetched == 2
        put(server, "E3", "B", "2025-01-07T08:00:00Z", new)
        put(server, "E1", "B", "2025-01-04T08:00:00Z", new)
        put(server, "E2", "A", "2025-01-06T08:00:00Z", new, is_deleted="true")
        events.deliver(SECOND)
        assert events.raw() == {"E1": date(2025, 1, 4), "E3": SECOND}
        events.deliver(SECOND)
        assert (events.fetched, events.told["unchanged"]) == (3, True)


def test_only_new_rows_leave_the_server(address: str, tmp_path: Path) -> None:
    """A query that fails on old rows would fail if they were asked for."""
    server = PostgresTable(address, "filtered")
    add(server, "E1", "A", "2025-01-01T08:00:00Z", "2025-01-01 09:00+00")
    query = "SELECT *, 1 / (event_name <> 'broken')::int AS checked FROM events -- by the server"
    with event_query(tmp_path, server, query=query) as events:
        events.deliver(FIRST)
        add(server, "E2", "A", "2025-01-06T08:00:00Z", "2025-01-06 09:00+00")
        events.deliver(FIRST)
        server.run("UPDATE events SET event_name = 'broken' WHERE event_id = 'E1'")
        events.deliver(FIRST)
        assert events.fetched == 1
        with pytest.raises(SourceError, match="division by zero"):
            events.deliver(FIRST, reads_all=True)
        assert len(events.raw()) == 2


def test_a_day_is_that_of_the_portfolio(address: str, tmp_path: Path) -> None:
    server = PostgresTable(address, "zones")
    add(server, "E1", "A", "2025-01-06T23:30:00Z", "2025-01-06 23:31+00")
    with event_query(tmp_path, server, zone="Europe/Berlin") as events:
        events.deliver(SECOND)
        assert events.raw() == {"E1": SECOND}


def test_a_cursor_that_becomes_another_type_is_read_anew(address: str, tmp_path: Path) -> None:
    server = PostgresTable(address, "retyped", "text")
    add(server, "E1", "A", "2025-01-05T08:00:00Z", "2025-01-05T09:00:00Z")
    with event_query(tmp_path, server) as events:
        events.deliver(FIRST)
        server.run("ALTER TABLE events ALTER updated_at TYPE timestamptz USING updated_at::timestamptz")
        add(server, "E2", "A", "2025-01-06T08:00:00Z", "2025-01-06 09:00+00")
        events.deliver(SECOND)
        assert (events.told["read_whole"], events.told["read_up_to"]) == (True, "2025-01-06 09:00:00")
        events.deliver(SECOND)
        assert "read_whole" not in events.told


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Auckland"])
def test_an_hour_that_comes_twice_is_read_twice(address: str, tmp_path: Path, zone: str) -> None:
    """At 3:00 on 26 October 2025 the clocks of Berlin, where the server's session is, go back to 2:00."""
    server = PostgresTable(address, "hour_" + zone.partition("/")[2].lower())
    server.address += "%20-cTimeZone%3DEurope/Berlin"
    add(server, "E1", "A", "2025-10-26 02:30+02", "2025-10-26 02:30+02")
    with event_query(tmp_path, server, zone=zone, look_back="0 minutes") as events:
        events.deliver(date(2025, 10, 26))
        assert events.told["read_up_to"] == "2025-10-26 00:30:00"
        add(server, "E2", "A", "2025-10-26 02:15+01", "2025-10-26 02:15+01")
        events.deliver(date(2025, 10, 26))
        assert (events.fetched, events.told["read_up_to"]) == (2, "2025-10-26 01:15:00")
        hours = {row["event_id"]: row["event_timestamp"][11:16] for row in events.warehouse.rows(events.raw_table)}
        assert hours == {"E1": "00:30", "E2": "01:15"}


def test_the_cursor_of_the_page(address: str, tmp_path: Path) -> None:
    page = Path(cx_intel.__file__).parents[1] / "docs" / "add-a-portfolio.md"
    text = page.read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(- kind: sql(?:(?!```).)*?cursor:.*?)```", text, re.DOTALL)
    (given,) = YAML(typ="safe").load(block)
    server = PostgresTable(address, "product")
    server.run(
        "CREATE OR REPLACE VIEW product.shown AS SELECT event_id AS id, account_id AS company_id, event_name AS name, "
        "event_timestamp AS occurred_at, updated_at, is_deleted FROM product.events"
    )
    add(server, "E1", "A", "2025-01-06T08:00:00Z", "2025-01-06 09:00+00")
    with event_query(tmp_path, server) as events:
        events.source = given | {
            "connection": "${THERE}",
            "query": given["query"].replace("product.events", "product.shown"),
        }
        events.deliver(FIRST)
        add(server, "E2", "A", "2025-01-05T08:00:00Z", "2025-01-06 03:00+00")
        put(server, "E1", "A", "2025-01-06T08:00:00Z", "2025-01-07 09:00+00", is_deleted="true")
        events.deliver(SECOND)
        assert events.raw() == {"E2": date(2025, 1, 5)}


def test_a_cursor_of_another_type_is_refused(address: str, tmp_path: Path) -> None:
    server = PostgresTable(address, "odd", "boolean")
    with event_query(tmp_path, server) as events, pytest.raises(SourceError, match="is of the type BOOLEAN"):
        events.deliver(FIRST)


def test_a_table_is_locked_by_nobody_meanwhile(address: str, tmp_path: Path) -> None:
    server = PostgresTable(address, "free")
    with event_query(tmp_path, server) as events:
        events.deliver(FIRST)
        with closing(driver.connect(server.address)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SET lock_timeout = '1s'")
            cursor.execute("ALTER TABLE events ADD COLUMN further text")


@pytest.mark.parametrize(
    ("kind", "bound", "snowflake", "bigquery"),
    [
        ("instant", "2025-01-06 09:00:00", "CAST('2025-01-06 09:00:00+00:00' AS TIMESTAMPTZ)", "TIMESTAMP"),
        ("time", "2025-01-06 09:00:00", "CAST('2025-01-06 09:00:00' AS TIMESTAMPNTZ)", "DATETIME"),
        ("date", "2025-01-06", "CAST('2025-01-06' AS DATE)", "DATE"),
        ("number", "1500", "1500", "1500"),
        ("text", "2025-01-06", "'2025-01-06'", "'2025-01-06'"),
    ],
)
def test_how_other_servers_are_asked(kind: CursorKind, bound: str, snowflake: str, bigquery: str) -> None:
    query = "WITH a AS (SELECT 1) SELECT * FROM a; "
    asked = since(query, "snowflake", "UPDATED_AT", kind, bound)
    assert snowflake in sqlglot.parse_one(asked, dialect="snowflake").sql("snowflake").replace(
        "TIMESTAMP_TZ", "TIMESTAMPTZ"
    )
    assert '"UPDATED_AT" IS NULL' in asked
    asked = since(query, "bigquery", "updated_at", kind, bound)
    assert bigquery in sqlglot.parse_one(asked, dialect="bigquery").sql("bigquery")
    assert "`updated_at` IS NULL" in asked


def test_a_place_is_told_without_user_and_password() -> None:
    assert place_of("postgresql://cx:s3cr%40t@host:5433/db?sslmode=require") == "postgresql://host:5433/db"
    assert place_of("snowflake://me:s3cret@account/db/schema?warehouse=small") == "snowflake://account/db/schema"
    assert place_of("sqlite:////data/crm.sqlite") == "sqlite:////data/crm.sqlite"
