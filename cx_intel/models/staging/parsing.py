"""How a cell becomes a value: text, numbers, days and instants from the spellings that sources use.

Every function here takes a trimmed text (or a column that is typed already) and gives the value, or null
where the text is none; guessing is refused, and so are years before 1000. Patterns are checked before
casting, so that engines whose casts raise stay quiet too. Which columns are parsed how, and what happens to
misfits: `tables.py`; zones and amounts: `cx_intel.models.expressions`.
"""

from datetime import datetime
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.accounts import country_names
from cx_intel.contracts.staging.currency_signs import OF_ONE
from cx_intel.models.expressions.time import date_in_zone, to_utc

NUMBER_PATTERN = r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$"
PLAIN_NUMBER_PATTERN = r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$"
WHOLE_PATTERN = r"^[+-]?[0-9]{1,18}([.]0*)?$"
DAY = r"[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
CLOCK = r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
ZONE = r" ?(Z|UTC|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)$"
TIME_PATTERN = f"^{DAY}([T ]{CLOCK}( ?(Z|UTC|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?))?)?$"
USUAL_PATTERN = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?Z?)?$"
)
"""The spellings of nearly all times: what `TIME_PATTERN` takes too, and a cast reads as it stands, in half of the time."""
MONTH_PATTERN = r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$"
EPOCH_SECONDS_PATTERN = r"^[1-9][0-9]{9}([.][0-9]*)?$"
EPOCH_MS_PATTERN = r"^[1-9][0-9]{12}([.]0*)?$"
EPOCH_US_PATTERN = r"^[1-9][0-9]{15}([.]0*)?$"

EXCEL_DAY_PATTERN = r"^[2-7][0-9]{4}([.][0-9]+)?$"
"""Days since 1899-12-30, of 1954 to 2119, as a sheet has them that was saved without its formats."""

EPOCH = datetime(1970, 1, 1)
NEVER = "9999-12-31"
"""What systems write for "never", with any clock and zone: a midnight of UTC, so that it has a day in every zone."""
YES, NO = ("yes", "true"), ("no", "false")


class Written(NamedTuple):
    """A time as its text states it: the local reading, and the offset from UTC in minutes where one is
    stated.
    """

    local: ir.TimestampValue
    offset_minutes: ir.IntegerValue


def text(raw: ir.Value) -> ir.StringValue:
    """The text without the blanks around it; null when nothing is left."""
    return raw.cast("string").strip().nullif("")


def number(cell: ir.Value, *, flags: bool = False) -> ir.FloatingValue:
    """A number, or null. Thousands separators, percent and currency signs are refused; `flags` reads yes and
    no.
    """
    if not cell.type().is_string():
        typed = cell.cast("float64")
        return _finite(typed) if cell.type().is_floating() else typed
    value = ibis.ifelse(cell.re_search(NUMBER_PATTERN), cell, ibis.null("string")).try_cast("float64")
    finite = _finite(value)
    if not flags:
        return finite
    word = cell.lower()
    return ibis.cases((word.isin(YES), 1.0), (word.isin(NO), 0.0), else_=finite)


def _finite(value: ir.FloatingValue) -> ir.FloatingValue:
    """Null for what is no number that can be reckoned with: NaN, the infinities, beyond 10^300."""
    return ibis.ifelse(value.abs() <= 1e300, value, ibis.null("float64"))


def whole(cell: ir.Value) -> ir.IntegerValue:
    """A whole number, also when written 42.0; else null."""
    if not cell.type().is_string():
        if not cell.type().is_floating():
            return cell.cast("int64")
        typed = number(cell)
        return ibis.ifelse((typed == typed.floor()) & (typed.abs() < 1e18), typed, ibis.null("float64")).cast("int64")
    digits = cell.re_replace(r"[.]0*$", "")
    return ibis.ifelse(cell.re_search(WHOLE_PATTERN), digits, ibis.null("string")).try_cast("int64")


def written(cell: ir.Value) -> Written:
    """The time that a cell states: ISO 8601 with or without clock and zone, its hour of one digit or two, or the time
    since 1970 in UTC: ten digits of seconds, thirteen of milliseconds, sixteen of microseconds.

    Seconds may be left out; fractions of a second beyond microseconds are cut. A typed column states no zone.
    """
    no_time, no_offset = ibis.null("timestamp(6)"), ibis.null("int64")
    if cell.type().is_timestamp():
        if cell.type().timezone is not None:
            return _never_at_midnight(cell.cast("timestamp('UTC')").cast("timestamp(6)"), ibis.literal(0, "int64"))
        return _never_at_midnight(cell.cast("timestamp(6)"), no_offset)
    if cell.type().is_numeric():
        cell = cell.cast("decimal(20, 0)").cast("string")
    if not cell.type().is_string():
        return Written(cell.cast("timestamp(6)"), no_offset)
    is_usual = cell.re_search(USUAL_PATTERN)
    usual = ibis.ifelse(is_usual, cell.replace("Z", ""), ibis.null("string")).try_cast("timestamp(6)")
    in_utc = ibis.ifelse(cell.endswith("Z"), ibis.literal(0, "int64"), no_offset)
    is_iso, has_clock = cell.re_search(TIME_PATTERN), cell.length() > 10
    is_seconds, is_milliseconds = cell.re_search(EPOCH_SECONDS_PATTERN), cell.re_search(EPOCH_MS_PATTERN)
    is_microseconds = cell.re_search(EPOCH_US_PATTERN)
    is_epoch = is_seconds | is_milliseconds | is_microseconds
    is_never = is_iso & (cell.substr(0, 10) == NEVER)
    as_given = cell.substr(11)
    padded = ibis.ifelse(as_given.substr(1, 1) == ":", "0" + as_given, as_given)  # spreadsheets write 3:24:36
    stated = padded.re_replace(ZONE, "").substr(0, 15)
    to_the_second = ibis.ifelse(stated.length() == 5, stated + ":00", stated)
    clock = ibis.ifelse(has_clock & ~is_never, to_the_second, "00:00:00")
    iso = ibis.ifelse(is_iso, cell.substr(0, 10) + " " + clock, ibis.null("string")).try_cast("timestamp(6)")
    whole_part = cell.re_replace(r"[.][0-9]*$", "")
    counted = ibis.cases(
        (is_seconds, whole_part + "000"),
        (is_milliseconds, whole_part),
        (is_microseconds, whole_part.substr(0, 13)),
        else_=ibis.null("string"),
    )
    milliseconds = counted.try_cast("int64")
    epoch = ibis.literal(EPOCH).cast("timestamp(6)") + milliseconds.as_interval("ms")
    local = ibis.cases((is_usual, usual), (is_iso, iso), (is_epoch, epoch), else_=no_time)
    offset = ibis.cases(
        (is_usual, in_utc),
        (is_never, ibis.literal(0, "int64")),
        (is_iso & has_clock & cell.re_search(ZONE), _offset_minutes(cell)),
        (is_epoch, ibis.literal(0, "int64")),
        else_=no_offset,
    )
    return Written(local, offset)


def _never_at_midnight(local: ir.TimestampValue, offset: ir.IntegerValue) -> Written:
    """A typed time, where the last day of the calendar means never too."""
    never = ibis.literal(datetime.fromisoformat(NEVER)).cast("timestamp(6)")
    is_never = ibis.coalesce(local >= never, ibis.literal(False))
    return Written(ibis.ifelse(is_never, never, local), ibis.ifelse(is_never, ibis.literal(0, "int64"), offset))


def _offset_minutes(cell: ir.StringValue) -> ir.IntegerValue:
    """+05:30, -0500, +02 as minutes; Z and UTC as 0."""
    hours = cell.re_extract(r"([+-][0-9]{2}):?[0-9]{0,2}$", 1)
    minutes = cell.re_extract(r"[+-][0-9]{2}:?([0-9]{2})$", 1)
    size = _small(hours.substr(1)) * 60 + _small(minutes)
    return ibis.ifelse(hours.substr(0, 1) == "-", -size, size)


def _small(digits: ir.StringValue) -> ir.IntegerValue:
    return ibis.coalesce(digits.nullif("").try_cast("int64"), ibis.literal(0, "int64"))


def instant(time: Written, zone: str) -> ir.TimestampValue:
    """Naive UTC: by the stated offset, else as local time of the zone."""
    stated = time.local - time.offset_minutes.as_interval("m")
    return ibis.ifelse(time.offset_minutes.notnull(), stated, to_utc(time.local, zone))


def day(time: Written, at: ir.TimestampValue, zone: str, source_zone: str) -> ir.DateValue:
    """The day of a cell of a date column, in the zone.

    A midnight is the day as written, which is how systems export days; so is a local time of the same zone.
    Any other time is an instant: `at`.
    """
    is_as_written = time.local == time.local.truncate("D")
    if source_zone == zone:
        is_as_written |= time.offset_minutes.isnull()
    return ibis.ifelse(is_as_written, time.local.date(), date_in_zone(at, zone))


def currency(cell: ir.StringValue) -> ir.StringValue:
    """The code of a currency, also where the cell has the sign of a single one; else the text in capitals."""
    return ibis.cases(*((cell == sign, code) for sign, code in OF_ONE.items()), else_=cell.upper())


def country(cell: ir.StringValue) -> ir.StringValue:
    """The code of a country known by name, else the text in capitals."""
    capitals = cell.upper()
    return ibis.cases(*((capitals.isin(names), code) for code, names in country_names().items()), else_=capitals)
