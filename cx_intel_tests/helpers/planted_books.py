"""Frames of the back-test made by hand, and books whose truth is planted: how strongly a hidden mood drives who leaves.

`planted_book` draws one; `true_auc` measures the truth on a book so large that chance has no part. Frames of real models
come from the warehouse.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

MONTH_ENDS = [date(2023, 1, 31) + timedelta(days=round(30.4375 * n)) for n in range(48)]
HEALTHY = {"good": True, "fair": False, "poor": False, "unknown": None}

Row = Mapping[str, Any]


def scores(rows: Iterable[Row]) -> pd.DataFrame:
    """Replayed scores: of account a on 31 January 2024, fair, 50 points, without usage."""
    ordinary = {
        "scored_on": date(2024, 1, 31),
        "account_id": "a",
        "health_score": 50.0,
        "health_tier": "fair",
        "tenure_days": 100,
        "current_arr": 1200.0,
        "usage_events_30d": None,
        "segment": "SMB",
        "attributes_known_from": date(2024, 1, 31),
    }
    filled = [ordinary | dict(row) for row in rows]
    return pd.DataFrame([{**row, "is_healthy": HEALTHY[row["health_tier"]]} for row in filled])


def signals(rows: Iterable[Row] = ()) -> pd.DataFrame:
    """Replayed signals: none, or scored 50 on 31 January 2024."""
    filled = [{"scored_on": date(2024, 1, 31), "signal_score": 50.0} | dict(row) for row in rows]
    return pd.DataFrame(filled, columns=["scored_on", "account_id", "signal", "value", "signal_score"])


def outcomes(rows: Iterable[Row]) -> pd.DataFrame:
    """What followed within 90 days of 31 January 2024: nothing, and no renewal fell due."""
    ordinary = {"scored_on": date(2024, 1, 31), "window_days": 90, "is_churned": False, "is_contracted": False}
    filled = [ordinary | {"is_not_renewed": None} | dict(row) for row in rows]
    return pd.DataFrame(filled).astype({"is_churned": object, "is_contracted": object, "is_not_renewed": object})


@dataclass(frozen=True)
class Book:
    """A planted book: its score, by account and month, and whether the account left within the window."""

    score: np.ndarray
    left: np.ndarray
    account: np.ndarray
    month: np.ndarray
    accounts: int


@dataclass(frozen=True)
class Truth:
    """How a book comes about: a lasting mood and a passing one, and the odds of leaving that follow from both."""

    strength: float
    """Of the mood on the odds of leaving, per standard deviation; 0: it has none."""
    odds: float
    """Log odds of leaving in a month with an ordinary mood."""
    lasting: float = 0.6
    """Share of the mood's variance that stays with an account."""
    months: int = 12
    window: int = 3


def planted_book(truth: Truth, *, seed: int, accounts: int) -> Book:
    """A book of `accounts` over the months; who has left is scored no more."""
    rng = np.random.default_rng(seed)
    level, passing = rng.standard_normal(accounts), rng.standard_normal(accounts)
    until = truth.months + truth.window
    score, left_in = np.full((until, accounts), np.nan), np.full(accounts, 10**6)
    for month in range(until):
        passing = 0.7 * passing + np.sqrt(0.51) * rng.standard_normal(accounts)
        mood = np.sqrt(truth.lasting) * level + np.sqrt(1 - truth.lasting) * passing
        here = left_in > month
        score[month, here] = np.round(np.clip(50 + 18 * mood[here], 0, 100), 1)
        leaves = here & (rng.random(accounts) < 1 / (1 + np.exp(truth.strength * mood - truth.odds)))
        left_in[leaves] = month
    month, account = np.nonzero(~np.isnan(score[: truth.months]))
    return Book(score[month, account], left_in[account] < month + truth.window, account, month, accounts)


@cache
def true_auc(truth: Truth) -> float:
    """The AUC of so large a book that chance moves it by less than a thousandth."""
    book = planted_book(truth, seed=7, accounts=150_000)
    return by_ranks(book.score, book.left)


def true_rate(truth: Truth, lowest: float, below: float) -> float:
    """The share of observations with such a score that left, likewise."""
    book = planted_book(truth, seed=7, accounts=150_000)
    return float(book.left[(lowest <= book.score) & (book.score < below)].mean())


def by_ranks(score: np.ndarray, left: np.ndarray) -> float:
    """AUC by mean ranks (Mann and Whitney), another way than the product's."""
    ranks = pd.Series(score).rank().to_numpy()
    events, others = int(left.sum()), int((~left).sum())
    return float(1 - (ranks[left].sum() - events * (events + 1) / 2) / (events * others))
