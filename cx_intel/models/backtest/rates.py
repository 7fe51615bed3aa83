"""How often something happened, with bounds that know that an account is observed many times.

Ranks are the subject of `discrimination.py`. Which rates a portfolio gets to see is decided in `tiers.py`.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from cx_intel.models.backtest.discrimination import Z90, Flags, Ints


@dataclass(frozen=True)
class Rate:
    """A share of observations, with its 90 % interval; all three null (NaN) of no observation."""

    observations: int
    events: int
    accounts: int
    event_accounts: int
    share: float
    low: float
    high: float


def rate(happened: Flags, account: Ints) -> Rate:
    """The share of observations in which something happened.

    Bounds: Wilson's, over as many independent observations as would vary as much as these do between accounts; where
    always or never anything happened, over the accounts.
    """
    observations, events = len(happened), int(happened.sum())
    if not observations:
        return Rate(0, 0, 0, 0, np.nan, np.nan, np.nan)
    _, code = np.unique(account, return_inverse=True)
    seen, with_event = np.bincount(code), np.bincount(code, happened)
    accounts, share = len(seen), events / observations
    independent = float(accounts)
    if accounts > 1 and 0 < share < 1:
        residuals = (with_event - share * seen) / observations
        variance = accounts / (accounts - 1) * float((residuals**2).sum())
        independent = min(float(observations), share * (1 - share) / variance) if variance else float(observations)
    low, high = wilson(share, independent)
    return Rate(observations, events, accounts, int((with_event > 0).sum()), share, low, high)


def wilson(share: float, independent: float) -> tuple[float, float]:
    """The 90 % interval of a share of so many independent observations, by Wilson's score."""
    spread = Z90**2 / independent
    middle = (share + spread / 2) / (1 + spread)
    half = sqrt(spread * share * (1 - share) + spread**2 / 4) / (1 + spread)
    return (0.0 if share == 0 else max(0.0, middle - half)), (1.0 if share == 1 else min(1.0, middle + half))
