"""What of a subscription is in force on a day: the one rule that ledger, snapshots and renewals ask.

How the periods come about is in `periods.py`; what an account's MRR is, in `cx_intel.models.revenue`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir


def in_force(periods: ir.Table, day: date) -> ir.BooleanValue:
    """Whether a period of a subscription is MRR on the day; at most one period of a subscription is.

    Args:
        periods: subscription_periods.
        day: The day.
    """
    until = periods.counts_until
    is_open = (periods.counts_from <= ibis.literal(day)) & (until.isnull() | (until > ibis.literal(day)))
    return periods.is_counting & is_open


def is_contract(periods: ir.Table) -> ir.BooleanValue:
    """Whether it counts at all, on whatever day."""
    return periods.is_counting
