"""Statistics that engines compute differently, or not at all, written so that they agree everywhere.

Only what several models need. Ranks within the health population belong to the curves of the health model.
"""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.shares import ratio


def quantiles(table: ir.Table, *, by: Sequence[str], value: str, points: Mapping[str, float]) -> ir.Table:
    """Exact quantiles with linear interpolation, as NumPy's default: a row per group, a column per point.

    Args:
        table: The rows; those without a value are left out.
        by: The columns of the group.
        value: The numeric column.
        points: Name of the result column: quantile, 0 to 1.
    """
    present = table.filter(table[value].notnull())
    ordered = present.select(
        *by,
        _value=present[value].cast("float64"),
        _position=ibis.row_number().over(ibis.window(group_by=list(by), order_by=value)),  # from 0
        _count=present.count().over(ibis.window(group_by=list(by))),
    )
    shares = {}
    for name, point in points.items():
        rank = (ordered["_count"] - 1) * point
        distance = (ordered["_position"] - rank).abs()
        # the two rows around the rank weigh 1 - distance; all others weigh nothing
        shares[name] = (ibis.cases((distance < 1, 1 - distance), else_=0.0) * ordered["_value"]).sum()
    return ordered.group_by(list(by)).agg(**shares)


def exact_sum(value: ir.NumericValue, *, where: ir.BooleanValue | None = None) -> ir.FloatingValue:
    """The sum of the values to 15 decimals, summed exactly, so that the order of rows does not show; null of none.

    For shares and points: below 10^10. Nine decimals would show: two halves of a whole in three parts are no half of it.
    """
    return value.cast("decimal(38, 15)").sum(where=where).cast("float64")


def exact_mean(value: ir.NumericValue, *, where: ir.BooleanValue | None = None) -> ir.FloatingValue:
    """The mean of the values to nine decimals, summed exactly, so that the order of rows does not show; null of none."""
    summed = value.cast("decimal(28, 9)").sum(where=where)
    return ratio(summed, value.count(where=where))
