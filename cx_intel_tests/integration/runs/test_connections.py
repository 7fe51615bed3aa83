"""Tables that somebody landed in a database: read from a real PostgreSQL and a real SQLite, never written."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as driver
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.doctor.portfolios import examine
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.queries.queries import read_query
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.postgres import postgres
from cx_intel_tests.helpers.small_company import SmallCompany

LANDED = """
CREATE SCHEMA stripe;
CREATE TABLE stripe.subscription_history (
  id text, customer_id text, status text, created timestamptz, ended_at timestamptz, _fivetran_active boolean);
CREATE TABLE stripe.subscription_item (
  id uuid DEFAULT gen_random_uuid(), subscription_id text, quantity int, unit_amount numeric(14, 3), metadata jsonb);
INSERT INTO stripe.subscription_history VALUES
  ('S1', 'A1', 'active', '2025-01-01 23:30:00+01', null, true),
  ('S1', 'A1', 'trialing', '2024-12-01', null, false),
  ('S2', 'A2', 'canceled', '2024-03-01', '2025-02-01', true);
INSERT INTO stripe.subscription_item (subscription_id, quantity, unit_amount, metadata) VALUES
  ('S1', 3, 1999.125, '{"plan": "suite"}'), ('S1', 1, 500, null), ('S2', 2, 1000, null);
"""
QUERY = """
  SELECT h.id AS subscription_id, h.customer_id AS account_id, h.status, h.created AS start_date, h.ended_at AS end_date,
    sum(i.quantity * i.unit_amount) / 100 AS amount, max(i.metadata->>'plan') AS product_name
  FROM stripe.subscription_history h JOIN stripe.subscription_item i ON i.subscription_id = h.id
  WHERE h._fivetran_active GROUP BY h.id, h.customer_id, h.status, h.created, h.ended_at ORDER BY h.id
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with postgres() as found:
        with closing(driver.connect(found)) as connection, closing(connection.cursor()) as cursor:
            for statement in LANDED.split(";"):
                cursor.execute(statement) if statement.strip() else None
            connection.commit()
        yield found


def read(address: str, query: str, table: str = "subscriptions") -> list[dict[str, Any]]:
    source = SqlSource.model_validate({"kind": "sql", "table": table, "connection": "${THERE}", "query": query})
    found = read_query(source, contract=STAGING[table](portfolio()), environment={"THERE": address})
    return [{k: v for k, v in row.items() if not k.startswith("_")} for row in found.table.to_pylist()]


def test_a_query_at_a_postgres(address: str) -> None:
    first, second = read(address, QUERY)
    # (3 x 1999.125 + 500) / 100, exact
    assert Decimal(first.pop("amount")) == Decimal("64.97375")
    assert first == {
        "subscription_id": "S1",
        "account_id": "A1",
        "status": "active",
        "start_date": "2025-01-01T22:30:00.000000Z",
        "end_date": None,
        "product_name": "suite",
    }
    assert (second["subscription_id"], second["end_date"]) == ("S2", "2025-02-01T00:00:00.000000Z")


def test_an_exact_number_is_no_ambiguous_text(address: str) -> None:
    query = "SELECT 'S' AS subscription_id, 'A' AS account_id, DATE '2025-01-01' AS start_date, 1.234 AS amount"
    (row,) = read(address, query)
    assert (row["amount"], row["start_date"]) == ("1.234", date(2025, 1, 1))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nosuch FROM stripe.subscription_item", 'column "nosuch" does not exist'),
        ("SELECT 1 AS a; SELECT 2 AS b", "multiple commands"),
        ("DELETE FROM stripe.subscription_item RETURNING id", "write one SELECT"),
        ("WITH gone AS (DELETE FROM stripe.subscription_item RETURNING *) SELECT * FROM gone", "write one SELECT"),
        ("COMMIT", "gives no column 'subscription_id'"),
        ("SELECT 'S' AS subscription_id", "gives no column 'account_id', which subscriptions requires"),
    ],
)
def test_what_a_postgres_refuses(address: str, query: str, message: str) -> None:
    with pytest.raises(SourceError) as error:
        read(address, query)
    assert message in str(error.value)
    assert len(read(address, QUERY)) == 2


def test_no_message_tells_the_password(address: str) -> None:
    wrong = address.replace("cx:", "nobody:")
    with pytest.raises(SourceError) as error:
        read(wrong, QUERY)
    assert "s3cr" not in str(error.value)
    assert "authentication failed" in str(error.value)


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cx_intel.warehouse.servers.connections.CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceError, match="timeout expired"):
        read(f"postgresql://cx@127.0.0.1:{silent.getsockname()[1]}/postgres?application_name=cx", QUERY)


@pytest.mark.slow
def test_a_refresh_from_a_postgres(address: str, tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.variables["LANDED_AT"] = address
    company.only("accounts", "subscriptions")
    company.settings["sources"] = [s for s in company.settings["sources"] if s["table"] == "accounts"]
    company.settings["sources"].append(
        {
            "kind": "sql",
            "table": "subscriptions",
            "connection": "${LANDED_AT}",
            "query": QUERY,
            "end_date": {"means": "cancellation"},
        }
    )
    company.settings["revenue"] = {"basis": "subscriptions"}
    company.tables = {"accounts": [{"account_id": "A1"}, {"account_id": "A2"}]}
    assert company.refresh().succeeded
    # S1 counts from January; S2, twenty a month, ends on 1 February
    found = company.values("nrr_summary", "ending_mrr", by="revenue_month")
    assert found[date(2024, 12, 1)] == Decimal("20.00")
    assert found[date(2025, 1, 1)] == Decimal("84.97")


def test_a_sqlite_file_and_its_faults(tmp_path: Path) -> None:
    file = tmp_path / "crm 100%25.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE a (id TEXT, employees INTEGER)")
        connection.executemany("INSERT INTO a VALUES (?, ?)", [("A1", 5), ("A2", None)])
        connection.commit()
    address = f"sqlite:///{file}"
    assert read(address, "SELECT id AS account_id, employees AS employee_count FROM a", "accounts") == [
        {"account_id": "A1", "employee_count": 5},
        {"account_id": "A2", "employee_count": None},
    ]
    with pytest.raises(SourceError, match="write one SELECT"):
        read(address, "DELETE FROM a", "accounts")
    with pytest.raises(SourceError, match=r"gone.sqlite: no such file"):
        read(f"sqlite:///{tmp_path}/gone.sqlite", "SELECT 1", "accounts")
    with pytest.raises(SourceError, match="begins with mysql:"):
        read("mysql://host/db", "SELECT 1", "accounts")


def test_what_is_not_set_or_not_reached_is_told_before_a_refresh(address: str) -> None:
    source = {"kind": "sql", "table": "accounts", "connection": "${THERE}", "query": "SELECT 1"}
    book = portfolio(sources=[source, source | {"table": "subscriptions"}])
    with pytest.raises(SourceError, match="THERE is not set, which holds the connection of the source of accounts"):
        read_query(book.sources[0], contract=STAGING["accounts"](book), environment={})  # type: ignore[arg-type]
    assert [finding.text for finding in examine(book, {"THERE": address})][-1] == "valid, 2 sources reachable"
    texts = [finding.text for finding in examine(book, {"THERE": "postgresql://127.0.0.1:1/none"})]
    assert any("The connection of the source of accounts fails" in text for text in texts)
