"""Accepted values, limits and columns that the contracts of several staged tables share."""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, MONEY, NUMBER, PRICE, TEXT, Column
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.support import SupportSettings

PRIORITIES = ("p1", "p2", "p3", "p4")
UNRESOLVED = ("open", "escalated")
TICKET_STATUSES = (*UNRESOLVED, "resolved")
LEFT_OUT = "left_out"
STAGED_TICKET_STATUSES = (*TICKET_STATUSES, LEFT_OUT)
TICKET_WORDS = {
    "open": (
        "new",
        "open",
        "pending",
        "hold",
        "on_hold",
        "on-hold",
        "on hold",
        "waiting",
        "in_progress",
        "in-progress",
        "in progress",
        "reopened",
    ),
    "escalated": ("escalated",),
    "resolved": ("resolved", "solved", "closed", "done"),
    LEFT_OUT: ("deleted", "spam", "merged"),
}
"""What a help desk's word for the status of a ticket means; any other word is open, told."""
OPEN, DONE, SNOOZED, DISMISSED = "open", "done", "snoozed", "dismissed"
ACTION_STATUSES = (OPEN, DONE, SNOOZED, DISMISSED)
"""What became of an entry of the intervention list."""
HISTORY_FIELDS = ("status", "priority")
NO_VALUE = "(none)"
"""What stands for an account without segment, country or owner, in every table from `account_snapshot` on."""
GROUPS = ("segment", "country", "owner")
"""The attributes of an account that are never null after staging."""
NEVER_BILLED = ("void", "draft", "uncollectible", "refunded", "deleted")
"""Statuses of invoices that never count as revenue, whatever is recognised."""
CREDIT_NOTES = ("credit_note", "credit note", "credit-note", "creditnote", "credit_memo", "credit memo", "credit")
"""Types of invoices that give money back."""
MONEY_LIMIT = 1e12
"""An amount beyond it is a fault of the source."""
QUANTITY_LIMIT = 1_000_000_000
"""More units of a subscription are a fault of the source."""
BILLING_INTERVALS = ("day", "week", "month", "year")
PERIOD_LIMIT = 1200
"""A term of more months, or a billing period of more intervals, is a fault of the source."""
PERIOD_MONTHS_LIMIT = 120
"""A billing period of more months is one too: 999 stands for something else, and would make MRR of next to nothing."""


def priorities(support: SupportSettings) -> tuple[str, ...]:
    """The usual priorities, and those that have a target."""
    return tuple(dict.fromkeys((*PRIORITIES, *support.sla_target_hours, *support.first_reply_target_hours)))


def resolved_in_order(tickets: ir.Table) -> ir.BooleanValue:
    """Whether a ticket has a time of resolution that is not before its creation."""
    return ibis.coalesce(tickets.resolved_at >= tickets.created_at, ibis.literal(False))


def account_id_column(references: str = "stg_accounts.account_id") -> Column:
    return Column("account_id", TEXT, "The account.", nullable=False, references=references)


def money_column(name: str, description: str, **more: object) -> Column:
    bounds = {"minimum": -MONEY_LIMIT, "maximum": MONEY_LIMIT} | more
    return Column(name, MONEY, description, "reporting currency", **bounds)  # type: ignore[arg-type]


def monthly_amount_column(name: str, description: str, **more: object) -> Column:
    """An amount per month, kept to 6 decimals: it is rounded to cents only when it is summed."""
    bounds = {"minimum": -MONEY_LIMIT, "maximum": MONEY_LIMIT} | more
    return Column(name, PRICE, description, "reporting currency per month", **bounds)  # type: ignore[arg-type]


def billing_period_column() -> Column:
    return Column(
        "billing_period_months",
        COUNT,
        "Months that the amount covers; 1 where the source states none.",
        "months",
        False,
        minimum=1,
        maximum=PERIOD_MONTHS_LIMIT,
    )


def mean_rating_column(portfolio: Portfolio) -> Column:
    low, high = portfolio.satisfaction.scale
    return Column(
        "avg_csat",
        NUMBER,
        "Mean rating.",
        f"{low:g} to {high:g}",
        null_means="no rating",
        minimum=low,
        maximum=high,
    )
