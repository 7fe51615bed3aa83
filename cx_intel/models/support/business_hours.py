"""When support works, as a table of pieces of time, and the open time that lies before an instant.

The difference of two such readings is the business time between the instants, exactly: holidays and days on which
clocks are set are settled while the table is made, in Python. Which tickets run on that clock is decided in
`judgement.py`; the hours themselves are settings (`cx_intel.settings.support`).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts import support as contracts
from cx_intel.models.expressions.holidays import public_holidays
from cx_intel.models.expressions.time import MICROSECONDS, microseconds
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.support import WEEKDAYS, BusinessHours

FIRST_DAY = date(2000, 1, 1)
"""Instants before it have no reading."""


def business_hours(*, portfolio: Portfolio, as_of: date) -> pd.DataFrame:
    """All time from 2000 to the day after `as_of`, cut where support opens or closes and at the midnights of UTC.

    Grain: from_at. Columns: day (UTC), from_at, until_at, is_open, open_seconds_before (open time before the piece).
    Always true: the pieces follow one another without gap or overlap. A local time that occurs twice is its first
    occurrence, one that never occurs is read as if the clock had not been set yet.
    """
    columns = contracts.business_hours(portfolio).column_names
    stated = portfolio.support.business_hours
    pieces = list(_pieces(stated, as_of)) if stated else []
    frame = pd.DataFrame(pieces, columns=list(columns))
    times = dict.fromkeys(("from_at", "until_at"), "datetime64[us]")
    return frame.astype({**times, "is_open": bool, "open_seconds_before": "int64"})


def with_open_time(rows: ir.Table, business_hours: ir.Table, **readings: str) -> ir.Table:
    """Adds, for each instant, the open microseconds before it: null where the instant is null or before 2000.

    Args:
        rows: The rows.
        business_hours: The table of that name.
        readings: The column to add: that of the instant (naive UTC).
    """
    for name, instant in readings.items():
        pieces = business_hours.select(
            **{f"_piece_{column}": business_hours[column] for column in business_hours.columns}
        )
        dated = rows.mutate(_day_of_instant=rows[instant].date())
        at = dated[instant]
        joined = dated.left_join(
            pieces,
            [
                dated["_day_of_instant"] == pieces["_piece_day"],
                at >= pieces["_piece_from_at"],
                at < pieces["_piece_until_at"],
            ],
        )
        passed = microseconds(joined[instant]) - microseconds(joined["_piece_from_at"])
        within = ibis.ifelse(joined["_piece_is_open"], passed, ibis.literal(0, "int64"))
        rows = joined.mutate(**{name: joined["_piece_open_seconds_before"] * MICROSECONDS + within}).drop(
            "_day_of_instant", *pieces.columns
        )
    return rows


def _pieces(hours: BusinessHours, as_of: date) -> Iterator[tuple[date, datetime, datetime, bool, int]]:
    end = datetime(as_of.year, as_of.month, as_of.day) + timedelta(days=2)
    passed, at = 0, datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day)
    for opens, closes in _open_spans(hours, as_of):
        for is_open, until in ((False, opens), (True, closes)):
            while at < min(until, end):
                midnight = datetime(at.year, at.month, at.day) + timedelta(days=1)
                stop = min(until, midnight, end)
                yield at.date(), at, stop, is_open, passed
                passed += int((stop - at).total_seconds()) if is_open else 0
                at = stop


def _open_spans(hours: BusinessHours, as_of: date) -> Iterator[tuple[datetime, datetime]]:
    """When support works, as spans of UTC in order; the last one begins after the table's end."""
    years = range(FIRST_DAY.year - 1, as_of.year + 2)
    closed = public_holidays(hours.holidays, years) | set(hours.closed_on)
    zone = ZoneInfo(hours.zone)
    day, last = FIRST_DAY - timedelta(days=1), as_of + timedelta(days=400)
    while day <= last:
        if WEEKDAYS[day.weekday()] in hours.weekdays and day not in closed:
            for opens, closes in hours.spans():
                begin, finish = _utc(day, opens, zone), _utc(day, closes, zone)
                if begin < finish:
                    yield begin, finish
        day += timedelta(days=1)
    beyond = datetime(last.year, last.month, last.day)
    yield beyond, beyond


def _utc(day: date, clock: time | None, zone: ZoneInfo) -> datetime:
    """A time of a day in the zone, or its end, as naive UTC."""
    local = datetime.combine(day, clock) if clock else datetime.combine(day + timedelta(days=1), time())
    return local.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
