"""The contracts of signals, health scores and their drivers; those of changes are in `changes.py`.

Their models are in `cx_intel.models`: signals, drivers, health. Definitions: Health in the metric
definitions.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import (
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
from cx_intel.contracts.core import AS_OF, SIZE_ARR, SIZE_MRR, carried_attributes
from cx_intel.contracts.health.drivers import (
    ACCOUNT,
    MODEL_FAULT,
    TOLERANCE,
    UNKNOWN,
    health_settings,
    model_versions,
    tier_names,
)
from cx_intel.contracts.staging.accounts import stg_accounts
from cx_intel.settings.health.model import HealthSettings
from cx_intel.settings.portfolio import Portfolio

CARRIED = ("industry", "country", "region", "plan_tier", "status")
"""Standard account attributes that scores carry beside those of the portfolio."""


def judged_columns() -> tuple[Column, ...]:
    """How much of a score was measured, by which model, and whether its tier counts as healthy."""
    return (
        Column(
            "coverage_pct",
            NUMBER,
            "Measured weight / weight of the signals that apply.",
            "%",
            nullable=False,
            minimum=0,
            maximum=100,
        ),
        Column("model_version", TEXT, "The model that judged.", nullable=False),
        Column("is_healthy", FLAG, "The tier counts as healthy.", null_means="the tier is unknown"),
    )


def customer_health_scores(portfolio: Portfolio) -> Contract:
    health = health_settings(portfolio)
    tiers = (*tier_names(portfolio), UNKNOWN)
    accounts = stg_accounts(portfolio)

    def score(name: str, description: str, null_means: str) -> Column:
        return Column(name, NUMBER, description, "points", null_means=null_means, minimum=0, maximum=100)

    return Contract(
        "customer_health_scores",
        "health",
        "How is each customer doing? One score from 0 to 100, its dimensions and its tier.",
        ("as_of", "account_id"),
        (
            AS_OF,
            ACCOUNT,
            Column("account_name", TEXT, "Name of the company."),
            Column("segment", TEXT, "Customer segment."),
            Column("owner", TEXT, "The customer success manager in charge.", null_means="nobody"),
            Column("current_mrr", MONEY, "MRR in force on the day.", SIZE_MRR, nullable=False, minimum=0),
            Column("current_arr", MONEY, "12 x current_mrr.", SIZE_ARR, nullable=False, minimum=0),
            *(
                score(
                    f"{name}_score",
                    f"Weighted mean of the signals of {name}.",
                    "none of its signals has a score",
                )
                for name in health.dimension_names()
            ),
            score("health_score", "Weighted mean of the dimensions, rounded once, half up, to 0.1.", "no signal"),
            Column("health_tier", TEXT, "Tier of the health score.", nullable=False, accepted=tiers),
            Column(
                "confirmed_tier",
                TEXT,
                "The tier after exit margin and dwelling time; held while a source is stale.",
                nullable=False,
                accepted=tiers,
                severity="warn",
            ),
            Column(
                "is_frozen",
                FLAG,
                "A source of the score is stale, or the delivery of subscriptions was refused; the confirmed tier is held.",
                nullable=False,
            ),
            *judged_columns(),
            Column(
                "unrounded_score",
                NUMBER,
                "The health score before rounding; the sum of the drivers' points.",
                "points",
                null_means="no signal",
                minimum=0,
                maximum=100 + TOLERANCE,
            ),
            Column("pending_tier", TEXT, "A tier not yet confirmed.", null_means="none is waiting"),
            Column(
                "pending_since",
                DATE,
                "First day on which that tier was called for.",
                null_means="none is waiting",
            ),
            *(Column(name, TEXT, accounts[name].description) for name in CARRIED),
            *carried_attributes(portfolio),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "tier_agrees_with_score",
                "The tier is that of the rounded score, and unknown exactly below the least coverage.",
                lambda t: t.health_tier == _tier_by_score(t, health),
                "The settings of tiers changed after this snapshot was made: refresh that day.",
            ),
            Invariant(
                "unknown_is_neither_healthy_nor_not",
                "is_healthy is null exactly when the tier is unknown.",
                lambda t: (t.health_tier == UNKNOWN) == t.is_healthy.isnull(),
                MODEL_FAULT,
            ),
            Invariant(
                "model_version_is_configured",
                "The model is one of the portfolio's.",
                lambda t: t.model_version.isin(model_versions(portfolio)),
                "The version was renamed after this snapshot was made: refresh that day.",
            ),
            Invariant(
                "rounded_to_a_tenth",
                "The score is the unrounded one to within 0.05.",
                lambda t: t.health_score.isnull() | ((t.health_score - t.unrounded_score).abs() <= 0.05 + TOLERANCE),
                MODEL_FAULT,
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "points_sum_to_score",
                "The points of an account's drivers sum to its unrounded score.",
                ("health_score_drivers",),
                _points_off,
                MODEL_FAULT,
            ),
        ),
        plots={
            "accounts": lambda t: t.count(),
            "avg_health_score": lambda t: t.health_score.mean(),
            "unknown_tiers": lambda t: t.count(where=t.health_tier == UNKNOWN),
            "avg_coverage_pct": lambda t: t.coverage_pct.mean(),
        },
    )


def _tier_by_score(scores: ir.Table, health: HealthSettings) -> ir.StringValue:
    too_little = scores.health_score.isnull() | (scores.coverage_pct < health.min_coverage_pct - TOLERANCE)
    by_level = [
        ((scores.model_version == model.version) & (scores.health_score >= level.at_least), level.name)
        for model in health.all_models()
        for level in model.tiers.levels
    ]
    return ibis.cases((too_little, UNKNOWN), *by_level, else_=UNKNOWN)


def _points_off(tables: Mapping[str, ir.Table]) -> ir.Table:
    scores = tables["self"].select("as_of", "account_id", "unrounded_score")
    drivers = tables["health_score_drivers"]
    sums = drivers.group_by("as_of", "account_id").agg(points=drivers.points.sum())
    both = scores.left_join(sums, ["as_of", "account_id"])
    difference = ibis.coalesce(both.unrounded_score, 0.0) - ibis.coalesce(both.points, 0.0)
    off = both.mutate(difference=difference)
    return off.filter(off["difference"].abs() > TOLERANCE).select("as_of", "account_id", "difference")
