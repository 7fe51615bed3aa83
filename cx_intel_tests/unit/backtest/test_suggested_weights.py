"""Weights that past months would choose: pulled to what tells, held by the bounds, withheld below twenty, judged later."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cx_intel.models.backtest.observations import Observations
from cx_intel.models.backtest.weights import Suggestion, rounded, suggested_weights
from cx_intel.settings.health.model import HealthSettings
from cx_intel_tests.helpers.builders import shipped

pytestmark = pytest.mark.slow  # fits of weights

MONTHS = [date(2025, month, 1) + timedelta(days=27) for month in range(1, 13)]


def health(**weights: float) -> HealthSettings:
    """A model whose dimensions have a signal each, of the same name and these weights."""
    shown = shipped("novacrm").health
    assert shown
    measure = {"kind": "event_count", "window_days": 30}
    return HealthSettings.model_validate(
        {
            "version": "one",
            "signals": {name: {"label": name, "measure": measure} for name in weights},
            "dimensions": {
                name: {"weight": weight, "signals": {name: {"weight": 1, "curve": {"linear": {"zero": 0, "full": 1}}}}}
                for name, weight in weights.items()
            },
            "tiers": shown.tiers.model_dump(),
        }
    )


def suggested(
    accounts: int,
    leavers: int,
    signals: dict[str, Any],
    settings: HealthSettings,
    within: float = 0.5,
    held: tuple[str, ...] = (),
) -> Suggestion:
    """Of accounts that are scored each month; the first `leavers` of them leave in a month of their own.

    Args:
        accounts: How many.
        leavers: How many of them leave.
        signals: Name: the score of a signal by whether the account is about to leave.
        settings: The model.
        within: The bounds.
        held: Signals that keep their share.
    """
    scores, measured, followed = [], [], []
    for month, day in enumerate(MONTHS):
        for n in range(accounts):
            leaves_in = n % len(MONTHS) if n < leavers else 99
            if month > leaves_in:
                continue
            account, left = f"A{n:03}", month == leaves_in
            scores.append({"scored_on": day, "account_id": account, "model_version": "one"})
            measured += [
                {"scored_on": day, "account_id": account, "signal": name, "signal_score": make(left)}
                for name, make in signals.items()
            ]
            followed.append({"scored_on": day, "account_id": account, "window_days": 30, "is_churned": left})
    figures = {"health_score": 50.0, "health_tier": "good", "tenure_days": 1, "current_arr": 1, "usage_events_30d": 1}
    observed = Observations(pd.DataFrame(scores).assign(**figures))
    outcomes = pd.DataFrame(followed).assign(is_contracted=None, is_not_renewed=None)
    churn = next(f for f in observed.followed(outcomes) if f.outcome == "churn")
    return suggested_weights(observed, churn, observed.predictors(pd.DataFrame(measured)), settings, within, held)


def noise(seed: int) -> Any:
    generator = np.random.default_rng(seed)
    return lambda left: float(generator.integers(0, 101))


def tells(seed: int) -> Any:
    generator = np.random.default_rng(seed)
    return lambda left: float(generator.integers(0, 61) if left else generator.integers(40, 101))


def test_a_signal_that_tells_goes_to_its_upper_bound() -> None:
    found = suggested(100, 96, {"strong": tells(1), "useless": noise(2)}, health(strong=0.5, useless=0.5))
    strong, useless = found.weights
    assert (strong.today, strong.least, strong.most) == (0.5, 0.25, 0.75)
    assert (strong.suggested, useless.suggested) == (pytest.approx(0.75), pytest.approx(0.25))
    assert strong.low > 0.6
    assert found.held_out
    assert found.held_out.is_better
    assert found.held_out.first == MONTHS[8]  # the last third


def test_two_that_tell_alike_stay_and_the_difference_may_be_chance() -> None:
    found = suggested(60, 36, {"one": tells(3), "other": tells(4)}, health(one=0.5, other=0.5))
    assert found.weights[0].low < 0.5 < found.weights[0].high
    assert found.held_out
    assert not found.held_out.is_better


@pytest.mark.parametrize(("leavers", "missing"), [(19, 1), (20, 0)])
def test_below_twenty_accounts_there_is_none(leavers: int, missing: int) -> None:
    found = suggested(40, leavers, {"strong": tells(1), "useless": noise(2)}, health(strong=0.5, useless=0.5))
    assert (found.event_accounts, found.missing, bool(found.weights)) == (leavers, missing, not missing)


def test_weights_sum_to_one_within_their_bounds() -> None:
    signals = {"a": tells(1), "b": noise(2), "c": tells(3), "d": noise(4)}
    found = suggested(60, 30, signals, health(a=0.1, b=0.4, c=0.2, d=0.3), within=0.3)
    assert sum(w.suggested for w in found.weights) == pytest.approx(1)
    assert all(w.least - 1e-9 <= w.suggested <= w.most + 1e-9 for w in found.weights)
    assert found.weights[0].suggested > 0.1 > 0.1 * 0.7
    assert sum(outer for outer, _ in found.by_dimension().values()) == pytest.approx(1, abs=1e-12)


def test_a_signal_that_may_know_the_outcome_keeps_its_share() -> None:
    signals = {"knows": lambda left: 0.0 if left else 100.0, "strong": tells(1), "useless": noise(2)}
    found = suggested(40, 30, signals, health(knows=0.2, strong=0.4, useless=0.4), held=("knows",))
    assert found.weights[0].suggested == pytest.approx(0.2)
    assert found.weights[0].least == found.weights[0].most


def test_a_signal_that_is_never_measured_counts_as_the_others_do() -> None:
    """Whatever its weight, it is the mean of the rest: nothing tells for or against it, so that it stays at today's."""
    found = suggested(60, 30, {"strong": tells(1)}, health(strong=0.5, absent=0.5))
    assert [w.suggested for w in found.weights] == [pytest.approx(0.5), pytest.approx(0.5)]


def test_two_runs_give_the_same() -> None:
    given: Any = (40, 24)
    one, other = (suggested(*given, {"a": tells(1), "b": noise(2)}, health(a=0.5, b=0.5)).as_json() for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, {"a": 0.334, "b": 0.333, "c": 0.333}),
        ({"a": 0.0001, "b": 0.9999}, {"a": 0.001, "b": 0.999}),
        ({"a": 0.2, "b": 0.1}, {"a": 0.667, "b": 0.333}),
    ],
    ids=["largest remainder, then by name", "none becomes 0", "of a part"],
)
def test_rounded_weights_sum_to_one(weights: dict[str, float], expected: dict[str, float]) -> None:
    assert rounded(weights) == expected
