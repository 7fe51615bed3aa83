"""The back-test on public files and on the planted world, against computations that share nothing with the product.

The NovaCRM files have dates of churn: scores, what followed and the figures equal the SQL reference. NOVACRM_DATA names
their folder. In the planted world it is known what has to be found.
"""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from cx_intel_tests.helpers.planted_books import by_ranks
from cx_intel_tests.helpers.planted_world import STARTS_ON, frames, planted
from cx_intel_tests.helpers.refreshed_examples import Frames, Refreshed, folder_of
from cx_intel_tests.reference import backtest

pytestmark = pytest.mark.slow

NOVACRM_DAY, PLANTED_DAY = date(2025, 1, 31), date(2024, 12, 31)
KEYS = ["scored_on", "account_id"]
OVERALL = ["outcome", "window_days", "slice", "slice_value"]


@pytest.fixture(scope="module")
def novacrm(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    folder_of("NOVACRM_DATA")
    folder = tmp_path_factory.mktemp("novacrm")
    begun = {"earliest": "2023-02-01"}  # the first month end with usage over the 30 days before it is February's
    basis = {"basis": "subscriptions"}
    refreshed = Refreshed("novacrm_csv", NOVACRM_DAY, folder, looks_back=True, revenue=basis, as_of=begun)
    assert refreshed.outcome.succeeded
    return refreshed.tables


@pytest.fixture(scope="module")
def reference(novacrm: Frames) -> pd.DataFrame:
    days = sorted(set(pd.to_datetime(novacrm["backtest_scores"]["scored_on"]).dt.date))
    assert (days[0], days[-1], len(days)) == (date(2023, 2, 28), NOVACRM_DAY, 24)
    return backtest.scores(folder_of("NOVACRM_DATA"), days, loaded_on=NOVACRM_DAY)


def keyed(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    found = frame.assign(scored_on=pd.to_datetime(frame["scored_on"]).astype("datetime64[us]"))
    return found.set_index(KEYS)[list(columns)].sort_index()


def test_every_past_score_equals_the_reference(novacrm: Frames, reference: pd.DataFrame) -> None:
    found, expected = (keyed(f, "health_score", "health_tier") for f in (novacrm["backtest_scores"], reference))
    expected = expected.assign(health_score=expected["health_score"].astype(float))
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("window", [30, 60, 90, 180])
def test_what_followed_and_every_figure_of_it_equal_plain_sql(
    novacrm: Frames, reference: pd.DataFrame, window: int
) -> None:
    expected = backtest.outcomes(folder_of("NOVACRM_DATA"), reference, window=window, until=NOVACRM_DAY)
    followed = novacrm["backtest_outcomes"].query("window_days == @window")
    pd.testing.assert_series_equal(
        keyed(followed, "is_churned")["is_churned"].astype(bool),
        keyed(expected, "is_churned")["is_churned"].astype(bool),
    )
    results = novacrm["backtest_results"].set_index([*OVERALL, "predictor"]).sort_index()
    row = results.loc[("churn", window, "all", "all", "health_score")]
    left = expected["is_churned"]
    assert row["auc"] == pytest.approx(backtest.auc(expected, "is_churned"), abs=1e-12)
    assert row[["observations", "events"]].tolist() == [len(expected), left.sum()]
    assert row["event_accounts"] == expected[left]["account_id"].nunique() >= 20
    tiers = (
        novacrm["backtest_tiers"].set_index([*OVERALL, "health_tier"]).sort_index().loc[("churn", window, "all", "all")]
    )
    pd.testing.assert_series_equal(
        tiers["event_rate_pct"].sort_index(),
        100 * expected.groupby("health_tier")["is_churned"].mean(),
        check_names=False,
    )


def test_the_planted_world_is_found_through_the_whole_program(tmp_path: Path) -> None:
    refreshed = Refreshed("planted", PLANTED_DAY, tmp_path, looks_back=True)
    assert refreshed.outcome.succeeded
    found = (
        refreshed.tables["backtest_results"]
        .set_index([*OVERALL, "predictor"])
        .sort_index()
        .loc[("churn", 90, "all", "all")]
    )
    assert found["verdict"].to_dict() == {
        "health_score": "uses_a_leaking_signal",
        "baseline:tenure_and_arr": "no_better_than_chance",
        "signal:engagement": "predicts",
        "signal:newsletter_opens": "no_better_than_chance",
        "signal:contacts": "runs_backwards",
        "signal:csm_rating": "may_know_the_outcome",
    }
    _, measured, followed = frames(planted(seed=1, accounts=300), PLANTED_DAY)
    for name in ("engagement", "newsletter_opens", "contacts", "csm_rating"):
        both = measured[measured["signal"] == name].merge(followed, on=KEYS)
        expected = by_ranks(both["value"].to_numpy(), both["is_churned"].to_numpy(dtype=bool))
        assert found.loc[f"signal:{name}", "auc"] == pytest.approx(expected, abs=1e-12)
        assert found.loc[f"signal:{name}", "observations"] == len(both)
    assert min(pd.to_datetime(refreshed.tables["backtest_scores"]["scored_on"]).dt.date) == STARTS_ON.replace(day=31)
