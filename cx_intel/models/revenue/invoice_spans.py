"""From which month to which each billed line counts: the periods it states, or the chain that lines of one kind form.

Only time belongs here; what a line gives, and what credit notes take, is in `invoice_mrr.py`. Definitions: Basis
`invoices` in `docs/definitions.md`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.anniversaries import months_later
from cx_intel.models.expressions.months import each_month, month_index

FEWEST_DAYS, MOST_DAYS = 3, 31
"""Bounds of the tenth of a period by which a line may begin before or after the end of the one before."""
NEAR_MONTHS = 2
"""Months around the end of a line in which one that begins so near to it can lie."""
KIND = ("account_id", "_product", "_months", "_is_stated")
"""What lines of one chain have in common."""


def has_period(invoices: ir.Table) -> ir.BooleanValue:
    """Whether a line states from when until when it is for."""
    return invoices.period_start.notnull() & invoices.period_end.notnull()


def spans(charges: ir.Table) -> ir.Table:
    """The lines with `first` and `last`, the numbers of the months on whose last day they are in force.

    A line with a period is in force in it; if the next of its account, product and length begins a little before its
    end, until then. One without counts until the next begins, where that is within a tenth of a period (3 to 31 days)
    of its end, else for its own months. A line in force on no last day of a month has `last` before `first`.

    Args:
        charges: Rows of stg_invoices above 0, dated by `as_of`.
    """
    is_stated = has_period(charges)
    start = ibis.coalesce(charges.period_start, charges.invoice_date)
    days = charges.period_end.delta(charges.period_start, unit="day")
    length = ibis.ifelse(is_stated, days, _days(charges.billing_period_months))
    rows = charges.mutate(
        _product=ibis.coalesce(charges.product_name, ""),
        _is_stated=is_stated,
        _months=ibis.ifelse(is_stated, (days * 12 + 182) // 365, charges.billing_period_months).cast("int64"),
        _start=start,
        _end=ibis.ifelse(is_stated, charges.period_end, months_later(start, charges.billing_period_months)),
        _near=ibis.greatest(FEWEST_DAYS, ibis.least(MOST_DAYS, length // 10)).cast("int64"),
    )
    following = _following(rows.select(*KIND, "_start", "_end", "_near").distinct())
    keys = [*KIND, "_start", "_end"]
    rows = rows.left_join(following, keys).drop(*(f"{key}_right" for key in keys))
    stated_end = ibis.ifelse(
        rows["_is_stated"], month_index(rows["_end"]), month_index(rows["_start"]) + rows["_months"]
    )
    until = ibis.coalesce(month_index(rows["_next"]), stated_end)
    return rows.select(*charges.columns, first=month_index(rows["_start"]), last=until - 1)


def _days(months: ir.IntegerValue) -> ir.IntegerValue:
    return (months * 365) // 12


def _following(lines: ir.Table) -> ir.Table:
    """For each kind, start and end: `_next`, where a line that follows it begins; only where there is one.

    Of several that begin near to an end the nearest follows, if that end is the nearest to its start, too: so two lines
    of one kind that run beside each other each find their own successor.
    """
    ends = each_month(
        lines,
        first=month_index(lines["_end"]) - NEAR_MONTHS,
        last=month_index(lines["_end"]) + NEAR_MONTHS,
        name="_month",
    )
    starts = lines.select(*KIND, _next=lines["_start"]).distinct()
    starts = starts.mutate(_month=month_index(starts["_next"]))
    keys = [*KIND, "_month"]
    pairs = ends.inner_join(starts, keys)
    distance = pairs["_next"].delta(pairs["_end"], unit="day").cast("int64")
    pairs = pairs.mutate(_distance=distance.abs(), _is_late=distance > 0)
    pairs = pairs.filter(
        (pairs["_distance"] <= pairs["_near"])
        & (pairs["_next"] > pairs["_start"])
        & ~(pairs["_is_stated"] & pairs["_is_late"])
    )
    of_line = ibis.window(group_by=[*KIND, "_start", "_end"], order_by=["_distance", "_next"])
    of_next = ibis.window(group_by=[*KIND, "_next"], order_by=["_distance", "_end", "_start"])
    pairs = pairs.mutate(_of_line=ibis.row_number().over(of_line), _of_next=ibis.row_number().over(of_next))
    chosen = pairs.filter((pairs["_of_line"] == 0) & (pairs["_of_next"] == 0))
    return chosen.select(*KIND, "_start", "_end", "_next")
