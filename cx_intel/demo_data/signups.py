"""When accounts sign up: a founding book, then a steady stream without end.

Accounts are numbered by signup, so the accounts known on a day are always the first ones and ids never
move. Nothing else about an account is decided here; its satisfaction follows in `trajectories`, its
contracts in `novacrm_lives` and `fleet_lives`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.timeline import Floats, Ints

THREE_YEARS = 1096


@dataclass(frozen=True)
class SignupSchedule:
    """`accounts` sign up by three years after `starts_on`; `founding_share` of them within the founding days.

    `founding_from` and `founding_to` are day numbers. After them one account signs up every `interval`
    days, for ever.
    """

    seed: int
    accounts: int
    starts_on: int
    founding_share: float
    founding_from: int
    founding_to: int

    @property
    def founders(self) -> int:
        return int(self.founding_share * self.accounts)

    @property
    def interval(self) -> float:
        return (self.starts_on + THREE_YEARS - self.founding_to) / (self.accounts - self.founders)

    def days(self, until: int) -> Ints:
        """The signup days up to and including `until`, ascending: entry i is account number i + 1."""
        growing = max(0, int(np.ceil((until + 1 - self.founding_to) / self.interval)))
        numbers = np.arange(self.founders + growing)
        position: Floats = numbers + generator(self.seed, "signups").random(len(numbers))
        founding_step = (self.founding_to - self.founding_from) / max(self.founders, 1)
        days = np.where(
            numbers < self.founders,
            self.founding_from + position * founding_step,
            self.founding_to + (position - self.founders) * self.interval,
        )
        signup = np.floor(days).astype(np.int64)
        return signup[: np.searchsorted(signup, until, side="right")]
