"""Whole refreshes of a company whose tables are read by a cursor: day by day they are what one reading of all would be."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey

from cx_intel_tests.helpers.small_company import AS_OF, DATED, SmallCompany

pytestmark = pytest.mark.slow

NEXT = AS_OF + timedelta(days=1)
KEYS = {"usage_events": "event_id", "support_tickets": "ticket_id", "subscriptions": "subscription_id"}


class LandedCompany(SmallCompany):
    """The small company, with its events, tickets and contracts in a SQLite file that somebody keeps up to date."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.file = folder / "landed.sqlite"
        self.variables["LANDED_AT"] = f"sqlite:///{self.file}"
        sources = [s for s in self.settings["sources"] if s["table"] not in KEYS]
        for table, key in KEYS.items():
            columns = list(dict.fromkeys(name for row in self.tables[table] for name in row))
            sources.append(
                {
                    "kind": "sql",
                    "table": table,
                    "connection": "${LANDED_AT}",
                    "query": f"SELECT {', '.join(columns)}, synced_at, is_gone FROM {table}",
                    "cursor": {"column": "synced_at", "key": key, "look_back": "1 hour", "deleted": "is_gone"},
                }
            )
            with self.landed() as connection:
                connection.execute(f"CREATE TABLE {table} ({', '.join(columns)}, synced_at TEXT, is_gone INTEGER)")
        self.settings["sources"] = sources

    def landed(self) -> closing[sqlite3.Connection]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return closing(sqlite3.connect(self.file, isolation_level=None))

    def land(self, day: date, **rows: list[dict[str, Any]]) -> None:
        """Writes rows in place of those with their ids, in the night after a day."""
        with self.landed() as connection:
            for table, listed in rows.items():
                for row in listed:
                    cells = {k: v if v is None else str(v) for k, v in row.items()}
                    cells["synced_at"] = f"{day + timedelta(days=1)}T02:00:00Z"
                    connection.execute(f"DELETE FROM {table} WHERE {KEYS[table]} = ?", [row[KEYS[table]]])
                    marks = ", ".join("?" for _ in cells)
                    connection.execute(
                        f"INSERT INTO {table} ({', '.join(cells)}) VALUES ({marks})", list(cells.values())
                    )

    def land_up_to(self, day: date) -> None:
        """Writes what came to be known up to a day, each row in the night after its own."""
        for table in KEYS:
            for row in self.tables[table]:
                known = date.fromisoformat(str(row[DATED[table]])[:10])
                if known <= day:
                    self.land(known, **{table: [row]})

    def row(self, table: str, row_id: str) -> dict[str, Any]:
        """A row by its id."""
        return next(row for row in self.tables[table] if row[KEYS[table]] == row_id)

    def fetched(self, table: str) -> int:
        """How many rows the last refresh fetched of a table."""
        with self.instance() as instance:
            event = instance.get_latest_materialization_event(AssetKey([self.name, f"raw_{table}"]))
        assert event is not None
        materialization = event.asset_materialization
        assert materialization is not None
        return int(str(materialization.metadata["rows_fetched"].value))


def _with(rows: list[dict[str, Any]], key: str, changed: dict[str, Any] | None, row_id: str) -> list[dict[str, Any]]:
    """The rows with one in another's place, or without it."""
    return [*(row for row in rows if row[key] != row_id), *([changed] if changed else [])]


def test_a_next_day_is_what_files_would_have_been(tmp_path: Path) -> None:
    company, whole = LandedCompany(tmp_path), SmallCompany(tmp_path / "files")
    for each in (company, whole):
        each.leave_out("renewals", "playbooks", "rollups")
    company.land_up_to(AS_OF)
    whole.write(AS_OF)
    assert company.refresh(AS_OF).succeeded
    assert whole.refresh(AS_OF, write=False).succeeded

    late = {"event_id": "E-late", "account_id": "A05", "user_id": "U05", "event_name": "login"}
    late["event_timestamp"] = "2025-01-20T08:00:00"
    solved = company.row("support_tickets", "T1") | {"resolved_at": "2025-02-01T09:00:00", "status": "resolved"}
    dearer = company.row("subscriptions", "S01") | {"amount": 150}
    gone = company.row("subscriptions", "S02") | {"is_gone": 1}
    new = [row for row in company.tables["usage_events"] if str(row["event_timestamp"])[:10] == NEXT.isoformat()]
    company.land(NEXT, usage_events=[*new, late], support_tickets=[solved], subscriptions=[dearer, gone])
    assert company.refresh(NEXT).succeeded
    # beside what is new, the day of the newest row is read again: a cursor of text is looked back by days
    of_last_day = [
        row for row in company.tables["usage_events"] if str(row["event_timestamp"])[:10] == AS_OF.isoformat()
    ]
    assert company.fetched("usage_events") == len(of_last_day) + len(new) + 1
    assert (company.fetched("subscriptions"), company.fetched("support_tickets")) == (2 + 1, 1 + 1)

    whole.tables["usage_events"].append(late)
    whole.tables["support_tickets"] = _with(whole.tables["support_tickets"], "ticket_id", solved, "T1")
    contracts = _with(whole.tables["subscriptions"], "subscription_id", dearer, "S01")
    whole.tables["subscriptions"] = _with(contracts, "subscription_id", None, "S02")
    whole.write(NEXT)
    assert whole.refresh(NEXT, write=False).succeeded
    expected, found = whole.frames(), company.frames()
    assert found.keys() == expected.keys()
    # which file and row, where it was read from, and by which settings a month was published
    as_delivered = ("raw_", "rejected_rows", "revenue_ledger")
    compared = [name for name in expected if not name.startswith(as_delivered)]
    assert [name for name in compared if not expected[name].equals(found[name])] == []
    published = "SELECT account_id, revenue_month, mrr, arr, computed_mrr, is_closed FROM revenue_ledger ORDER BY ALL"
    assert company.query(published) == whole.query(published)
    assert company.values("dim_account", "current_mrr")["A01"] == Decimal("150.00")
    assert company.values("dim_account", "current_mrr")["A02"] == 0
