"""What people call tables: parts of the names of files, and the columns that tell a table where its name does not.

What they call columns is in `columns.py`; what is made of both, in `cx_intel.proposals.tables`.
"""

TABLE_WORDS = {
    "account_aliases": ("alias", "merged"),
    "accounts": (
        "account",
        "customer",
        "compan",
        "client",
        "organi",
        "kunde",
        "tenant",
        "workspace",
        "firmen",
        "team",
        "business",
    ),
    "subscriptions": ("subscription", "contract", "licen", "vertr", "abo"),
    "invoices": ("invoice", "billing", "rechnung", "payment", "charge", "zahlung"),
    "mrr_history": ("mrr", "revenue", "arr"),
    "usage_events": ("event", "usage", "activit", "track", "log"),
    "support_tickets": ("ticket", "case", "conversation", "support", "issue"),
    "nps_responses": ("nps", "survey", "feedback", "umfrage"),
    "csm_activities": ("csm", "qbr", "meeting", "task", "touch"),
    "contacts": ("contact", "ansprechpartner"),
    "metrics": ("metric", "signal", "measure"),
    "ticket_status_history": ("status_history", "field_history", "ticket_event"),
}
"""Canonical table: parts of the names of files that hold it; the first table that fits best is taken."""

NEVER_NAMED = {
    "subscriptions": ("event",),
    "accounts": ("contact", "lead", "coupon", "transaction", "email", "note", "tag", "campaign"),
    "usage_events": (
        *("revenue", "mrr", "payment", "billing", "invoice", "charge", "refund", "contract", "subscription"),
        *("opportunit", "deal", "lead", "renewal", "churn"),
    ),
    "mrr_history": ("event", "payment", "invoice", "billing", "charge", "transaction"),
}
"""Canonical table: parts of the names of files that hold something else, whatever their columns are: what happened to
contracts and money is no usage of the product, and a log of amounts is no month's MRR."""

TELLING = {
    "usage_events": ("event_name", "event_type", "event", "action", "feature", "feature_name"),
    "support_tickets": ("ticket", "case", "priority", "urgency", "severity", "resolved", "solved", "closed", "csat"),
    "csm_activities": ("activity", "task", "qbr", "meeting"),
    "contacts": ("email", "email_address", "contact_name", "first_name", "job_title"),
}
"""Canonical table: words in the names of columns of which a file has one, if it is to be taken for the table by its columns
alone: an id, an account, a day and a type are what most tables have."""
