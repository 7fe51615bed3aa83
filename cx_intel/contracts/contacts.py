"""The contracts of the people at customers: as they are staged, and as reports show them, one row a person.

How words of roles are read is `cx_intel.models.staging.columns.contacts`; who is called first, `cx_intel.models.core.contacts`.
Who may be erased, and how: `cx_intel.privacy`.
"""

from cx_intel.contracts.contract import COUNT, FLAG, TEXT, TIME, Column, Contract, Invariant
from cx_intel.contracts.staging.values import account_id_column
from cx_intel.settings.portfolio import Portfolio

CHAMPION, DECISION_MAKER, BILLING = "champion", "decision_maker", "billing_contact"
ROLE_WORDS = {
    CHAMPION: ("champion", "sponsor", "executive_sponsor", "executive sponsor", "advocate"),
    DECISION_MAKER: ("decision_maker", "decision maker", "economic_buyer", "economic buyer", "economic decision maker"),
    BILLING: ("billing", "billing_contact", "billing contact", "accounts payable", "invoice", "rechnung"),
}
"""What a word of contact_role means; any other is shown and decides nothing."""
GONE_WORDS = (
    "inactive",
    "left",
    "former",
    "gone",
    "archived",
    "deleted",
    "disabled",
    "deactivated",
    "suspended",
    "no longer with company",
)
"""Words of status of a person who is no longer there; any other, and none, is active."""
LATEST_ACTIVITY, NOTHING_KNOWN = "latest_activity", "nothing_known"
CALL_REASONS = (CHAMPION, DECISION_MAKER, LATEST_ACTIVITY, NOTHING_KNOWN, BILLING)
"""Why a person stands where they do among those to call, in this order."""
ACTIVITY_DAYS = 90
"""How far back use of the product counts."""


def stg_contacts(portfolio: Portfolio) -> Contract:
    """The contract of stg_contacts."""
    return Contract(
        "stg_contacts",
        "staging",
        "The people at the customers, as a CRM, a help desk or the product knows them now.",
        portfolio.key_of("contacts", ("contact_id",)),
        (
            Column(
                "contact_id",
                TEXT,
                "The person; the account and the e-mail address, else the name, where the source has no id.",
                nullable=False,
                is_personal=True,
            ),
            account_id_column(),
            Column("contact_name", TEXT, "Whole name; else first and last name.", is_personal=True),
            Column("first_name", TEXT, "First name.", is_personal=True),
            Column("last_name", TEXT, "Last name.", is_personal=True),
            Column("email", TEXT, "Address of e-mail, lower case.", is_personal=True),
            Column("phone", TEXT, "As delivered.", is_personal=True),
            Column("job_title", TEXT, "As delivered.", is_personal=True),
            Column("contact_role", TEXT, "Role in the account, lower case; several with ; between them."),
            Column("status", TEXT, "Lower case; inactive, left, archived and the like: no longer there."),
            Column("user_id", TEXT, "The person's id in usage_events.", is_personal=True),
            Column("last_activity_at", TIME, "Newest activity that the source knows of, UTC."),
            Column("updated_at", TIME, "When the source last changed the row, UTC."),
            Column("is_champion", FLAG, "A word of contact_role says champion or sponsor.", nullable=False),
            Column("is_decision_maker", FLAG, "A word of contact_role says decision maker.", nullable=False),
            Column("is_billing_contact", FLAG, "A word of contact_role says billing.", nullable=False),
            Column("is_active", FLAG, "By status: still there.", nullable=False),
        ),
    )


def dim_contact(portfolio: Portfolio) -> Contract:
    """The contract of dim_contact."""
    return Contract(
        "dim_contact",
        "core",
        "Whom do we know at each customer, and whom do we call first?",
        ("account_id", "contact_id"),
        (
            Column("contact_id", TEXT, "The person, by their newest row.", nullable=False, is_personal=True),
            account_id_column(),
            Column("contact_name", TEXT, "Name, else the e-mail address.", nullable=False, is_personal=True),
            Column("email", TEXT, "Address of e-mail, lower case.", is_personal=True),
            Column("phone", TEXT, "As delivered.", is_personal=True),
            Column("job_title", TEXT, "As delivered.", is_personal=True),
            Column("contact_role", TEXT, "Role in the account as delivered, lower case."),
            Column("is_champion", FLAG, "Champion or sponsor, by any row of the person.", nullable=False),
            Column("is_decision_maker", FLAG, "Decision maker, by any row of the person.", nullable=False),
            Column("is_billing_contact", FLAG, "For billing, by any row of the person.", nullable=False),
            Column("is_active", FLAG, "Still there, by the newest row.", nullable=False),
            Column("user_id", TEXT, "The person's id in usage_events.", is_personal=True),
            Column(
                "last_used_at",
                TIME,
                f"Newest event of theirs in the product in the last {ACTIVITY_DAYS} days, UTC, found by user_id, else by "
                "the e-mail address.",
                null_means="none is known",
            ),
            Column(
                "last_activity_at",
                TIME,
                "The newer of last_used_at and of what the source knows, UTC.",
                null_means="none is known",
            ),
            Column(
                "call_order",
                COUNT,
                "1 is called first: who can be reached, then champions, decision makers, others by their newest activity, "
                "and those for billing alone.",
                null_means="no longer there",
                minimum=1,
            ),
            Column(
                "call_reason",
                TEXT,
                "Why they stand there: their role, else latest_activity; nothing_known where neither is known.",
                null_means="no longer there",
                accepted=CALL_REASONS,
            ),
        ),
        invariants=(
            Invariant(
                "order_has_a_reason",
                "Whoever is in the order of calls is still there, and has a reason.",
                lambda t: (t.call_order.notnull() == t.is_active) & (t.call_reason.notnull() == t.is_active),
                "A fault of the model, not of the data: report it.",
            ),
        ),
    )
