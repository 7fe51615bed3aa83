"""What the staged tables say happened on which day: by this, what arrived late is told from what is new.

Only that which comes to be known on its day and stays: a ticket is opened and resolved, a survey answered. What sources
change in place without a date (a price, a priority, a status) is no late event. Usage events are not here, since they
are kept by day; which snapshots are stale by all this is decided in `cx_intel.orchestration.sensors.stale_snapshots`, how
new a source is in `cx_intel.models.core.freshness`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.expressions.time import date_in_zone
from cx_intel.settings.portfolio import Portfolio

FACTS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "subscriptions": (
        ("start_date", ("subscription_id", "account_id")),
        ("end_date", ("subscription_id", "account_id")),
    ),
    "invoices": (("invoice_date", ("invoice_id", "account_id", "amount")),),
    "mrr_history": (("month", ("account_id", "mrr")),),
    "support_tickets": (
        ("created_date", ("ticket_id", "account_id", "created_at")),
        ("resolved_at", ("ticket_id", "account_id", "resolved_at")),
    ),
    "nps_responses": (("responded_at", ("response_id", "account_id", "score")),),
    "csm_activities": (("completed_at", ("activity_id", "account_id", "activity_type", "status")),),
    "metrics": (("measured_on", ("account_id", "metric", "value")),),
}
"""Canonical table: its dates, and the columns that say what happened on them."""


def dated_facts(staged: Mapping[str, ir.Table], *, portfolio: Portfolio) -> ir.Table | None:
    """A row for each thing that happened on a day: `day`, `fact`; None where no table has any.

    Args:
        staged: The staged tables by canonical name; others than those of `FACTS` are left alone.
        portfolio: Whose days they are.
    """
    parts = [
        _facts(table, rows, day, columns, portfolio)
        for table, rows in staged.items()
        for day, columns in FACTS.get(table, ())
    ]
    return ibis.union(*parts) if len(parts) > 1 else next(iter(parts), None)


def _facts(table: str, rows: ir.Table, day: str, columns: tuple[str, ...], portfolio: Portfolio) -> ir.Table:
    dated = rows.filter(rows[day].notnull())
    return dated.select(day=known_on(dated[day], portfolio), fact=_fact_text(dated, f"{table}.{day}", columns))


def known_on(value: ir.Value, portfolio: Portfolio) -> ir.DateValue:
    """The day in the portfolio's zone; a month's figure is known when the month is over."""
    if value.get_name() == "month":
        following = first_day(month_index(value) + 1)
        return (following.cast("timestamp") - ibis.interval(days=1)).date()  # DuckDB: a day less an interval is a time
    return date_in_zone(value, portfolio.time_zone) if value.type().is_timestamp() else value


def _fact_text(rows: ir.Table, kind: str, columns: tuple[str, ...]) -> ir.StringValue:
    text = ibis.literal(kind)
    for column in columns:
        text = text + ibis.literal("\x1f") + ibis.coalesce(rows[column].cast("string"), "")
    return text
