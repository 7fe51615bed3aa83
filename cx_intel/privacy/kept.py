"""What an erasure leaves in each table under a pseudonym, and which columns name a subject there.

How rows are changed stands in `tables.py`; what a contract keeps of a delivered table in `cx_intel.contracts.erased`.
"""

from cx_intel.contracts.delivered import DERIVED as DERIVED_COLUMNS
from cx_intel.contracts.erased import KEPT, MERGES, ROW_IDS

DERIVED = {f"stg_{table}": DERIVED_COLUMNS[table] for table in ("subscriptions", "invoices")}
"""Staged table: what staging computes of the amounts that stay."""
LEDGER = {
    **{f"{prefix}_{table}": columns for table, columns in KEPT.items() for prefix in ("raw", "stg")},
    "raw_account_aliases": MERGES,
    "stg_account_aliases": (*MERGES, "currency"),
    "account_history": ("account_id", "valid_from", "valid_to", *KEPT["accounts"]),
    "dim_account": (*KEPT["accounts"], "horizon_month", "current_mrr", "current_arr", "is_churned"),
}
"""Table: the columns that stay, under the pseudonym."""
AMOUNTS = ("fct_revenue", "revenue_ledger", "restatements")
"""Tables that keep all of their columns, which are amounts, under the pseudonym."""
PERIODS = "subscription_periods"
"""Keeps the prices that held before, without which the ledger of past months would change."""
IDS_OF = {
    **{f"{prefix}_{table}": ids for table, ids in ROW_IDS.items() for prefix in ("raw", "stg")},
    PERIODS: ROW_IDS["subscriptions"],
}
"""Table: the columns that name a row at the source."""
ALIASES = ("raw_account_aliases", "stg_account_aliases")
OLD_ID = "old_account_id"
TICKETS = ("raw_support_tickets", "stg_support_tickets", "fct_tickets")
FAMILIES = "parent_rollup"
"""Its rows are those of parents; the next refresh makes them anew."""
IDENTITY = "identity_map"
PAIRS = (("system", "external_id"), ("linked_system", "linked_id"))
"""The columns that name an id of a system, in whatever table."""
STATUS_HISTORY = ("raw_ticket_status_history", "stg_ticket_status_history")
"""Tables whose rows name a ticket and no account."""


def canonical(table: str) -> str:
    """The table that holds what one of several sources delivers: raw_accounts of raw_accounts__billing."""
    return table.partition("__")[0]
