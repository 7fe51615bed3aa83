"""The contracts of what the back-test says: how well the score and each signal told who would leave.

The models are in `cx_intel.models.backtest`; tiers, errors and bands of the score are in `tiers.py` beside this module.
Definitions: `docs/back-test.md`.
"""

from cx_intel.contracts.backtest.columns import ALL, counted_columns, followed_columns, grain, percentage
from cx_intel.contracts.contract import COUNT, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import AS_OF
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio

LEAST_EVENTS = 20
"""Distinct accounts with the event, and as many without, below which there is no verdict."""
HEALTH_SCORE = "health_score"
SIGNAL_PREFIX = "signal:"
TENURE_AND_ARR, USAGE = "baseline:tenure_and_arr", "baseline:usage"
BASELINES = (TENURE_AND_ARR, USAGE)

TOO_FEW, MAY_KNOW, USES_LEAK = "too_few_events", "may_know_the_outcome", "uses_a_leaking_signal"
BACKWARDS, TOO_LITTLE, CHANCE, NO_BETTER, PREDICTS = (
    "runs_backwards",
    "too_little_measured",
    "no_better_than_chance",
    "no_better_than_baseline",
    "predicts",
)
VERDICTS = (TOO_FEW, MAY_KNOW, USES_LEAK, BACKWARDS, TOO_LITTLE, CHANCE, NO_BETTER, PREDICTS)
AS_ITS_CURVE, AGAINST_ITS_CURVE, UNCLEAR = "as_its_curve", "against_its_curve", "unclear"
DIRECTIONS = (AS_ITS_CURVE, AGAINST_ITS_CURVE, UNCLEAR)


def backtest_results(portfolio: Portfolio) -> Contract:
    return Contract(
        "backtest_results",
        "backtest",
        "Does the score tell who will leave, does each signal, and better than tenure, ARR and usage alone?",
        grain("predictor"),
        (
            AS_OF,
            *followed_columns(),
            Column(
                "predictor",
                TEXT,
                f"{HEALTH_SCORE}, {SIGNAL_PREFIX}NAME for the score of a signal, or a baseline: {', '.join(BASELINES)}.",
                nullable=False,
            ),
            *counted_columns(),
            Column(
                "events_missing",
                COUNT,
                f"Accounts with the outcome still needed for a verdict, which takes {LEAST_EVENTS}.",
                "accounts",
                False,
                minimum=0,
                maximum=LEAST_EVENTS,
            ),
            _share(
                "auc", "Probability that an account with the outcome had the lower value; ties half. 0.5 is chance."
            ),
            _share("auc_low", "Lower bound of the 90 % interval of auc, by account."),
            _share("auc_high", "Upper bound of auc."),
            percentage(
                "below_median_pct",
                "Of the observations with the outcome, those with a value below the middle of the others.",
                "nothing, or everything, happened",
            ),
            Column(
                "direction",
                TEXT,
                f"Whether low values went with the outcome: {AGAINST_ITS_CURVE} where the whole interval is below 0.5, "
                f"{UNCLEAR} where it holds 0.5.",
                nullable=False,
                accepted=DIRECTIONS,
            ),
            Column(
                "baseline",
                TEXT,
                "The stronger of the baselines, on the same observations.",
                null_means="it is a baseline, or there is no auc",
                accepted=BASELINES,
            ),
            _gain("auc_gain", "auc less that of the baseline, on the observations that have both."),
            _gain("auc_gain_low", "Lower bound of auc_gain."),
            _gain("auc_gain_high", "Upper bound of auc_gain."),
            percentage(
                "worst_precision_pct",
                "Among the worst values that hold a quarter of the events: observations with the outcome.",
                "nothing, or everything, happened",
            ),
            Column("verdict", TEXT, "What that says, the first that holds.", nullable=False, accepted=VERDICTS),
            Column("finding", TEXT, "The verdict as a sentence.", nullable=False),
            Column(
                "unknown_tiers",
                COUNT,
                "Observations of unknown tier: less was measured than `health.min_coverage_pct` asks for.",
                "rows",
                False,
                minimum=0,
            ),
            Column(
                "known_later",
                COUNT,
                "Observations whose segment, owner and other attributes are those of a first load after the day.",
                "rows",
                False,
                minimum=0,
            ),
        ),
        invariants=(
            Invariant(
                "interval_holds_auc",
                "auc lies within its bounds.",
                lambda t: t.auc.isnull() | ((t.auc_low <= t.auc) & (t.auc <= t.auc_high)),
                MODEL_FAULT,
            ),
            Invariant(
                "no_verdict_of_few_events",
                f"Below {LEAST_EVENTS} accounts with the outcome there is no verdict, and it is said how many are missing.",
                lambda t: (t.events_missing > 0) == (t.event_accounts < LEAST_EVENTS),
                MODEL_FAULT,
            ),
            Invariant(
                "no_suspicious_predictor",
                "No score and no signal predicts better than what was known on the day can.",
                lambda t: (t.slice != ALL) | ~t.verdict.isin([MAY_KNOW, USES_LEAK]),
                "Find out when its source is written: what is entered once a customer has left, or given notice, must not "
                "be measured. Take it out of the score until then.",
                "warn",
            ),
            Invariant(
                "score_not_backwards",
                "The score does not run backwards.",
                lambda t: (t.slice != ALL) | (t.predictor != HEALTH_SCORE) | (t.verdict != BACKWARDS),
                "See which signals run against their curves in this table, and mend these curves or their weights.",
                "warn",
            ),
        ),
    )


def _share(name: str, description: str) -> Column:
    return Column(
        name, NUMBER, description, "0 to 1", null_means="nothing, or everything, happened", minimum=0, maximum=1
    )


def _gain(name: str, description: str) -> Column:
    return Column(name, NUMBER, description, "-1 to 1", null_means="there is no baseline", minimum=-1, maximum=1)
