"""The value of one signal over given rows, and the rows that signals read: events, days of usage, tickets."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from cx_intel.contracts import core
from cx_intel.contracts.freshness import source_freshness
from cx_intel.contracts.revenue import ledger as revenue
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.health.signals import account_signals
from cx_intel_tests.helpers.builders import AS_OF, accounts, health, portfolio, rows, values

TABLES = ("usage_events", "support_tickets", "nps_responses", "csm_activities", "metrics")
READ = {
    "fct_revenue": revenue.fct_revenue,
    "fct_usage": core.fct_usage,
    "stg_usage_events": STAGING["usage_events"],
    "stg_support_tickets": STAGING["support_tickets"],
    "stg_nps_responses": STAGING["nps_responses"],
    "stg_csm_activities": STAGING["csm_activities"],
    "stg_metrics": STAGING["metrics"],
    "source_freshness": source_freshness,
}


def measured(
    measure: Mapping[str, Any],
    given: Mapping[str, list[dict[str, Any]]] | None = None,
    *,
    of: list[dict[str, Any]] | None = None,
    tables: tuple[str, ...] = TABLES,
    as_of: date = AS_OF,
    column: str = "value",
    **blocks: Any,
) -> dict[str, float | None]:
    """The value of one signal for account A, and for those of `of`, over the given rows."""
    book = portfolio(tables, health=health({"it": measure}), **blocks)
    snapshot = accounts(book, of or [{"account_id": "A"}], as_of)
    read = {name: rows(contract(book), (given or {}).get(name, [])) for name, contract in READ.items()}
    return values(account_signals(snapshot, **read, portfolio=book, as_of=as_of), column)


def event(number: int, day: date, name: str = "login", user: str | None = "u1", account: str = "A") -> dict:
    return {
        "event_id": f"e{number}",
        "account_id": account,
        "user_id": user,
        "event_name": name,
        "event_timestamp": datetime(day.year, day.month, day.day, 12),
        "event_date": day,
        "event_hour": 12,
        "event_category": "other",
    }


def events(*given: tuple[Any, ...]) -> dict[str, list[dict]]:
    return {"stg_usage_events": [event(n, *one) for n, one in enumerate(given)]}


def days(**by_day: Any) -> dict[str, list[dict]]:
    """Days of fct_usage: d0 is as_of, d29 the first of the last 30 days; the number is the day's events."""
    return {
        "fct_usage": [
            {"account_id": "A", "event_date": AS_OF - timedelta(days=int(day[1:])), "total_events": count}
            for day, count in by_day.items()
        ]
    }


def ticket(number: int, created: datetime, resolved: datetime | None = None, **more: Any) -> dict:
    status = "resolved" if resolved else "open"
    hours = (resolved - created).total_seconds() / 3600 if resolved else None
    return {
        "ticket_id": f"t{number}",
        "account_id": "A",
        "created_at": created,
        "created_date": created.date(),
        "resolved_at": resolved,
        "status": status,
        "resolution_hours": hours,
    } | more
