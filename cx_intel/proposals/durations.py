"""Tickets that say how long they took, and not when they were resolved or first answered: the query that tells when."""

import re
from dataclasses import replace

from cx_intel.proposals.columns.meanings import FIGURE
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.tables import TableProposal
from cx_intel.proposals.words.names import plain
from cx_intel.warehouse.duckdb.queries.drafted_queries import at_durations

_SECONDS = {"hour": 3600, "hours": 3600, "hrs": 3600, "minutes": 60, "mins": 60, "min": 60, "days": 86400}
_WORDS = {
    "resolved_at": re.compile(r"(^|_)(resolution|resolve|resolved|close|closure)(_|$)"),
    "first_reply_at": re.compile(r"(^|_)(first_response|first_reply|response|reply)(_|$)"),
}
_WITHOUT_ZONE = re.compile(r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?$")


def with_times(tickets: TableProposal) -> TableProposal:
    """The proposal with times from durations, where the opening is written so that hours can be added to it."""
    found, columns = tickets.found, tickets.columns
    if tickets.table != "support_tickets" or tickets.query or found.is_landed or "created_at" not in columns:
        return tickets
    if not all(_WITHOUT_ZONE.match(value) for value in found.values_to_the_end(columns["created_at"])):
        return tickets
    lasting = {name: told for name in _WORDS if name not in columns and (told := _duration(found, name))}
    if not lasting:
        return tickets
    after = {f"{name}_after": column for name, (column, _) in lasting.items()}
    query = at_durations(
        list(columns), "created_at", {name: (f"{name}_after", seconds) for name, (_, seconds) in lasting.items()}
    )
    said = [f"{name} is {columns['created_at']} and {column} later." for name, (column, _) in lasting.items()]
    return replace(tickets, columns={**columns, **after}, query=query, doubts=(*tickets.doubts, *said))


def _duration(found: FoundFiles, name: str) -> tuple[str, int] | None:
    """The column that says how long, and of how many seconds its unit is, which its name has to say."""
    for column in found.columns:
        words = plain(column)
        unit = next((_SECONDS[word] for word in reversed(words.split("_")) if word in _SECONDS), None)
        values = found.values(column)
        if unit and _WORDS[name].search(words) and values and all(FIGURE.match(value) for value in values):
            return column, unit
    return None
