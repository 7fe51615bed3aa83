"""The contracts of how scores changed: from snapshot to snapshot, and split by signal and cause.

Their model is `cx_intel.models.health.changes`; the scores themselves are in `health.py` beside this. Definitions:
Health in the metric definitions.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import DATE, NUMBER, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.core import AS_OF
from cx_intel.contracts.health.drivers import ACCOUNT, MODEL_FAULT, TOLERANCE, UNKNOWN, tier_names
from cx_intel.settings.portfolio import Portfolio

MEASURE, MISSING_EVIDENCE, WEIGHT = "measure", "missing_evidence", "weight"
SCORECARD, POPULATION = "scorecard", "population"
CAUSES = (MEASURE, MISSING_EVIDENCE, WEIGHT, SCORECARD, POPULATION)
"""Why a score moved: the account's own values, which signals are measured, the weights of the settings, what else the
account is judged by, the others' values that ranks compare with."""

_COMPARED = Column("compared_as_of", DATE, "The earlier day.", nullable=False)


def health_score_changes(portfolio: Portfolio) -> Contract:
    tiers = (*tier_names(portfolio), UNKNOWN)
    return Contract(
        "health_score_changes",
        "health",
        "Whose score moved since the last snapshot, a week ago, a month ago?",
        ("account_id", "as_of", "compared_as_of"),
        (
            ACCOUNT,
            AS_OF,
            _COMPARED,
            Column(
                "health_score_change",
                NUMBER,
                "Change of the unrounded score.",
                "points",
                False,
                minimum=-100 - TOLERANCE,
                maximum=100 + TOLERANCE,
            ),
            Column("tier_from", TEXT, "Tier then.", nullable=False, accepted=tiers, severity="warn"),
            Column("tier_to", TEXT, "Tier now.", nullable=False, accepted=tiers),
            Column("score_from", NUMBER, "Health score then.", "points", nullable=False, minimum=0, maximum=100),
            Column("score_to", NUMBER, "Health score now.", "points", nullable=False, minimum=0, maximum=100),
            Column("model_version_from", TEXT, "The model that judged then.", nullable=False),
            Column("model_version_to", TEXT, "The model that judges now.", nullable=False),
        ),
        invariants=(
            Invariant(
                "looks_back",
                "The compared day is earlier.",
                lambda t: t.compared_as_of < t.as_of,
                MODEL_FAULT,
            ),
            Invariant(
                "change_agrees_with_scores",
                "The change is that of the rounded scores to within 0.1.",
                lambda t: (t.health_score_change - (t.score_to - t.score_from)).abs() <= 0.1 + TOLERANCE,
                MODEL_FAULT,
            ),
        ),
    )


def health_score_change_drivers(portfolio: Portfolio) -> Contract:
    return Contract(
        "health_score_change_drivers",
        "health",
        "Why did a score move? Its change, split by signal and cause.",
        ("account_id", "as_of", "compared_as_of", "signal", "cause"),
        (
            ACCOUNT,
            AS_OF,
            _COMPARED,
            Column("signal", TEXT, "The signal.", nullable=False),
            Column(
                "cause",
                TEXT,
                "measure: its value moved; missing_evidence: it, or another signal, began or ceased to be measured and "
                "weight moved; weight: the settings give it another weight; scorecard: the account is judged by another "
                "model, version or attribute; population: the others moved and its rank with them.",
                nullable=False,
                accepted=CAUSES,
            ),
            Column("points_change", NUMBER, "What that moved of the score.", "points", nullable=False),
            Column("value_from", NUMBER, "Value then.", null_means="missing then"),
            Column("value_to", NUMBER, "Value now.", null_means="missing now"),
        ),
        cross_invariants=(
            CrossInvariant(
                "changes_split_exactly",
                "The points of a change's drivers sum to the change of the score.",
                ("health_score_changes",),
                _changes_off,
                MODEL_FAULT,
            ),
        ),
    )


def _changes_off(tables: Mapping[str, ir.Table]) -> ir.Table:
    grain = ["account_id", "as_of", "compared_as_of"]
    changes = tables["health_score_changes"].select(*grain, "health_score_change")
    drivers = tables["self"]
    sums = drivers.group_by(grain).agg(points=drivers.points_change.sum())
    both = changes.left_join(sums, grain)
    off = both.mutate(difference=both.health_score_change - ibis.coalesce(both.points, 0.0))
    return off.filter(off["difference"].abs() > TOLERANCE).select(*grain, "difference")
