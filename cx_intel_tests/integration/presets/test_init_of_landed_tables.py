"""A portfolio drafted from a database in which connectors have landed tables: the presets that fit, by its own lists."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel_tests.helpers.landed_tables import land, land_in_sqlite

HUBSPOT = {
    "company": [{"id": 101, "property_name": "Alder", "property_domain": "alder.example", "is_deleted": False}],
    "owner": [{"owner_id": 7, "email": "ines@vendor.example", "first_name": "Ines", "last_name": "Ott"}],
}
TICKET = {"id": 1, "organization_id": 5, "requester_id": 9, "created_at": "2025-06-01T08:00:00Z", "status": "open"}
ZENDESK = {"ticket": [TICKET | {"type": "question", "merged_ticket_ids": "[]", "priority": None}]}


def drafted(folder: Path, address: str, *words: str) -> tuple[int, str, Path]:
    file = folder / "acme.yaml"
    command = ["init", "--connection", "LANDED", "--name", "acme", "--output", str(file), *words]
    result = CliRunner().invoke(app, command, env={"LANDED": address, "COLUMNS": "200"})
    return result.exit_code, result.output, file


@pytest.mark.slow
def test_schemas_of_a_server(database: str, tmp_path: Path) -> None:
    land(database, "hubspot_init", HUBSPOT)
    land(database, "zendesk_init", ZENDESK)

    status, said, file = drafted(tmp_path, database)

    assert status == 0, said
    assert "fivetran_zendesk fits the schema zendesk_init: support_tickets" in said
    text = file.read_text()
    assert "  - preset: fivetran_hubspot\n    connection: ${LANDED}\n    schema: hubspot_init" in text
    assert database not in text
    assert {"accounts", "support_tickets"} <= set(load_portfolio(file).tables)


@pytest.mark.slow
def test_of_two_schemas_with_accounts_the_first_delivers_them(database: str, tmp_path: Path) -> None:
    land(database, "a_hubspot", HUBSPOT)
    land(database, "b_hubspot", HUBSPOT)

    status, said, file = drafted(tmp_path, database)

    assert status == 0, said
    assert "schema: b_hubspot\n    tables: {accounts: null" in file.read_text()
    assert "accounts" in load_portfolio(file).tables


def test_a_file_of_sqlite_has_no_schemas(tmp_path: Path) -> None:
    address = land_in_sqlite(tmp_path / "landed.db", ZENDESK)

    status, said, file = drafted(tmp_path, address)

    assert status == 0, said
    assert "preset: fivetran_zendesk\n    connection: ${LANDED}\n    schema: main" in file.read_text()


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    status, said, file = drafted(tmp_path, "sqlite:///nowhere.db")

    assert status == 2
    assert "no such file" in said
    assert not file.exists()


def test_a_variable_that_is_not_set_is_told(tmp_path: Path) -> None:
    status, said, _ = drafted(tmp_path, "")

    assert status == 2
    assert "LANDED is not set" in said
