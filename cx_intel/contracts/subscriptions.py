"""The contract of `subscription_periods`: which price and status of a subscription held from when until when.

What a source delivers of subscriptions is in `cx_intel.contracts.staging.billing`. The model is
`cx_intel.models.subscriptions.periods`; how a reader asks for a day is `cx_intel.models.subscriptions.in_force`.
"""

from cx_intel.contracts.contract import COUNT, DATE, FLAG, TEXT, Column, Contract, Invariant
from cx_intel.contracts.revenue.subscription_deliveries import delivery_rules
from cx_intel.contracts.staging.billing import SUBSCRIPTION_BASICS
from cx_intel.contracts.staging.recurring import non_recurring_column
from cx_intel.contracts.staging.values import monthly_amount_column
from cx_intel.settings.portfolio import Portfolio

END_KINDS = ("cancellation", "term")


def subscription_periods(portfolio: Portfolio) -> Contract:
    return Contract(
        "subscription_periods",
        "core",
        "Which price and status of a subscription held from when until when: what the source says now never rewrites "
        "what was in force before.",
        ("subscription_id", "valid_from"),
        (
            Column("subscription_id", TEXT, "The subscription.", nullable=False),
            Column("valid_from", DATE, "First day on which these values hold.", nullable=False),
            Column("valid_to", DATE, "First day on which others hold.", null_means="they still hold"),
            Column("account_id", TEXT, "The account, as newest delivered.", nullable=False),
            *SUBSCRIPTION_BASICS,
            non_recurring_column(),
            monthly_amount_column("mrr_amount", "Monthly price that holds, to 6 decimals.", nullable=False),
            monthly_amount_column("list_mrr_amount", "Monthly price without the discount.", nullable=False),
            monthly_amount_column("discounted_mrr_amount", "Monthly price with the discount.", nullable=False),
            Column("discount_until", DATE, "First day without the discount.", null_means="no end is known"),
            Column("quantity", COUNT, "Units, such as seats.", "units", null_means="1"),
            Column("status", TEXT, "Status by the source, lower case."),
            Column(
                "is_counting",
                FLAG,
                "It is MRR from counts_from until counts_until; false for trials, drafts, what does not recur, what is "
                "missing and what "
                "ends before it begins.",
                nullable=False,
            ),
            Column(
                "counts_from",
                DATE,
                "First day on which it counts: not before its start or the end of its trial.",
                nullable=False,
            ),
            Column(
                "counts_until",
                DATE,
                "First day on which it no longer counts: others hold, it ended, is paused, or an early renewal began.",
                null_means="no end is known",
            ),
            Column("start_date", DATE, "First day of the subscription, as newest delivered.", nullable=False),
            Column("end_date", DATE, "First day without it: end or cancel_at.", null_means="no end is known"),
            Column(
                "end_kind",
                TEXT,
                "cancellation, or term where it is the end of a term that is usually renewed.",
                null_means="no end is known",
                accepted=END_KINDS,
            ),
            Column(
                "end_known_from",
                DATE,
                "Day from which the end was known: canceled_at, else the load that first showed it.",
                null_means="no end, or the first load of all showed it without a date of its own",
            ),
            Column("cancel_at", DATE, "Day on which a cancellation takes effect.", null_means="none is announced"),
            Column("trial_end", DATE, "First day after the trial.", null_means="no trial"),
            Column("paused_at", DATE, "Day from which it is paused.", null_means="the source does not say"),
            Column("changed_at", DATE, "Day of the change by the source.", null_means="the source does not say"),
            Column("renewal_date", DATE, "Day of the next renewal, as newest delivered."),
            Column("term_months", COUNT, "Length of a term.", "months", null_means="the portfolio's"),
            Column("is_missing", FLAG, "A delivery of all rows no longer had it.", nullable=False),
            Column("is_after_discount", FLAG, "The period was cut off by the end of a discount.", nullable=False),
            Column("known_from", DATE, "as_of of the load that first showed these values.", nullable=False),
            Column("first_seen_on", DATE, "as_of of the load that first showed the subscription.", nullable=False),
            Column("delivered_on", DATE, "as_of of the newest load that had it.", nullable=False),
        ),
        invariants=(
            Invariant(
                "validity_in_order",
                "A period is valid for at least a day.",
                lambda t: t.valid_to.isnull() | (t.valid_from < t.valid_to),
                "Refresh the newest day again; the periods of that day are made anew.",
            ),
            Invariant(
                "counts_in_order",
                "What counts does so for at least a day.",
                lambda t: ~t.is_counting | t.counts_until.isnull() | (t.counts_from < t.counts_until),
                "A fault of the model, not of the data: report it.",
            ),
        ),
        cross_invariants=delivery_rules(portfolio),
        plots={"subscriptions": lambda t: t.subscription_id.nunique()},
    )
