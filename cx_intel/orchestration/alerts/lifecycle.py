"""Changes of tier and drops of signals: which of them are news, and for whom.

One message for each owner; a change is told once, however often the snapshot it stands in is made anew, and on
whichever day it is found then. Events are made by `cx_intel.models.renewals.lifecycle`; `account_news` puts them beside names
into the metadata of the run that made them.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import dagster as dg
import ibis
import ibis.expr.types as ir

from cx_intel.models.renewals.lifecycle import QUIET_DAYS
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

TABLE = "lifecycle_events"
METADATA = "news"
"""Of `lifecycle_events`: its newest rows, for those who are to be told."""
MOST_ROWS = 200
"""More changes than that within a few days are no news of single accounts."""
NOBODY = ""

Event = Mapping[str, str | None]


@dataclass(frozen=True)
class News:
    """What is to be told, and what is remembered of it.

    Attributes:
        by_owner: The events that nobody was told of, by the owner of the account; those without one last.
        told: What is remembered from now on.
        moved: What is no longer remembered: changes that stand at another day than they were told for.
    """

    by_owner: Mapping[str, Sequence[Event]]
    told: frozenset[str]
    moved: frozenset[str]


def account_news(
    events: ir.Table, *, portfolio: Portfolio, as_of: date, warehouse: Warehouse
) -> dict[str, dg.JsonMetadataValue]:
    """Metadata for the sensor: what happened lately, with the names and owners of the accounts.

    Args:
        events: The lifecycle events about to be written.
        portfolio: Its settings.
        as_of: The newest day of the run; a run for long past days is no news.
        warehouse: Where it is executed.
    """
    newest = max(as_of, warehouse.newest() or as_of)
    first = newest - timedelta(days=portfolio.automation.alerts.told_within_days - 1)
    recent = events.filter(events.as_of.between(ibis.literal(first), ibis.literal(newest)))
    known = warehouse.table("account_snapshot").select("as_of", "account_id", "account_name", "owner")
    named = recent.left_join(known, ["as_of", "account_id"]).select(
        "event_id",
        "account_id",
        "account_name",
        "owner",
        "event_type",
        "signal",
        "to_value",
        "reason",
        "playbook",
        as_of=recent.as_of.cast("string"),
    )
    rows = warehouse.execute(named.order_by("as_of", "event_id").limit(MOST_ROWS))
    listed = json.loads(rows.astype(object).where(rows.notna(), None).to_json(orient="records"))
    return {METADATA: dg.MetadataValue.json(listed)}


def lifecycle_news(events: Iterable[Event], told: Collection[str]) -> News:
    """What of these events is news.

    A snapshot made anew may find a change on another day than it was told for, because a run had failed or something
    came late. An account has no second event of the same kind within `QUIET_DAYS`, so that it is the same change.

    Args:
        events: Those of the runs, in their order, some of them again and again.
        told: What is remembered of those told before.
    """
    known, fresh = set(told), []
    for event in events:
        same = [change for change in _changes_around(event) if change in known][:1]
        if not same and str(event["event_id"]) not in known:
            fresh.append(event)
        known -= set(same)
        known |= {str(event["event_id"]), _change(event, 0)}
    return News(_by_owner(fresh), frozenset(known.difference(told)), frozenset(told) - known)


def _changes_around(event: Event) -> list[str]:
    """The same change on its own day and on those near it, the nearest first."""
    return [_change(event, days) for days in sorted(range(1 - QUIET_DAYS, QUIET_DAYS), key=abs)]


def _change(event: Event, days: int) -> str:
    """The account, the tier reached or the signal that dropped, and the day, so many days later."""
    day = date.fromisoformat(str(event["as_of"])) + timedelta(days=days)
    return f"{event['account_id']}/{event.get('signal') or event.get('to_value')}/{day}"


def _by_owner(events: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.get("owner") or NOBODY, []).append(event)
    return {owner: found[owner] for owner in sorted(found, key=lambda o: (o == NOBODY, o))}
