"""Arithmetic on calendar months, the same on every engine: a month is the integer year x 12 + month - 1.

Only months; days and time zones are in `time.py`. Intervals of months are avoided because engines count them differently.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir


def month_index(day: ir.DateValue) -> ir.IntegerValue:
    """The number of the month that the day lies in."""
    return (day.year().cast("int64") * 12 + day.month().cast("int64") - 1).cast("int64")


def first_day(index: ir.IntegerValue) -> ir.DateValue:
    """The first day of the month with that number."""
    month = index % 12
    return ibis.date(((index - month) / 12).cast("int32"), (month + 1).cast("int32"), ibis.literal(1, "int32"))


def first_of_month(day: ir.DateValue) -> ir.DateValue:
    """The first day of the month that the day lies in."""
    return day.truncate("M").cast("date")


def last_complete_month(as_of: date) -> int:
    """The number of the last month whose last day is not after `as_of`."""
    following = as_of + timedelta(days=1)
    return following.year * 12 + following.month - 2


def each_month(table: ir.Table, *, first: ir.IntegerValue, last: ir.IntegerValue, name: str) -> ir.Table:
    """A row for each month from `first` to `last` (numbers, both included) of every row; none where last < first."""
    spanned = table.mutate(_first=first, _last=last)
    spanned = spanned.filter(spanned["_first"] <= spanned["_last"])
    exploded = spanned.mutate(**{name: ibis.range(spanned["_first"], spanned["_last"] + 1).unnest()})
    return exploded.drop("_first", "_last")
