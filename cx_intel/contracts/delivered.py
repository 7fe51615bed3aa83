"""What a source delivers of a staged table: which columns, which of them it must, and the marks of rows from files.

The staged tables themselves stand in `staging.py` beside this module; what fills the other columns is
`cx_intel.models.staging.columns`.
"""

from collections.abc import Sequence

from cx_intel.contracts.contract import COUNT, DATE, TEXT, Column, Contract

DERIVED = {
    "account_aliases": ("currency",),
    "identity_links": ("occurrence",),
    "subscriptions": ("occurrence", "mrr_amount", "list_mrr_amount", "is_active", "duration_days", "non_recurring"),
    "invoices": ("mrr_amount", "invoice_month", "is_paid", "non_recurring"),
    "mrr_history": ("occurrence",),
    "usage_events": ("event_date", "event_hour", "event_category"),
    "support_tickets": ("created_date", "resolution_hours", "csat_scale", "unknown_status", "unread_rating"),
    "nps_responses": ("unread_score",),
    "contacts": ("is_champion", "is_decision_maker", "is_billing_contact", "is_active"),
    "actions": ("renewal_date",),
}
"""Canonical table: the columns that staging computes and no source delivers."""

RAW_MARKS = {"_source_file": TEXT, "_row_number": COUNT, "_raw_row": TEXT, "_reject": TEXT}
"""What a raw table from files carries besides the delivered columns: the file, the data row in it from 1, the row as
it stood there, and why the row could not even be split into columns (null for all others)."""

PART = "_part"
"""Where several sources deliver a table: the column that tells of a row read from all of them which delivered it."""
DELIVERED_DAY = "_day"
"""The column of a raw table kept by day: the day of UTC that a source of days delivered the row with; of a source of files,
the row's own day in the portfolio's zone."""
ROW_MARKS = {**RAW_MARKS, DELIVERED_DAY: DATE}
"""All that a raw row may carry besides the delivered columns."""

DEFAULTED = ("currency", "billing_period_months")
FILLED = {
    "identity_links": ("linked_system", "linked_id"),
    "support_tickets": ("status",),
    "nps_responses": ("response_id",),
    "contacts": ("contact_id",),
    "ticket_status_history": ("field",),
    "actions": ("action_id", "status"),
}
"""Columns that staging fills where a row has none: in every table, and by canonical table."""
LENIENT = {"support_tickets": ("satisfaction_score",), "nps_responses": ("score",)}
"""Canonical table: the columns whose misfits are null and told by a check, while the row stays."""
EXPECTED = {"identity_links": ("linked_system", "linked_id"), "nps_responses": ("score",), "actions": ("status",)}
"""Canonical table: columns that a file has to have, though a row may lack them."""
AS_DELIVERED = {"support_tickets": {"source_status": "status"}}
"""Canonical table: a column that keeps what another one's cell says before `values` of the source respells it."""

OTHERWISE = {"subscriptions": ("amount",)}
"""Canonical table: columns that staging works out of others: of subscriptions unit_amount x quantity."""


def delivered_columns(contract: Contract) -> tuple[Column, ...]:
    """The columns that a source of the table may deliver."""
    derived = DERIVED.get(contract.table.removeprefix("stg_"), ())
    return tuple(c for c in contract.columns if c.name not in derived)


def required_columns(contract: Contract) -> tuple[str, ...]:
    """The columns that a source of the table has to deliver."""
    table = contract.table.removeprefix("stg_")
    filled = (*DEFAULTED, *FILLED.get(table, ()), *OTHERWISE.get(table, ()))
    return tuple(c.name for c in delivered_columns(contract) if not c.nullable and c.name not in filled)


def needed_columns(contract: Contract, added: Sequence[str] = ()) -> tuple[str, ...]:
    """The columns without which a file or a query gives no rows of the table: required ones, and those of `EXPECTED`.

    Args:
        contract: Of the table.
        added: The columns that the source adds to rows of another one: then those, and what says to which.
    """
    if added:
        return narrowed(contract, added).column_names
    return (*required_columns(contract), *EXPECTED.get(contract.table.removeprefix("stg_"), ()))


def narrowed(contract: Contract, added: Sequence[str]) -> Contract:
    """The contract of what a source adds to rows of another one: id, account and these columns, a row an id."""
    key = contract.grain[0]
    columns = tuple(c for c in contract.columns if c.name in (key, "account_id", *added))
    return Contract(contract.table, contract.layer, contract.description, (key,), columns)


ROW_DATES = {"subscriptions": ("valid_from", "changed_at", "updated_at")}
"""Canonical table: the columns that say which of several rows of one key is the newest: the first that is
given, then the first that differs."""
