"""The columns that staging computes for usage events."""

from datetime import date

import ibis.expr.types as ir

from cx_intel.models.expressions.conditions import first_match
from cx_intel.models.expressions.time import in_zone
from cx_intel.settings.portfolio import Portfolio


def event_day(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The event's time in the portfolio's time zone, as `_local_time`."""
    return {"_local_time": in_zone(rows.event_timestamp, portfolio.time_zone)}


def usage_event_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """event_date, event_hour and event_category, by local time."""
    categories = portfolio.usage.categories
    cases = ((rows.event_name.isin(names), category) for category, names in categories.items() if names)
    return {
        "event_date": rows["_local_time"].date(),
        "event_hour": rows["_local_time"].hour().cast("int64"),
        "event_category": first_match(cases, "other"),
    }
