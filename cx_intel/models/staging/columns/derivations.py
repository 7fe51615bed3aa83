"""Which columns staging computes of each canonical table, one small function a table: what follows from a row alone.

A column that needs other rows or tables belongs in the core tables. How cells are read: `cx_intel.models.staging.rows`.
"""

import ibis.expr.types as ir

from cx_intel.models.expressions.reasons import Fault, Reason
from cx_intel.models.staging.columns.accounts import Derivation, attribute_derivations
from cx_intel.models.staging.columns.actions import action_columns, action_faults, entry_columns
from cx_intel.models.staging.columns.contacts import contact_columns, contact_faults, contact_flags
from cx_intel.models.staging.columns.events import event_day, usage_event_columns
from cx_intel.models.staging.columns.identity import equal_links, link_columns, link_faults
from cx_intel.models.staging.columns.invoices import given_month_columns, invoice_columns, newest_file, place_in_month
from cx_intel.models.staging.columns.recurring import recurring_columns
from cx_intel.models.staging.columns.subscriptions import subscription_columns, subscription_faults
from cx_intel.models.staging.columns.tickets import (
    change_columns,
    response_columns,
    ticket_columns,
    ticket_hours,
    ticket_words,
)
from cx_intel.settings.portfolio import Portfolio


def derivations(table: str, portfolio: Portfolio) -> list[Derivation]:
    """The derivations of a canonical table, each over the columns of those before it."""
    return attribute_derivations(portfolio) if table == "accounts" else list(_DERIVATIONS.get(table, ()))


def faults(rows: ir.Table, table: str, portfolio: Portfolio) -> list[Fault]:
    """What else is wrong with rows of a canonical table beyond what its columns say: when, and why."""
    if table == "account_aliases":
        return [(rows["_merge_fault"].notnull(), Reason(rows["_merge_fault"], rows["_merge_part"]))]
    if table == "identity_links":
        return link_faults(rows)
    if table == "actions":
        return action_faults(rows)
    if table == "contacts":
        return contact_faults(rows)
    return subscription_faults(rows, portfolio) if table == "subscriptions" else []


_DERIVATIONS: dict[str, tuple[Derivation, ...]] = {
    "identity_links": (link_columns, equal_links),
    "subscriptions": (subscription_columns, recurring_columns),
    "invoices": (invoice_columns, recurring_columns),
    "mrr_history": (newest_file, place_in_month, given_month_columns),
    "usage_events": (event_day, usage_event_columns),
    "support_tickets": (ticket_words, ticket_columns, ticket_hours),
    "nps_responses": (response_columns,),
    "ticket_status_history": (change_columns,),
    "contacts": (contact_columns, contact_flags),
    "actions": (entry_columns, action_columns),
}
