"""Ids of systems that no link leads to an account, and what hangs on them: `unmatched_accounts`.

Why a link leads nowhere is in `resolution.py` beside this module. What becomes of such ids is stated by
`identity.unmatched` (`cx_intel.settings.identity`).
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts import identity as contracts
from cx_intel.contracts.contract import conform
from cx_intel.models.expressions.joins import beside
from cx_intel.models.identity.identity_map import named_ids
from cx_intel.models.identity.resolution import ID
from cx_intel.models.staging.identity import OWN, current
from cx_intel.settings.identity import ACCOUNT
from cx_intel.settings.portfolio import Portfolio


def unmatched_accounts(
    identity_map: ir.Table,
    account_snapshot: ir.Table,
    raw_subscriptions: ir.Table,
    raw_invoices: ir.Table,
    raw_mrr_history: ir.Table,
    raw_usage_events: ir.Table,
    raw_support_tickets: ir.Table,
    raw_nps_responses: ir.Table,
    raw_csm_activities: ir.Table,
    raw_contacts: ir.Table,
    raw_metrics: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The ids that rows of the newest load name, or that are accounts themselves, and that no link leads to an account.

    Grain: system, external_id. Money in the reporting currency. An id whose account was merged into another is not here.
    """
    delivered = {
        "subscriptions": raw_subscriptions,
        "invoices": raw_invoices,
        "mrr_history": raw_mrr_history,
        "usage_events": raw_usage_events,
        "support_tickets": raw_support_tickets,
        "nps_responses": raw_nps_responses,
        "csm_activities": raw_csm_activities,
        "contacts": raw_contacts,
        "metrics": raw_metrics,
    }
    named = named_ids(delivered, portfolio)
    counted = named.group_by(list(ID)).agg(
        row_count=named.count(), event_count=named.count(where=named.table_name.startswith("usage_events"))
    )
    rows = current(identity_map)
    merged = rows.filter((rows.system == ACCOUNT) & (rows.rule == "merged")).select(account_id="external_id")
    own = rows.filter(rows.rule == OWN).anti_join(merged, "account_id")
    without = rows.filter((rows.system != ACCOUNT) & rows.account_id.isnull() & rows.named_in.notnull())
    rows = beside(own.union(without), counted, *ID)
    rows = beside(rows, account_snapshot.select("account_id", mrr="current_mrr"), "account_id")
    counts = {name: ibis.coalesce(rows[name], ibis.literal(0, "int64")) for name in ("row_count", "event_count")}
    return conform(rows.mutate(**counts), contracts.unmatched_accounts(portfolio))
