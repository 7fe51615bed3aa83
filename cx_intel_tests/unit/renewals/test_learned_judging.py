"""How probabilities are judged: figures worked by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from cx_intel.models.renewals.learned.fitting import calibration, logistic
from cx_intel.models.renewals.learned.judging import brier, compare, interval_of_mean, reliability
from cx_intel.models.renewals.learned.observations import blocks_of, split_of, usable

FOUR = pd.Series(["a", "b", "c", "d"])


def test_brier_is_the_mean_squared_difference() -> None:
    assert brier(np.array([0.9, 0.6, 0.3, 0.5]), np.array([1.0, 1, 0, 0])) == pytest.approx(
        (0.01 + 0.16 + 0.09 + 0.25) / 4
    )


def test_a_comparison_tells_both_and_the_gain_within_its_interval() -> None:
    found = compare(np.array([0.5, 0.5, 0.5, 0.5]), np.array([0.9, 0.9, 0.1, 0.5]), np.array([1.0, 1, 0, 0]), FOUR)
    assert (found.brier, found.brier_other) == pytest.approx((0.25, (0.01 + 0.01 + 0.01 + 0.25) / 4))
    assert found.gain == pytest.approx(0.18)
    assert found.gain_low == pytest.approx(0.06)  # d is drawn three times of four
    assert found.gain_low <= found.gain <= found.gain_high == pytest.approx(0.24)


def test_the_renewals_of_an_account_are_drawn_together() -> None:
    values = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
    apart = interval_of_mean(values, pd.Series(list("abcdefgh")))
    together = interval_of_mean(values, pd.Series(list("aaaabbbb")))
    assert together == (0.0, 1.0)
    assert 0 < apart[0] < apart[1] < 1


def test_two_draws_give_the_same_bits() -> None:
    values = np.linspace(0, 1, 50)
    accounts = pd.Series([f"a{n % 20}" for n in range(50)])
    assert interval_of_mean(values, accounts) == interval_of_mean(values, accounts)


def test_reliability_by_tenths_of_what_was_said() -> None:
    said = np.array([0.92, 0.98, 1.0, 0.3, 0.35])
    found = reliability(said, np.array([1.0, 1, 0, 0, 1]), pd.Series(["a", "b", "c", "d", "d"]))
    assert found[["from_pct", "to_pct", "renewals", "accounts"]].to_numpy().tolist() == [
        [30, 40, 2, 1],
        [90, 100, 3, 3],
    ]
    assert found["predicted_pct"].tolist() == pytest.approx([32.5, 96.66666667])
    assert found["renewed_pct"].tolist() == pytest.approx([50, 66.66666667])
    assert (found["renewed_low_pct"] < found["renewed_pct"]).all()
    assert (found["renewed_pct"] < found["renewed_high_pct"]).all()


def test_a_calibration_takes_back_what_was_too_sure() -> None:
    generator = np.random.default_rng(3)
    odds = generator.normal(0, 1.5, 4000)
    happened = (generator.random(4000) < logistic(odds + 0.5)).astype(float)
    assert calibration(2 * odds, happened) == (pytest.approx(0.5, abs=0.1), pytest.approx(0.5, abs=0.05))
    assert calibration(-odds, happened)[1] == 0.0  # never upside down
    assert calibration(odds[:0], happened[:0]) == (0.0, 1.0)


def month_ends(count: int) -> pd.DataFrame:
    days = [day.date() for day in pd.date_range("2023-01-31", periods=count, freq="ME")]
    return pd.DataFrame([{"scored_on": day, "account_id": k, "is_renewed": k == "a"} for day in days for k in "ab"])


def test_the_newest_third_judges_and_only_what_was_known_by_then_teaches() -> None:
    split = split_of(usable(month_ends(12), date(2024, 12, 31)))
    assert sorted(set(split.judged["scored_on"].dt.month)) == [9, 10, 11, 12]
    assert sorted(set(split.taught["scored_on"].dt.month)) == [1, 2, 3, 4, 5, 6]  # 30 June + 90 days is 28 September
    assert split.lost_missing == 19 + 19


def test_an_outcome_after_the_day_is_not_known() -> None:
    assert set(usable(month_ends(3), date(2023, 5, 1))["scored_on"].dt.month) == {1}  # 31 January + 90 days


def test_what_calibrates_is_later_than_what_it_was_fitted_to() -> None:
    pairs = blocks_of(usable(month_ends(12), date(2024, 12, 31)), 3)
    assert [(sorted(set(e["scored_on"].dt.month))[-1], sorted(set(x["scored_on"].dt.month))) for e, x in pairs] == [
        (4, [7, 8]),
        (6, [9, 10]),
        (8, [11, 12]),
    ]


def test_nothing_is_known_without_month_ends() -> None:
    none = usable(month_ends(0).reindex(columns=["scored_on", "account_id", "is_renewed"]), date(2024, 12, 31))
    assert split_of(none).lost_missing == 40
    assert blocks_of(none, 4) == []
