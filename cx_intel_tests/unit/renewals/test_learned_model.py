"""The learnt probability on worlds whose truth is known: used where it is better, and withheld where there is too little."""

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest

from cx_intel.contracts.renewals import learned as contracts
from cx_intel.models.renewals.learned import terms as of_terms
from cx_intel.models.renewals.learned import verdict as of_verdict
from cx_intel.models.renewals.learned.fitting import logistic
from cx_intel.models.renewals.learned.terms import fitted_of, probabilities
from cx_intel.models.renewals.learned.verdict import renewal_model_reliability
from cx_intel_tests.helpers.builders import rows as rows_of
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.past_renewals import KNOWN_ON, past_renewals, truth
from cx_intel_tests.helpers.renewal_tables import broken

pytestmark = pytest.mark.slow  # fits of models

FLEET = shipped("fleet")
WORLD = past_renewals(lambda renews: np.full(len(renews), 0.92))


def terms_on(rows: pd.DataFrame, *days: date) -> pd.DataFrame:
    """What is fitted on one day after the other."""
    table = rows_of(contracts.renewal_model_terms(FLEET), [])
    for day in days:
        table = of_terms.renewal_model_terms(rows, portfolio=FLEET, as_of=day, previous=table)
    return table.execute()


@cache
def terms_of_world() -> pd.DataFrame:
    return terms_on(WORLD, KNOWN_ON)


def verdict_on(rows: pd.DataFrame, terms: pd.DataFrame | None = None, as_of: date = KNOWN_ON) -> pd.Series:
    none = rows_of(contracts.renewal_model(FLEET), [])
    table = of_verdict.renewal_model(
        rows, terms_of_world() if terms is None else terms, portfolio=FLEET, as_of=as_of, previous=none
    )
    assert broken(table, contracts.renewal_model(FLEET)) in ([], ["no_drift"])
    return table.execute().iloc[0]


def test_it_beats_a_map_that_is_wrong() -> None:
    found = verdict_on(WORLD)
    assert found["verdict"] == "better"
    assert 0 < found["brier_gain_low"] < found["brier_gain"] < found["brier_gain_high"]
    assert found["brier_learned"] < found["brier_base_rate"]
    assert found["taught_last_month"].date() == date(
        2022, 8, 31
    )  # 90 days later known on the first month end that judges
    assert (found["judged_first_month"].date(), found["judged_last_month"].date()) == (
        date(2022, 11, 30),
        date(2023, 9, 30),
    )


def test_it_does_not_beat_a_map_that_is_right() -> None:
    found = verdict_on(WORLD.assign(map_probability=truth(WORLD["health_score"], WORLD["segment"] == "Enterprise")))
    assert found["verdict"] == "not_better"
    assert found["brier_gain_low"] <= 0
    assert found["brier_learned"] == pytest.approx(found["brier_map"], abs=0.01)


def test_it_finds_what_was_planted() -> None:
    rows = pd.DataFrame(
        {"segment": ["Enterprise", "SMB", "Enterprise", "SMB"], "health_score": [90.0, 90.0, 40.0, 40.0], "arr": 9.0}
    ).assign(tenure=1.0, usage=np.nan)
    model = fitted_of(terms_of_world(), contracts.IN_USE)
    assert model is not None
    assert probabilities(model, rows) == pytest.approx(
        truth(rows["health_score"].to_numpy(), rows["segment"].to_numpy() == "Enterprise"), abs=0.1
    )
    assert "usage" not in model.weights  # nobody has any
    assert abs(model.weights["arr"]) < abs(model.weights["health_score"]) / 4


def test_an_unknown_segment_and_a_missing_score_are_average_and_an_extreme_one_is_held() -> None:
    rows = pd.DataFrame(
        {"segment": ["new", "SMB"], "health_score": [np.nan, -1000.0], "arr": np.nan, "tenure": np.nan, "usage": np.nan}
    )
    model = fitted_of(terms_of_world(), contracts.IN_USE)
    assert model is not None
    far_off = model.intercept + model.segments["SMB"] - 2.5 * model.weights["health_score"]  # beyond, it counts as that
    assert probabilities(model, rows) == pytest.approx(logistic(np.array([model.intercept, far_off])), abs=1e-4)
    assert probabilities(replace(model, intercept=50.0), rows).tolist() == [0.99, 0.99]


def test_it_says_as_much_as_comes_true() -> None:
    table = renewal_model_reliability(WORLD, terms_of_world(), portfolio=FLEET, as_of=KNOWN_ON)
    learned = table[(table["predictor"] == "learned") & (table["accounts"] >= 20)]
    within = (learned["renewed_low_pct"] - 3 <= learned["predicted_pct"]) & (
        learned["predicted_pct"] <= learned["renewed_high_pct"] + 3
    )
    assert len(learned) >= 4
    assert within.mean() >= 0.7
    model = fitted_of(terms_of_world(), contracts.JUDGED)
    judged = WORLD[pd.to_datetime(WORLD["scored_on"]) >= pd.Timestamp(2022, 11, 30)]
    assert model is not None
    assert probabilities(model, judged).mean() == pytest.approx(
        truth(judged["health_score"], judged["segment"] == "Enterprise").mean(), abs=0.03
    )
    by_map = table[table["predictor"] == "map"]
    assert by_map["predicted_pct"].tolist() == pytest.approx([92])
    assert by_map["renewed_high_pct"].item() < 92


def test_below_twenty_losses_nothing_is_learnt_and_it_says_how_many_are_missing() -> None:
    rows = past_renewals(lambda renews: renews, accounts=40)
    terms = terms_on(rows, KNOWN_ON)
    found = verdict_on(rows, terms)
    assert terms.empty
    assert (found["verdict"], found["withheld_because"]) == ("withheld", "too_few_lost")
    assert found["lost_accounts_missing"] == (20 - found["taught_lost_accounts"]) * (
        found["taught_lost_accounts"] < 20
    ) + (20 - found["judged_lost_accounts"])
    assert renewal_model_reliability(rows, terms, portfolio=FLEET, as_of=KNOWN_ON).empty
    assert pd.isna(found["brier_learned"])
    assert found["model_version"] is None


def test_what_is_known_later_changes_nothing() -> None:
    day = date(2023, 6, 30)
    known = pd.to_datetime(WORLD["scored_on"]) + pd.Timedelta(days=90) <= pd.Timestamp(day)
    turned = WORLD.assign(is_renewed=WORLD["is_renewed"] ^ ~known)
    one, other = (terms_on(rows, day) for rows in (WORLD[known], turned))
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_series_equal(verdict_on(WORLD[known], one, day), verdict_on(turned, other, day))


@pytest.mark.slow
def test_the_order_of_rows_changes_nothing() -> None:
    mixed = WORLD.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(terms_of_world(), terms_on(mixed, KNOWN_ON))


def test_without_scikit_learn_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (of_terms, of_verdict):
        monkeypatch.setattr(module, "is_installed", lambda: False)
    terms = terms_on(WORLD, KNOWN_ON)
    found = verdict_on(WORLD, terms)
    assert terms.empty
    assert (found["verdict"], found["withheld_because"]) == ("withheld", "not_installed")


@pytest.mark.slow
@pytest.mark.parametrize(("later", "is_drifting"), [("as before", False), ("upside down", True)])
def test_drift_is_told_from_outcomes_since_an_earlier_model(later: str, is_drifting: bool) -> None:
    day = date(2022, 12, 31)
    rows = WORLD
    if later == "upside down":
        is_after = pd.to_datetime(WORLD["scored_on"]) >= pd.Timestamp(day)
        rows = WORLD.assign(is_renewed=WORLD["is_renewed"] ^ is_after)
    terms = terms_on(rows, day, KNOWN_ON)
    found = verdict_on(rows, terms)
    assert (found["live_since"].date(), found["is_drifting"]) == (day, is_drifting)
    assert (found["brier_live"] > found["brier_then"] + 0.05) == is_drifting
