"""What a probability of renewal may depend on beside the segment: a few measures of an account on a day.

Each is written once, as an expression, for past month ends and for today alike; their names and words are in
`cx_intel.contracts.renewals.learned`. What they weigh is fitted in `fitting.py` and applied in `probabilities.py`.
"""

import ibis
import ibis.expr.types as ir

DAYS_OF_A_YEAR = 365.0


def measures(accounts: ir.Table) -> dict[str, ir.NumericValue]:
    """The measures by name; null where an account has none.

    Args:
        accounts: With health_score, tenure_days, current_arr and usage_events_30d.
    """
    return {
        "health_score": accounts.health_score.cast("float64"),
        "tenure": _grown(accounts.tenure_days.cast("float64") / DAYS_OF_A_YEAR),
        "arr": _grown(accounts.current_arr.cast("float64")),
        "usage": _grown(accounts.usage_events_30d.cast("float64")),
    }


def _grown(amount: ir.NumericValue) -> ir.NumericValue:
    """On a logarithmic scale, on which ten times as much is one step, from any start; 0 stays 0."""
    kept = ibis.ifelse(amount > 0, amount, ibis.ifelse(amount.notnull(), 0.0, ibis.null("float64")))
    return (kept + 1.0).ln()
