"""When the same day comes round again some months later, clipped to the end of shorter months.

Days are always counted from the original date, so that 31 January does not drift to the 28th for good. Whole
months are in `months.py`; what renews when is decided in `cx_intel.models.renewals.dates`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.months import month_index


def with_anniversary(
    rows: ir.Table,
    name: str,
    start: ir.DateValue,
    *,
    to: ir.DateValue,
    step: ir.IntegerValue,
    at_least: ir.IntegerValue,
) -> ir.Table:
    """Adds the column `name`: `start` so many months later that it is `to` or after.

    The months are the fewest that are a multiple of `step` and `at_least` some; a day that the month has not becomes
    its last. Steps on the way are columns, since as one expression it would be written out many times over.
    """
    r = rows.mutate(_start=start, _to=to, _step=step.cast("int64"), _at_least=at_least.cast("int64"))
    r = r.mutate(_first=month_index(r["_start"]), _reach=month_index(r["_to"]))
    r = r.mutate(_distance=ibis.greatest(r["_reach"] - r["_first"], 0).cast("int64"))
    last_of_month = _days_in_month(r["_reach"] // 12, r["_reach"] % 12 + 1)
    r = r.mutate(
        _complete=((r["_distance"] + r["_step"] - 1) // r["_step"]) * r["_step"],
        _clipped=ibis.least(r["_start"].day().cast("int64"), last_of_month),
    )
    is_short = (
        (r["_distance"] % r["_step"] == 0) & (r["_start"] < r["_to"]) & (r["_clipped"] < r["_to"].day().cast("int64"))
    )
    r = r.mutate(_months=r["_complete"] + ibis.ifelse(is_short, r["_step"], 0))
    r = r.mutate(_index=(r["_first"] + ibis.greatest(r["_months"], r["_at_least"])).cast("int64"))
    r = r.mutate(_year=r["_index"] // 12, _month=r["_index"] % 12 + 1)
    day = ibis.least(r["_start"].day().cast("int64"), _days_in_month(r["_year"], r["_month"]))
    reached = ibis.date(r["_year"].cast("int32"), r["_month"].cast("int32"), day.cast("int32"))
    return r.select(*rows.columns, **{name: ibis.ifelse(r["_start"].notnull(), reached, ibis.null("date"))})


def months_later(day: ir.DateValue, months: ir.IntegerValue) -> ir.DateValue:
    """The same day so many months later, or the last day of that month where it is shorter."""
    index = month_index(day) + months
    year, month = index // 12, index % 12 + 1
    last = _days_in_month(year, month)
    return ibis.date(year.cast("int32"), month.cast("int32"), ibis.least(day.day().cast("int64"), last).cast("int32"))


def months_until(as_of: date, day: ir.DateValue) -> ir.IntegerValue:
    """The fewest months after `as_of` that reach `day`: 0 on the day itself and before it."""
    index = month_index(day)
    days = _days_in_month(index // 12, index % 12 + 1)
    is_short = ibis.least(days, as_of.day) < day.day()
    return ibis.greatest(index - _index(as_of) + ibis.ifelse(is_short, 1, 0), 0).cast("int64")


def _index(day: date) -> int:
    return day.year * 12 + day.month - 1


def _days_in_month(year: ir.IntegerValue, month: ir.IntegerValue) -> ir.IntegerValue:
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return ibis.cases((month.isin([4, 6, 9, 11]), 30), ((month == 2) & is_leap, 29), (month == 2, 28), else_=31).cast(
        "int64"
    )
