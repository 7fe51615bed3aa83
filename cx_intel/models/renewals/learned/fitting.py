"""Fits the probability of renewal: a logistic regression on few measures and the segment's base rate, shrunk and calibrated.

The only module that imports scikit-learn, when something is fitted: `pip install 'cx-intel[learn]'`. What is fitted is a sum
of terms that needs no package to be applied (`terms.py`); which observations it may see is decided in `observations.py`.
"""

import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cx_intel.contracts.renewals.learned import MEASURES
from cx_intel.models.renewals.learned.observations import blocks_of

STRENGTHS = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
"""Of the shrinkage (L2), the strongest first: of equals the first is taken."""
BLOCKS = 4
"""Parts of the later months that strength and calibration are chosen on."""
PRIOR_ACCOUNTS = 20
"""So many accounts of the whole book are added to each segment's, so that a small one is close to all."""
DIGITS = 6
"""Weights are kept to so many digits: the same on each machine."""
SMALLEST = 1e-6
"""A spread below this is taken for this."""
FARTHEST = 30.0
"""Log odds beyond which a probability no longer changes: no engine has to take the exponential of more."""
EXTREME = 2.5
"""Standard deviations from the mean beyond which a measure counts as so many: nothing is concluded from what was never seen."""
MOST_STEPS, CLOSE = 100, 1e-9
"""Of the calibration: when it ends."""


@dataclass(frozen=True)
class Fitted:
    """A probability of renewal: the logistic function of an intercept and the weighted measures.

    Attributes:
        intercept: Log odds of an average account of an average segment.
        weights: Measure: what a standard deviation more adds.
        centers: Measure: its mean, which a missing value counts as.
        scales: Measure: its standard deviation.
        segments: Segment: what it adds.
        renewed: Segment: the share that renewed, drawn towards that of all.
        strength: Of the shrinkage.
        slope: Of the calibration; below 1, the fit was too sure of itself.
    """

    intercept: float
    weights: Mapping[str, float]
    centers: Mapping[str, float]
    scales: Mapping[str, float]
    segments: Mapping[str, float]
    renewed: Mapping[str, float]
    strength: float
    slope: float = 1.0

    def log_odds(self, rows: pd.DataFrame) -> np.ndarray:
        """Of the renewal of each observation; an unknown segment adds nothing."""
        found = np.full(len(rows), self.intercept)
        for name, weight in self.weights.items():
            found += weight * _standardised(rows[name], self.centers[name], self.scales[name])
        return found + rows["segment"].map(self.segments).fillna(0.0).to_numpy(dtype=float)

    def calibrated(self, shift: float, slope: float) -> "Fitted":
        """With log odds of `shift + slope x` its own."""
        return Fitted(
            _kept(shift + slope * self.intercept),
            {name: _kept(slope * weight) for name, weight in self.weights.items()},
            self.centers,
            self.scales,
            {name: _kept(slope * value) for name, value in self.segments.items()},
            self.renewed,
            self.strength,
            _kept(slope),
        )


def is_installed() -> bool:
    """Whether scikit-learn is there."""
    return importlib.util.find_spec("sklearn") is not None


def fit(rows: pd.DataFrame) -> Fitted | None:
    """The probability fitted to the observations, calibrated on later months than those that each part is fitted to.

    The strength of the shrinkage is the one whose predictions for later months have the smallest mean squared error; the
    calibration is fitted to those predictions. None: the months are too few, or all ended alike.
    """
    pairs = blocks_of(rows, BLOCKS)
    if not pairs or rows["is_renewed"].nunique() < 2:
        return None
    renewed = np.concatenate([later["is_renewed"].to_numpy(dtype=float) for _, later in pairs])
    fits = [(_fitted(earlier, STRENGTHS), later) for earlier, later in pairs]
    predicted = {
        strength: np.concatenate([found[strength].log_odds(later) for found, later in fits]) for strength in STRENGTHS
    }
    errors = {strength: round(float(np.mean((logistic(z) - renewed) ** 2)), 9) for strength, z in predicted.items()}
    strength = min(STRENGTHS, key=lambda s: errors[s])
    return _fitted(rows, (strength,))[strength].calibrated(*calibration(predicted[strength], renewed))


def logistic(log_odds: np.ndarray) -> np.ndarray:
    """The probabilities of these log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -FARTHEST, FARTHEST))))


def calibration(log_odds: np.ndarray, happened: np.ndarray) -> tuple[float, float]:
    """Shift and slope that bring predictions closest to what happened, shrunk towards 0 and 1; the slope is never negative."""
    design = np.column_stack([np.ones(len(log_odds)), log_odds])
    as_it_is = np.array([0.0, 1.0])

    def loss(given: np.ndarray) -> float:
        odds = design @ given
        return float((np.logaddexp(0, odds) - happened * odds).sum() + ((given - as_it_is) ** 2).sum() / 2)

    found = as_it_is.copy()
    for _ in range(MOST_STEPS):
        p = logistic(design @ found)
        gradient = design.T @ (p - happened) + (found - as_it_is)
        curvature = (design * (p * (1 - p))[:, np.newaxis]).T @ design + np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while loss(found - step) > loss(found) and np.abs(step).max() > CLOSE:
            step /= 2
        if np.abs(step).max() <= CLOSE:
            break
        found = found - step
    return float(found[0]), max(float(found[1]), 0.0)


def _fitted(rows: pd.DataFrame, strengths: Iterable[float]) -> dict[float, Fitted]:
    """The probability fitted with each of these strengths of the shrinkage."""
    rates = _segment_rates(rows)
    base = rates.pop("")
    odds = {segment: _log_odds(rate) - _log_odds(base) for segment, rate in rates.items()}
    by_segment = rows["segment"].map(odds).to_numpy(dtype=float)
    spread = float(by_segment.std()) or 1.0
    names = [name for name in MEASURES if rows[name].nunique() > 1]
    centers = {name: _kept(rows[name].mean()) for name in names}
    scales = {name: max(_kept(rows[name].std(ddof=0)), SMALLEST) for name in names}
    columns = [_standardised(rows[name], centers[name], scales[name]) for name in names]
    design, renewed = np.column_stack([*columns, by_segment / spread]), rows["is_renewed"].astype(int).to_numpy()
    found = {}
    for strength in strengths:
        intercept, *weights, of_segment = _weights(design, renewed, strength)
        found[strength] = Fitted(
            _kept(intercept),
            {name: _kept(weight) for name, weight in zip(names, weights, strict=True)},
            centers,
            scales,
            {segment: _kept(of_segment * value / spread) for segment, value in odds.items()},
            {segment: _kept(rate) for segment, rate in rates.items()},
            strength,
        )
    return found


def _weights(design: np.ndarray, renewed: np.ndarray, strength: float) -> list[float]:
    """The intercept, and the weight of each column."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / strength, solver="newton-cholesky", tol=1e-8, max_iter=200)
    model.fit(design, renewed)
    return [float(model.intercept_[0]), *(float(weight) for weight in model.coef_[0])]


def _segment_rates(rows: pd.DataFrame) -> dict[str, float]:
    """The share that renewed, of all ("") and of each segment, the latter drawn towards all."""
    base = float(rows["is_renewed"].mean())
    groups = rows.groupby("segment").agg(share=("is_renewed", "mean"), accounts=("account_id", "nunique"))
    drawn = (groups["share"] * groups["accounts"] + PRIOR_ACCOUNTS * base) / (groups["accounts"] + PRIOR_ACCOUNTS)
    return {"": base, **{str(segment): float(rate) for segment, rate in drawn.items()}}


def _standardised(values: pd.Series, center: float, scale: float) -> np.ndarray:
    """In standard deviations from the mean, an extreme value taken for less extreme; a missing value is average."""
    return np.asarray(((values - center) / scale).clip(-EXTREME, EXTREME).fillna(0.0), dtype=float)


def _log_odds(rate: float) -> float:
    kept = min(max(rate, 1e-4), 1 - 1e-4)
    return float(np.log(kept / (1 - kept)))


def _kept(value: float) -> float:
    return round(float(value), DIGITS)
