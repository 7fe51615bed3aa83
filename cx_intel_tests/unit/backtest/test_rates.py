"""Rates and their bounds: Wilson's by hand, and accounts that count once however often they are seen."""

import numpy as np
import pytest

from cx_intel.models.backtest.rates import rate


def test_one_observation_of_each_account_is_wilsons_interval() -> None:
    # 4 of 20: Wilson's 90 % interval is 0.0925..0.3797 (z 1.645); the variance between accounts is that of a
    # binomial times 20/19, so 19 observations count.
    found = rate(np.array([1] * 4 + [0] * 16, bool), np.arange(20))
    assert (found.observations, found.events, found.accounts, found.event_accounts) == (20, 4, 20, 4)
    assert found.share == 0.2
    z, n = 1.6448536, 19
    middle = (0.2 + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(0.2 * 0.8 / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half), abs=1e-6)


def test_an_account_seen_often_counts_once() -> None:
    happened, account = np.array([1] * 4 + [0] * 16, bool), np.arange(20)
    once, often = rate(happened, account), rate(np.tile(happened, 6), np.tile(account, 6))
    assert (often.share, often.low, often.high) == pytest.approx((once.share, once.low, once.high))
    assert (often.observations, often.events, often.accounts, often.event_accounts) == (120, 24, 20, 4)


def test_never_and_always_have_bounds_over_accounts() -> None:
    spread = 1.6448536**2 / 5
    never = rate(np.zeros(10, bool), np.arange(10) % 5)
    assert (never.share, never.low, never.high) == (0, 0, pytest.approx(spread / (1 + spread)))
    always = rate(np.ones(10, bool), np.arange(10) % 5)
    assert (always.share, always.low, always.high) == (1, pytest.approx(1 / (1 + spread)), 1)


def test_nothing_seen_has_no_rate() -> None:
    found = rate(np.zeros(0, bool), np.zeros(0, np.int64))
    assert found.observations == 0
    assert np.isnan([found.share, found.low, found.high]).all()


def test_a_single_account_is_one_observation() -> None:
    spread = 1.6448536**2
    found = rate(np.array([1, 0], bool), np.zeros(2, np.int64))
    half = np.sqrt(spread / 4 + spread**2 / 4) / (1 + spread)
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))
