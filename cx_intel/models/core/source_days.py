"""The days on which each source has rows, or brought a delivery: what its freshness is judged by.

Rows of a table that one source delivers are dated as they stand in its staged table; where several do, staging keeps the
days of each (`days_of_sources`), since its rows no longer say whose they are. What follows from the days is in
`freshness.py` beside this module.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from cx_intel.models.staging.dated_facts import known_on
from cx_intel.settings.portfolio import Portfolio

DAYS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("valid_from", "valid_to"),
    "subscriptions": ("known_from", "end_known_from"),
    "invoices": ("invoice_date",),
    "mrr_history": ("month",),
    "usage_events": ("event_date",),
    "support_tickets": ("created_date", "resolved_at"),
    "ticket_status_history": ("changed_at",),
    "nps_responses": ("responded_at",),
    "csm_activities": ("completed_at",),
    "metrics": ("measured_on",),
}
"""Canonical table: the columns that date its rows; the first is the day that a row is counted on.

Of accounts and subscriptions, which are delivered anew each time, they are those of the tables that remember loads.
`account_aliases` and `identity_links` have no dates.
"""
BY_DELIVERIES = ("accounts", "subscriptions")
SOURCE = ("source_table", "source_name")
"""By what a source is known."""


class DatedRows(NamedTuple):
    """The rows that one source delivered of a table."""

    table: str
    name: str
    rows: ir.Table


def days_with_rows(sources: Sequence[DatedRows], portfolio: Portfolio, until: date | None = None) -> ir.Table:
    """A row for each day, up to `until` where it is stated, on which one of the sources has any.

    Columns: source_table, source_name, day, rows (those counted on it, which may be none).
    """
    dated: list[tuple[str, ir.Table]] = []
    timed: list[ir.Table] = []
    for source in sources:
        for place, column in enumerate(DAYS[source.table]):
            found = source.rows.select(
                source_table=ibis.literal(source.table),
                source_name=ibis.literal(source.name),
                at=source.rows[column],
                is_counted=ibis.literal(1 if place == 0 else 0, "int64"),
            )
            if found.at.type().is_timestamp():
                timed.append(found)
            else:
                dated.append((column, found))
    parts = [_by_day(rows, known_on(rows.at.name(column), portfolio), until) for column, rows in dated]
    if timed:  # one after the other, because a zone is a long expression
        rows = ibis.union(*timed) if len(timed) > 1 else timed[0]
        parts.append(_by_day(rows, known_on(rows.at, portfolio), until))
    listed = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return listed.group_by(*SOURCE, "day").agg(rows=listed.rows.sum().cast("int64"))


def names_of(table: str, portfolio: Portfolio) -> Iterator[tuple[str, str]]:
    """The sources of a canonical table: what each delivers is called, as in raw_<part>, and the source's name.

    A source without a name, or the only one of its table, has that of the table.
    """
    has_several = portfolio.has_several(table)
    for part, source in portfolio.parts_of(table).items():
        yield part, (getattr(source, "label", "") if has_several else "") or table


def _by_day(rows: ir.Table, day: ir.DateValue, until: date | None) -> ir.Table:
    """source_table, source_name, day, rows: how many of the rows are counted on each day."""
    days = rows.select(*SOURCE, "is_counted", day=day)
    known = days.filter(days.day.notnull() if until is None else days.day <= ibis.literal(until))
    counted = known.group_by(*SOURCE, "day").agg(rows=known.is_counted.sum())
    return counted.select(*SOURCE, "day", rows=counted.rows.cast("int64"))
