"""Raw rows of text and what staging makes of them, for tests of staging."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.contracts.staging.accounts import stg_accounts
from cx_intel.models.staging import rows
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers import builders
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.made_once import made

AS_OF = date(2025, 1, 31)
WITHOUT_ACCOUNT = ("identity_links", "accounts", "ticket_status_history")
"""Canonical tables whose rows name no account that has to be known."""
CON = ibis.duckdb.connect()
SMALL = portfolio(
    [
        "invoices",
        "mrr_history",
        "usage_events",
        "support_tickets",
        "nps_responses",
        "csm_activities",
        "metrics",
    ],
    currency={"reporting": "EUR", "rates": {"CHF": 1.05}},
    usage={"categories": {"tracking": ["gps_ping"]}},
    account_attributes={
        "vehicle_count": {"type": "integer", "description": "Vehicles."},
        "segment": {
            "rules": [{"if": {"employee_count": {"more_than": 500}}, "value": "large"}],
            "else": "small",
        },
        "size": {"rules": [{"if": {"segment": "large"}, "value": "XL"}], "else": "S"},
    },
)
BERLIN = SMALL.model_copy(update={"time_zone": "Europe/Berlin"})
ACCOUNTS = [{"account_id": "A1"}, {"account_id": "A2", "currency": "chf"}]


def raw(rows: Sequence[Mapping[str, str | None]], file: str = "x.csv") -> ir.Table:
    """A raw table of text from one file."""
    names = sorted({name for row in rows for name in row})  # so that equal columns are equal tables
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    marks = {
        "_source_file": pa.array([file] * len(rows), pa.string()),
        "_row_number": pa.array(range(1, len(rows) + 1), pa.int64()),
        "_raw_row": pa.array([str(n) for n in range(1, len(rows) + 1)], pa.string()),
    }
    return ibis.memtable(pa.table({**columns, **marks}))


def accounts(book: Portfolio = SMALL) -> ir.Table:
    """What staging makes of ACCOUNTS: of them the other tables read the id and the currency."""
    return builders.rows(stg_accounts(book), [{"account_id": "A1"}, {"account_id": "A2", "currency": "CHF"}])


def judged(table: str, given: Sequence[Mapping[str, str | None]] | ir.Table, book: Portfolio = SMALL) -> list[Any]:
    """The rows of a table in order, each as a dict with its `_reason`."""
    delivered = given if isinstance(given, ir.Table) else raw(given)
    known = None if table == "accounts" else accounts(book)
    found = made(rows.judged, delivered, table=table, portfolio=book, as_of=AS_OF, accounts=known)
    return sorted(found.to_pylist(), key=lambda row: (row["_row_number"] or 0, str(row)))


def reasons(table: str, rows: Sequence[Mapping[str, str | None]]) -> list[str | None]:
    return [row["_reason"] for row in judged(table, rows)]
