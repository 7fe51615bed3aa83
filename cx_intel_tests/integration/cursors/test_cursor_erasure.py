"""Whoever was erased does not come back by a cursor, and what the ledger keeps of an account is there once."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel.orchestration.assets.delivery.raw_cursors import CursorDelivery
from cx_intel.privacy.erase import erase
from cx_intel.privacy.guard import Guard
from cx_intel.privacy.places import Home
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio

pytestmark = pytest.mark.slow  # loads from a real database

DAY = date(2025, 1, 31)
TABLES = {
    "usage_events": ("event_id", "event_timestamp", "event_name", "user_id"),
    "invoices": ("invoice_id", "invoice_date", "amount", "status"),
}


class Landed:
    """A SQLite file with events and invoices, and a warehouse that reads them by a cursor."""

    def __init__(self, folder: Path):
        self.file, self.home = folder / "landed.sqlite", folder / "home"
        self.home.mkdir()
        self.warehouse = self.home / "warehouse.duckdb"
        for table, columns in TABLES.items():
            self.run(f"CREATE TABLE {table} ({', '.join(columns)}, account_id, updated_at)")

    def run(self, statement: str) -> None:
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.execute(statement)

    def put(self, table: str, account: str, updated: str, *cells: str) -> None:
        """Writes a row in place of one with its id."""
        self.run(f"DELETE FROM {table} WHERE {TABLES[table][0]} = '{cells[0]}'")
        listed = ", ".join(f"'{cell}'" for cell in (*cells, account, updated))
        self.run(f"INSERT INTO {table} VALUES ({listed})")

    def deliver(self, *, reads_all: bool = False) -> dict[str, list[Mapping[str, Any]]]:
        """Brings both in; the rows that stand there then."""
        source = {"kind": "sql", "connection": "${THERE}", "cursor": {"column": "updated_at", "look_back": "1 day"}}
        sources = [source | {"table": table, "query": f"SELECT * FROM {table}"} for table in TABLES]
        others = [{"kind": "files", "table": t, "path": f"{t}.csv"} for t in ("accounts", "subscriptions")]
        book = portfolio(sources=[*others, *sources])
        warehouse = DuckDBWarehouse(open_warehouse(self.warehouse), book.name)
        guard, there = Guard(book.name, self.home, {}), {"THERE": f"sqlite:///{self.file}"}
        try:
            for of in (source for source in book.sources if isinstance(source, SqlSource)):
                kind: Any = "by_day" if of.table == "usage_events" else "whole"
                with warehouse.transaction():
                    CursorDelivery(of, of.table, kind, book, there, guard, warehouse, reads_all).take(DAY)
            return {table: warehouse.rows(warehouse.table(f"raw_{table}")) for table in TABLES}
        finally:
            close_warehouse(self.warehouse)

    def erase(self, account: str) -> str:
        """The pseudonym that stays."""
        home = Home(self.home, self.warehouse, self.home / "warehouse.lock", {})
        done = erase(home, portfolio().name, "account", account)
        assert done.remains == ()
        return str(done.pseudonym)


@pytest.fixture
def landed(tmp_path: Path) -> Landed:
    found = Landed(tmp_path)
    for n, account in enumerate(("A1", "A2", "A2"), start=1):
        found.put(
            "usage_events", account, f"2025-01-1{n}", f"E{n}", f"2025-01-1{n}T08:00:00", "login", f"user of {account}"
        )
        found.put("invoices", account, f"2025-01-1{n}", f"I{n}", f"2025-01-1{n}", f"{n}00", "paid")
    found.deliver()
    return found


def ledger(rows: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return sorted((row["account_id"], row["amount"]) for row in rows)


def test_an_erased_account_leaves_its_amounts_and_does_not_come_back(landed: Landed) -> None:
    pseudonym = landed.erase("A2")
    kept = [("A1", "100"), (pseudonym, "200"), (pseudonym, "300")]
    rows = landed.deliver()
    assert ({row["event_id"] for row in rows["usage_events"]}, ledger(rows["invoices"])) == ({"E1"}, kept)

    landed.put("usage_events", "A2", "2025-01-20", "E4", "2025-01-20T08:00:00", "login", "user of A2")
    landed.put("invoices", "A2", "2025-01-20", "I3", "2025-01-13", "250", "paid")
    landed.put("invoices", "A2", "2025-01-20", "I4", "2025-01-20", "400", "paid")
    kept = [("A1", "100"), (pseudonym, "200"), (pseudonym, "250"), (pseudonym, "400")]
    for _ in range(2):  # what is looked back at comes twice
        rows = landed.deliver()
        assert ({row["event_id"] for row in rows["usage_events"]}, ledger(rows["invoices"])) == ({"E1"}, kept)
        assert not any("A2" in str(cell) for table in rows.values() for row in table for cell in row.values())


def test_reading_everything_again_brings_nobody_back(landed: Landed) -> None:
    pseudonym = landed.erase("A2")
    kept = [("A1", "100"), (pseudonym, "200"), (pseudonym, "300")]
    rows = landed.deliver(reads_all=True)
    assert ({row["event_id"] for row in rows["usage_events"]}, ledger(rows["invoices"])) == ({"E1"}, kept)
    landed.run("DELETE FROM invoices WHERE account_id = 'A2'")
    assert ledger(landed.deliver(reads_all=True)["invoices"]) == kept
    assert ledger(landed.deliver()["invoices"]) == kept


def test_a_row_that_comes_to_belong_to_an_erased_account_goes(landed: Landed) -> None:
    landed.erase("A2")
    landed.put("usage_events", "A2", "2025-01-14", "E1", "2025-01-11T08:00:00", "login", "user of A1")
    assert landed.deliver()["usage_events"] == []
    assert landed.deliver(reads_all=True)["usage_events"] == []
