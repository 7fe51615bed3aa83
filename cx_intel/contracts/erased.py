"""What stays of an account that was erased: a pseudonym, its segment, and the amounts that the ledger is made of.

How an account is erased is decided in `cx_intel.privacy`. The models leave such accounts out of everything but
revenue.
"""

from typing import Any

ERASED_PREFIX = "erased-"
"""How the id of an erased account begins."""

KEPT = {
    "accounts": ("account_id", "segment", "signup_date", "currency"),
    "subscriptions": (
        "subscription_id",
        "account_id",
        "product_name",
        "line_type",
        "usage_type",
        "proration",
        "amount",
        "unit_amount",
        "quantity",
        "discount_pct",
        "discount_amount",
        "discount_until",
        "discount_duration",
        "billing_period_months",
        "billing_interval",
        "billing_interval_count",
        "currency",
        "start_date",
        "end_date",
        "cancel_at",
        "canceled_at",
        "trial_end",
        "paused_at",
        "changed_at",
        "valid_from",
        "valid_to",
        "updated_at",
        "status",
    ),
    "invoices": (
        "invoice_id",
        "account_id",
        "product_name",
        "line_type",
        "usage_type",
        "proration",
        "invoice_type",
        "invoice_date",
        "period_start",
        "period_end",
        "amount",
        "billing_period_months",
        "currency",
        "status",
        "credited_invoice_id",
    ),
    "mrr_history": ("account_id", "month", "mrr", "currency"),
}
"""Canonical table: the columns that stay of an erased account's rows; of other tables nothing does."""

ROW_IDS = {"subscriptions": ("subscription_id",), "invoices": ("invoice_id", "credited_invoice_id")}
"""Canonical table: the columns that name a row at the source, and are replaced too."""

MERGES = ("old_account_id", "account_id")
"""The columns that stay of account_aliases: who was merged into whom, both under their pseudonyms."""

GONE_FROM_PERIODS = ("plan_tier", "renewal_date", "term_months")
"""Columns of subscription_periods that do not stay, because no later load delivers them of an erased account."""


def is_erased(account_id: Any) -> Any:
    """Whether ids are those of erased accounts: a column of Ibis, or of a frame of pandas."""
    return getattr(account_id, "str", account_id).startswith(ERASED_PREFIX)
