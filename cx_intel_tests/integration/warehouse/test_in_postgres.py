"""A portfolio whose tables live in a PostgreSQL server too: computed there, equal to the file's, whatever happens in between."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pytest
from adbc_driver_postgresql import dbapi

from cx_intel.doctor.engines import examine
from cx_intel.orchestration.removal import holdings, remove
from cx_intel.settings.storage import PostgresStorage
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.postgres.server import PostgresTables
from cx_intel.warehouse.postgres.warehouse import PostgresWarehouse, bring_up_to_date
from cx_intel.warehouse.servers.connections import place_of
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.command_line import here
from cx_intel_tests.helpers.on_spark import held
from cx_intel_tests.helpers.postgres import postgres
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # a server, and refreshes

NEXT_DAY = date(2025, 2, 1)
FIRST, SECOND = date(2025, 1, 1), date(2025, 1, 2)
LIKE = ibis.schema({"account_id": "string", "event_date": "date", "amount": "decimal(18, 2)", "events": "int64"})
MADE = "SELECT c.oid::int8 FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'one' AND relname = 'days'"
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        yield address


@pytest.fixture(scope="module")
def company(server: str, tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """Refreshed for a day in both."""
    made = SmallCompany(tmp_path_factory.mktemp("company"))
    made.only("accounts", "subscriptions", "usage_events")
    made.settings["warehouse"] = {"engine": "postgres", "address": "${SMALL_PG}"}
    made.variables["SMALL_PG"] = server
    return made


@pytest.fixture(autouse=True)
def known(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_PG", server)


def ask(address: str, query: str) -> Rows:
    with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def events(*rows: tuple[str, date, str, int | None]) -> ir.Table:
    """Account, day, amount and number of events."""
    return ibis.memtable([dict(zip(LIKE, (a, d, Decimal(x), n), strict=True)) for a, d, x, n in rows], schema=LIKE)


def put(tables: PostgresWarehouse, day: date, *rows: tuple[str, date, str, int | None]) -> None:
    tables.stage("days", [events(*rows)], LIKE)
    tables.swap("days", column="event_date", days=[day])


def there(address: str) -> Rows:
    """The rows of the single table."""
    return ask(address, "SELECT account_id, event_date, amount::text, events FROM one.days ORDER BY 1, 2")


def in_file(company: SmallCompany, table: str) -> Rows:
    return sorted(company.query(f"SELECT COLUMNS(*)::VARCHAR FROM {table}"), key=repr)


def at_server(address: str, company: SmallCompany, table: str) -> Rows:
    """The rows as DuckDB writes them, whatever the server's own way."""
    with dbapi.connect(address) as connection, connection.cursor() as cursor:
        names = [name for name, *_ in company.query(f"DESCRIBE {table}")]
        kinds = {name: kind for name, kind, *_ in company.query(f"DESCRIBE {table}")}
        cells = ", ".join(f'"{n}"::text' if kinds[n].startswith("DECIMAL") else f'"{n}"' for n in names)
        cursor.execute(f'SELECT {cells} FROM "{company.name}"."{table}"')
        found = cursor.fetch_arrow_table().rename_columns(names)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("found", found)
        cells = ", ".join(f'"{n}"::{kinds[n]}::VARCHAR' for n in names)
        return sorted(connection.execute(f"SELECT {cells} FROM found").fetchall(), key=repr)


def differing(address: str, company: SmallCompany) -> set[str]:
    """The tables at the server that have other rows than the file's."""
    schema = f"SELECT tablename::text FROM pg_tables WHERE schemaname = '{company.name}'"
    tables = {name for (name,) in ask(address, schema)}
    assert {"dim_account", "stg_usage_events", "fct_usage", "revenue_ledger", "nrr_summary", "rejected_rows"} <= tables
    assert not any(name.startswith("_staged") for name in tables)
    return {table for table in tables if in_file(company, table) != at_server(address, company, table)}


def test_every_table_is_as_on_duckdb_and_in_both_places(company: SmallCompany, server: str, tmp_path: Path) -> None:
    duck = SmallCompany(tmp_path)
    duck.only("accounts", "subscriptions", "usage_events")
    ask(server, "ALTER ROLE cx SET track_functions = 'pl'")
    for day in (AS_OF, NEXT_DAY):
        assert company.refresh(day).succeeded
        assert duck.refresh(day).succeeded
        on_duckdb, in_postgres = held(duck), held(company)
        assert {name for name in on_duckdb if on_duckdb[name] != in_postgres.get(name)} == set()
        assert in_postgres.keys() == on_duckdb.keys()
        assert differing(server, company) == set()
        if day == AS_OF:
            casts = ask(server, "SELECT sum(calls)::int8 FROM pg_stat_user_functions WHERE funcname = 'try_timestamp'")
            assert casts[0][0] >= len(company.tables["usage_events"]) / 2  # the server has read their times
            ask(server, "CREATE VIEW public.of_accounts AS SELECT account_id FROM small.dim_account")
    assert len(ask(server, "SELECT * FROM public.of_accounts")) == 12  # a view of somebody else outlives a refresh
    ask(server, "DROP VIEW public.of_accounts")


def test_what_somebody_has_changed_there_is_set_right(company: SmallCompany, server: str) -> None:
    ask(server, "DROP TABLE small.fct_usage")
    ask(server, "COMMENT ON TABLE small.dim_account IS 'cx-intel, write of another time'")
    ask(server, "DELETE FROM small.dim_account")
    assert company.refresh(NEXT_DAY, write=False).succeeded
    assert differing(server, company) == set()


def test_a_table_of_somebody_else_is_not_touched(company: SmallCompany, server: str) -> None:
    ask(server, "ALTER TABLE small.fct_usage RENAME TO kept_apart")
    ask(server, "CREATE TABLE small.fct_usage AS SELECT 1 AS mine")
    company.tables["usage_events"][0]["event_name"] = "report"
    outcome = company.refresh(NEXT_DAY)
    assert not outcome.succeeded
    assert ask(server, "SELECT mine FROM small.fct_usage") == [(1,)]
    ask(server, "DROP TABLE small.fct_usage")
    assert company.refresh(NEXT_DAY, write=False).succeeded
    assert ask(server, "SELECT 1 FROM pg_tables WHERE tablename = 'kept_apart'") == []  # it was of the file's no more
    assert differing(server, company) == set()


def test_whoever_is_erased_is_in_no_table_and_a_removal_takes_the_tables(company: SmallCompany, server: str) -> None:
    assert ask(server, "SELECT 1 FROM small.dim_account WHERE account_id = 'A05'") == [(1,)]
    named, place = company.settings.pop("warehouse"), server.rpartition("@")[2]
    company.write_settings()
    refused = here(company, "erase", company.name, "--account", "A05", "--yes")
    told = " ".join(refused.output.split())
    assert "stand in PostgreSQL too, which its YAML does not name: the schema small at" in told
    assert (refused.exit_code, place in told) == (2, True)
    company.settings["warehouse"] = named
    company.write_settings()
    done = here(company, "erase", company.name, "--account", "A05", "--yes")
    assert done.exit_code == 0, done.output
    tables = [table for (table,) in ask(server, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'small'")]
    assert [t for t in tables if ask(server, f"SELECT 1 FROM small.\"{t}\" AS r WHERE r::text LIKE '%A05%'")] == []
    assert differing(server, company) == set()
    assert "tables in PostgreSQL" in {found.what for found in holdings(company.environment, company.name)}
    remove(company.environment, company.name)
    assert ask(server, "SELECT 1 FROM pg_tables WHERE schemaname = 'small'") == []


class TestTables:
    """A single table, whatever happens in the middle of a write."""

    @pytest.fixture
    def tables(self, server: str, tmp_path: Path) -> Iterator[PostgresWarehouse]:
        database = open_warehouse(tmp_path / "warehouse.duckdb")
        ask(server, "DROP SCHEMA IF EXISTS one CASCADE")
        there = PostgresTables("${PG}", {"PG": server}, "one", ["days"])
        yield PostgresWarehouse(database, "one", there)
        there.close()
        close_warehouse(tmp_path / "warehouse.duckdb")

    def test_days_are_replaced_and_taken_away_there_too(self, tables: PostgresWarehouse, server: str) -> None:
        put(tables, FIRST, ("A", FIRST, "1.50", 3), ("B", FIRST, "2", 1))
        put(tables, SECOND, ("A", SECOND, "0.05", 9))
        made = ask(server, MADE)
        put(tables, FIRST, ("C", FIRST, "7", None))
        assert there(server) == [("A", SECOND, "0.05", 9), ("C", FIRST, "7.00", None)]
        assert ask(server, MADE) == made  # the table stayed: views over it do
        assert tables.delete_before("days", "event_date", SECOND) == 1
        assert there(server) == [("A", SECOND, "0.05", 9)]
        assert bring_up_to_date(tables.database, "one", tables.server) == []

    def test_the_server_makes_the_rows_and_a_later_part_reads_the_earlier(
        self, tables: PostgresWarehouse, server: str
    ) -> None:
        first = events(("A", FIRST, "1.50", 3))

        def parts() -> Iterator[ir.Table]:
            yield first
            earlier = tables.staged("days")
            yield earlier.mutate(account_id=earlier.account_id + "2", amount=earlier.amount / 3)

        tables.stage("days", parts(), LIKE)
        staged = "SELECT account_id, amount::text FROM one._staged_days ORDER BY 1"
        assert ask(server, staged) == [("A", "1.50"), ("A2", "0.50")]
        tables.discard("days")
        assert tables.server.tables() == []

    def test_killed_between_the_file_and_the_server_it_is_filled_before_it_is_read(
        self, tables: PostgresWarehouse, server: str
    ) -> None:
        put(tables, FIRST, ("A", FIRST, "1", 1))
        tables.stage("days", [events(("B", FIRST, "2", 2))], LIKE)
        DuckDBWarehouse.swap(tables, "days", column="event_date", days=[FIRST])  # and no more: the program was killed
        assert there(server) == [("A", FIRST, "1.00", 1)]
        rows = tables.table("days")
        tables.stage("days", [rows.mutate(events=rows.events + 1)], LIKE)  # of the file's rows, not of the server's
        assert ask(server, "SELECT account_id, events FROM one._staged_days") == [("B", 3)]
        tables.discard("days")
        assert bring_up_to_date(tables.database, "one", tables.server) == ["days"]
        assert there(server) == [("B", FIRST, "2.00", 2)]

    def test_new_columns_come_and_a_view_in_the_way_is_named(self, tables: PostgresWarehouse, server: str) -> None:
        put(tables, FIRST, ("A", FIRST, "1", 1))
        wider = events(("A", SECOND, "1", 1)).mutate(note=ibis.literal("x"))
        ask(server, "CREATE VIEW public.mine AS SELECT events FROM one.days")
        tables.stage("days", [wider], wider.schema())
        with pytest.raises(WarehouseError, match="Drop the views that read it, and make them again after"):
            tables.swap("days", column="event_date", days=[SECOND])
        ask(server, "DROP VIEW public.mine")
        assert bring_up_to_date(tables.database, "one", tables.server) == ["days"]
        assert ask(server, "SELECT event_date::text, note FROM one.days ORDER BY 1") == [
            ("2025-01-01", None),
            ("2025-01-02", "x"),
        ]

    def test_texts_that_the_server_cannot_have_stop_nothing(self, tables: PostgresWarehouse, server: str) -> None:
        put(tables, FIRST, ("A\0B", FIRST, "1", 1))
        assert there(server) == [("A\ufffdB", FIRST, "1.00", 1)]
        assert tables.rows(tables.table("days"))[0]["account_id"] == "A\ufffdB"

    def test_a_table_changed_in_a_transaction_is_another_before_its_end(
        self, tables: PostgresWarehouse, server: str
    ) -> None:
        put(tables, FIRST, ("A", FIRST, "1", 1), ("B", FIRST, "2", 2))
        with tables.transaction():
            tables.database.change("one", "days", "DELETE FROM one.days WHERE account_id = 'A'")
            tables.stage("days", [tables.table("days")], LIKE)
            assert ask(server, "SELECT account_id FROM one._staged_days") == [("B",)]
            tables.discard("days")

    def test_the_doctor_says_whether_it_may_be_written_and_makes_nothing(
        self, tables: PostgresWarehouse, server: str
    ) -> None:
        def told(user: str = "") -> list[str]:
            address = server.replace("cx:s3cr%40t", f"{user}:x") if user else server
            named = PostgresStorage(engine="postgres", address="${PG}", in_schema="one")
            book = shipped("novacrm").model_copy(update={"warehouse": named})
            return [f"{f.level}: {f.text}" for f in examine(book, Path(), {"PG": address})]

        place = f"the schema one at {place_of(server)}"
        assert told() == [f"ok: {place} may be written"]
        assert ask(server, "SELECT 1 FROM pg_namespace WHERE nspname = 'one'") == []
        put(tables, FIRST, ("A", FIRST, "1", 1))
        assert told() == [f"ok: {place} may be written"]  # while a run has it
        ask(server, "CREATE ROLE reader LOGIN PASSWORD 'x'")
        assert told("reader") == [f"problem: {place} may not be written"]

    def test_a_schema_is_one_homes(self, tables: PostgresWarehouse, server: str) -> None:
        put(tables, FIRST, ("A", FIRST, "1", 1))
        other = PostgresTables("${PG}", {"PG": server}, "one", [])
        with pytest.raises(WarehouseError, match="Another run of cx-intel, of another home, writes the schema one at"):
            other.tables()

    def test_a_server_out_of_reach_is_named_without_its_password(self) -> None:
        away = PostgresTables("${PG}", {"PG": "postgresql://cx:hidden@127.0.0.1:1/db"}, "one", [])
        with pytest.raises(
            WarehouseError, match=r"PostgreSQL, the schema one at postgresql://127\.0\.0\.1:1/db: "
        ) as told:
            away.tables()
        assert "hidden" not in str(told.value)
        with pytest.raises(WarehouseError, match="The environment variable PG is not set"):
            PostgresTables("${PG}", {}, "one", []).tables()
