"""Back-ups where Dagster's storage is in PostgreSQL: it is dumped and brought back, or it is said that it is not held."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_postgresql.dbapi as driver
import duckdb
import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.upkeep.backups import backups
from cx_intel.warehouse.duckdb.upkeep.restoring import restore
from cx_intel.warehouse.duckdb.upkeep.upgrades import back_up_if_due
from cx_intel.warehouse.errors import WarehouseError
from cx_intel_tests.helpers.postgres import DAGSTER_YAML, PASSWORD, postgres

pytestmark = pytest.mark.slow  # a server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        yield address


@pytest.fixture
def home(server: str, tmp_path: Path) -> Path:
    """A home with a warehouse, and a table in PostgreSQL with one row."""
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    run(server, "DROP TABLE IF EXISTS event_logs", "CREATE TABLE event_logs (event text)")
    run(server, 'INSERT INTO event_logs VALUES (\'{"told": "of Müller"}\')')
    return tmp_path


def run(address: str, *statements: str) -> None:
    with driver.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def events(address: str) -> list[str]:
    with driver.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT event FROM event_logs ORDER BY 1")
        return [event for (event,) in cursor.fetchall()]


def command(home: Path, *words: str, **variables: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words), env={"CX_HOME": str(home)} | variables)
    return done.exit_code, done.output


def test_what_is_in_postgres_is_dumped_and_brought_back(server: str, home: Path) -> None:
    status, said = command(home, "backup", DAGSTER_POSTGRES_URL=server)
    assert (status, "It holds 1 dump of Dagster's storage in PostgreSQL" in said) == (0, True)
    (dumped,) = backups(home)[0].dumps
    assert "Müller" in dumped.read_text(encoding="utf-8"), "an erasure can search it"

    run(server, "INSERT INTO event_logs VALUES ('since')")
    assert command(home, "restore", DAGSTER_POSTGRES_URL=server)[0] == 0
    assert len(events(server)) == 2, "without --with-dagster it stays"
    assert command(home, "restore", "--with-dagster", DAGSTER_POSTGRES_URL=server)[0] == 0
    assert events(server) == ['{"told": "of Müller"}']


def test_a_back_up_that_a_run_makes_by_itself_holds_the_dump_too(server: str, home: Path) -> None:
    for address, dumps in ((server, 1), (server.replace(PASSWORD, "another"), 0)):
        shutil.rmtree(home / "backups", ignore_errors=True)
        with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
            database = Database(home / "warehouse.duckdb", connection)
            variables = {"DAGSTER_POSTGRES_URL": address}
            made = back_up_if_due(database, home, {}, keep=7, daily=True, variables=variables)
        assert made
        assert (len(made.dumps), len(made.manifest["not_held"])) == (dumps, 1 - dumps)


def test_a_dump_that_cannot_be_loaded_leaves_the_tables_as_they_are(server: str, home: Path) -> None:
    command(home, "backup", DAGSTER_POSTGRES_URL=server)
    (dumped,) = backups(home)[0].dumps
    dumped.write_text("DELETE FROM event_logs;\nnonsense;\n")
    with pytest.raises(WarehouseError, match=r"as it was: psql: .*syntax error") as refused:
        restore(home, home / "warehouse.duckdb", home / "lock", with_dagster=True, servers=(server,))
    assert PASSWORD not in str(refused.value)
    assert len(events(server)) == 1


def test_what_a_back_up_does_not_hold_is_said_with_the_command_that_does(
    server: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, said = command(home, "backup", DAGSTER_POSTGRES_URL="")
    assert (status, "DAGSTER_POSTGRES_URL, which is not set" in said, "pg_dump --clean" in said) == (0, True, True)
    wrong = server.replace(PASSWORD, "another")
    status, said = command(home, "backup", DAGSTER_POSTGRES_URL=wrong)
    assert (status, "password authentication failed" in said, "another" in said) == (0, True, False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    status, said = command(home, "backup", DAGSTER_POSTGRES_URL=server)
    assert (status, "pg_dump is not installed" in said) == (0, True)
    assert backups(home)[0].dumps == []
    with pytest.raises(WarehouseError, match="holds 0 dumps of PostgreSQL"):
        restore(home, home / "warehouse.duckdb", home / "lock", with_dagster=True, servers=(server,))
