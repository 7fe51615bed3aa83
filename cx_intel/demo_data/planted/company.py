"""The planted world: accounts that leave by a hidden mood or for no visible reason, and four figures about them.

One figure follows the mood, one has nothing to do with anything, one runs the wrong way, and one is entered when the
outcome is known. What a back-test has to find is therefore known, and told by `departures`; what it makes of it is in
`cx_intel.models.backtest`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cx_intel.demo_data.companies.account_draws import choice
from cx_intel.demo_data.departures import Departures
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.text_columns import Counter, identifiers, picked
from cx_intel.demo_data.timeline import FAR, Floats, Ints, dates, first_day
from cx_intel.demo_data.world import PlannedWorld

CAUSES = ("discontent", "nothing visible")
METRICS = ("engagement", "newsletter_opens", "contacts", "csm_rating")
"""Follows the mood; says nothing; is high where the mood is bad; is entered anew once an account has left."""
BACKDATED_DAYS = 90
"""So far back reaches the rating of 0 that is entered once an account has left."""

_LASTING, _MEMORY = 0.6, 0.7
_DISCONTENT = (-4.7, 1.5)  # monthly log odds: with an ordinary mood, and by how much a better one lowers them
_INVISIBLE = 0.004  # monthly odds of leaving for a reason that shows nowhere
_SEGMENTS, _SEGMENT_SHARES = ("SMB", "Enterprise"), (0.7, 0.3)
_SIGNUP_DAYS = 365


class PlantedWorld(PlannedWorld):
    """All accounts sign up within the year before `starts_on`; none follows and none returns. Ids PLA- and SUB-."""

    tables = ("accounts", "subscriptions", "metrics")
    event_tables = ()

    def plan(self, first_month: int, until_month: int) -> PlantedPlan:
        return PlantedPlan(self, first_month, until_month)


class PlantedPlan:
    """The accounts' moods and ends up to a month, and the tables that show what of them lies behind a day."""

    def __init__(self, world: PlantedWorld, first_month: int, until_month: int) -> None:
        self._seed, self._count = world.seed, world.accounts
        self._width = max(4, len(str(world.accounts)))
        draws = generator(world.seed, "planted.accounts").random((world.accounts, 3))
        self._signup = np.sort(world.starts_on - 1 - np.floor(draws[:, 0] * _SIGNUP_DAYS).astype(np.int64))
        self._segment = choice(draws[:, 1], _SEGMENT_SHARES)
        self._amount = np.round(50 + 950 * draws[:, 2] ** 2)
        self._first_month = first_month
        self._moods = self._live(first_month, until_month)

    def _live(self, first_month: int, until_month: int) -> list[Floats]:
        """The mood of each account at each month's end, and on the way who leaves when; the mood then decides."""
        level, passing = generator(self._seed, "planted.level").standard_normal((self._count, 2)).T
        self._end: Ints = np.full(self._count, FAR)
        moods: list[Floats] = []
        left = []
        for month in range(first_month, until_month + 1):
            mood = np.sqrt(_LASTING) * level + np.sqrt(1 - _LASTING) * passing
            draws = generator(self._seed, "planted.life", month).random((self._count, 3))
            odds = 1 / (1 + np.exp(_DISCONTENT[1] * mood - _DISCONTENT[0]))
            for cause, leaves in enumerate((draws[:, 0] < odds, draws[:, 1] < _INVISIBLE)):
                who = np.flatnonzero(leaves & (self._end >= FAR))
                self._end[who] = first_day(month) + 1 + np.floor(26 * draws[who, 2]).astype(np.int64)
                left.append((who, self._end[who], np.full(len(who), cause)))
            shock = generator(self._seed, "planted.mood", month).standard_normal(self._count)
            passing = _MEMORY * passing + np.sqrt(1 - _MEMORY**2) * shock
            moods.append(np.sqrt(_LASTING) * level + np.sqrt(1 - _LASTING) * passing)
        self._departures = Departures.of(left)
        return moods

    def table(self, name: str, as_of: int) -> pd.DataFrame:
        return {"accounts": self._accounts, "subscriptions": self._subscriptions, "metrics": self._metrics}[name](as_of)

    def day(self, name: str, day: int) -> pd.DataFrame:
        raise KeyError(f"no event table {name!r} here")

    def departures(self, as_of: int) -> pd.DataFrame:
        """For which of CAUSES an account left."""
        return self._departures.frame(as_of, CAUSES, "PLA-", self._width)

    def _accounts(self, as_of: int) -> pd.DataFrame:
        """Grain: an account that has signed up; status churned or active."""
        known = self._known(as_of)
        return pd.DataFrame(
            {
                "account_id": self._ids(known),
                "account_name": identifiers("Planted ", Counter(known + 1, self._width)),
                "segment": picked(_SEGMENTS, self._segment[known]),
                "status": picked(("active", "churned"), (self._end[known] <= as_of).astype(np.int64)),
                "signup_date": dates(self._signup[known]),
                "currency": picked(("EUR",), np.zeros(len(known), dtype=np.int64)),
            }
        )

    def _subscriptions(self, as_of: int) -> pd.DataFrame:
        """Grain: the one subscription of an account, from signing up until before `end_date` (null: in force)."""
        known = self._known(as_of)
        end = self._end[known]
        return pd.DataFrame(
            {
                "subscription_id": identifiers("SUB-", Counter(known + 1, self._width)),
                "account_id": self._ids(known),
                "product_name": picked(("planted",), np.zeros(len(known), dtype=np.int64)),
                "amount": self._amount[known],
                "billing_period_months": np.ones(len(known), dtype=np.int64),
                "currency": picked(("EUR",), np.zeros(len(known), dtype=np.int64)),
                "start_date": dates(self._signup[known]),
                "end_date": dates(np.where(end <= as_of, end, FAR)),
                "status": picked(("active", "cancelled"), (end <= as_of).astype(np.int64)),
            }
        )

    def _metrics(self, as_of: int) -> pd.DataFrame:
        """Grain: an account, one of METRICS, the last day of a month in which it was a customer."""
        parts = [self._measured(n, as_of) for n in range(len(self._moods))]
        account, metric, day, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        return pd.DataFrame(
            {
                "account_id": self._ids(account),
                "metric": picked(METRICS, metric),
                "measured_on": dates(day),
                "value": value,
            }
        )

    def _measured(self, n: int, as_of: int) -> tuple[Ints, Ints, Ints, Floats]:
        month = self._first_month + n
        day = first_day(month + 1) - 1
        here = np.flatnonzero((self._signup <= day) & (day < self._end) & (day <= as_of))
        normal = generator(self._seed, "planted.metrics", month).standard_normal((self._count, 4))[here]
        mood, end = self._moods[n][here], self._end[here]
        has_left = (end <= as_of) & (end - day <= BACKDATED_DAYS)
        values = [
            50 + 18 * (mood + 0.3 * normal[:, 0]),
            50 + 18 * normal[:, 1],
            50 - 18 * (mood + 0.8 * normal[:, 2]),
            np.where(has_left, 0.0, 65 + 8 * normal[:, 3]),
        ]
        return (
            np.tile(here, len(METRICS)),
            np.repeat(np.arange(len(METRICS)), len(here)),
            np.full(len(METRICS) * len(here), day),
            np.round(np.clip(np.concatenate(values), 0, 100), 1),
        )

    def _known(self, as_of: int) -> Ints:
        return np.arange(int(np.searchsorted(self._signup, as_of, side="right")))

    def _ids(self, numbers: Ints) -> pd.api.extensions.ExtensionArray:
        return identifiers("PLA-", Counter(numbers + 1, self._width))
