"""The contracts of what is staged of contracts and billing: subscriptions, invoices, the given MRR history.

Amounts are in the reporting currency. How they are read: `cx_intel.models.staging`; what MRR follows: `cx_intel.models.revenue`.
"""

from cx_intel.contracts.contract import COUNT, DATE, FLAG, TEXT, Column, Contract, Invariant
from cx_intel.contracts.staging.values import INVOICE_STATUSES, account_id_column, billing_period_column, money_column
from cx_intel.settings.portfolio import Portfolio


def stg_subscriptions(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_subscriptions",
        "staging",
        "What each account has subscribed to, from when, until when, for how much.",
        ("subscription_id",),
        (
            Column("subscription_id", TEXT, "The subscription.", nullable=False),
            account_id_column(),
            Column("product_name", TEXT, "Product code, lower case."),
            Column("plan_tier", TEXT, "Tier of the product, lower case."),
            money_column("amount", "Amount of one billing period.", nullable=False, minimum=0),
            billing_period_column(),
            Column("currency", TEXT, "Currency of the source's amount.", nullable=False),
            money_column("mrr_amount", "amount / billing_period_months, rounded once.", nullable=False, minimum=0),
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
            account_id_column(),
            Column("invoice_date", DATE, "Date of the invoice.", nullable=False),
            money_column("amount", "Amount; negative for a credit note.", nullable=False),
            billing_period_column(),
            money_column("mrr_amount", "amount / billing_period_months, rounded once.", nullable=False),
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
            account_id_column(),
            Column("month", DATE, "First day of the month.", nullable=False),
            money_column("mrr", "Monthly recurring revenue.", nullable=False),
            Column("currency", TEXT, "Currency of the source's amount.", nullable=False),
        ),
    )
