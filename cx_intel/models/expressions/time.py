"""Instants and days in a time zone: the only place where UTC, a source's clock and a portfolio's days meet.

Zones become plain comparisons with their transitions, computed here from the IANA tables, because every
engine spells zones differently and some have none. How text becomes a time: `cx_intel.models.staging.parsing`; what
a day means: Time in the metric definitions.

A local time that occurs twice (clocks set back) is read as its first occurrence; one that never occurs
(clocks set forward) as if the clock had not been set yet. Transitions from 2000 to 2060 are known; earlier
and later times take the nearest known offset.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

MICROSECONDS = 1_000_000
"""In a second."""
FIRST_YEAR, LAST_YEAR = 2000, 2060


class Transition(NamedTuple):
    """From the instant `at` (naive UTC) on, local time is UTC plus `after`; until then plus `before`."""

    at: datetime
    before: timedelta
    after: timedelta


def end_of_day_utc(day: date, zone: str) -> datetime:
    """The instant (naive UTC) just after the day's last one in the zone: what was known is before it.

    Where midnight comes twice it is the earlier one; where clocks jump over it, the moment of the jump.
    """
    midnight = datetime(day.year, day.month, day.day) + timedelta(days=1)
    return midnight.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).replace(tzinfo=None)


def to_utc(at: ir.TimestampValue, zone: str) -> ir.TimestampValue:
    """A local time of the zone as naive UTC. Give a column: an expression would be repeated for each transition."""
    first, transitions = offsets(zone)
    steps = [(t.at + max(t.before, t.after), -t.after) for t in transitions]
    return _shifted(at, -first, steps)


def in_zone(at: ir.TimestampValue, zone: str) -> ir.TimestampValue:
    """A naive UTC instant as the local time of the zone. Give a column, as to `to_utc`."""
    first, transitions = offsets(zone)
    return _shifted(at, first, [(t.at, t.after) for t in transitions])


def date_in_zone(at: ir.TimestampValue, zone: str) -> ir.DateValue:
    """The day, in the zone, of a naive UTC instant."""
    return in_zone(at, zone).date()


def whole_seconds(at: ir.TimestampValue) -> ir.IntegerValue:
    """The whole seconds since 1970 of a naive UTC instant: engines differ on fractions, which are cut here."""
    return at.truncate("s").epoch_seconds()


def microseconds(at: ir.TimestampValue) -> ir.IntegerValue:
    """The microseconds since 1970 of a naive UTC instant: whole seconds and fraction apart, on which engines agree."""
    fraction = at.strftime("%f").cast("int64")  # Spark knows no part of a time below the millisecond
    return whole_seconds(at).cast("int64") * MICROSECONDS + fraction


def hours(microseconds_passed: ir.IntegerValue) -> ir.FloatingValue:
    """Microseconds as hours."""
    return microseconds_passed.cast("float64") / (3600.0 * MICROSECONDS)


@cache
def offsets(zone: str) -> tuple[timedelta, tuple[Transition, ...]]:
    """The zone's first known offset from UTC, and its transitions in order."""
    info = ZoneInfo(zone)
    day = datetime(FIRST_YEAR, 1, 1)
    first = before = _offset(info, day)
    found: list[Transition] = []
    while day.year <= LAST_YEAR:
        after = _offset(info, day + timedelta(days=1))
        if after != before:
            found.append(Transition(_moment(info, day, before), before, after))
        day, before = day + timedelta(days=1), after
    return first, tuple(found)


def _offset(info: ZoneInfo, at: datetime) -> timedelta:
    return at.replace(tzinfo=UTC).astimezone(info).utcoffset() or timedelta(0)


def _moment(info: ZoneInfo, day: datetime, before: timedelta) -> datetime:
    """The second of the day (UTC) at which the offset stops being `before`."""
    low, high = 0, 86_400
    while low + 1 < high:
        middle = (low + high) // 2
        if _offset(info, day + timedelta(seconds=middle)) == before:
            low = middle
        else:
            high = middle
    return day + timedelta(seconds=high)


def _shifted(at: ir.TimestampValue, first: timedelta, steps: Sequence[tuple[datetime, timedelta]]) -> ir.TimestampValue:
    """The time plus the offset of the last step it has reached: a tree, so a row needs few comparisons."""
    if not steps:
        return _plus(at, first)
    middle = len(steps) // 2
    moment, offset = steps[middle]
    later = _shifted(at, offset, steps[middle + 1 :])
    earlier = _shifted(at, first, steps[:middle])
    return ibis.ifelse(at >= ibis.literal(moment), later, earlier)


def _plus(at: ir.TimestampValue, offset: timedelta) -> ir.TimestampValue:
    seconds = int(offset.total_seconds())
    if seconds == 0:
        return at
    return at + ibis.interval(seconds=seconds) if seconds > 0 else at - ibis.interval(seconds=-seconds)
