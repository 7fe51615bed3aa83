"""The contracts of what is staged of contracts and billing: subscriptions, invoices, the given MRR history.

Amounts are in the reporting currency. How they are read: `cx_intel.models.staging`; what MRR follows: `cx_intel.models.revenue`.
"""

import ibis

from cx_intel.contracts.contract import COUNT, DATE, FLAG, NUMBER, PRICE, TEXT, Column, Contract, Invariant
from cx_intel.contracts.staging.values import (
    BILLING_INTERVALS,
    INVOICE_STATUSES,
    PERIOD_LIMIT,
    account_id_column,
    billing_period_column,
    money_column,
    monthly_amount_column,
)
from cx_intel.settings.portfolio import Portfolio

SUBSCRIPTION_BASICS = (
    Column("product_name", TEXT, "Product code, lower case."),
    Column("plan_tier", TEXT, "Tier of the product, lower case."),
)


def stg_subscriptions(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_subscriptions",
        "staging",
        "What each account has subscribed to, from when, until when, for how much: as the source has it now.",
        ("subscription_id",),
        (
            Column("subscription_id", TEXT, "The subscription.", nullable=False),
            account_id_column(),
            *SUBSCRIPTION_BASICS,
            money_column(
                "amount", "Amount of one billing period, before discounts; negative for a discount.", nullable=False
            ),
            *_price_columns(),
            Column("currency", TEXT, "Currency of the source's amount.", nullable=False),
            monthly_amount_column("mrr_amount", "Monthly price with the discount, to 6 decimals.", nullable=False),
            monthly_amount_column("list_mrr_amount", "Monthly price without the discount.", nullable=False),
            Column("start_date", DATE, "First day in force.", nullable=False),
            Column("end_date", DATE, "First day no longer in force.", null_means="no end is known"),
            *_life_columns(),
            Column("renewal_date", DATE, "Day of the next renewal.", null_means="the source gives none"),
            Column("term_months", COUNT, "Length of a term.", "months", minimum=1, maximum=PERIOD_LIMIT),
            Column("status", TEXT, "Status by the source, lower case."),
            Column("is_active", FLAG, "By its own dates and status in force on as_of.", nullable=False),
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
            *_amounts_are_clear(portfolio),
        ),
    )


def _amounts_are_clear(portfolio: Portfolio) -> tuple[Invariant, ...]:
    """With several units and no unit price, `amount` may be either."""
    if "subscriptions" not in portfolio.tables or portfolio.source_of("subscriptions").amount_is:
        return ()
    return (
        Invariant(
            "amount_is_stated",
            "Where there are several units and no unit_amount, the source states what amount is.",
            lambda t: t.unit_amount.notnull() | (ibis.coalesce(t.quantity, 1) <= 1),
            "Write `amount_is: total` on the source if amount is for all units, `amount_is: per_unit` if it is for one.",
        ),
    )


def _price_columns() -> tuple[Column, ...]:
    own = "currency of the source"
    return (
        Column("unit_amount", PRICE, "Price of one unit for one billing period.", own, null_means="amount says it"),
        Column("quantity", COUNT, "Units, such as seats.", "units", null_means="1", minimum=0),
        Column("discount_pct", NUMBER, "Discount, a share of the price.", "%", minimum=0, maximum=100),
        Column("discount_amount", PRICE, "Discount on each billing period.", own),
        Column("discount_until", DATE, "First day without the discount.", null_means="no end is known"),
        Column("discount_duration", TEXT, "once: a discount of one invoice, which moves no MRR; else it holds."),
        billing_period_column(),
        Column("billing_interval", TEXT, "Unit of the billing period.", accepted=BILLING_INTERVALS),
        Column(
            "billing_interval_count",
            COUNT,
            "How many such units one billing period has.",
            null_means="1",
            minimum=1,
            maximum=PERIOD_LIMIT,
        ),
    )


def _life_columns() -> tuple[Column, ...]:
    return (
        Column("cancel_at", DATE, "Day on which a cancellation takes effect.", null_means="none is announced"),
        Column("canceled_at", DATE, "Day on which the end was announced.", null_means="the source does not say"),
        Column("trial_end", DATE, "First day after the trial; it counts from then.", null_means="no trial"),
        Column("paused_at", DATE, "Day from which it is paused.", null_means="the source does not say"),
        Column("changed_at", DATE, "Day from which price and status hold.", null_means="the source does not say"),
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
