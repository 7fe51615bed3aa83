"""The contract of the roll-up of accounts to their ultimate parents.

The model is `cx_intel.models.renewals.families`; definitions: Parents in `docs/definitions.md`. Roll-ups by an attribute
are in `cx_intel.contracts.health.rollups`.
"""

from cx_intel.contracts.contract import COUNT, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import AS_OF
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS, money_column
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio

OWN_PARENT = "names itself"
CIRCLE = "no ultimate parent"
"""What may be wrong with the parent of an account."""


def parent_rollup(portfolio: Portfolio) -> Contract:
    return Contract(
        "parent_rollup",
        "renewals",
        "What does each group of companies pay, how healthy is it, and what of it is exposed at renewal?",
        ("as_of", "parent_account_id"),
        (
            AS_OF,
            Column(
                "parent_account_id",
                TEXT,
                "The ultimate parent, a customer or not; an account without a parent is its own.",
                nullable=False,
            ),
            Column("accounts", COUNT, "Accounts of the family in the book.", "accounts", nullable=False, minimum=0),
            money_column("arr", "Their current ARR."),
            Column(
                "health_score",
                NUMBER,
                "Health score of the accounts whose tier is known, weighted by their ARR.",
                "0 to 100",
                null_means="no tier of a paying account is known",
                minimum=0,
                maximum=100,
            ),
            money_column(
                "exposed_arr", f"ARR of accounts not healthy or cancelled that are due within {WINDOW_DAYS} days."
            ),
            Column(
                "nrr_ttm_pct",
                NUMBER,
                "MRR of the family in the horizon month, of its MRR twelve months before.",
                "%",
                null_means="the family paid nothing twelve months before",
                minimum=0,
            ),
            Column(
                "parent_fault",
                TEXT,
                "What is wrong with the parent that the account names; it then stands alone.",
                null_means="nothing",
                accepted=(OWN_PARENT, CIRCLE),
            ),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "exposed_within_arr",
                "exposed_arr is at most arr.",
                lambda t: t.exposed_arr <= t.arr,
                MODEL_FAULT,
            ),
            Invariant(
                "parents_lead_to_an_ultimate_parent",
                "No account names itself as its parent, and no chain of parents is a circle.",
                lambda t: t.parent_fault.isnull(),
                "These accounts stand alone, so that their families are split; correct parent_account_id at the source.",
                "warn",
            ),
        ),
    )
