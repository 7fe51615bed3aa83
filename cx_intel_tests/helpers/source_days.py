"""Days on which a source has rows, and what its freshness is by them."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from cx_intel.contracts.core import account_history
from cx_intel.contracts.freshness import days_of_sources
from cx_intel.contracts.freshness import source_freshness as contract
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.core.freshness import source_freshness
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.made_once import made

AS_OF = date(2025, 1, 31)  # a Friday


READ = {"account_history": account_history, "subscription_periods": subscription_periods} | {
    f"stg_{table}": STAGING[table]
    for table in (
        "invoices",
        "mrr_history",
        "usage_events",
        "support_tickets",
        "ticket_status_history",
        "nps_responses",
        "csm_activities",
        "metrics",
    )
}


def freshness(of: Portfolio, as_of: date = AS_OF, **given: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rows by source; `previous` are earlier rows of the table itself."""
    tables = [rows(make(of), given.get(name, [])) for name, make in READ.items()]
    tables.append(rows(days_of_sources(of), given.get("days_of_sources", [])))
    before = rows(contract(of), given.get("previous", []))
    found = made(source_freshness, *tables, portfolio=of, as_of=as_of, previous=before)
    return {row["source_table"]: row for row in found.to_pylist()}


def ago(*days: int, as_of: date = AS_OF) -> list[date]:
    return [as_of - timedelta(days=n) for n in days]


def usage(days: Iterable[date], **limits: int) -> dict[str, Any]:
    """The row of usage events that happened on these days."""
    files = [{"kind": "files", "table": t, "path": "x.csv"} for t in ("accounts", "subscriptions")]
    of = portfolio(sources=[*files, {"kind": "files", "table": "usage_events", "path": "x.csv"} | limits])
    return freshness(of, stg_usage_events=[{"event_date": day} for day in days])["usage_events"]
