"""How well a number tells the accounts that something happened to from the others: AUC, its interval, and differences.

Pure NumPy over one entry per observation; an account is observed many times, and only accounts count as independent.
Rates stand in `rates.py`, what is made of both in `results.py`.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

Z90 = 1.6448536269514722
"""Of the normal distribution: nine tenths lie within as many standard deviations of its mean."""
PSEUDO_EVENTS = 0.25
"""Accounts of AUC one half that the middle of an interval counts beside those seen: near 1 few events look too good."""
WORST_SHARE = 0.25
WORTH_SORTING = 8
"""Ranks are sorted anew where there are so many times more of them than observations."""


@dataclass(frozen=True)
class Discrimination:
    """An AUC, and what each account contributes to its error.

    Attributes:
        auc: Of an observation with the event and one without, the probability that the first has the lower value, equal
            values counted half. 1: all lower; 0.5: no difference; below: the number runs backwards.
        below_median_pct: Of the observations with the event, those below the middle of the others, in percent.
        worst_precision: Among the lowest values that hold a quarter of the events, or the highest, whichever is more: the
            share of observations with the event.
        event_accounts: Distinct accounts with the event.
        other_accounts: Distinct accounts without it at some time.
        influence: By account: how far the AUC is off because this account is among those seen.
    """

    auc: float
    below_median_pct: float
    worst_precision: float
    event_accounts: int
    other_accounts: int
    influence: Floats

    @property
    def interval(self) -> tuple[float, float]:
        """The 90 % interval of the AUC, from how much accounts differ.

        On the scale of log odds, so that they stay within 0 and 1, with Student's distribution over the accounts with
        the event. Where the separation is perfect, nothing differs: the exact binomial bound over accounts stands in.
        """
        clusters = min(self.event_accounts, self.other_accounts)
        if clusters < 2:
            return 0.0, 1.0
        if self.auc in {0.0, 1.0}:
            bound = 0.05 ** (1 / clusters)
            return (bound, 1.0) if self.auc else (0.0, 1 - bound)
        middle = (self.auc * clusters + PSEUDO_EVENTS / 2) / (clusters + PSEUDO_EVENTS)
        width = _student(clusters - 1) * _error(self.influence, clusters) / (self.auc * (1 - self.auc))
        low, high = (_of_log_odds(_log_odds(middle) + side * width) for side in (-1, 1))
        return min(low, self.auc), max(high, self.auc)


def discrimination(values: Floats | Ints, happened: Flags, account: Ints, accounts: int) -> Discrimination | None:
    """The AUC of low values for an event; None where nothing, or everything, happened.

    Args:
        values: Of each observation, none missing; only their order counts. Quickest as ranks from 0 (`ranks`).
        happened: Whether the event followed.
        account: The number of the account, 0 to `accounts` - 1.
        accounts: How many numbers there are.
    """
    events, others = int(happened.sum()), int((~happened).sum())
    if not events or not others:
        return None
    code, with_event, without = _histogram(values, happened)
    others_above = (others - np.cumsum(without) + without / 2) / others
    events_below = (np.cumsum(with_event) - with_event / 2) / events
    auc = float(with_event @ others_above / events)
    share = np.where(happened, (others_above[code] - auc) / events, (events_below[code] - auc) / others)
    middle = (with_event[others_above > 0.5].sum() + with_event[others_above == 0.5].sum() / 2) / events
    return Discrimination(
        auc=auc,
        below_median_pct=100 * float(middle),
        worst_precision=max(
            _worst_precision(with_event[way], without[way]) for way in (slice(None), slice(None, None, -1))
        ),
        event_accounts=distinct(account[happened]),
        other_accounts=distinct(account[~happened]),
        influence=np.bincount(account, share, minlength=accounts).astype(np.float64),
    )


def difference(one: Discrimination, other: Discrimination) -> tuple[float, float, float]:
    """How much higher the first AUC is, with its 90 % interval; of the same observations."""
    gain = one.auc - other.auc
    clusters = min(one.event_accounts, one.other_accounts)
    if clusters < 2:
        return gain, -1.0, 1.0
    width = _student(clusters - 1) * _error(one.influence - other.influence, clusters)
    return gain, max(-1.0, gain - width), min(1.0, gain + width)


def ranks(values: Floats) -> Ints:
    """The place of each value among the distinct ones, from 0; -1 where it is missing."""
    found = np.full(len(values), -1, dtype=np.int64)
    known = ~np.isnan(values)
    found[known] = np.unique(values[known], return_inverse=True)[1]
    return found


def distinct(numbers: Ints) -> int:
    """How many different numbers from 0 there are."""
    return int(np.count_nonzero(np.bincount(numbers)))


def _worst_precision(with_event: Floats, without: Floats) -> float:
    reached = np.cumsum(with_event)
    last = int(np.searchsorted(reached, WORST_SHARE * reached[-1]))
    return float(reached[last] / (reached[last] + without[: last + 1].sum()))


def _histogram(values: Floats | Ints, happened: Flags) -> tuple[Ints, Floats, Floats]:
    """The rank of each observation's value, and by rank the observations with the event and those without."""
    are_ranks = values.dtype.kind == "i" and values.max() < WORTH_SORTING * len(values)
    code = values.astype(np.int64, copy=False) if are_ranks else np.unique(values, return_inverse=True)[1]
    both = np.bincount(2 * code + happened, minlength=2 * (int(code.max()) + 1)).astype(np.float64)
    return code, both[1::2], both[0::2]


def _error(influence: Floats, clusters: int) -> float:
    return sqrt(clusters / (clusters - 1) * float((influence**2).sum()))


def _student(freedom: int) -> float:
    """As `Z90`, of Student's distribution; Cornish and Fisher's expansion, good to 0.02 from four degrees on."""
    cubic, fifth = (Z90**3 + Z90) / 4, (5 * Z90**5 + 16 * Z90**3 + 3 * Z90) / 96
    return Z90 + cubic / freedom + fifth / freedom**2


def _log_odds(share: float) -> float:
    return log(share / (1 - share))


def _of_log_odds(odds: float) -> float:
    return 1 / (1 + exp(-odds))
