"""A portfolio drafted from the database of a company's own product: tables by name, prices by the column that leads to them."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.queries.queries import read_query

SCHEMA = """
create table organizations(id integer primary key, name text, created_at text, plan_id int, deleted_at text);
create table users(id integer primary key, organization_id int, email text, created_at text);
create table plans(id integer primary key, name text, price_cents int, interval text);
create table subscriptions(id integer primary key, organization_id int, plan_id int, quantity int, status text,
  started_at text, canceled_at text, ended_at text);
create table subscription_notes(id integer primary key, subscription_id int, text text);
create table events(id integer primary key, organization_id int, user_id int, name text, created_at text);
create table schema_migrations(version text);
insert into organizations values (1, 'Alder', '2024-01-05 10:00:00', 1, null), (2, 'Birch', '2025-03-01 10:00:00', 2, null);
insert into plans values (1, 'Basic', 4900, 'month'), (2, 'Pro', 118800, 'year');
insert into subscriptions values (1, 1, 1, 3, 'active', '2024-01-05 10:00:00', null, null),
  (2, 2, 2, 1, 'active', '2025-03-01 10:00:00', null, null);
insert into events values (1, 1, 1, 'login', '2026-11-24 09:00:00');
"""


def drafted(folder: Path, schema: str) -> Path:
    """The draft of a portfolio over a database of its own."""
    file = folder / "app.yaml"
    with sqlite3.connect(folder / "app.db") as database:
        database.executescript(schema)
    command = ["init", "--connection", "APP_DB", "--name", "app", "--output", str(file)]
    result = CliRunner().invoke(app, command, env={"APP_DB": f"sqlite:///{folder / 'app.db'}", "COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return file


def delivered(file: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a draft's sources, by table."""
    portfolio = load_portfolio(file)
    environment = {"APP_DB": f"sqlite:///{file.parent / 'app.db'}"}
    rows = {}
    for source in portfolio.sources:
        assert isinstance(source, SqlSource)
        rows[source.table] = read_query(
            source, contract=STAGING[source.table](portfolio), environment=environment
        ).table.to_pylist()
    return rows


def test_tables_of_an_app_with_prices_in_a_table_of_plans(tmp_path: Path) -> None:
    file = drafted(tmp_path, SCHEMA)

    text, rows = file.read_text(), delivered(file)
    assert {table: len(given) for table, given in rows.items()} == {
        "accounts": 2,
        "subscriptions": 2,
        "usage_events": 1,
    }
    priced = [(r["account_id"], r["quantity"], r["unit_amount"], r["billing_interval"]) for r in rows["subscriptions"]]
    assert sorted(priced) == [("1", "3", "4900", "month"), ("2", "1", "118800", "year")]
    assert "in_minor_units: true" in text
    assert "# price_cents of plans is taken for one of quantity, not for all." in text
    assert "# Rows with a value in deleted_at are taken too;" in text
    assert "# All its rows are read at each refresh." in text


@pytest.mark.slow
def test_subscriptions_without_a_price_are_said(tmp_path: Path) -> None:
    text = drafted(tmp_path, SCHEMA.replace("price_cents", "colour")).read_text()

    assert "# subscriptions seems to be subscriptions, which needs amount: say which column it is." in text
