"""Changes of tier and drops of signals: which of them are news, and for whom.

One message for each owner; an event is told once, however often the snapshot it stands in is made anew. Events are
made by `cx_intel.models.lifecycle`; `account_news` puts them beside names into the metadata of the run that made them.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

import dagster as dg
import ibis
import ibis.expr.types as ir

from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb_warehouse import DuckDBWarehouse

TABLE = "lifecycle_events"
METADATA = "news"
"""Of `lifecycle_events`: its newest rows, for those who are to be told."""
MOST_ROWS = 200
"""More changes than that within a few days are no news of single accounts."""
NOBODY = ""

Event = Mapping[str, str | None]


def account_news(
    events: ir.Table, *, portfolio: Portfolio, as_of: date, warehouse: DuckDBWarehouse
) -> dict[str, dg.JsonMetadataValue]:
    """Metadata for the sensor: what happened lately, with the names and owners of the accounts.

    Args:
        events: The lifecycle events about to be written.
        portfolio: Its settings.
        as_of: The newest day of the run; a run for long past days is no news.
        warehouse: Where it is executed.
    """
    newest = max(as_of, warehouse.newest(portfolio.name) or as_of)
    first = newest - timedelta(days=portfolio.automation.alerts.told_within_days - 1)
    recent = events.filter(events.as_of.between(ibis.literal(first), ibis.literal(newest)))
    known = warehouse.table(portfolio.name, "account_snapshot").select("as_of", "account_id", "account_name", "owner")
    named = recent.left_join(known, ["as_of", "account_id"]).select(
        "event_id",
        "account_id",
        "account_name",
        "owner",
        "event_type",
        "reason",
        "playbook",
        as_of=recent.as_of.cast("string"),
    )
    rows = warehouse.backend.execute(named.order_by("as_of", "event_id").limit(MOST_ROWS))
    listed = json.loads(rows.astype(object).where(rows.notna(), None).to_json(orient="records"))
    return {METADATA: dg.MetadataValue.json(listed)}


def by_owner(events: Iterable[Event], told: Collection[str]) -> dict[str, list[Event]]:
    """The events that nobody has been told of, by the owner of the account; those without one last."""
    fresh = {str(e["event_id"]): e for e in events if e["event_id"] not in told}
    found: dict[str, list[Event]] = {}
    for event in fresh.values():
        found.setdefault(event.get("owner") or NOBODY, []).append(event)
    return {owner: found[owner] for owner in sorted(found, key=lambda o: (o == NOBODY, o))}
