"""The columns that staging computes for actions on entries of the intervention list, and what is wrong with such a row.

What follows from a row alone. Which renewal an action is about, and what came of it: `cx_intel.models.renewals.interventions`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import DISMISSED, OPEN, SNOOZED
from cx_intel.models.expressions.reasons import Fault, reason
from cx_intel.models.expressions.time import whole_seconds
from cx_intel.models.staging import parsing
from cx_intel.settings.portfolio import Portfolio

DATE_LENGTH = 10
ENTRY_PATTERN = r"@\d{4}-\d{2}-\d{2}$"
"""How the id of an entry ends: in its renewal date."""


def entry_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The renewal date that the id of the entry ends in."""
    tail = rows.entry_id.substr(rows.entry_id.length() - DATE_LENGTH, DATE_LENGTH)
    named = ibis.ifelse(rows.entry_id.re_search(ENTRY_PATTERN), tail, ibis.null("string"))
    return {"renewal_date": parsing.written(named).local.date()}


def action_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """An id for actions without one, the status of rows with nothing done, and the day of snoozed ones alone."""
    status = ibis.coalesce(rows.status, OPEN)
    seconds = ibis.literal("/") + whole_seconds(rows.acted_at).cast("decimal(18, 0)").cast("string")
    by_entry = ibis.coalesce(rows.entry_id, rows.account_id) + ibis.coalesce(seconds, "")
    return {
        "action_id": ibis.coalesce(rows.action_id, by_entry),
        "status": status,
        "snoozed_until": ibis.ifelse(status == SNOOZED, rows.snoozed_until, ibis.null("date")),
    }


def action_faults(rows: ir.Table) -> list[Fault]:
    """Snoozed without a day, dismissed without a reason, an entry that names no renewal."""
    names_no_renewal = rows.entry_id.notnull() & rows.renewal_date.isnull()
    return [
        ((rows.status == SNOOZED) & rows.snoozed_until.isnull(), reason("snoozed_without_day")),
        ((rows.status == DISMISSED) & rows.reason.isnull(), reason("dismissed_without_reason")),
        (names_no_renewal, reason("no_renewal", value=rows.entry_id)),
    ]
