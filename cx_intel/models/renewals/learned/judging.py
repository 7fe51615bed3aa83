"""How good probabilities of renewal were: the Brier score, its interval by account, and the reliability table.

Pure arithmetic on arrays and frames, whoever made the probabilities. Which renewals are judged is decided in
`observations.py`; what follows from the verdict, in the pipeline.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cx_intel.models.backtest.rates import rate

DRAWS, SEED = 1_000, 20_240_601
LEVEL = 0.90
"""Of the intervals."""
BINS = 10


@dataclass(frozen=True)
class Comparison:
    """Two probabilities over the same renewals: their Brier scores, and by how much the second is the better.

    Attributes:
        brier: Of the first.
        brier_other: Of the second.
        gain: brier - brier_other.
        gain_low, gain_high: The interval of the gain (90 %), accounts drawn anew.
    """

    brier: float
    brier_other: float
    gain: float
    gain_low: float
    gain_high: float


def brier(probabilities: np.ndarray, happened: np.ndarray) -> float:
    """The mean squared difference between what was said and what happened: 0 is perfect, and the smaller the better."""
    return float(np.mean((probabilities - happened) ** 2))


def compare(first: np.ndarray, second: np.ndarray, happened: np.ndarray, accounts: pd.Series) -> Comparison:
    """Two probabilities of the same renewals, and whether the second is better by more than chance.

    The interval is that of `interval_of_mean`.
    """
    gains = (first - happened) ** 2 - (second - happened) ** 2
    of_first, of_second = brier(first, happened), brier(second, happened)
    return Comparison(of_first, of_second, of_first - of_second, *interval_of_mean(gains, accounts))


def interval_of_mean(values: np.ndarray, accounts: pd.Series) -> tuple[float, float]:
    """The interval (90 %) of the mean of values that belong to accounts.

    A bootstrap, seeded, in which accounts are drawn with all their renewals: those of one account are alike, and the same
    renewal is seen on several month ends.
    """
    frame = pd.DataFrame({"n": 1.0, "value": values, "account_id": accounts.to_numpy()})
    sums = frame.groupby("account_id", sort=True)[["n", "value"]].sum().to_numpy()
    generator = np.random.default_rng(SEED)
    means = np.empty(DRAWS)
    for draw in range(DRAWS):
        n, value = sums[generator.integers(len(sums), size=len(sums))].sum(axis=0)
        means[draw] = value / n
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def reliability(probabilities: np.ndarray, happened: np.ndarray, accounts: pd.Series) -> pd.DataFrame:
    """What was said against what happened, by tenths of what was said.

    Columns: from_pct, to_pct (0 to 100, the tenth), renewals, accounts, predicted_pct (mean of what was said), renewed_pct,
    renewed_low_pct, renewed_high_pct (the interval of `rate`, which knows accounts). Tenths without any renewal are
    left out.
    """
    place = np.minimum((np.round(probabilities, 9) * BINS).astype(int), BINS - 1)
    frame = pd.DataFrame(
        {"place": place, "said": probabilities, "happened": happened, "account": pd.factorize(accounts)[0]}
    )
    rows = []
    for bin_, group in frame.groupby("place"):
        found = rate(group["happened"].to_numpy() == 1, group["account"].to_numpy())
        rows.append(
            {
                "from_pct": 100 // BINS * int(str(bin_)),
                "to_pct": 100 // BINS * (int(str(bin_)) + 1),
                "renewals": len(group),
                "accounts": found.accounts,
                "predicted_pct": 100 * float(group["said"].mean()),
                "renewed_pct": 100 * found.share,
                "renewed_low_pct": 100 * found.low,
                "renewed_high_pct": 100 * found.high,
            }
        )
    return pd.DataFrame(rows)
