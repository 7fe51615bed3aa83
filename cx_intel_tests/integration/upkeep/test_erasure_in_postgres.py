"""Dagster's storage in PostgreSQL: a subject is taken out of it by words, proven by the same search, or the erasure fails."""

import json
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_postgresql.dbapi as driver
import pytest
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.register import PrivacyError
from cx_intel.privacy.runs.run_history import REDACTED
from cx_intel.privacy.runs.run_history_in_postgres import blot_out_in, mentions_in
from cx_intel.privacy.subject import Subject
from cx_intel.warehouse.duckdb.upkeep.backups import backups, take
from cx_intel.warehouse.duckdb.upkeep.restoring import verify
from cx_intel.warehouse.servers.dagster_storage import addresses
from cx_intel_tests.helpers.postgres import DAGSTER_YAML, postgres
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # a server, and refreshes

SUBJECT = Subject("small", "account", "P-2", ("Müller & Söhne",), "erased-12345678")
PICTURE = "data:image/png;base64,AAAA"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        yield address


@pytest.fixture
def storage(server: str) -> str:
    """A database with the tables of Dagster's storage, as dagster-postgres makes them."""
    tables = [*SqlEventLogStorageMetadata.sorted_tables, *RunStorageSqlMetadata.sorted_tables]
    made = list({table.name: table for table in tables}.values())
    with driver.connect(server, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
        for table in made:
            cursor.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))
    return server


def put(address: str, *events: str) -> None:
    with driver.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
        for event in events:
            cursor.execute("INSERT INTO event_logs (run_id, event) VALUES ('r', $1::text)", (event,))


def events(address: str) -> list[str]:
    with driver.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT event FROM event_logs ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def test_the_subject_goes_in_every_spelling_and_others_stay(storage: str) -> None:
    sample = json.dumps({"text": "| P-2 | M\u00fcller & S\u00f6hne |", "run_id": "r"})
    html = json.dumps({"md": "M\u00fcller &amp; S\u00f6hne pays"})
    nested = json.dumps({"metadata": json.dumps({"account_id": "P-2"})})
    other = json.dumps({"text": "| P-20 | XP-2 | P-2x |", "portfolio": "small"})
    picture, not_ours = json.dumps(["small", PICTURE]), json.dumps(["other", PICTURE])
    put(storage, sample, html, nested, other, picture, not_ours, "plain text about P-2, said")
    assert mentions_in(storage, SUBJECT) == ["event_logs.event"]
    assert blot_out_in(storage, SUBJECT) == 5
    assert mentions_in(storage, SUBJECT) == []
    found = events(storage)
    assert json.loads(found[0]) == {"text": REDACTED, "run_id": "r"}
    assert json.loads(found[1]) == {"md": REDACTED}
    assert json.loads(found[3]) == json.loads(other)
    assert json.loads(found[4]) == ["small", REDACTED]
    assert json.loads(found[5]) == json.loads(not_ours)
    assert found[6] == f"plain text about {REDACTED}, said"
    assert blot_out_in(storage, SUBJECT) == 0


def test_what_a_row_was_is_not_in_the_files_of_its_table_any_more(storage: str) -> None:
    put(storage, json.dumps({"text": "P-2 said so"}))
    blot_out_in(storage, SUBJECT)
    with driver.connect(storage) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text FROM event_logs")
        assert cursor.fetchone() == ("(0,1)",)  # the changed row stood behind it, at (0,2)


def test_an_erasure_reaches_it(storage: str, tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.settings["reports"] = {"exports": []}
    assert company.refresh(AS_OF).failures == []
    (company.home / "dagster.yaml").write_text(DAGSTER_YAML)
    put(storage, json.dumps({"sample": "A02 | Company 2"}), json.dumps({"sample": "A020 | Company 20"}))
    variables = company.variables | {"DAGSTER_POSTGRES_URL": storage}
    take(company.home, company.warehouse, reason="a test", keep=7, variables=variables)
    assert len(backups(company.home)[0].dumps) == 1
    done = erase(Home(company.home, company.warehouse, company.home / "lock", variables), "small", "account", "A02")
    assert done.remains == ()
    (backup,) = backups(company.home)
    assert (backup.dumps, backup.manifest["dagster_postgres"]) == ([], [])
    assert "erased since" in backup.manifest["not_held"][0]
    verify(backup)
    assert [json.loads(event) for event in events(storage)] == [{"sample": REDACTED}, {"sample": "A020 | Company 20"}]


def home_with(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "dagster.yaml").write_text(text)
    return folder


def test_where_the_storage_is_stands_in_dagster_yaml(tmp_path: Path) -> None:
    variables = {"URL": "postgresql://a@b/c", "SECRET": "p w"}
    assert addresses(tmp_path, {}) == ()
    assert addresses(home_with(tmp_path, "storage: {postgres: {postgres_url: {env: URL}}}"), variables) == (
        variables["URL"],
    )
    parts = "{username: u, password: {env: SECRET}, hostname: h, db_name: d, port: 6}"
    one = f"run_storage: {{module: dagster_postgres.run_storage, config: {{postgres_db: {parts}}}}}"
    assert addresses(home_with(tmp_path, one), variables) == ("postgresql://u:p%20w@h:6/d",)
    here = "event_log_storage: {module: cx_intel.orchestration.dagster_internals, config: {base_dir: x}}"
    assert addresses(home_with(tmp_path, here), variables) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("storage: {postgres: {postgres_url: {env: NOT_SET}}}", "NOT_SET, which is not set"),
        ("storage: {mysql: {mysql_url: x}}", "kept by mysql .* which is not reached from here"),
        ("storage: [", "cannot be read"),
    ],
)
def test_a_storage_that_is_not_reached_stops_the_erasure_before_it_begins(
    tmp_path: Path, text: str, message: str
) -> None:
    home = home_with(tmp_path, text)
    with pytest.raises(PrivacyError, match=f"(?s){message}.* Nothing was erased"):
        erase(Home(home, home / "warehouse.duckdb", home / "lock", {}), "small", "account", "A02")
