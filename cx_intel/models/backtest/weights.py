"""What weights past months would choose for the signals of a health score, within bounds of today's, and how surely.

Pure NumPy over the observations of the back-test. The weights are those that best put accounts with an event below the
others; they are a suggestion, never applied. How well a score does is measured in `discrimination.py`; a preview of what
weights would change is `cx_intel.orchestration.preview`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from cx_intel.contracts.backtest.results import LEAST_EVENTS, SIGNAL_PREFIX
from cx_intel.models.backtest.discrimination import Discrimination, Flags, Floats, Ints, difference, discrimination
from cx_intel.models.backtest.observations import Followed, Observations
from cx_intel.settings.health.model import HealthSettings

PAIRS, STEPS, SOFTNESS = 2_000, 100, 0.1
"""Pairs of an observation with the event and one without that a fit reads; steps of it; a tenth of the score's range is soft."""
RESAMPLES, SEED = 100, 16
HELD_OUT = 1 / 3
"""Share of the months, the latest, that a fit does not see when it is judged."""
LEAST_HELD_OUT = 5
"""Accounts with the event that both parts need for that."""


@dataclass(frozen=True)
class SuggestedWeight:
    """A signal's share of the health score: today, suggested, its 90 % interval over resamples, and its bounds."""

    dimension: str
    signal: str
    today: float
    suggested: float
    low: float
    high: float
    least: float
    most: float


@dataclass(frozen=True)
class HeldOut:
    """How today's weights and those fitted on earlier months do on later ones.

    Attributes:
        first, last: Those later months.
        today, suggested: How well the score by each tells accounts with the event.
        gain: How much higher the AUC is, with its 90 % interval.
    """

    first: date
    last: date
    today: Discrimination
    suggested: Discrimination
    gain: tuple[float, float, float]

    @property
    def is_better(self) -> bool:
        """Better by more than chance gives."""
        return self.gain[1] > 0


@dataclass(frozen=True)
class Suggestion:
    """What past months would choose.

    Attributes:
        outcome: What followed, within `window_days`.
        observations: Accounts x months seen.
        event_accounts: Distinct accounts with the event.
        missing: How many more of them are needed; above 0 there are no weights.
        weights: By signal, in the order of the settings.
        today, suggested: How well both do on the months that the weights were fitted on, which flatters the second.
        held_out: The same on months that were not seen; None where either part has too few events.
    """

    outcome: str
    window_days: int
    observations: int
    event_accounts: int
    missing: int
    weights: tuple[SuggestedWeight, ...] = ()
    today: Discrimination | None = None
    suggested: Discrimination | None = None
    held_out: HeldOut | None = None

    def by_dimension(self) -> dict[str, tuple[float, dict[str, float]]]:
        """Dimension: its weight, and those of its signals within it, each rounded so that they sum to 1."""
        shares: dict[str, dict[str, float]] = {}
        for weight in self.weights:
            shares.setdefault(weight.dimension, {})[weight.signal] = weight.suggested
        outer = rounded({name: sum(inner.values()) for name, inner in shares.items()})
        return {name: (outer[name], rounded(inner)) for name, inner in shares.items()}

    def as_json(self) -> dict[str, Any]:
        """For other programs: without what each account contributes to an error."""
        held = self.held_out
        return {
            "outcome": self.outcome,
            "window_days": self.window_days,
            "observations": self.observations,
            "event_accounts": self.event_accounts,
            "events_missing": self.missing,
            "weights": [vars(weight) for weight in self.weights],
            "settings": {
                name: {"weight": outer, "signals": inner} for name, (outer, inner) in self.by_dimension().items()
            },
            "auc_today": self.today and self.today.auc,
            "auc_suggested": self.suggested and self.suggested.auc,
            "held_out": held
            and {
                "first": held.first,
                "last": held.last,
                "auc_today": held.today.auc,
                "auc_suggested": held.suggested.auc,
                "gain": list(held.gain),
                "is_better": held.is_better,
            },
        }


def suggested_weights(
    observed: Observations,
    followed: Followed,
    predictors: Mapping[str, Floats],
    health: HealthSettings,
    within: float,
    held: Collection[str] = (),
) -> Suggestion:
    """The weights that past months would choose.

    Accounts that a model of their own judges are left out, and those of unknown tier, of which too little was measured to
    tell one weight from another. A signal that is missing counts as the mean of the others of
    its dimension, which is what today's weights make of it.

    Args:
        observed: The accounts on past days.
        followed: What followed.
        predictors: Of `Observations.predictors`: the scores of signals by row.
        health: Today's settings.
        within: How far a signal's share of the score may be from today's, as a share of it: 0.5 is half to one and a half.
        held: Signals that keep today's share, since they may know the outcome.
    """
    parts = [
        (name, signal, dimension.weight * scored.weight)
        for name, dimension in health.dimensions.items()
        for signal, scored in dimension.signals.items()
    ]
    own = observed.scores["model_version"].to_numpy(dtype=str)[followed.row] == health.version
    own &= ~observed.is_unknown[followed.row]
    row, happened = followed.row[own], followed.happened[own]
    values = np.column_stack(
        [predictors.get(SIGNAL_PREFIX + signal, np.full(len(observed.scores), np.nan))[row] for _, signal, _ in parts]
    )
    data = _Data(
        _filled(values / 100, [name for name, _, _ in parts], np.array([weight for _, _, weight in parts])),
        happened,
        observed.account[row].astype(np.int64),
        observed.accounts,
        np.array([weight for _, _, weight in parts]),
        np.array([0.0 if signal in held else within for _, signal, _ in parts]),
    )
    known = np.asarray(np.isfinite(data.values).all(axis=1))
    data = data.of(known)
    events = len(np.unique(data.account[data.happened]))
    plain = Suggestion(
        followed.outcome, followed.window_days, len(data.happened), events, max(0, LEAST_EVENTS - events)
    )
    if plain.missing or data.happened.all():
        return plain
    generator = np.random.default_rng(SEED)
    chosen = data.fitted(generator)
    drawn = np.array([data.fitted(generator, resampled=True) for _ in range(RESAMPLES)])
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    weights = tuple(
        SuggestedWeight(
            name, signal, today, *(float(figure[n]) for figure in (chosen, low, high, data.least, data.most))
        )
        for n, (name, signal, today) in enumerate(parts)
    )
    days = np.array(observed.scores["scored_on"].astype(str).str[:10], dtype="datetime64[D]")[row][known]
    return replace(
        plain,
        weights=weights,
        today=data.judged(data.today),
        suggested=data.judged(chosen),
        held_out=_held_out(data, days, followed.window_days, generator),
    )


def rounded(weights: Mapping[str, float], digits: int = 3) -> dict[str, float]:
    """Weights that sum to 1, rounded so that they still do: the largest remainders are rounded up; none becomes 0."""
    unit = 10**digits
    whole = sum(weights.values())
    exact = {name: weight / whole * unit for name, weight in weights.items()}
    floors = {name: max(1, int(value)) for name, value in exact.items()}
    order = sorted(exact, key=lambda name: (floors[name] - exact[name], name))
    for name in order[: unit - sum(floors.values())]:
        floors[name] += 1
    return {name: count / unit for name, count in floors.items()}


@dataclass(frozen=True)
class _Data:
    """Signal scores (0 to 1) of observations, what followed, whose they are, and today's shares of the signals."""

    values: Floats
    happened: Flags
    account: Ints
    accounts: int
    today: Floats
    within: Floats

    @property
    def least(self) -> Floats:
        return self.today * (1 - self.within)

    @property
    def most(self) -> Floats:
        return self.today * (1 + self.within)

    def of(self, rows: Flags) -> "_Data":
        return _Data(self.values[rows], self.happened[rows], self.account[rows], self.accounts, self.today, self.within)

    def events(self) -> int:
        return len(np.unique(self.account[self.happened]))

    def judged(self, weights: Floats) -> Discrimination | None:
        scores = np.round(1000 * self.values @ weights) / 10
        return discrimination(scores, self.happened, self.account, self.accounts)

    def fitted(self, generator: np.random.Generator, *, resampled: bool = False) -> Floats:
        """The weights that put events below others, of pairs of both; resampled: as other accounts would have it."""
        times = generator.multinomial(self.accounts, np.full(self.accounts, 1 / self.accounts)) if resampled else None
        sides = [self._drawn(rows, times, generator) for rows in (self.happened, ~self.happened)]
        if any(len(side) == 0 for side in sides):
            return self.today
        return self._descended(self.values[sides[1]] - self.values[sides[0]])

    def _drawn(self, rows: Flags, times: Ints | None, generator: np.random.Generator) -> Ints:
        places = np.flatnonzero(rows)
        if times is not None:
            places = np.repeat(places, times[self.account[places]])
        return places[generator.integers(0, len(places), PAIRS)] if len(places) else places

    def _descended(self, gaps: Floats) -> Floats:
        """Minimises the mean of log(1 + exp(-gap / softness)), accelerated, with a pull to today's weights."""
        pull = 1 / max(1, self.events())
        size = float(np.linalg.norm(gaps.T @ gaps, 2)) / (4 * SOFTNESS**2 * len(gaps)) + 2 * pull
        weights = ahead = self.today
        moment = 1.0
        for _ in range(STEPS):
            slope = 1 / (1 + np.exp(np.clip(gaps @ ahead / SOFTNESS, -50, 50)))
            gradient = -(gaps.T @ slope) / (SOFTNESS * len(gaps)) + 2 * pull * (ahead - self.today)
            following = _within_bounds(ahead - gradient / size, self.least, self.most)
            next_moment = (1 + np.sqrt(1 + 4 * moment**2)) / 2
            ahead = following + (moment - 1) / next_moment * (following - weights)
            weights, moment = following, next_moment
        return weights


def _within_bounds(wanted: Floats, least: Floats, most: Floats) -> Floats:
    """The nearest weights within the bounds that sum to 1: all are moved by one amount, then cut."""
    shifts = np.sort(
        np.concatenate([wanted - most, wanted - least])
    )  # the sum falls from that of `most` to that of `least`
    sums = np.clip(wanted - shifts[:, np.newaxis], least, most).sum(axis=1)
    shift = np.interp(-1.0, -sums, shifts)
    return np.clip(wanted - shift, least, most)


def _filled(values: Floats, dimension_of: list[str], weights: Floats) -> Floats:
    """Missing scores as the weighted mean of the dimension; of a dimension without any, of those that there are."""
    present = ~np.isnan(values)
    known, filled = np.where(present, values, 0.0), values.copy()
    names = np.array(dimension_of)
    means, outer = [], []
    for name in dict.fromkeys(dimension_of):
        mine = names == name
        held = (present[:, mine] * weights[mine]).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (known[:, mine] * weights[mine]).sum(axis=1) / held
        filled[:, mine] = np.where(present[:, mine], values[:, mine], mean[:, np.newaxis])
        means.append(mean)
        outer.append(weights[mine].sum())
    columns, shares = np.column_stack(means), np.array(outer)
    there = ~np.isnan(columns)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = (np.where(there, columns, 0.0) * shares).sum(axis=1) / (there * shares).sum(axis=1)
    return np.where(np.isnan(filled), whole[:, np.newaxis], filled)


def _held_out(data: _Data, days: np.ndarray, window_days: int, generator: np.random.Generator) -> HeldOut | None:
    """Weights of earlier months, of which it is known what followed before the later ones begin, judged on these."""
    months = np.unique(days)
    if len(months) < 3:
        return None
    first = months[len(months) - max(1, int(len(months) * HELD_OUT))]
    earlier, later = data.of(days + np.timedelta64(window_days, "D") <= first), data.of(days >= first)
    if min(part.events() for part in (earlier, later)) < LEAST_HELD_OUT:
        return None
    today, suggested = later.judged(data.today), later.judged(earlier.fitted(generator))
    if today is None or suggested is None:
        return None
    return HeldOut(first.item(), months[-1].item(), today, suggested, difference(suggested, today))
