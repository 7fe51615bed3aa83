"""What an answer is: a title, sentences, and sections of short texts; and the error where there is none.

How a terminal lays it out stands in `cx_intel.cli.output`. The answers are made in the modules beside this one.
"""

from dataclasses import dataclass
from datetime import date

import ibis

from cx_intel.warehouse.protocol import Warehouse

SNAPSHOT = "account_snapshot"


class NoAnswer(RuntimeError):
    """The question cannot be answered as it was put: one sentence on why, and what there is instead."""


@dataclass(frozen=True)
class Section:
    """One part: what it is about, sentences, and rows of texts under headings (none for pairs of label and value)."""

    title: str
    rows: tuple[tuple[str, ...], ...] = ()
    headings: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """An answer: its title, sentences that stand first, and its sections, without empty ones."""

    title: str
    lines: tuple[str, ...]
    sections: tuple[Section, ...]


def days_kept(warehouse: Warehouse) -> list[date]:
    """The days of which a snapshot can be read here, the oldest first."""
    if not warehouse.exists(SNAPSHOT):
        return []
    rows = warehouse.table(SNAPSHOT)
    return sorted(row["as_of"] for row in warehouse.rows(rows.select("as_of").distinct()))


def known_day(warehouse: Warehouse, as_of: date | None) -> date:
    """The day, if there is a snapshot of it; the newest where none is stated.

    Raises:
        NoAnswer: There is none of that day; the message names those around it.
    """
    days = days_kept(warehouse)
    if not days:
        raise NoAnswer("There is no snapshot yet: run `cx-intel refresh` first.")
    if as_of is None:
        return days[-1]
    if as_of not in days:
        nearest = sorted(days, key=lambda day: abs((day - as_of).days))[:3]
        near = ", ".join(str(day) for day in sorted(nearest))
        raise NoAnswer(
            f"There is no snapshot of {as_of}; of the {len(days)} that can be read the nearest are of {near}."
        )
    return as_of


def of_days(table: ibis.Table, *days: date) -> ibis.Table:
    """The rows of a snapshot table on these days."""
    return table.filter(table.as_of.isin([ibis.literal(day) for day in days]))
