"""Parts of a whole: how percentages and ratios of exact amounts and counts are divided.

Only the division belongs here; what is divided by what is said where a figure is defined. Quantiles are in `statistics.py`.
"""

import ibis.expr.types as ir


def ratio(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    """part / whole, null where the whole is 0. Both are exact sums; only the quotient is a float.

    Never above 1 where part <= whole, and never falling where the part grows: floats round in order.
    """
    return part.cast("float64") / whole.cast("float64").nullif(0)


def share(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    """The part of the whole in percent, divided first: 10.29 of 10.29 is 100, not 100.00000000000001."""
    return ratio(part, whole) * 100
