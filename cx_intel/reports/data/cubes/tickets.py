"""Whether support keeps its promises to chosen accounts: the tickets of the months that pages show, one a row.

The figures are those of `sla_adherence`; medians too, because each ticket has its hours here.
"""

import pandas as pd

from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.reports.data.cells import account_names, cells
from cx_intel.reports.data.cubes.cube import ROWS, Condition, Cube, quantile, ratio, total
from cx_intel.reports.data.report_data import ReportData, is_true, made_once

TICKETS = "tickets"
MONTHS = 13
MOST_TICKETS = 100_000
"""Of more a page would grow too large: what they make stays of the whole company."""
SECONDS = 3600
_RESOLVED: tuple[Condition, ...] = (("resolved", "=", 1),)
_JUDGED = ("within", "late")
FIGURES = {
    "total_tickets": total(ROWS),
    "resolved_tickets": total("resolved"),
    "judged_tickets": total(*_JUDGED),
    "sla_breaches": total("late"),
    "within_sla": total("within"),
    "unjudged_tickets": total("resolved", "-within", "-late"),
    "open_breaches": total("open_late"),
    "sla_adherence_pct": ratio(["within"], _JUDGED),
    "adherence_incl_open_pct": ratio(["within"], [*_JUDGED, "open_late"]),
    "first_reply_adherence_pct": ratio(["replies", "-replies_late"], ["replies"]),
    "median_resolution_hours": quantile("seconds", 0.5, per=SECONDS, where=_RESOLVED),
    "p90_resolution_hours": quantile("seconds", 0.9, per=SECONDS, where=_RESOLVED),
    "avg_csat": ratio(["rating"], ["rated"], times=1),
}


def shown_months(data: ReportData) -> list[str]:
    """The newest months of `sla_adherence`."""
    frame = data["sla_adherence"]
    return sorted({str(month) for month in frame["ticket_month"]})[-MONTHS:] if len(frame) else []


@made_once
def ticket_cube(data: ReportData) -> Cube | None:
    """By ticket: cell, account, month, priority, segment and what is counted of it; None where there are too many."""
    parts = data.ticket_parts
    months = parts["ticket_month"].astype(str) if len(parts) else pd.Series(dtype=str)
    parts = parts[months.isin(shown_months(data))] if len(parts) else parts
    if len(parts) > MOST_TICKETS:
        return None
    of, called = cells(data).of, account_names(data)
    flags = {
        name: is_true(parts[name])
        for name in ("is_resolved", "is_judged", "is_sla_breach", "is_open_breach", "is_first_reply_judged")
    }
    late_replies = is_true(parts["is_first_reply_breach"]) if len(parts) else flags["is_resolved"]
    rating, hours = (pd.to_numeric(parts[name]) for name in ("satisfaction_score", "resolution_hours"))
    told = {
        "cell": [of[account] for account in parts["account_id"]],
        "ticket_month": parts["ticket_month"].astype(str),
        "priority": _labelled(data, "priority", parts["ticket_priority"]),
        "segment": _labelled(data, "segment", parts["ticket_segment"]),
        "id": parts["account_id"],
        "name": [called.get(account, account) for account in parts["account_id"]],
        "resolved": flags["is_resolved"].astype(int),
        "within": (flags["is_judged"] & ~flags["is_sla_breach"]).astype(int),
        "late": (flags["is_judged"] & flags["is_sla_breach"]).astype(int),
        "open_late": flags["is_open_breach"].astype(int),
        "replies": flags["is_first_reply_judged"].astype(int),
        "replies_late": (flags["is_first_reply_judged"] & late_replies).astype(int),
        "rated": rating.notna().astype(int),
        "rating": rating,
        "seconds": (hours * SECONDS).round(),
    }
    rows = pd.DataFrame(told, index=parts.index).sort_values(["cell", "id", "ticket_month"], ignore_index=True)
    return Cube(TICKETS, rows, FIGURES)


def _labelled(data: ReportData, column: str, values: pd.Series) -> list[str]:
    return [data.labels.of(column, NO_VALUE if pd.isna(value) else str(value)) for value in values]
