"""The columns that staging computes for subscriptions, and whether one is in force on a day."""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.settings.portfolio import Portfolio


def is_contract(subscriptions: ir.Table) -> ir.BooleanValue:
    """Whether a subscription counts at all: no trial, and beginning before it ends."""
    ends = subscriptions.end_date
    is_trial = ibis.coalesce(subscriptions.status == "trial", ibis.literal(False))
    return ~is_trial & (ends.isnull() | (subscriptions.start_date < ends))


def in_force(subscriptions: ir.Table, day: date) -> ir.BooleanValue:
    """Whether a subscription is in force on the day: one that counts, begun and not ended."""
    ends = subscriptions.end_date
    is_open = (subscriptions.start_date <= ibis.literal(day)) & (ends.isnull() | (ends > ibis.literal(day)))
    return ibis.coalesce(is_open & is_contract(subscriptions), ibis.literal(False))


def subscription_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """is_active, and duration_days: how long it has run by `as_of`, negative where it ends before it starts."""
    day_after = ibis.literal(as_of + timedelta(days=1))
    until = ibis.least(ibis.coalesce(rows.end_date, day_after), day_after)
    planned = rows.end_date.delta(rows.start_date, unit="day")
    begins_later = rows.start_date >= day_after
    so_far = ibis.ifelse(begins_later, 0, until.delta(rows.start_date, unit="day"))
    ends_early = ibis.coalesce(planned < 0, ibis.literal(False))
    return {
        "is_active": in_force(rows, as_of),
        "duration_days": ibis.ifelse(ends_early, planned, so_far),
    }
