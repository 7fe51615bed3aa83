"""The contracts of the staged tables: the canonical source tables, typed, in the reporting currency, times in UTC.

A source delivers what `cx_intel.contracts.delivered` tells, under the canonical names; the rest is derived.
Rows that do not fit go to `quarantine` with their reason. How they are parsed: `cx_intel.models.staging.tables`.
"""

from cx_intel.contracts.contract import COUNT, DATE, FLAG, MONEY, NUMBER, TEXT, TIME, Column, Contract, Invariant
from cx_intel.settings.accounts import SourceAttribute
from cx_intel.settings.portfolio import Portfolio

PRIORITIES = ("p1", "p2", "p3", "p4")
UNRESOLVED = ("open", "escalated")
TICKET_STATUSES = (*UNRESOLVED, "resolved")
INVOICE_STATUSES = ("paid", "overdue", "open", "void", "refunded")
MONEY_LIMIT = 1e12
"""An amount beyond it is a fault of the source."""
PERIOD_LIMIT = 1200
"""A billing period of more months is a fault of the source."""

_ATTRIBUTE_TYPES = {"text": TEXT, "integer": COUNT, "number": NUMBER}


def _account_id(references: str = "stg_accounts.account_id") -> Column:
    return Column("account_id", TEXT, "The account.", nullable=False, references=references)


def attribute_columns(portfolio: Portfolio) -> tuple[Column, ...]:
    """The portfolio's own account attributes: those delivered, then those derived by rules, `segment` left out."""
    delivered = (
        Column(name, _ATTRIBUTE_TYPES[a.type], a.description, a.unit)
        for name, a in portfolio.account_attributes.items()
        if isinstance(a, SourceAttribute) and name not in STANDARD_ACCOUNT_COLUMNS
    )
    derived = (
        Column(name, TEXT, f"Derived by the portfolio's rules for {name}.", accepted=rules.values())
        for name, rules in portfolio.derived_attributes.items()
        if name not in STANDARD_ACCOUNT_COLUMNS
    )
    return (*delivered, *derived)


def stg_accounts(portfolio: Portfolio) -> Contract:
    rules = portfolio.derived_attributes.get("segment")
    return Contract(
        "stg_accounts",
        "staging",
        "The customers as the CRM knows them now.",
        ("account_id",),
        (
            _account_id(references=""),
            Column("account_name", TEXT, "Name of the company."),
            Column("segment", TEXT, "Customer segment.", accepted=rules.values() if rules else ()),
            Column("industry", TEXT, "Industry."),
            Column("country", TEXT, "ISO 3166-1 alpha-2 code."),
            Column("region", TEXT, "Sales region."),
            Column("employee_count", COUNT, "Employees.", "employees", minimum=0),
            Column("plan_tier", TEXT, "Plan by the CRM, lower case."),
            Column("owner", TEXT, "The customer success manager in charge.", null_means="nobody"),
            Column("status", TEXT, "Status by the CRM, lower case.", null_means="the source has none"),
            Column("signup_date", DATE, "Day of signing up."),
            Column("parent_account_id", TEXT, "The parent company's account."),
            Column("currency", TEXT, "ISO 4217 code of the account's contracts."),
            *attribute_columns(portfolio),
        ),
    )


STANDARD_ACCOUNT_COLUMNS = (
    "account_id",
    "account_name",
    "segment",
    "industry",
    "country",
    "region",
    "employee_count",
    "plan_tier",
    "owner",
    "status",
    "signup_date",
    "parent_account_id",
    "currency",
)


def _money(name: str, description: str, **more: object) -> Column:
    bounds = {"minimum": -MONEY_LIMIT, "maximum": MONEY_LIMIT} | more
    return Column(name, MONEY, description, "reporting currency", **bounds)  # type: ignore[arg-type]


def _billing_period() -> Column:
    return Column(
        "billing_period_months",
        COUNT,
        "Months that the amount covers; 1 where the source states none.",
        "months",
        False,
        minimum=1,
        maximum=PERIOD_LIMIT,
    )


def stg_subscriptions(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_subscriptions",
        "staging",
        "What each account has subscribed to, from when, until when, for how much.",
        ("subscription_id",),
        (
            Column("subscription_id", TEXT, "The subscription.", nullable=False),
            _account_id(),
            Column("product_name", TEXT, "Product code, lower case."),
            Column("plan_tier", TEXT, "Tier of the product, lower case."),
            _money("amount", "Amount of one billing period.", nullable=False, minimum=0),
            _billing_period(),
            Column("currency", TEXT, "Currency of the source's amount.", nullable=False),
            _money("mrr_amount", "amount / billing_period_months, rounded once.", nullable=False, minimum=0),
            Column("start_date", DATE, "First day in force.", nullable=False),
            Column("end_date", DATE, "First day no longer in force.", null_means="no end is known"),
            Column("renewal_date", DATE, "Day of the next renewal.", null_means="the source gives none"),
            Column("status", TEXT, "Status by the source, lower case."),
            Column("is_active", FLAG, "In force on as_of.", nullable=False),
            Column("duration_days", COUNT, "Days in force up to as_of; below 0 when it ends before it starts.", "days"),
        ),
        invariants=(
            Invariant(
                "start_before_end",
                "A subscription starts before it ends.",
                lambda t: t.end_date.isnull() | (t.start_date < t.end_date),
                "It is never in force and counts nowhere; mend the dates at the source.",
                "warn",
            ),
        ),
    )


def stg_invoices(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_invoices",
        "staging",
        "What was billed.",
        ("invoice_id",),
        (
            Column("invoice_id", TEXT, "The invoice.", nullable=False),
            _account_id(),
            Column("invoice_date", DATE, "Date of the invoice.", nullable=False),
            _money("amount", "Amount; negative for a credit note.", nullable=False),
            _billing_period(),
            _money("mrr_amount", "amount / billing_period_months, rounded once.", nullable=False),
            Column("currency", TEXT, "Currency of the source's amount.", nullable=False),
            Column("status", TEXT, "Lower case.", nullable=False, accepted=INVOICE_STATUSES, severity="warn"),
            Column("line_items", TEXT, "Products billed, delimited by |."),
            Column("invoice_month", DATE, "First day of the invoice's month.", nullable=False),
            Column("is_paid", FLAG, "Status is paid.", nullable=False),
        ),
    )


def stg_mrr_history(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_mrr_history",
        "staging",
        "Monthly recurring revenue by account and month, as the billing system gives it.",
        ("account_id", "month"),
        (
            _account_id(),
            Column("month", DATE, "First day of the month.", nullable=False),
            _money("mrr", "Monthly recurring revenue.", nullable=False),
            Column("currency", TEXT, "Currency of the source's amount.", nullable=False),
        ),
    )


def stg_usage_events(portfolio: Portfolio) -> Contract:
    categories = (*portfolio.usage.categories, "other")
    return Contract(
        "stg_usage_events",
        "staging",
        "What people and devices did in the product.",
        ("event_id",),
        (
            Column("event_id", TEXT, "The event.", nullable=False),
            _account_id(),
            Column("user_id", TEXT, "The actor: a person, a vehicle, a device."),
            Column("event_name", TEXT, "What happened, lower case.", nullable=False),
            Column("event_timestamp", TIME, "When, UTC.", nullable=False),
            Column("properties", TEXT, "Details as JSON."),
            Column("event_date", DATE, "Day of the event in the portfolio's zone.", nullable=False),
            Column("event_hour", COUNT, "Hour of the event in the portfolio's zone.", "hour", minimum=0, maximum=23),
            Column("event_category", TEXT, "Category by the portfolio.", nullable=False, accepted=categories),
        ),
        kind="by_day",
        day_column="event_date",
    )


def stg_support_tickets(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_support_tickets",
        "staging",
        "Support tickets as the help desk knows them now.",
        ("ticket_id",),
        (
            Column("ticket_id", TEXT, "The ticket.", nullable=False),
            _account_id(),
            Column("created_at", TIME, "When it was opened, UTC.", nullable=False),
            Column("resolved_at", TIME, "When it was resolved, UTC.", null_means="not resolved"),
            Column("priority", TEXT, "p1 is the most urgent.", accepted=PRIORITIES, severity="warn"),
            Column("category", TEXT, "Lower case."),
            Column("status", TEXT, "Lower case.", nullable=False, accepted=TICKET_STATUSES, severity="warn"),
            Column("satisfaction_score", NUMBER, "CSAT.", "1 to 5", null_means="not rated", minimum=1, maximum=5),
            Column("created_date", DATE, "Day of creation in the portfolio's zone.", nullable=False),
            Column("resolution_hours", NUMBER, "From creation to resolution.", "hours", minimum=0, severity="warn"),
            Column("sla_target_hours", NUMBER, "Promised time to resolution.", "hours", null_means="no target"),
            Column(
                "is_sla_breach",
                FLAG,
                "Resolved after its target; open tickets are judged in fct_tickets.",
                null_means="not resolved, or no target",
            ),
        ),
    )


def stg_nps_responses(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_nps_responses",
        "staging",
        "Answers to the NPS survey.",
        ("response_id",),
        (
            Column("response_id", TEXT, "The answer.", nullable=False),
            _account_id(),
            Column("score", NUMBER, "How likely to recommend.", "0 to 10", nullable=False, minimum=0, maximum=10),
            Column("responded_at", TIME, "When, UTC.", nullable=False),
        ),
    )


def stg_csm_activities(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_csm_activities",
        "staging",
        "What customer success did with an account: reviews, check-ins, training.",
        ("activity_id",),
        (
            Column("activity_id", TEXT, "The activity.", nullable=False),
            _account_id(),
            Column("activity_type", TEXT, "qbr, check_in ...; lower case.", nullable=False),
            Column("status", TEXT, "Lower case."),
            Column("completed_at", TIME, "When it was done, UTC.", null_means="not done"),
        ),
    )


def stg_metrics(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_metrics",
        "staging",
        "Figures about an account that another system measured.",
        ("account_id", "metric", "measured_on"),
        (
            _account_id(),
            Column("metric", TEXT, "Name of the figure, lower case.", nullable=False),
            Column("measured_on", DATE, "Day of the measurement.", nullable=False),
            Column("value", NUMBER, "The figure.", nullable=False),
        ),
    )


STAGING = {
    "accounts": stg_accounts,
    "subscriptions": stg_subscriptions,
    "invoices": stg_invoices,
    "mrr_history": stg_mrr_history,
    "usage_events": stg_usage_events,
    "support_tickets": stg_support_tickets,
    "nps_responses": stg_nps_responses,
    "csm_activities": stg_csm_activities,
    "metrics": stg_metrics,
}
"""Canonical table: the maker of its staging contract."""
