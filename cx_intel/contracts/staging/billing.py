"""The contracts of what is staged of contracts and billing: subscriptions, invoices, the given MRR history.

Amounts are in the reporting currency. How they are read: `cx_intel.models.staging`; what MRR follows: `cx_intel.models.revenue`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import (
    COUNT,
    DATE,
    FLAG,
    MONEY,
    NUMBER,
    PRICE,
    TEXT,
    TIME,
    Column,
    Contract,
    CrossInvariant,
    Invariant,
)
from cx_intel.contracts.staging.currency_signs import amounts_in_currency
from cx_intel.contracts.staging.ends import ends_are_days
from cx_intel.contracts.staging.prices import amount_is_units_times_price
from cx_intel.contracts.staging.recurring import LINE_COLUMNS, non_recurring_column, recurring_checks
from cx_intel.contracts.staging.values import (
    BILLING_INTERVALS,
    NEVER_BILLED,
    PERIOD_LIMIT,
    QUANTITY_LIMIT,
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
        ("subscription_id", "occurrence"),
        (
            Column("subscription_id", TEXT, "The subscription.", nullable=False),
            Column(
                "occurrence",
                COUNT,
                "Counts the rows of a subscription by their own dates, the newest first: 1 but for a history.",
                nullable=False,
                minimum=1,
            ),
            account_id_column(),
            *SUBSCRIPTION_BASICS,
            *LINE_COLUMNS,
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
            non_recurring_column(),
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
        cross_invariants=(
            *recurring_checks("subscriptions", portfolio),
            *ends_are_days("subscriptions", ("end_date", "valid_to"), portfolio),
            *amounts_in_currency("subscriptions", ("amount", "unit_amount"), portfolio),
            *amount_is_units_times_price(portfolio),
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
        Column("quantity", COUNT, "Units, such as seats.", "units", null_means="1", minimum=0, maximum=QUANTITY_LIMIT),
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
        Column("valid_from", DATE, "Of a source with several rows of one id: day from which the row holds."),
        Column(
            "valid_to",
            DATE,
            "Of such a source: first day on which the row no longer holds; of the newest row without end_date its end.",
            null_means="it holds until the next row",
        ),
        Column("updated_at", TIME, "Of a source with several rows of one id: when the row was written, UTC."),
    )


def stg_invoices(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_invoices",
        "staging",
        "What was billed, line by line, and what was given back.",
        ("invoice_id",),
        (
            Column(
                "invoice_id", TEXT, "The invoice, or its line where lines have periods of their own.", nullable=False
            ),
            account_id_column(),
            Column("product_name", TEXT, "Product code, lower case."),
            *LINE_COLUMNS,
            Column("invoice_type", TEXT, "What it is, lower case: a credit_note gives money back."),
            Column("invoice_date", DATE, "Date of the invoice.", nullable=False),
            Column("period_start", DATE, "First day that it is for.", null_means="the source states no period"),
            Column("period_end", DATE, "First day that it is no longer for.", null_means="the source states no period"),
            money_column("amount", "Amount; negative for a credit note or a refund.", nullable=False),
            billing_period_column(),
            monthly_amount_column(
                "mrr_amount", "amount by the months of its period, else by billing_period_months.", nullable=False
            ),
            Column("currency", TEXT, "Currency of the source's amount.", nullable=False),
            Column("status", TEXT, "Lower case.", nullable=False),
            Column("credited_invoice_id", TEXT, "Of a credit note: the invoice that it takes from."),
            Column("line_items", TEXT, "Products billed, delimited by |."),
            Column("invoice_month", DATE, "First day of the invoice's month.", nullable=False),
            Column("is_paid", FLAG, "Status is paid.", nullable=False),
            non_recurring_column(),
        ),
        invariants=(
            Invariant(
                "period_in_order",
                "A period ends after it starts.",
                lambda t: t.period_start.isnull() | t.period_end.isnull() | (t.period_start < t.period_end),
                "Such a line is in force on no day and counts in no month; mend its dates at the source, or map none.",
                "warn",
            ),
            Invariant(
                "period_is_whole",
                "A period that is stated has a start and an end.",
                lambda t: t.period_start.isnull() == t.period_end.isnull(),
                "Such a line counts for its billing_period_months; map both columns, or neither.",
                "warn",
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "statuses_are_known",
                f"Every status is recognised, or one of {', '.join(NEVER_BILLED)}.",
                (),
                lambda tables: _unrecognised(tables["self"], portfolio),
                "These amounts count in no month. List the statuses that count under revenue.recognised_statuses, or"
                " map those that never do to void.",
                "warn",
            ),
            CrossInvariant(
                "periods_end_where_the_next_begins",
                "Less than a tenth of the periods end the day before the next of their account and product begins.",
                (),
                lambda tables: _ends_before_the_next(tables["self"]),
                "If period_end is the last day that is paid for, state `end_date: {is: last_day_in_force}` on the source"
                " of the invoices; else a month that ends on that day is without MRR.",
                "warn",
            ),
            *recurring_checks("invoices", portfolio),
            *ends_are_days("invoices", ("period_end",), portfolio),
            *amounts_in_currency("invoices", ("amount",), portfolio),
        ),
    )


def _unrecognised(invoices: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The statuses that neither count nor are known not to, with their rows and amounts."""
    if portfolio.revenue.basis != "invoices":
        return invoices.filter(ibis.literal(False))
    known = [*portfolio.revenue.recognised_statuses, *NEVER_BILLED]
    unknown = invoices.filter(~invoices.status.isin(known))
    return unknown.group_by("status").agg(invoices=unknown.count(), amount=unknown.amount.sum().cast(MONEY))


def _ends_before_the_next(invoices: ir.Table) -> ir.Table:
    """The periods with a follower a day after their end, where they are at least three and a tenth of all."""
    ends = invoices.filter(invoices.period_end.notnull() & (invoices.period_start < invoices.period_end))
    ends = ends.select("account_id", "period_end", product=ibis.coalesce(ends.product_name, "")).distinct()
    starts = invoices.filter(invoices.period_start.notnull())
    starts = starts.select("account_id", "period_start", product=ibis.coalesce(starts.product_name, "")).distinct()
    pairs = ends.inner_join(starts, ["account_id", "product"])
    followed = pairs.filter(pairs.period_start.delta(pairs.period_end, unit="day") == 1)
    counted = followed.select("account_id", "product", "period_end").mutate(followed=ibis._.count().over(ibis.window()))
    total = ends.agg(periods=ends.count())
    both = counted.cross_join(total)
    return both.filter((both.followed >= 3) & (both.followed * 10 >= both.periods))


def stg_mrr_history(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_mrr_history",
        "staging",
        "Monthly recurring revenue by account and month, as the billing system gives it.",
        ("account_id", "month", "occurrence"),
        (
            account_id_column(),
            Column("month", DATE, "First day of the month.", nullable=False),
            Column("product_name", TEXT, "Product code, lower case.", null_means="the row is for all products"),
            money_column("mrr", "Monthly recurring revenue.", nullable=False),
            Column("currency", TEXT, "Currency of the source's amount.", nullable=False),
            Column("occurrence", COUNT, "Counts the rows of an account and month, from 1.", nullable=False, minimum=1),
        ),
        cross_invariants=(
            CrossInvariant(
                "one_row_a_month",
                "An account has one row a month, unless currency or product tells them apart.",
                (),
                _repeated_months,
                "They are summed. If the later row replaces the earlier one, deliver only that one.",
                "warn",
            ),
        ),
    )


def _repeated_months(tables: Mapping[str, ir.Table]) -> ir.Table:
    t = tables["self"]
    keyed = t.mutate(product=ibis.coalesce(t.product_name, ""))
    counted = keyed.group_by(["account_id", "month", "currency", "product"]).agg(
        rows=keyed.count(), mrr=keyed.mrr.sum()
    )
    return counted.filter(counted.rows > 1)
