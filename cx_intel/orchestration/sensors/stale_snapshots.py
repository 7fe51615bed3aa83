"""Which snapshots are stale, because something that had happened by their day arrived later, and which are missing.

Each snapshot remembers a digest of all that was known of the days up to its own. When a later refresh finds another
digest for that day, the snapshot is stale, and with it all later ones, which are compared with it. Here it is found and
told in metadata; who asks for a run is `late_sensor.py`.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise

from cx_intel.contracts.catalog import tables_of
from cx_intel.contracts.contract import Kind
from cx_intel.models.staging.dated_facts import FACTS, dated_facts
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

STALE_SINCE, STALE_UNTIL, STALE_KEY = "stale_since", "stale_until", "stale_key"
"""Metadata of the watching table: the snapshots to be made anew, and what tells this case from any other."""
STALE_BEFORE = "stale_before"
"""Metadata: the stale snapshots that are too old to be made anew without being asked to."""
NOTHING = "nothing"
"""Stands for the contents of a day without events."""
KNOWN = "known:"
"""Begins what a snapshot remembers."""


def watching_table(portfolio: Portfolio) -> str:
    """The snapshot that reads all that is dated, before any other does: the one that looks for what came late."""
    return "account_signals" if portfolio.health else "account_snapshot"


def remembering(portfolio: Portfolio, kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """The snapshots that rest on what is dated: the watching one and those after it."""
    listed = [t for t in tables_of(portfolio) if kinds[t] == "snapshot"]
    return tuple(listed[listed.index(watching_table(portfolio)) :])


def days_known(portfolio: Portfolio, warehouse: Warehouse) -> dict[date, str]:
    """What is known of each day, as a fingerprint: of usage as it was staged, of the rest as it stands now."""
    found: dict[date, list[str]] = {}
    if "usage_events" in portfolio.tables and portfolio.health:
        for day, state in warehouse.day_state("stg_usage_events").items():
            contents = state.rpartition("|")[0]  # how the rows were read is no news of the day
            if contents != NOTHING:
                found.setdefault(day, []).append(contents)
    read = [t for t in FACTS if t in portfolio.tables and (portfolio.health or t in _LEDGER)]
    facts = dated_facts({t: warehouse.table(f"stg_{t}") for t in read}, portfolio=portfolio)
    if facts is not None:
        for day, contents in warehouse.day_contents(facts, "day").items():
            found.setdefault(day, []).append(contents)
    return {day: "&".join(parts) for day, parts in found.items()}


_LEDGER = ("subscriptions", "invoices", "mrr_history")
"""What a portfolio without health reads for its snapshots."""


def digests(known: Mapping[date, str], days: Iterable[date]) -> dict[date, str]:
    """For each of the days, a digest of all that is known of the days up to it.

    Args:
        known: What is known of each day; a day without anything is left out.
        days: The snapshots.
    """
    chain, result, waiting = hashlib.sha256(), {}, sorted(known)
    position = 0
    for day in sorted(set(days)):
        while position < len(waiting) and waiting[position] <= day:
            chain.update(f"{waiting[position].isoformat()}={known[waiting[position]]}\n".encode())
            position += 1
        result[day] = KNOWN + chain.copy().hexdigest()[:16]
    return result


def stale_snapshots(built: Iterable[Mapping[date, str]], now: Mapping[date, str]) -> tuple[date, ...]:
    """The snapshots that were made from something else than what is known now.

    Args:
        built: For each table of snapshots, what each of its days was made from; a day it does not tell is not judged.
        now: The digest of each day as known now.
    """
    return tuple(sorted({day for table in built for day, digest in table.items() if now.get(day, digest) != digest}))


def unfinished_snapshots(built: Mapping[str, Mapping[date, str]], watching: str) -> tuple[date, ...]:
    """The days that a run began and did not finish: a later table lacks them, though it has earlier ones."""
    begun = built[watching]
    return tuple(
        sorted({day for states in built.values() if states for day in begun if day > min(states) and day not in states})
    )


def gaps(days: Collection[date], at_most: int, not_within: int = 0) -> tuple[date, ...]:
    """The days that are missing between others.

    Args:
        days: The snapshots that there are.
        at_most: Where more than so many in a row are missing, they are meant to be.
        not_within: So many days from the first on are left out: a first refresh makes single days before its own.
    """
    missing: list[date] = []
    judged = sorted(day for day in days if (day - min(days)).days >= not_within)
    for before, after in pairwise(judged):
        between = [before + timedelta(days=n) for n in range(1, (after - before).days)]
        missing += between if len(between) <= at_most else []
    return tuple(missing)


def news_of_late_events(stale: tuple[date, ...], newest: date, now: Mapping[date, str]) -> dict[str, str]:
    """The metadata that ask for a run over the stale snapshots and all after them; empty values when there are none."""
    if not stale:
        return {STALE_SINCE: "", STALE_UNTIL: "", STALE_KEY: ""}
    key = hashlib.sha256("".join(f"{day}{now[day]}" for day in stale).encode()).hexdigest()[:16]
    return {STALE_SINCE: stale[0].isoformat(), STALE_UNTIL: newest.isoformat(), STALE_KEY: key}


class LateEvents:
    """What one step of a run has to do with late events: what its snapshots remember, and what it tells."""

    def __init__(self, portfolio: Portfolio, kinds: Mapping[str, Kind], warehouse: Warehouse):
        self.portfolio, self.warehouse = portfolio, warehouse
        self.tables = remembering(portfolio, kinds)

    def remember(self, table: str, days: tuple[date, ...]) -> tuple[dict[date, str], dict[str, str]]:
        """The state of the days of a snapshot about to be written, and metadata; both empty for other tables."""
        if table not in self.tables:
            return {}, {}
        if table != self.tables[0]:
            before = self.warehouse.day_state(self.tables[0])
            return {day: before[day] for day in days if day in before}, {}
        built = {t: self.warehouse.day_state(t, apart_from=days) for t in self.tables}  # those are made anew now
        settings = self.portfolio.automation.late_events
        all_days = {*days, *(day for states in built.values() for day in states)}
        apart = max(self.portfolio.as_of.first_snapshots, default=0)
        missing = gaps(all_days, settings.fill_gaps_days, not_within=apart)
        now = digests(days_known(self.portfolio, self.warehouse), {*all_days, *missing})
        found = {*stale_snapshots(built.values(), now), *unfinished_snapshots(built, table), *missing} - set(days)
        newest = max(all_days)
        stale = tuple(day for day in sorted(found) if (newest - day).days < settings.within_days)
        news = news_of_late_events(stale, newest, now)
        if left := len(found) - len(stale):
            news[STALE_BEFORE] = f"{left} snapshots from {min(found)} on, beyond late_events.within_days"
        return {day: now[day] for day in days}, news
