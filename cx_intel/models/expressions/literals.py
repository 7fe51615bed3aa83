"""Constants of the settings as they are meant, on every engine.

Only how a constant is written; what it is used for is decided in the models.
"""

import ibis
import ibis.expr.types as ir


def number(value: float) -> ir.FloatingValue:
    """The float itself: written as 0.35, engines read a decimal, which DuckDB makes 0.35000000000000003."""
    return ibis.literal(repr(float(value))).cast("float64")
