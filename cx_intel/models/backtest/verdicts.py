"""What an AUC says of a predictor, in one word and in a sentence without statistics.

The rules and their order, with the words of each outcome. The figures come from `discrimination.py`; which predictor is
judged on what, from `results.py`.
"""

from dataclasses import dataclass

from cx_intel.contracts.backtest import results as contracts
from cx_intel.contracts.backtest.results import HEALTH_SCORE, LEAST_EVENTS, SIGNAL_PREFIX, TENURE_AND_ARR, USAGE
from cx_intel.models.backtest.discrimination import Discrimination
from cx_intel.settings.labels import worded
from cx_intel.settings.portfolio import Portfolio

SUSPICIOUS_AUC, SUSPICIOUS_LOW = 0.95, 0.85
"""An AUC from the first on whose interval begins above the second is better than what honest data give."""
SUSPICIOUS_PRECISION, RARE = 0.9, 0.1
"""So is a quarter of the events where nine of ten observations that look alike have them, of an event that few have."""
MOSTLY = 0.5
"""A larger share of unknown tiers and the scores say nothing of those of today, which rest on more."""

WORDS = {
    "churn": ("left", "stayed"),
    "contraction": ("cut back", "did not"),
    "not_renewed": ("did not renew", "renewed"),
}
"""Outcome: what accounts with it did, and what the others did."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a predictor in a slice of the book.

    Attributes:
        found: Its AUC; None where there is none.
        event_accounts: Distinct accounts with the event.
        other_accounts: Distinct accounts without it.
        event_share: Of the observations, those with the event.
        unknown_share: Of the observations of the score, those of unknown tier; 0 of anything else.
        ever: Its AUC of accounts that have the event at any time, on all their days; None where that is not looked at.
        baseline: The stronger baseline, empty without one.
        gain: How much higher the AUC is than the baseline's, and its bounds.
        leaking_signal: A signal of the score that may know the outcome; empty without one.
    """

    found: Discrimination | None
    event_accounts: int
    other_accounts: int
    event_share: float
    unknown_share: float = 0.0
    ever: Discrimination | None = None
    baseline: str = ""
    gain: tuple[float, float, float] = (0.0, 0.0, 0.0)
    leaking_signal: str = ""

    @property
    def missing(self) -> int:
        """Accounts with the event that are still needed for a verdict."""
        return max(0, LEAST_EVENTS - self.event_accounts)

    @property
    def is_suspicious(self) -> bool:
        """Predicts better than what was known on the day can: the outcome is probably in it."""
        assert self.found is not None
        fills_the_worst = self.event_share <= RARE and self.found.worst_precision >= SUSPICIOUS_PRECISION
        return fills_the_worst or any(_is_nearly_perfect(found) for found in (self.found, self.ever) if found)


def _is_nearly_perfect(found: Discrimination) -> bool:
    """Tells nearly all apart, either way round."""
    low, high = found.interval
    return (found.auc >= SUSPICIOUS_AUC and low >= SUSPICIOUS_LOW) or (
        found.auc <= 1 - SUSPICIOUS_AUC and high <= 1 - SUSPICIOUS_LOW
    )


def verdict(evidence: Evidence) -> str:
    """One of the contract's verdicts; the first that holds."""
    if evidence.missing or evidence.found is None or evidence.other_accounts < LEAST_EVENTS:
        return contracts.TOO_FEW
    low, high = evidence.found.interval
    if evidence.is_suspicious:
        return contracts.MAY_KNOW
    if evidence.leaking_signal:
        return contracts.USES_LEAK
    if high < 0.5:
        return contracts.BACKWARDS
    if evidence.unknown_share > MOSTLY:
        return contracts.TOO_LITTLE
    if low <= 0.5:
        return contracts.CHANCE
    if evidence.baseline and evidence.gain[1] <= 0:
        return contracts.NO_BETTER
    return contracts.PREDICTS


def finding(evidence: Evidence, *, outcome: str, window_days: int, predictor: str, portfolio: Portfolio) -> str:
    """The verdict as a sentence for people who know no statistics."""
    did, others = WORDS[outcome]
    label = label_of(predictor, portfolio)
    within = f"{did} within {window_days} days"
    judged = verdict(evidence)
    if judged == contracts.TOO_FEW:
        if evidence.missing:
            verb = "is" if evidence.missing == 1 else "are"
            return f"No verdict: {_accounts(evidence.event_accounts)} {within}, {evidence.missing} more {verb} needed."
        few = _accounts(evidence.other_accounts)
        return f"No verdict: only {few} {others}, {LEAST_EVENTS} are needed to compare with."
    assert evidence.found is not None
    baseline = label_of(evidence.baseline, portfolio) if evidence.baseline else ""
    below = of_ten(evidence.found.below_median_pct)
    seen = f"Of ten accounts that {within}, {label} had {below} below the middle of those that {others}"
    return {
        contracts.MAY_KNOW: f"{seen}: too good to be true. It may be entered once the outcome is known.",
        contracts.USES_LEAK: f"{seen}, but it uses {evidence.leaking_signal}, which may be entered once the outcome is known.",
        contracts.BACKWARDS: f"{seen}: it runs backwards, five would be chance.",
        contracts.TOO_LITTLE: f"{seen}, but of most of them too little was measured for a tier: not the score of today.",
        contracts.CHANCE: f"{seen}: not told from chance, which is five.",
        contracts.NO_BETTER: f"{seen}, but it is no better than {baseline}.",
        contracts.PREDICTS: f"{seen}.",
    }[judged]


def of_ten(below_median_pct: float) -> int:
    """How many of ten accounts with the event lie below the middle of the others, rounded half up."""
    return int(below_median_pct / 10 + 0.5)


def _accounts(count: int) -> str:
    return "1 account" if count == 1 else f"{count} accounts"


def label_of(predictor: str, portfolio: Portfolio) -> str:
    """A predictor in words."""
    known = {HEALTH_SCORE: "the score", TENURE_AND_ARR: "tenure and ARR alone", USAGE: "last month's usage"}
    if predictor in known:
        return known[predictor]
    name = predictor.removeprefix(SIGNAL_PREFIX)
    signals = portfolio.health.signals if portfolio.health else {}
    return f"“{worded(signals[name].label)}”" if name in signals else name
