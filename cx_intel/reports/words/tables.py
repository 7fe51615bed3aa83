"""What tables are called on pages, in the brief and at the terminal: support tickets, not stg_support_tickets.

The question that each table answers stands in its contract, its code beside the name where somebody needs it for a command.
Values within tables are named in `labels.py`.
"""

from collections.abc import Callable

from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.labels import readable
from cx_intel.reports.words.language import Language

STAGED, SUMMARY = "stg_", "_health_summary"
TABLES = {
    "accounts": term("Accounts"),
    "subscriptions": term("Subscriptions"),
    "invoices": term("Invoices"),
    "mrr_history": term("MRR by month as delivered"),
    "usage_events": term("Usage events"),
    "support_tickets": term("Support tickets"),
    "ticket_status_history": term("History of ticket statuses"),
    "nps_responses": term("NPS answers"),
    "csm_activities": term("Activities of customer success"),
    "contacts": term("Contacts"),
    "dim_contact": term("Contacts today"),
    "account_aliases": term("Merged accounts"),
    "products": term("Price list"),
    "users": term("Users"),
    "quarantine": term("Quarantine"),
    "unmatched_accounts": term("Ids without an account"),
    "account_history": term("History of accounts"),
    "subscription_periods": term("Periods of subscriptions"),
    "fct_revenue_intra_month": term("Customers between two month ends"),
    "source_freshness": term("Freshness of sources"),
    "revenue_ledger": term("Published MRR"),
    "restatements": term("Restatements"),
    "mrr_delivery": term("Delivery of MRR"),
    "mrr_reconciliation": term("Contracts against invoices"),
    "non_recurring": term("Billed beside MRR"),
    "fct_revenue": term("MRR ledger"),
    "account_snapshot": term("Accounts by day"),
    "dim_account": term("Accounts today"),
    "dim_date": term("Calendar"),
    "dim_product": term("Products and prices"),
    "fct_usage": term("Usage by day"),
    "fct_tickets": term("Judged tickets"),
    "sla_adherence": term("Service levels by month"),
    "nrr_summary": term("MRR and retention by month"),
    "nrr_by_segment": term("MRR and retention by segment"),
    "revenue_cohort_analysis": term("Cohorts"),
    "account_signals": term("Measured signals"),
    "health_score_drivers": term("Points by signal"),
    "customer_health_scores": term("Health scores"),
    "health_score_changes": term("Changes of scores"),
    "health_score_change_drivers": term("Causes of changes of scores"),
    "churn_risk_view": term("Signs of churn"),
    "backtest_scores": term("Past scores"),
    "backtest_signals": term("Past signals"),
    "backtest_outcomes": term("Past outcomes"),
    "backtest_results": term("Results of the back-test"),
    "backtest_tiers": term("Back-test by tier"),
    "backtest_errors": term("Errors of the score"),
    "backtest_bands": term("Back-test by score"),
    "renewal_observations": term("Past renewals"),
    "renewal_model": term("Learnt probability of renewal"),
    "renewal_model_terms": term("Weights of the learnt probability"),
    "renewal_model_reliability": term("Reliability of the learnt probability"),
    "renewal_pipeline": term("Renewal pipeline"),
    "actions": term("Actions on the list"),
    "cs_intervention_list": term("Intervention list"),
    "intervention_entries": term("Entries ever listed"),
    "hold_out_assignments": term("Accounts held out by lot"),
    "playbook_outcomes": term("Outcomes of playbooks"),
    "playbook_effects": term("Effects of playbooks"),
    "nrr_outlook": term("Outlook of NRR"),
    "lifecycle_events": term("Lifecycle events"),
    "parent_rollup": term("Groups of companies"),
}
"""Table: its name."""


GROUPS = {
    "segment": term("Segment"),
    "industry": term("Industry"),
    "country": term("Country"),
    "region": term("Region"),
    "plan_tier": term("Plan"),
    "owner": term("Owner"),
    "status": term("Status"),
}
"""Attribute of accounts: what health is summed up by."""


def table_name(table: str, language: Language, attribute: Callable[[str], str] = readable) -> str:
    """What people call a table; one that is not named here by its code, made readable.

    Args:
        table: Its code.
        language: Of the reader.
        attribute: What an attribute of the portfolio is called, by which health is summed up.
    """
    if table in TABLES:
        return language.say(TABLES[table])
    if table.startswith(STAGED):
        return language.say("{table}, as read", table=table_name(table.removeprefix(STAGED), language, attribute))
    if table.endswith(SUMMARY):
        by = table.removesuffix(SUMMARY)
        return language.say(
            "Health by {attribute}", attribute=language.say(GROUPS[by]) if by in GROUPS else attribute(by)
        )
    return readable(table)
