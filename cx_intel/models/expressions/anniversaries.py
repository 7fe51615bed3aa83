"""When the same day comes round again some months later, clipped to the end of shorter months.

Days are always counted from the original date, so that 31 January does not drift to the 28th for good. Whole
months are in `months.py`; what renews when is the matter of `renewals.py`.
"""

import calendar
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.months import month_index


def months_to_reach(day: ir.DateValue, as_of: date, *, step: int, at_least: int) -> ir.IntegerValue:
    """The fewest months, `at_least` some and a multiple of `step`, that take `day` to `as_of` or later."""
    distance = ibis.greatest(_index(as_of) - month_index(day), 0).cast("int64")
    complete = ((distance + step - 1) // step) * step
    last_of_month = calendar.monthrange(as_of.year, as_of.month)[1]
    is_short = (distance % step == 0) & (day < as_of) & (ibis.least(day.day(), last_of_month) < as_of.day)
    reached = complete + ibis.ifelse(is_short, step, 0)
    return ibis.greatest(reached, at_least).cast("int64")


def months_later(day: ir.DateValue, months: ir.IntegerValue) -> ir.DateValue:
    """The same day so many months later, or the last day of that month where it is shorter."""
    index = month_index(day) + months
    year, month = index // 12, index % 12 + 1
    return ibis.date(
        year.cast("int32"),
        month.cast("int32"),
        ibis.least(day.day().cast("int64"), _days_in_month(year, month)).cast("int32"),
    )


def months_until(as_of: date, day: ir.DateValue) -> ir.IntegerValue:
    """The fewest months after `as_of` that reach `day`, a day not before it: 0 on the day itself."""
    index = month_index(day)
    days = _days_in_month(index // 12, index % 12 + 1)
    is_short = ibis.least(days, as_of.day) < day.day()
    return (index - _index(as_of) + ibis.ifelse(is_short, 1, 0)).cast("int64")


def _index(day: date) -> int:
    return day.year * 12 + day.month - 1


def _days_in_month(year: ir.IntegerValue, month: ir.IntegerValue) -> ir.IntegerValue:
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return ibis.cases((month.isin([4, 6, 9, 11]), 30), ((month == 2) & is_leap, 29), (month == 2, 28), else_=31).cast(
        "int64"
    )
