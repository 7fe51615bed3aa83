"""The contracts of what is published of the ledger: each account's months, what was restated, what is delivered.

Their models are in `cx_intel.models.revenue`: published, delivery, reconciliation. How MRR moves is in `ledger.py`.
"""

from collections.abc import Mapping

import ibis.expr.types as ir

from cx_intel.contracts.contract import (
    COUNT,
    DATE,
    FLAG,
    MONEY,
    NUMBER,
    TEXT,
    Column,
    Contract,
    CrossInvariant,
    Invariant,
)
from cx_intel.contracts.core import SIZE_ARR, SIZE_MRR
from cx_intel.contracts.revenue.ledger import mrr_column
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio

SEVERAL, CAUSE_MERGED = "several", "merged account"
CAUSES = ("changed amount", "late row", "missing row", "mapping or setting", "definition", CAUSE_MERGED, SEVERAL)
ALL_ACCOUNTS = "(all)"
FIGURES = ("mrr", "unpublished_mrr", "ending_mrr")


def revenue_ledger(portfolio: Portfolio) -> Contract:
    return Contract(
        "revenue_ledger",
        "revenue",
        "What is published of each account and month, and what today's data give: the memory of the ledger.",
        ("account_id", "revenue_month"),
        (
            Column("account_id", TEXT, "The account.", nullable=False),
            Column("revenue_month", DATE, "First day of the month.", nullable=False),
            Column("as_of", DATE, "Day of the refresh that published it; the same for all.", nullable=False),
            Column("horizon_month", DATE, "Last month that is published; the same for all.", null_means="none is yet"),
            Column("segment", TEXT, "Segment that it is published under; (none) without one.", nullable=False),
            mrr_column("mrr", "MRR as published."),
            mrr_column("arr", "12 x the MRR before it is rounded, as published.", size=SIZE_ARR),
            mrr_column("computed_mrr", "MRR by today's data."),
            mrr_column("restated_mrr", "After a closed month: what that would be now, less what it is.", minimum=None),
            mrr_column("first_published_mrr", "MRR when the month was first published."),
            mrr_column("unapplied_credit", "Credit and refunds that take no MRR."),
            Column("is_credited", FLAG, "Credit notes brought it to 0 between paying months.", nullable=False),
            Column("is_closed", FLAG, "The month is closed: it stands as it was published.", nullable=False),
            Column("cause", TEXT, "Why it last changed.", null_means="it never did", accepted=CAUSES),
            Column("settings", TEXT, "Digest of the settings that MRR follows from.", nullable=False),
            Column("definition", COUNT, "Number of the definition of MRR that it follows.", nullable=False),
        ),
        invariants=(
            Invariant(
                "open_months_are_computed",
                "What is published of an open month is what today's data give.",
                lambda t: t.is_closed | (t.mrr == t.computed_mrr),
                MODEL_FAULT,
            ),
            Invariant(
                "credit_takes_mrr",
                "Every credit note and refund takes MRR from what was billed.",
                lambda t: t.unapplied_credit == 0,
                "These amounts count nowhere. Name the credited invoice (credited_invoice_id), a period, or the invoice_type"
                " credit_note, where one is meant to lower MRR; refunds are right as they are.",
                "warn",
            ),
        ),
    )


def restatements(portfolio: Portfolio) -> Contract:
    return Contract(
        "restatements",
        "revenue",
        "What was published otherwise before: differences of MRR by refresh, month and account, with their causes.",
        ("refresh_at", "revenue_month", "account_id", "figure"),
        (
            Column("refresh_at", DATE, "The as_of of the refresh that published it anew.", nullable=False),
            Column("revenue_month", DATE, "First day of the month.", nullable=False),
            Column("account_id", TEXT, f"The account; {ALL_ACCOUNTS} for the total.", nullable=False),
            Column(
                "figure",
                TEXT,
                "mrr of an account; ending_mrr of all; unpublished_mrr: what a closed month would be now, less what it is.",
                nullable=False,
                accepted=FIGURES,
            ),
            mrr_column("published", "What was published before.", minimum=None),
            mrr_column("now", "What is published now.", minimum=None),
            mrr_column("difference", "now - published.", minimum=None),
            Column("cause", TEXT, "Why.", null_means="no cause was found", accepted=CAUSES),
        ),
        invariants=(
            Invariant(
                "difference_is_difference",
                "difference = now - published, and is not 0.",
                lambda t: (t["difference"] == t.now - t.published) & (t["difference"] != 0),
                MODEL_FAULT,
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "restated_within_tolerance",
                f"The newest refresh restates no month's ending MRR by more than"
                f" {portfolio.revenue.restatement_tolerance_pct:g} %.",
                ("revenue_ledger",),
                lambda tables: _beyond_tolerance(tables, portfolio),
                "Look up the accounts and causes of these months in this table. If the change is right, nothing is to be"
                " done; if what was published has to stand, set revenue.closed_through.",
                "warn",
            ),
        ),
    )


def _beyond_tolerance(tables: Mapping[str, ir.Table], portfolio: Portfolio) -> ir.Table:
    t, ledger = tables["self"], tables["revenue_ledger"]
    newest = ledger.agg(as_of=ledger.as_of.max())
    rows = t.filter(t.figure == "ending_mrr").inner_join(newest, t.refresh_at == newest.as_of)
    change = rows["difference"].abs().cast("float64") * 100
    return rows.filter(change > rows.published.cast("float64") * portfolio.revenue.restatement_tolerance_pct)


def mrr_delivery(portfolio: Portfolio) -> Contract:
    return Contract(
        "mrr_delivery",
        "revenue",
        "How much of each month has been delivered: whose MRR of the month before is answered for, and does it count?",
        ("revenue_month",),
        (
            Column("revenue_month", DATE, "First day of the month.", nullable=False),
            mrr_column("due_mrr", "MRR of the month before."),
            mrr_column("answered_mrr", "Of it that of accounts with a row, a zero, a period in force or an end."),
            Column(
                "delivered_pct",
                NUMBER,
                "answered_mrr / due_mrr; 100 where nothing is due.",
                "%",
                nullable=False,
                minimum=0,
                maximum=100,
            ),
            Column("is_counted", FLAG, "The month is in the ledger; else it is held back.", nullable=False),
        ),
    )


def mrr_reconciliation(portfolio: Portfolio) -> Contract:
    return Contract(
        "mrr_reconciliation",
        "revenue",
        "Do contracts and invoices tell of the same MRR? Both by month and account, beside the ledger's.",
        ("revenue_month", "account_id"),
        (
            Column("revenue_month", DATE, "First day of the month.", nullable=False),
            Column("account_id", TEXT, "The account.", nullable=False),
            mrr_column("contract_mrr", "By the contracts in force on the last day of the month."),
            mrr_column("invoice_mrr", "By the invoices."),
            mrr_column("ledger_mrr", "By the ledger."),
            Column(
                "ratio",
                NUMBER,
                "contract_mrr / invoice_mrr.",
                null_means="one of the two is 0",
                minimum=0,
            ),
            Column("median_ratio", NUMBER, "Median of the ratios; the same for all.", null_means="there is none"),
            Column(
                "round_multiple",
                NUMBER,
                "The multiple that the median is near to, above or below 1, such as 12 or 100.",
                null_means="none, or they agree",
            ),
        ),
        invariants=(
            Invariant(
                "no_round_multiple",
                "Contracts and invoices are not apart by a round multiple.",
                lambda t: t.round_multiple.isnull(),
                "The sample names the multiple. 12: a yearly amount is taken for a monthly one, map billing_period_months;"
                " 100: amounts are in minor units on one side; else a price per unit is taken for a total, or the reverse.",
                "warn",
            ),
        ),
    )


def fct_revenue_intra_month(portfolio: Portfolio) -> Contract:
    return Contract(
        "fct_revenue_intra_month",
        "revenue",
        "Who came and went between two month ends, and so is in no month of the ledger?",
        ("subscription_id", "from"),
        (
            Column("account_id", TEXT, "The account.", nullable=False),
            Column("subscription_id", TEXT, "The subscription.", nullable=False),
            Column("from", DATE, "First day in force.", nullable=False),
            Column("to", DATE, "First day no longer in force.", nullable=False),
            Column("mrr", MONEY, "What it would be a month.", SIZE_MRR, nullable=False, minimum=0),
        ),
    )
