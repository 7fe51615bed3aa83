"""The planted world keeps its promises, and the back-test finds in it what was put in."""

from datetime import date

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from cx_intel.models.backtest.results import backtest_results
from cx_intel.models.backtest.tiers import backtest_errors, backtest_tiers
from cx_intel_tests.helpers.builders import health, portfolio
from cx_intel_tests.helpers.planted_world import STARTS_ON, frames, planted
from cx_intel_tests.helpers.small_worlds import small

DAY = date(2024, 12, 31)
METRICS = ("engagement", "newsletter_opens", "contacts", "csm_rating")
OF = portfolio(health=health({m: {"kind": "metric", "metric": m} for m in METRICS}), rollups=["segment"])


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    scores, signals, outcomes = frames(planted(), DAY)
    made = backtest_results(scores, signals, outcomes, portfolio=OF, as_of=DAY)
    return made.set_index(["outcome", "window_days", "slice", "slice_value", "predictor"]).loc[
        ("churn", 90, "all", "all")
    ]


@pytest.mark.parametrize(
    ("predictor", "low", "high", "direction", "verdict"),
    [
        ("health_score", 0.65, 0.9, "as_its_curve", "uses_a_leaking_signal"),
        ("signal:engagement", 0.65, 0.9, "as_its_curve", "predicts"),
        ("signal:newsletter_opens", 0.4, 0.6, "unclear", "no_better_than_chance"),
        ("signal:contacts", 0.1, 0.45, "against_its_curve", "runs_backwards"),
        ("signal:csm_rating", 0.99, 1.0, "as_its_curve", "may_know_the_outcome"),
        ("baseline:tenure_and_arr", 0.4, 0.6, "unclear", "no_better_than_chance"),
    ],
)
def test_the_back_test_finds_what_was_put_in(
    found: pd.DataFrame, predictor: str, low: float, high: float, direction: str, verdict: str
) -> None:
    row = found.loc[predictor]
    assert low <= row["auc"] <= high
    assert (row["direction"], row["verdict"]) == (direction, verdict)
    assert row["event_accounts"] > 20


def test_worse_tiers_leave_more_often_and_both_errors_are_told() -> None:
    scores, _, outcomes = frames(planted(), DAY)
    tiers = backtest_tiers(scores, outcomes, portfolio=OF, as_of=DAY)
    rates = tiers[(tiers["slice"] == "all") & (tiers["outcome"] == "churn")].set_index("health_tier")["event_rate_pct"]
    assert rates["good"] < rates["fair"] < rates["poor"]
    errors = backtest_errors(scores, outcomes, portfolio=OF, as_of=DAY)
    of_all = errors[(errors["slice"] == "all") & (errors["outcome"] == "churn")].set_index("error")
    assert of_all.loc["healthy_with_outcome", "error_rate_pct"] == pytest.approx(rates["good"])


def test_who_leaves_for_nothing_visible_is_found_by_no_honest_signal() -> None:
    scores, signals, outcomes = frames(planted(accounts=3000), DAY)
    discontent = outcomes["cause"] == "discontent"
    invisible = outcomes[~discontent | ~outcomes["is_churned"]]
    made = backtest_results(scores, signals, invisible, portfolio=OF, as_of=DAY)
    of_all = made[(made["slice"] == "all") & (made["outcome"] == "churn")].set_index("predictor")
    assert of_all.loc["health_score", "auc"] == pytest.approx(0.5, abs=0.06)
    assert of_all.loc["signal:contacts", "auc"] == pytest.approx(0.5, abs=0.06)
    assert of_all.loc["health_score", "event_accounts"] > 100


@pytest.mark.parametrize("name", ["accounts", "subscriptions", "metrics"])
def test_the_past_stays_but_for_ends_and_the_rating_that_is_entered_anew(name: str) -> None:
    then_day = date(2024, 3, 15)
    then, now = planted().table(name, then_day), planted().table(name, DAY)
    assert_frame_equal(then, planted().table(name, then_day))
    kept = [c for c in then.columns if c not in ("status", "end_date", "value")]
    assert_frame_equal(now.head(len(then))[kept], then[kept])
    if name == "metrics":
        changed = now.head(len(then))["value"] != then["value"]
        assert changed.any()
        assert set(then.loc[changed, "metric"]) == {"csm_rating"}
        assert set(now.head(len(then)).loc[changed, "value"]) == {0}
        assert (now["measured_on"] <= pd.Timestamp(DAY)).all()


def test_a_rating_of_0_is_of_an_account_that_has_left_within_90_days() -> None:
    world = planted()
    metrics = world.table("metrics", DAY).query("metric == 'csm_rating'")
    ends = metrics.merge(world.departures(DAY), how="left", on="account_id")
    days = (ends["left_on"] - ends["measured_on"]).dt.days
    assert ((ends["value"] == 0) == (days <= 90)).all()


def test_before_it_begins_the_world_is_empty_and_has_no_events() -> None:
    assert planted().event_tables == ()
    for name in planted().tables:
        assert planted().table(name, date(2021, 1, 1)).empty
    with pytest.raises(KeyError, match="no event table 'usage_events' here"):
        planted().day("usage_events", STARTS_ON)


@pytest.mark.parametrize(
    ("world", "causes"),
    [
        ("novacrm", {"discontent", "unpaid invoice"}),
        ("fleet", {"not renewed", "insolvency or takeover"}),
        ("planted", {"discontent", "nothing visible"}),
    ],
)
def test_each_world_tells_who_left_and_why(world: str, causes: set[str]) -> None:
    day = date(2026, 6, 30)
    built = small(world, accounts=150)
    left, accounts = built.departures(day), built.table("accounts", day)
    assert set(left["cause"]) == causes
    assert (left["left_on"] <= pd.Timestamp(day)).all()
    lasting = left.drop_duplicates("account_id", keep="last")
    gone = accounts[accounts["status"] == "churned"]["account_id"]
    ends = built.table("subscriptions", day).groupby("account_id")["end_date"].agg(lambda e: e.max(skipna=False))
    of_lasting = lasting[lasting["account_id"].isin(gone)].set_index("account_id")["left_on"]
    assert len(of_lasting) > 10
    assert (ends.reindex(of_lasting.index) == of_lasting).all()
