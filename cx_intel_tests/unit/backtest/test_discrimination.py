"""AUC by hand and by brute force; intervals that count accounts, not rows."""

import itertools

import numpy as np
import pytest

from cx_intel.models.backtest.discrimination import difference, discrimination, distinct, ranks
from cx_intel_tests.helpers.planted_books import Truth, by_ranks, planted_book

NAN = float("nan")


def found_of(values: list[float], happened: list[int], account: list[int] | None = None) -> object:
    accounts = np.array(account if account is not None else range(len(values)))
    return discrimination(np.array(values, float), np.array(happened, bool), accounts, int(accounts.max()) + 1)


@pytest.mark.parametrize(
    ("values", "happened", "auc"),
    [
        ([10, 20, 30, 40], [1, 1, 0, 0], 1.0),
        ([10, 20, 30, 40], [0, 0, 1, 1], 0.0),
        ([10, 20, 30, 40], [1, 0, 1, 0], 0.75),  # pairs 10-20, 10-40, 30-40 of 4
        ([10, 10, 10], [1, 0, 0], 0.5),  # ties count half
        ([10, 10, 30], [1, 0, 0], 0.75),
        ([-1.5, 1e9, 0.0], [1, 0, 0], 1.0),  # only the order counts
    ],
)
def test_auc_by_hand(values: list[float], happened: list[int], auc: float) -> None:
    assert found_of(values, happened).auc == auc


def test_auc_equals_all_pairs_and_mean_ranks() -> None:
    book = planted_book(Truth(1.0, -3), seed=3, accounts=40)
    found = discrimination(book.score, book.left, book.account, 40)
    pairs = [
        1.0 if one < other else 0.5 if one == other else 0.0
        for one, other in itertools.product(book.score[book.left], book.score[~book.left])
    ]
    assert found is not None
    assert found.auc == pytest.approx(np.mean(pairs), abs=1e-12)
    assert found.auc == pytest.approx(by_ranks(book.score, book.left), abs=1e-12)


@pytest.mark.parametrize("happened", [[0, 0], [1, 1], []])
def test_without_an_event_or_without_another_there_is_none(happened: list[int]) -> None:
    values = np.arange(len(happened), dtype=float)
    assert discrimination(values, np.array(happened, bool), np.arange(len(happened)), 2) is None


def test_below_the_middle_of_those_that_stayed() -> None:
    # The middle of 10, 20, 30, 40 lies between 20 and 30; of 5, 20, 30 and 50 two are below it.
    assert found_of([5, 20, 30, 50, 10, 20, 30, 40], [1, 1, 1, 1, 0, 0, 0, 0]).below_median_pct == 50
    assert found_of([20, 10, 20, 30], [1, 0, 0, 0]).below_median_pct == 50  # the middle itself counts half


def test_interval_by_hand() -> None:
    """Four accounts with the event, four without, one misplaced: DeLong's parts, on the scale of log odds."""
    found = found_of([1, 2, 3, 6, 4, 5, 7, 8], [1, 1, 1, 1, 0, 0, 0, 0])
    assert found.auc == 14 / 16
    # Each event beats 1, 1, 1, 0.5 of the others; each other 0.75, 0.75, 1, 1 of the events.
    of_events, of_others = np.array([1, 1, 1, 0.5]) - 0.875, np.array([0.75, 0.75, 1, 1]) - 0.875
    assert found.influence.tolist() == [*(of_events / 4), *(of_others / 4)]
    error = np.sqrt(4 / 3 * ((of_events / 4) ** 2).sum() + 4 / 3 * ((of_others / 4) ** 2).sum())
    middle = (14 / 16 * 4 + 0.125) / 4.25
    student = 2.3534  # of three degrees
    bounds = [np.log(middle / (1 - middle)) + s * student * error / (0.875 * 0.125) for s in (-1, 1)]
    assert found.interval == pytest.approx([1 / (1 + np.exp(-b)) for b in bounds], abs=0.01)


def test_perfect_separation_has_the_exact_bound_over_accounts() -> None:
    values, happened = list(range(50)), [1] * 20 + [0] * 30
    assert found_of(values, happened).interval == (pytest.approx(0.05 ** (1 / 20)), 1.0)
    assert found_of([-v for v in values], happened).interval == (0.0, pytest.approx(1 - 0.05 ** (1 / 20)))


def test_a_nearly_perfect_separation_lies_within_its_own_interval() -> None:
    # 25 of 26 below all others, one equal to one of 500: the middle is moved further than the interval is wide.
    found = found_of([*range(25), 30, *range(30, 530)], [1] * 26 + [0] * 500)
    assert found.interval[0] < found.auc == found.interval[1] < 1


def test_one_account_alone_says_nothing() -> None:
    assert found_of([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 2]).interval == (0.0, 1.0)


def test_the_same_account_seen_again_adds_nothing() -> None:
    book = planted_book(Truth(1.0, -3), seed=3, accounts=60)
    once = discrimination(book.score, book.left, book.account, 60)
    thrice = discrimination(np.tile(book.score, 3), np.tile(book.left, 3), np.tile(book.account, 3), 60)
    assert once is not None
    assert thrice is not None
    assert thrice.auc == pytest.approx(once.auc)
    assert thrice.interval == pytest.approx(once.interval)


def test_the_interval_is_that_of_drawing_accounts_anew() -> None:
    accounts = 300
    book = planted_book(Truth(1.2, -4.0, months=4), seed=5, accounts=accounts)
    found = discrimination(book.score, book.left, book.account, accounts)
    assert found is not None
    rng = np.random.default_rng(1)
    of_account = [np.flatnonzero(book.account == a) for a in range(accounts)]
    drawn = []
    for _ in range(400):
        rows = np.concatenate([of_account[a] for a in rng.integers(0, accounts, accounts)])
        drawn.append(by_ranks(book.score[rows], book.left[rows]))
    assert found.interval == pytest.approx(np.quantile(drawn, [0.05, 0.95]), abs=0.015)


def test_the_difference_of_two_counts_what_they_share() -> None:
    book = planted_book(Truth(1.2, -4.0, months=4), seed=5, accounts=300)
    noise = np.random.default_rng(2).standard_normal(len(book.score))
    one = discrimination(book.score, book.left, book.account, 300)
    near = discrimination(book.score + noise, book.left, book.account, 300)
    useless = discrimination(noise, book.left, book.account, 300)
    assert one is not None
    assert near is not None
    assert useless is not None
    assert difference(one, one) == (0, 0, 0)
    gain, low, high = difference(one, near)
    assert gain == one.auc - near.auc
    width = one.interval[1] - one.interval[0]
    assert high - low < width / 3  # both err alike
    gain, low, high = difference(one, useless)
    assert 0 < low < gain < high
    assert high - low > width


@pytest.mark.parametrize("way", [1, -1])
def test_precision_where_a_quarter_of_the_events_is(way: int) -> None:
    # Two of eight events are a quarter: they are the first and the fourth; from the other end the third and the fourth.
    values, happened = [way * v for v in range(12)], [1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    assert found_of(values, happened).worst_precision == 0.5
    assert found_of([0, 0, 0, 0], [1, 0, 0, 0]).worst_precision == 0.25


def test_ranks_are_as_good_as_values_few_or_many() -> None:
    book = planted_book(Truth(1.0, -3), seed=3, accounts=60)
    by_value = discrimination(book.score, book.left, book.account, 60)
    for of in (ranks(book.score), ranks(book.score) * 1000):
        by_rank = discrimination(of, book.left, book.account, 60)
        assert by_value is not None
        assert by_rank is not None
        assert (by_rank.auc, by_rank.interval) == (by_value.auc, by_value.interval)
        assert by_rank.below_median_pct == by_value.below_median_pct
    assert ranks(np.array([2.5, np.nan, 1.0, 2.5])).tolist() == [1, -1, 0, 1]
    assert ranks(np.array([np.nan])).tolist() == [-1]
    assert distinct(np.array([3, 0, 3])) == 2
