"""The columns that staging computes for usage events."""

from datetime import date

import ibis.expr.types as ir

from cx_intel.models.expressions.conditions import first_match
from cx_intel.models.expressions.time import in_zone
from cx_intel.settings.portfolio import Portfolio


def event_day(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    return {"_local_time": in_zone(rows.event_timestamp, portfolio.time_zone)}


def usage_event_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    categories = portfolio.usage.categories
    cases = ((rows.event_name.isin(names), category) for category, names in categories.items() if names)
    return {
        "event_date": rows["_local_time"].date(),
        "event_hour": rows["_local_time"].hour().cast("int64"),
        "event_category": first_match(cases, "other"),
    }
