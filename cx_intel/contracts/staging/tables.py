"""The staged tables by canonical name."""

from cx_intel.contracts.contacts import stg_contacts
from cx_intel.contracts.staging.accounts import stg_account_aliases, stg_accounts
from cx_intel.contracts.staging.activity import stg_actions, stg_csm_activities, stg_metrics, stg_usage_events
from cx_intel.contracts.staging.billing import stg_invoices, stg_mrr_history, stg_subscriptions
from cx_intel.contracts.staging.identity import stg_identity_links
from cx_intel.contracts.staging.support import stg_nps_responses, stg_support_tickets, stg_ticket_status_history

STAGING = {
    "account_aliases": stg_account_aliases,
    "identity_links": stg_identity_links,
    "accounts": stg_accounts,
    "subscriptions": stg_subscriptions,
    "invoices": stg_invoices,
    "mrr_history": stg_mrr_history,
    "usage_events": stg_usage_events,
    "support_tickets": stg_support_tickets,
    "nps_responses": stg_nps_responses,
    "csm_activities": stg_csm_activities,
    "contacts": stg_contacts,
    "metrics": stg_metrics,
    "actions": stg_actions,
    "ticket_status_history": stg_ticket_status_history,
}
"""Canonical table: the maker of its staging contract."""
