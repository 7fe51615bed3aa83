"""How content an account is from month to month, and how it fades before it leaves.

One hidden number per account, satisfaction between 0 and 1, moves usage, tickets, ratings and the odds of
buying more or leaving, so that the signals of an account agree. Who leaves when is decided in
`novacrm_lives` and `fleet_lives`; this module only knows the `Stints` that result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.timeline import FAR, Bools, Floats, Ints, first_day, first_days, months_of

_ARCHETYPE_SHARES = (0.20, 0.31, 0.23, 0.16, 0.10)  # champion, healthy, drifting, struggling, critical
_ARCHETYPE_LEVELS = np.array([2.2, 1.3, 0.3, -0.7, -1.6])

_MEMORY = 0.88  # share of last month's deviation that remains
_SHOCK = 0.30
_CHANGE_OF_HANDS = 0.012  # monthly chance that the account becomes another archetype
LONGEST_DECLINE = 120

_DISRUPTION = 0.012  # monthly chance of a lasting disruption: a key user leaves, devices fail


@dataclass(frozen=True)
class Stints:
    """The spells in which an account was a customer (trial included): a row each, by account, then start.

    `start` and `end` are day numbers, the end being the first day outside; FAR while no end is planned.
    """

    account: Ints
    start: Ints
    end: Ints

    def on(self, day: int) -> Ints:
        """The positions of the stints that contain the day, at most one per account."""
        return np.flatnonzero((self.start <= day) & (day < self.end))

    def meeting(self, first: int, after: int) -> Ints:
        """The positions of the stints that contain a day of [first, after)."""
        return np.flatnonzero((self.start < after) & (self.end > first))


@dataclass(frozen=True)
class Trajectories:
    """`satisfaction[m, i]`: satisfaction of account i at the start of month `first_month + m`."""

    seed: int
    first_month: int
    satisfaction: NDArray[np.float16]

    def in_month(self, month: int) -> Floats:
        return self.satisfaction[month - self.first_month].astype(np.float64)

    def on(self, days: Ints, accounts: Ints) -> Floats:
        """Satisfaction between the two month starts around each day, before any decline."""
        months = np.clip(months_of(days) - self.first_month, 0, len(self.satisfaction) - 2)
        starts = first_days(months + self.first_month)
        lengths = first_days(months + self.first_month + 1) - starts
        share = np.clip((days - starts) / lengths, 0.0, 1.0)
        now = self.satisfaction[months, accounts].astype(np.float64)
        then = self.satisfaction[months + 1, accounts].astype(np.float64)
        return now + share * (then - now)

    @cached_property
    def _decline(self) -> tuple[Floats, Floats]:
        draws = generator(self.seed, "decline").random((self.satisfaction.shape[1], 2))
        return 60 + np.floor(draws[:, 0] * (LONGEST_DECLINE - 60)), 0.55 + 0.4 * draws[:, 1]

    def vigour(self, days: Ints, accounts: Ints, ends: Ints) -> Floats:
        """What is left of an account on its way out: 1, falling to 0.05..0.45 in its last 60 to 120 days."""
        length, depth = self._decline
        return 1.0 - depth[accounts] * np.clip(1.0 - (ends - days) / length[accounts], 0.0, 1.0)

    def mood(self, days: Ints, accounts: Ints, ends: Ints) -> Floats:
        """Satisfaction with the decline before a stint's end."""
        return self.on(days, accounts) * self.vigour(days, accounts, ends)


def trajectories(seed: int, signup: Ints, first_month: int, until_month: int) -> Trajectories:
    """The paths of all accounts for the months from `first_month` up to and including `until_month`.

    Around the level of its archetype an account drifts (first-order autoregression on the logit scale).
    """
    count = len(signup)
    shares = np.cumsum(_ARCHETYPE_SHARES)
    level = _ARCHETYPE_LEVELS[np.searchsorted(shares, generator(seed, "archetype").random(count), side="right")]
    deviation = 0.6 * generator(seed, "first impression").standard_normal(count)
    paths = np.zeros((until_month - first_month + 1, count), dtype=np.float16)
    for month in range(first_month, until_month + 1):
        known = int(np.searchsorted(signup, first_day(month + 1)))
        change = generator(seed, "change of hands", month).random((known, 2))
        taken_over = np.flatnonzero(change[:, 0] < _CHANGE_OF_HANDS)
        level[taken_over] = _ARCHETYPE_LEVELS[np.searchsorted(shares, change[taken_over, 1], side="right")]
        shock = generator(seed, "satisfaction", month).standard_normal(known)
        deviation[:known] = _MEMORY * deviation[:known] + _SHOCK * shock
        paths[month - first_month, :known] = 1.0 / (1.0 + np.exp(-level[:known] - deviation[:known]))
    return Trajectories(seed, first_month, paths)


@dataclass(frozen=True)
class Disruptions:
    """Times in which part of an account's usage is gone though nobody leaves: a row per account and spell."""

    account: Ints
    start: Ints
    end: Ints
    share: Floats

    def lost_share(self, day: int, accounts: int) -> Floats:
        """The share of usage lost on a day, per account."""
        lost = np.zeros(accounts)
        now: Bools = (self.start <= day) & (day < self.end)
        np.maximum.at(lost, self.account[now], self.share[now])
        return lost


def disruptions(seed: int, signup: Ints, first_month: int, until_month: int) -> Disruptions:
    rows: list[tuple[Ints, Ints, Ints, Floats]] = []
    for month in range(first_month, until_month + 1):
        known = int(np.searchsorted(signup, first_day(month)))
        draws = generator(seed, "disruptions", month).random((known, 4))
        hit = np.flatnonzero(draws[:, 0] < _DISRUPTION)
        start = first_day(month) + np.floor(28 * draws[hit, 1]).astype(np.int64)
        length = 30 + np.floor(45 * draws[hit, 2]).astype(np.int64)
        rows.append((hit, start, start + length, 0.3 + 0.4 * draws[hit, 3]))
    account, start, end, share = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Disruptions(account, start, end, share)


def stints(rows: list[tuple[Ints, Ints, Ints]]) -> Stints:
    """Stints from lists of (account, start, end) columns; empty ones (end before start) are dropped."""
    account, start, end = (np.concatenate(column).astype(np.int64) for column in zip(*rows, strict=True))
    kept = np.flatnonzero(start < end)
    order = kept[np.lexsort((start[kept], account[kept]))]
    return Stints(account[order], start[order], np.minimum(end[order], FAR))
