"""A company of two accounts whose tables come from files of any format, and what staging makes of them.

Tests of single columns use `builders.py`, whole refreshes `small_company.py`.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.warehouse.duckdb.files.reading import FilesRead, read_files
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.whole_graph import WholeGraph

FORMATS = ("csv", "parquet", "jsonl")
TABLES = ("invoices", "usage_events", "support_tickets")
BOOK = portfolio(TABLES, currency={"reporting": "EUR", "rates": {"CHF": 1.05}}, time_zone="Europe/Berlin")
Row = dict[str, str | None]
Company = dict[str, list[Row]]


def company() -> Company:
    """Two accounts, each with a row of every table, as texts."""
    both = ("A1", "A2")
    return {
        "accounts": [
            {"account_id": a, "account_name": f"Company {a}", "owner": "Ann", "employee_count": "10"} for a in both
        ],
        "subscriptions": [
            {
                "subscription_id": f"S-{a}",
                "account_id": a,
                "product_name": "suite",
                "amount": "100.00",
                "start_date": "2024-01-15",
                "end_date": None,
                "status": "active",
            }
            for a in both
        ],
        "invoices": [
            {
                "invoice_id": f"I-{a}",
                "account_id": a,
                "invoice_date": "2025-01-01",
                "amount": "100.00",
                "status": "paid",
            }
            for a in both
        ],
        "usage_events": [
            {
                "event_id": f"E-{a}",
                "account_id": a,
                "event_name": "login",
                "event_timestamp": "2025-01-15T09:00:00Z",
            }
            for a in both
        ],
        "support_tickets": [
            {
                "ticket_id": f"T-{a}",
                "account_id": a,
                "created_at": "2025-01-15T09:00:00Z",
                "resolved_at": "2025-01-15T11:00:00Z",
                "priority": "p1",
                "status": "resolved",
            }
            for a in both
        ],
    }


def write(file: Path, rows: list[Row]) -> Path:
    """The rows in the format of the file's ending, without any typing."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if file.suffix == ".parquet":
        pq.write_table(pa.table({c: pa.array([r.get(c) for r in rows], pa.string()) for c in columns}), file)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    else:
        quoted = [[(r.get(c) or "").replace('"', '""') for c in columns] for r in rows]
        lines = [",".join(columns), *(",".join(f'"{cell}"' if cell else "" for cell in row) for row in quoted)]
        file.write_bytes("".join(line + "\n" for line in lines).encode())
    return file


def read(file: Path, table: str, book: Portfolio = BOOK, **keys: Any) -> FilesRead:
    source = FilesSource.model_validate({"kind": "files", "table": table, "path": str(file), **keys})
    return read_files(source, contract=STAGING[table](book), environment={})


@cache
def graph() -> WholeGraph:
    return WholeGraph(BOOK)


STAGED = (*(f"stg_{table}" for table in company()), "quarantine")


@cache
def in_berlin() -> WholeGraph:
    """The same company with a source of events that writes times of Berlin."""
    keys = {"kind": "files", "table": "usage_events", "path": "x", "time_zone": "Europe/Berlin"}
    sources = [s for s in BOOK.sources if s.table != "usage_events"]
    berlin = BOOK.model_copy(update={"sources": [*sources, FilesSource.model_validate(keys)]})
    return WholeGraph(berlin, only=("stg_accounts", "stg_usage_events"))


class Staged:
    """What became of the company with one table read from a file."""

    def __init__(self, table: str, delivered: FilesRead, others: Company | None = None):
        rows = others or company()
        raw = {t: pa.Table.from_pylist(marked(r)) for t, r in rows.items() if t != table}
        only = STAGED if others else ("stg_accounts", f"stg_{table}", "quarantine")
        self.broken = graph().run({**raw, table: delivered.raw()}, only=only)
        self.rows = graph().rows(f"stg_{table}")
        self.quarantined = {row: reason for t, row, reason in graph().quarantined() if t == table}
        assert self.broken == []
        assert len(self.rows) + len(self.quarantined) == delivered.raw().num_rows

    def values(self, column: str) -> list[Any]:
        return sorted((row[column] for row in self.rows), key=str)


def marked(rows: list[Row]) -> list[dict[str, Any]]:
    return [row | {"_source_file": "x", "_row_number": n} for n, row in enumerate(rows, 1)]


def deliver(folder: Path, form: str, table: str, *changes: Mapping[str, str | None], **keys: Any) -> Staged:
    """The company's rows of a table, then one for each of the changes, like the first but for these cells."""
    rows = company()[table]
    return Staged(table, read(write(folder / f"{table}.{form}", [*rows, *({**rows[0], **c} for c in changes)]), table))


each_format = pytest.mark.parametrize("form", FORMATS)
each_format_staged = pytest.mark.parametrize(
    "form", [FORMATS[0], *(pytest.param(form, marks=pytest.mark.slow) for form in FORMATS[1:])]
)
"""For what goes on from the file to staging, which is the same for all formats: the others in the slow suite."""
