"""The columns that staging computes for tickets."""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.conditions import first_match
from cx_intel.models.expressions.time import in_zone
from cx_intel.settings.portfolio import Portfolio


def ticket_day(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The time of creation in the portfolio's time zone, as `_local_time`."""
    return {"_local_time": in_zone(rows.created_at, portfolio.time_zone)}


def ticket_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """created_date, resolution_hours and sla_target_hours."""
    targets = portfolio.support.sla_target_hours.items()
    cases = [(rows.priority == priority, float(hours)) for priority, hours in targets]
    seconds = rows.resolved_at.epoch_seconds() - rows.created_at.epoch_seconds()
    return {
        "created_date": rows["_local_time"].date(),
        "resolution_hours": seconds.cast("float64") / 3600,
        "sla_target_hours": first_match(cases, ibis.null("float64")),
    }


def ticket_breach(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """is_sla_breach: resolved later than the target; null while either is unknown."""
    return {"is_sla_breach": rows.resolution_hours > rows.sla_target_hours}
