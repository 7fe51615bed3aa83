"""Product usage by account and day. What usage says about an account's health is a signal (`signals.py`)."""

import functools
import operator
from collections.abc import Iterable

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.core import fct_usage as contract
from cx_intel.settings.portfolio import Portfolio


def fct_usage(stg_usage_events: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """What an account did in the product on a day: events by category, users, features, hours.

    Grain: account_id, event_date; only days with an event. Always true: categories_sum_to_total.
    """
    usage, events = portfolio.usage, stg_usage_events
    categories = (*usage.categories, "other")
    # what can be told by conditions is not counted by distinct values, which cost a hash table for each account and day
    hours = {f"_{hour}": (events.event_hour == hour).any() for hour in range(24)}
    days = events.group_by(["account_id", "event_date"]).agg(
        total_events=events.count(),
        active_users=events.user_id.nunique(),
        distinct_features_used=events.event_name.nunique(),
        **{f"{c}_events": events.count(where=events.event_category == c) for c in categories},
        **{name: events.count(where=events.event_name == event) for name, event in usage.counted_events.items()},
        first_event_at=events.event_timestamp.min(),
        last_event_at=events.event_timestamp.max(),
        **hours,
    )
    days = days.mutate(
        distinct_categories_used=_how_many(days[f"{category}_events"] > 0 for category in usage.categories),
        active_hours=_how_many(days[hour] for hour in hours),
    )
    share = 100.0 / len(usage.categories) if usage.categories else None
    breadth = days.distinct_categories_used * ibis.literal(share, "float64")
    enough = days.total_events >= usage.power_usage_events
    broad = days.distinct_features_used >= usage.power_usage_features
    return conform(days.mutate(feature_breadth_pct=breadth, is_power_usage_day=enough & broad), contract(portfolio))


def _how_many(conditions: Iterable[ir.BooleanValue]) -> ir.IntegerValue:
    """How many of the conditions hold."""
    ones = (ibis.ifelse(holds, ibis.literal(1, "int64"), ibis.literal(0, "int64")) for holds in conditions)
    return functools.reduce(operator.add, ones, ibis.literal(0, "int64"))
