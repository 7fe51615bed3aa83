"""The contract of the renewal pipeline, and the columns that the tables built on it share.

Those tables have modules of their own beside this one: actions, outlook, rollups, lifecycle. The model is
`cx_intel.models.renewals.pipeline`; definitions: Renewals in the metric definitions.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, FLAG, MONEY, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import AS_OF, SIZE_ARR, SIZE_MRR, carried_attributes, group_column
from cx_intel.contracts.health.drivers import UNKNOWN, tier_names
from cx_intel.contracts.staging.values import GROUPS
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import CANCELLED, DEFAULT_KEEP_OVERDUE_DAYS, LEARNED, RISK_LEVELS

MAP, ANNOUNCED = "map", "announced_end"
"""Beside `learned`, where the probability of a renewal is from: the YAML's map, or 0 since the end is announced."""
PROBABILITY_SOURCES = (LEARNED, MAP, ANNOUNCED)
PIPELINE_DAYS = 270
WINDOW_DAYS = 90


def account_columns() -> tuple[Column, ...]:
    return (
        Column("account_id", TEXT, "The account.", nullable=False),
        Column("account_name", TEXT, "Name of the company."),
        *(group_column(name) for name in GROUPS),
        Column("current_arr", MONEY, "12 x current MRR.", SIZE_ARR, nullable=False, minimum=0),
    )


def health_columns(portfolio: Portfolio) -> tuple[Column, ...]:
    return (
        Column(
            "health_score",
            NUMBER,
            "Health score of the day.",
            "0 to 100",
            null_means="outside the health population, or nothing to score",
            minimum=0,
            maximum=100,
        ),
        Column(
            "health_tier",
            TEXT,
            "Tier of the health score; unknown with too little measured, or outside the health population.",
            nullable=False,
            accepted=(*tier_names(portfolio), UNKNOWN),
        ),
    )


def _risk_column() -> Column:
    return Column(
        "renewal_risk",
        TEXT,
        "Risk of losing the renewal, by the portfolio's rules; Medium when none fits or the tier is unknown, "
        f"{CANCELLED} when all contracts have an announced end.",
        nullable=False,
        accepted=RISK_LEVELS,
    )


def playbook_column(portfolio: Portfolio, name: str, description: str, **more: object) -> Column:
    actions = tuple(dict.fromkeys(playbook.action for playbook in portfolio.playbooks))
    return Column(name, TEXT, description, accepted=actions, **more)  # type: ignore[arg-type]


def money_column(name: str, description: str, unit: str = SIZE_ARR) -> Column:
    return Column(name, MONEY, description, unit, nullable=False, minimum=0)


def percentage_column(name: str, description: str, null_means: str) -> Column:
    return Column(name, NUMBER, description, "%", null_means=null_means, minimum=0, maximum=100)


def share_column(name: str, description: str, null_means: str = "") -> Column:
    """A probability."""
    return Column(name, NUMBER, description, "0 to 1", bool(null_means), null_means, minimum=0, maximum=1)


def probability_columns() -> tuple[Column, ...]:
    """The probability that counts, and where it is from."""
    return (
        share_column("renewal_probability", "Probability of renewal that all figures use."),
        Column(
            "probability_from",
            TEXT,
            "Where renewal_probability is from: learned from past renewals, the portfolio's map, or an announced end (0).",
            nullable=False,
            accepted=PROBABILITY_SOURCES,
        ),
    )


def playbook_figures() -> tuple[Column, Column]:
    """What the playbook of a renewal is assumed to avert, and what it takes."""
    return (
        share_column("save_rate", "Share of the expected loss that the playbook is assumed to avert."),
        Column(
            "effort_hours", NUMBER, "Hours of the owner that the playbook takes.", "hours", nullable=False, minimum=0
        ),
    )


def days_to_renewal_column(portfolio: Portfolio, furthest: int) -> Column:
    """Negative while the date has passed and is kept."""
    kept = portfolio.renewals.keep_overdue_days if portfolio.renewals else DEFAULT_KEEP_OVERDUE_DAYS
    text = "renewal_date - as_of; negative when it is overdue."
    return Column("days_to_renewal", COUNT, text, "days", False, minimum=-kept, maximum=furthest)


def is_at_risk(pipeline: ir.Table) -> ir.BooleanValue:
    """Not healthy by a known tier, or cancelled, and due within the window: what `exposed_arr` counts."""
    is_lost = ibis.coalesce(~pipeline.is_healthy, False) | (pipeline.renewal_risk == CANCELLED)
    return is_lost & pipeline.is_within_window


def renewal_pipeline(portfolio: Portfolio) -> Contract:
    return Contract(
        "renewal_pipeline",
        "renewals",
        "Which paying accounts renew or end in the next 270 days, how likely, what is at stake, what to do?",
        ("as_of", "account_id"),
        (
            AS_OF,
            *account_columns(),
            money_column("current_mrr", "MRR in force on the day.", SIZE_MRR),
            *health_columns(portfolio),
            Column("is_healthy", FLAG, "The portfolio calls the tier healthy.", null_means="the tier is unknown"),
            Column("renewal_date", DATE, "Next renewal; of a cancelled account, its end.", nullable=False),
            Column("is_overdue", FLAG, "A date given has passed and no contract began since.", nullable=False),
            Column("is_cancelled", FLAG, "All contracts have an announced end and none follows.", nullable=False),
            Column(
                "is_lapsed",
                FLAG,
                "The term ended without a successor: amounts are its last, and outside the book.",
                nullable=False,
            ),
            money_column("lapsed_mrr", "MRR of terms that ended without a successor, not yet given up.", SIZE_MRR),
            money_column(
                "announced_contraction_mrr",
                "MRR that ends by announcement while the account stays, less what follows.",
                SIZE_MRR,
            ),
            money_column(
                "announced_contraction_90d_mrr",
                f"Of announced_contraction_mrr, what ends within {WINDOW_DAYS} days.",
                SIZE_MRR,
            ),
            days_to_renewal_column(portfolio, PIPELINE_DAYS),
            Column(
                "months_to_renewal",
                COUNT,
                "Calendar months, rounded up; 0 when overdue.",
                "months",
                False,
                minimum=0,
                maximum=9,
            ),
            Column("is_within_window", FLAG, f"Renews within {WINDOW_DAYS} days.", nullable=False),
            _risk_column(),
            *probability_columns(),
            share_column("map_probability", "By the portfolio's map, at this renewal risk: an assumption."),
            share_column(
                "learned_probability",
                "Learnt from past renewals, used or not.",
                f"not asked for, no model yet, or not due in 1 to {WINDOW_DAYS} days, cancelled, lapsed or of unknown tier",
            ),
            money_column("expected_renewal_arr", "current_arr x renewal_probability, rounded half up."),
            money_column("expected_arr_loss", "current_arr - expected_renewal_arr."),
            money_column(
                "exposed_arr",
                f"current_arr if not healthy or cancelled, and due within {WINDOW_DAYS} days, else 0.",
            ),
            money_column(
                "expansion_potential_arr",
                "12 x the ledger's expansion of the last three months to the horizon.",
            ),
            playbook_column(
                portfolio, "recommended_playbook", "What to do: the first playbook that fits.", nullable=False
            ),
            Column("due_in_days", COUNT, "Days that the playbook allows.", "days", nullable=False, minimum=0),
            *playbook_figures(),
            *carried_attributes(portfolio),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "expected_parts_sum_to_arr",
                "expected_renewal_arr + expected_arr_loss = current_arr.",
                lambda t: t.expected_renewal_arr + t.expected_arr_loss == t.current_arr,
                MODEL_FAULT,
            ),
            Invariant(
                "exposed_when_at_risk_and_due",
                "exposed_arr is current_arr of a not healthy or cancelled account within the window, else 0.",
                lambda t: t.exposed_arr == ibis.ifelse(is_at_risk(t), t.current_arr, 0),
                MODEL_FAULT,
            ),
            Invariant(
                "unknown_is_medium",
                "Renewal risk is Medium where the health tier is unknown, unless the account is cancelled.",
                lambda t: (t.health_tier != UNKNOWN) | t.renewal_risk.isin(("Medium", CANCELLED)),
                MODEL_FAULT,
            ),
            Invariant(
                "cancelled_is_lost",
                "Renewal risk is Cancelled exactly where the account is, and nothing of it is expected to renew.",
                lambda t: (
                    ((t.renewal_risk == CANCELLED) == t.is_cancelled)
                    & (~t.is_cancelled | ((t.expected_renewal_arr == 0) & (t.save_rate == 0)))
                ),
                MODEL_FAULT,
            ),
            Invariant(
                "probability_is_of_its_source",
                "renewal_probability is learned_probability where that is its source, else that of the map.",
                lambda t: (
                    t.renewal_probability
                    == ibis.ifelse(t.probability_from == LEARNED, t.learned_probability, t.map_probability)
                ),
                MODEL_FAULT,
            ),
            Invariant(
                "days_lead_to_the_date",
                "renewal_date lies days_to_renewal after as_of.",
                lambda t: t.renewal_date.delta(t.as_of, unit="day") == t.days_to_renewal,
                MODEL_FAULT,
            ),
        ),
        plots={
            "renewals": lambda t: t.count(),
            "exposed_arr": lambda t: t.exposed_arr.sum(),
            "expected_arr_loss": lambda t: t.expected_arr_loss.sum(),
        },
    )
