"""Intervals hold what they claim: over 200 planted books a 90 % interval covers the truth in 85 to 95 of 100.

Each book has twenty to sixty accounts that leave; the truth is measured on a book so large that chance has no part.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from cx_intel.models.backtest.discrimination import difference, discrimination
from cx_intel.models.backtest.rates import rate
from cx_intel.models.backtest.results import backtest_results
from cx_intel_tests.helpers.builders import health, portfolio
from cx_intel_tests.helpers.planted_books import Book, Truth, by_ranks, planted_book, true_auc, true_rate
from cx_intel_tests.helpers.planted_world import frames, planted

pytestmark = pytest.mark.slow  # 200 books of each truth

WORLDS = 200
USELESS, WEAK, STRONG, NEARLY_PERFECT = Truth(0, -4.1), Truth(1.0, -4.6), Truth(2.5, -6.2), Truth(4.0, -8.0)
ONE_DAY = Truth(2.0, -3.7, months=1)
HALF_A_YEAR = Truth(1.5, -5.2, window=6)


def books(truth: Truth, accounts: int) -> list[Book]:
    found, seed = [], 1000
    while len(found) < WORLDS:
        book = planted_book(truth, seed=seed, accounts=accounts)
        seed += 1
        if 20 <= len(np.unique(book.account[book.left])) <= 60:
            found.append(book)
    return found


@pytest.mark.parametrize(
    ("truth", "accounts", "auc"),
    [
        (USELESS, 150, 0.50),
        (WEAK, 150, 0.73),
        (STRONG, 150, 0.89),
        (NEARLY_PERFECT, 150, 0.93),
        (ONE_DAY, 200, 0.86),
        (HALF_A_YEAR, 150, 0.78),
    ],
    ids=["useless", "weak", "strong", "nearly perfect", "one day", "half a year"],
)
def test_the_interval_of_an_auc_covers_the_truth(truth: Truth, accounts: int, auc: float) -> None:
    assert true_auc(truth) == pytest.approx(auc, abs=0.01)
    covered = []
    for book in books(truth, accounts):
        found = discrimination(book.score, book.left, book.account, accounts)
        assert found is not None
        low, high = found.interval
        covered.append(low <= true_auc(truth) <= high)
    assert 0.85 <= np.mean(covered) <= 0.95


def test_the_interval_of_a_difference_covers_the_truth() -> None:
    """Two readings of one mood, each with noise of its own: their AUC are the same."""
    covered = []
    for seed, book in enumerate(books(WEAK, 150)):
        noise = np.random.default_rng(seed).normal(0, 15, (2, len(book.score)))
        one, other = (discrimination(book.score + n, book.left, book.account, 150) for n in noise)
        assert one is not None
        assert other is not None
        _, low, high = difference(one, other)
        covered.append(low <= 0 <= high)
    assert 0.85 <= np.mean(covered) <= 0.95


@pytest.mark.parametrize(("lowest", "below"), [(0, 40), (40, 60), (0, 101)])
@pytest.mark.parametrize("truth", [WEAK, HALF_A_YEAR], ids=["weak", "half a year"])
def test_the_bounds_of_a_rate_cover_the_truth(truth: Truth, lowest: float, below: float) -> None:
    expected = true_rate(truth, lowest, below)
    covered = []
    for book in books(truth, 150):
        rows = (lowest <= book.score) & (book.score < below)
        found = rate(book.left[rows], book.account[rows])
        covered.append(found.low <= expected <= found.high)
    assert 0.85 <= np.mean(covered) <= 0.95


def test_the_intervals_of_200_planted_worlds_cover_the_truth() -> None:
    """The worlds of `demo_data`, through the model of the results: strong, useless and misleading figures alike."""
    day, names = date(2024, 6, 30), ("engagement", "newsletter_opens", "contacts")
    of = portfolio(health=health({name: {"kind": "metric", "metric": name} for name in names}))
    _, measured, followed = frames(planted(seed=999, accounts=30_000), day)
    truth = {name: _auc_of(measured[measured["signal"] == name], followed) for name in names}
    assert truth["contacts"] < 0.4 < truth["newsletter_opens"] < 0.6 < truth["engagement"]
    covered: dict[str, list[bool]] = {name: [] for name in names}
    for seed in range(WORLDS):
        found = backtest_results(*frames(planted(seed=seed, accounts=150), day), portfolio=of, as_of=day)
        of_churn = found[(found["slice"] == "all") & (found["outcome"] == "churn")].set_index("predictor")
        assert 20 <= of_churn.loc["health_score", "event_accounts"] <= 70
        for name in names:
            row = of_churn.loc[f"signal:{name}"]
            covered[name].append(row["auc_low"] <= truth[name] <= row["auc_high"])
    assert {name: 0.85 <= np.mean(held) <= 0.95 for name, held in covered.items()} == dict.fromkeys(names, True)


def _auc_of(measured: pd.DataFrame, followed: pd.DataFrame) -> float:
    both = measured.merge(followed, on=["scored_on", "account_id"])
    return by_ranks(both["value"].to_numpy(), both["is_churned"].to_numpy(dtype=bool))
