"""The contracts of signals and of the drivers of a health score.

The scores themselves are in `scores.py`. Their models: `cx_intel.models.health`; definitions: Health in the metric definitions.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import (
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    Column,
    Contract,
    CrossInvariant,
    Invariant,
)
from cx_intel.contracts.core import AS_OF
from cx_intel.settings.health.model import HealthSettings
from cx_intel.settings.portfolio import Portfolio

TOLERANCE = 1e-6
UNKNOWN = "unknown"
MODEL_FAULT = "A fault of the model, not of the data: report it."
ACCOUNT = Column("account_id", TEXT, "The account.", nullable=False, references="account_snapshot.account_id")


def health_settings(portfolio: Portfolio) -> HealthSettings:
    """The portfolio's `health` block. Raises ValueError when it has none."""
    if portfolio.health is None:
        raise ValueError(f"portfolio {portfolio.name} has no health block, and so no health tables")
    return portfolio.health


def tier_names(portfolio: Portfolio) -> tuple[str, ...]:
    """The tiers from the best down, without `unknown`."""
    return tuple(level.name for level in health_settings(portfolio).tiers.levels)


def model_versions(portfolio: Portfolio) -> tuple[str, ...]:
    """The versions of all models that may judge an account."""
    return tuple(model.version for model in health_settings(portfolio).all_models())


def account_signals(portfolio: Portfolio) -> Contract:
    signals = tuple(health_settings(portfolio).signals)
    return Contract(
        "account_signals",
        "health",
        "What was measured of each account on a day: a row for each declared signal.",
        ("as_of", "account_id", "signal"),
        (
            AS_OF,
            ACCOUNT,
            Column("signal", TEXT, "The signal.", nullable=False, accepted=signals),
            Column("value", NUMBER, "Its value, in the unit of the signal.", null_means="missing: not measured"),
            Column("is_stale", FLAG, "A source of the signal has fallen silent.", nullable=False),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "stale_is_missing",
                "A signal of a stale source has no value.",
                lambda t: ~t.is_stale | t.value.isnull(),
                MODEL_FAULT,
            ),
        ),
        plots={"measured_pct": lambda t: 100.0 * t.value.count() / t.count().nullif(0)},
    )


def health_score_drivers(portfolio: Portfolio) -> Contract:
    health = health_settings(portfolio)
    signals = tuple(health.signals)
    return Contract(
        "health_score_drivers",
        "health",
        "Why an account scores as it does: the points that each signal adds and loses.",
        ("as_of", "account_id", "signal"),
        (
            AS_OF,
            ACCOUNT,
            Column("model_version", TEXT, "The model that judges the account.", nullable=False),
            Column(
                "dimension",
                TEXT,
                "Part of the score.",
                nullable=False,
                accepted=tuple(health.dimension_names()),
            ),
            Column("signal", TEXT, "The signal.", nullable=False, accepted=signals),
            Column("signal_order", COUNT, "Its place in the model, 0 first.", nullable=False, minimum=0),
            Column("label", TEXT, "The signal in words.", nullable=False),
            Column("unit", TEXT, "Unit of the value; empty without one.", nullable=False),
            Column(
                "benchmark",
                NUMBER,
                "What good looks like: as stated, else the value that scores 100.",
                null_means="the curve has no such value, as for ranks",
            ),
            Column("value", NUMBER, "Value of the signal.", null_means="missing, or it does not apply"),
            Column(
                "signal_score",
                NUMBER,
                "Score by the curve, or the neutral score of a missing one.",
                "points",
                null_means="missing, without a neutral score",
                minimum=0,
                maximum=100,
            ),
            Column(
                "nominal_weight",
                NUMBER,
                "Weight in the score if all is measured.",
                nullable=False,
                minimum=0,
                maximum=1,
            ),
            Column("is_applicable", FLAG, "The signal applies to the account.", nullable=False),
            Column("is_measured", FLAG, "It applies and has a value.", nullable=False),
            Column("is_stale", FLAG, "A source that it reads has fallen silent.", nullable=False),
            Column(
                "weight",
                NUMBER,
                "Effective weight in the health score; 0 without a score.",
                nullable=False,
                minimum=0,
                maximum=1 + TOLERANCE,
            ),
            Column(
                "points",
                NUMBER,
                "weight x signal_score.",
                "points",
                nullable=False,
                minimum=0,
                maximum=100 + TOLERANCE,
            ),
            Column(
                "points_lost",
                NUMBER,
                "weight x (100 - signal_score).",
                "points",
                nullable=False,
                minimum=0,
                maximum=100 + TOLERANCE,
            ),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "points_and_lost_are_the_weight",
                "points + points_lost = 100 x weight.",
                lambda t: (t.points + t.points_lost - 100.0 * t.weight).abs() <= TOLERANCE,
                MODEL_FAULT,
            ),
            Invariant(
                "measured_has_value_and_score",
                "A measured signal has a value and a score.",
                lambda t: ~t.is_measured | (t.value.notnull() & t.signal_score.notnull()),
                MODEL_FAULT,
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "weights_sum_to_one",
                "The weights of an account's drivers sum to 1, or to 0 when nothing is known of it.",
                (),
                _weights_off,
                "Check the weights of the health block; if they sum to 1, report a fault of the model.",
            ),
        ),
    )


def _weights_off(tables: Mapping[str, ir.Table]) -> ir.Table:
    drivers = tables["self"]
    sums = drivers.group_by("as_of", "account_id").agg(weight=drivers.weight.sum(), scored=drivers.signal_score.count())
    expected = ibis.cases((sums.scored > 0, 1.0), else_=0.0)
    return sums.filter((sums.weight - expected).abs() > TOLERANCE)
