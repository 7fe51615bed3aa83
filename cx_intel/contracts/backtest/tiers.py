"""The contracts of what followed by tier and by band of the score, and of the score's errors.

The models are in `cx_intel.models.backtest.tiers`; how well the score tells in all is in `results.py` beside this module.
"""

from cx_intel.contracts.backtest.columns import counted_columns, followed_columns, grain, percentage, rate_columns
from cx_intel.contracts.contract import NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import AS_OF
from cx_intel.contracts.health.drivers import UNKNOWN, tier_names
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio

HEALTHY_BUT, NOT_HEALTHY_BUT = "healthy_with_outcome", "not_healthy_without"
ERRORS = (HEALTHY_BUT, NOT_HEALTHY_BUT)
BAND_POINTS = 10


def backtest_tiers(portfolio: Portfolio) -> Contract:
    return Contract(
        "backtest_tiers",
        "backtest",
        "How many accounts of each tier left, and how much more or less than all?",
        grain("health_tier"),
        (
            AS_OF,
            *followed_columns(),
            Column(
                "health_tier",
                TEXT,
                "Tier on the day scored.",
                nullable=False,
                accepted=(*tier_names(portfolio), UNKNOWN),
            ),
            *counted_columns(),
            *rate_columns(
                "event_rate", "Observations of the tier that the outcome followed: its precision as a warning."
            ),
            Column(
                "lift",
                NUMBER,
                "The event rate as a multiple of that of all tiers.",
                "times",
                null_means="the outcome never followed",
                minimum=0,
            ),
            percentage(
                "share_of_events_pct", "Of all observations with the outcome, those of the tier.", "none has it"
            ),
        ),
        invariants=(_bounds("event_rate"),),
    )


def backtest_errors(portfolio: Portfolio) -> Contract:
    return Contract(
        "backtest_errors",
        "backtest",
        "How often was the score wrong: healthy accounts that left, and not healthy ones that stayed?",
        grain("error"),
        (
            AS_OF,
            *followed_columns(),
            Column(
                "error",
                TEXT,
                f"{HEALTHY_BUT}: healthy, and the outcome followed; {NOT_HEALTHY_BUT}: not healthy, and it did not.",
                nullable=False,
                accepted=ERRORS,
            ),
            *counted_columns(),
            *rate_columns("error_rate", "Observations of the group, healthy or not, that were such an error."),
            percentage(
                "missed_pct",
                "Of all observations with the outcome those that were healthy; of those without it those that were not.",
                "there are none",
            ),
        ),
        invariants=(_bounds("error_rate"),),
    )


def backtest_bands(portfolio: Portfolio) -> Contract:
    return Contract(
        "backtest_bands",
        "backtest",
        f"How many accounts left by their score, in bands of {BAND_POINTS} points?",
        ("outcome", "window_days", "band_from"),
        (
            AS_OF,
            *(column for column in followed_columns() if not column.name.startswith("slice")),
            Column(
                "band_from", NUMBER, "Lowest score of the band; 100 belongs to the highest.", "points", False, minimum=0
            ),
            Column("mean_score", NUMBER, "Mean score in the band.", "points", False, minimum=0, maximum=100),
            *counted_columns(),
            *rate_columns("event_rate", "Observations of the band that the outcome followed."),
        ),
        invariants=(_bounds("event_rate"),),
    )


def _bounds(name: str) -> Invariant:
    return Invariant(
        f"interval_holds_{name}",
        f"{name}_pct lies within its bounds.",
        lambda t: (
            t[f"{name}_pct"].isnull()
            | ((t[f"{name}_low_pct"] <= t[f"{name}_pct"]) & (t[f"{name}_pct"] <= t[f"{name}_high_pct"]))
        ),
        MODEL_FAULT,
    )
