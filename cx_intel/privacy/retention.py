"""Lets old days of tables go, by the retention periods of a portfolio.

Days are forgotten by partition, and it stays remembered what they were made of, so that no later refresh makes them
again. Raw tables of a source that delivers everything each time hold what the source holds: it has to forget too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cx_intel.settings.retention import RetentionSettings
from cx_intel.warehouse.protocol import Warehouse

QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Forgotten:
    """Of one table: the first day that is kept, and how many rows went."""

    table: str
    first_kept: date
    rows: int


def first_kept(table: str, column: str, as_of: date, settings: RetentionSettings) -> date | None:
    """The first day of a table that is kept at `as_of`; None where all are.

    Args:
        table: The table.
        column: Its date column; `as_of` is that of snapshots.
        as_of: The newest day of the portfolio.
        settings: The periods.
    """
    if table == QUARANTINE:
        days = settings.quarantine_days
    else:
        days = settings.snapshots_days if column == "as_of" else settings.usage_events_days
    return as_of - timedelta(days=days - 1) if days else None


def forget_old_days(warehouse: Warehouse, tables: Mapping[str, str], settings: RetentionSettings) -> list[Forgotten]:
    """Removes the days beyond their period, table by table; run again, it finds nothing.

    Args:
        warehouse: The open warehouse.
        tables: Table: its date column.
        settings: The periods.
    """
    as_of = warehouse.newest()
    found = []
    for table, column in tables.items():
        first = first_kept(table, column, as_of, settings) if as_of else None
        if first and warehouse.exists(table):
            deleted = warehouse.delete_before(table, column, first)
            found.append(Forgotten(table, first, deleted))
    return found
