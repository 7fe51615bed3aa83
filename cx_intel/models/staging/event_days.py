"""The day of a delivered event, told from its raw row by the same reading as in staging.

For raw tables that are kept by the day of their rows. How a row is typed and judged is in `rows.py` beside this module.
"""

import ibis.expr.types as ir

from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.models.expressions.time import date_in_zone
from cx_intel.models.staging import parsing
from cx_intel.models.staging.parsing import Written
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sources import Source
from cx_intel.settings.sources.sql import SqlSource

TIMES = {"usage_events": "event_timestamp"}
"""Canonical table that is kept by day: the column that says when a row happened."""


def is_kept_by_row_day(table: str, source: Source) -> bool:
    """Whether the raw table of a source is kept by the day of its rows: of files one by one, and of a query for what is new.

    A query at a cluster is one with or without a cursor.
    """
    is_of_query = isinstance(source, SqlSource) and (source.cursor is not None or source.is_at_cluster)
    return table in TIMES and (is_of_query or is_read_by_file(table, source))


def is_read_by_file(table: str, source: Source) -> bool:
    """Whether of the files of a source only those are read that are new or changed."""
    return (table in TIMES and isinstance(source, FilesSource)) or (isinstance(source, SqlSource) and source.per_file)


def with_event_day(raw: ir.Table, *, table: str, portfolio: Portfolio) -> ir.Table:
    """Raw rows with `DELIVERED_DAY`, their day in the portfolio's zone; null where the time is none.

    Args:
        raw: The rows as delivered, with all columns.
        table: The canonical table, one of `TIMES`.
        portfolio: Its zones.
    """
    cell = raw[TIMES[table]]
    time = parsing.written(parsing.text(cell) if cell.type().is_string() else cell)
    rows = raw.mutate(_local=time.local, _offset=time.offset_minutes)
    zone = portfolio.source_of(table).time_zone
    rows = rows.mutate(_at=parsing.instant(Written(rows["_local"], rows["_offset"]), zone))
    day = date_in_zone(rows["_at"], portfolio.time_zone)
    return rows.select(*raw.columns, **{DELIVERED_DAY: day})
