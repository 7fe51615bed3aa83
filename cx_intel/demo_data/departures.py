"""Who left a synthetic world, when and why: the truth that no table of the world tells.

Each world says what its causes are; the tables from which a program has to guess them are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cx_intel.demo_data.text_columns import Counter, identifiers, picked
from cx_intel.demo_data.timeline import Ints, dates


@dataclass(frozen=True)
class Departures:
    """One row for each time that an account left; `cause` counts in the world's own list."""

    account: Ints
    day: Ints
    cause: Ints

    @classmethod
    def of(cls, rows: Sequence[tuple[Ints, Ints, Ints]]) -> Departures:
        """From columns of accounts, days and causes."""
        account, day, cause = (np.concatenate(column).astype(np.int64) for column in zip(*rows, strict=True))
        order = np.lexsort((account, day))
        return cls(account[order], day[order], cause[order])

    def frame(self, as_of: int, causes: Sequence[str], prefix: str, width: int) -> pd.DataFrame:
        """Grain: an account and the day from which it was no customer; up to `as_of`."""
        known = self.day <= as_of
        return pd.DataFrame(
            {
                "account_id": identifiers(prefix, Counter(self.account[known] + 1, width)),
                "left_on": dates(self.day[known]),
                "cause": picked(causes, self.cause[known]),
            }
        )
