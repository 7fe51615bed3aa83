"""The back-test's results on frames made by hand: counts and AUC worked out, every verdict and direction reached once."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cx_intel.contracts.backtest.results import VERDICTS
from cx_intel.contracts.backtest.results import backtest_results as contract
from cx_intel.models.backtest.results import backtest_results
from cx_intel.models.backtest.verdicts import of_ten
from cx_intel_tests.helpers.builders import AS_OF, health, portfolio, rows
from cx_intel_tests.helpers.planted_books import MONTH_ENDS, outcomes, scores, signals
from cx_intel_tests.helpers.renewal_tables import broken

OF = portfolio(health=health({"logins": {"kind": "metric", "metric": "logins"}}), rollups=["segment"])
WARNINGS = ("no_suspicious_predictor", "score_not_backwards")


def results_of(scored: pd.DataFrame, followed: pd.DataFrame, measured: pd.DataFrame | None = None) -> pd.DataFrame:
    measured = signals() if measured is None else measured
    found = backtest_results(scored, measured, followed, portfolio=OF, as_of=AS_OF)
    table = rows(contract(OF), found.astype(object).where(found.notna(), None).to_dict("records"))
    assert {name for name in broken(table, contract(OF)) if name not in WARNINGS} == set()
    return found.set_index(["outcome", "window_days", "slice", "slice_value", "predictor"])


def of_all(found: pd.DataFrame, predictor: str = "health_score", outcome: str = "churn") -> pd.Series:
    return found.loc[(outcome, 90, "all", "all", predictor)]


def book(score: list[float], left: list[bool], **columns: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One day of accounts a0, a1, ... of equal tenure and ARR."""
    ids = [f"a{n:03}" for n in range(len(score))]
    more = [{name: values[n] for name, values in columns.items()} for n in range(len(score))]
    scored = scores({"account_id": i, "health_score": s, **m} for i, s, m in zip(ids, score, more, strict=True))
    return scored, outcomes({"account_id": i, "is_churned": gone} for i, gone in zip(ids, left, strict=True))


def test_counts_and_auc_by_hand() -> None:
    scored = scores(
        [
            {"account_id": "a", "health_score": 10.0},
            {"account_id": "a", "scored_on": date(2024, 2, 29), "health_score": 30.0},
            {"account_id": "b", "health_score": 20.0, "segment": None},
            {"account_id": "c", "health_score": 40.0, "attributes_known_from": date(2024, 3, 1)},
            {"account_id": "u", "health_score": 25.0, "health_tier": "unknown"},  # shown, so judged
            {"account_id": "n", "health_score": None, "health_tier": "unknown"},
        ]
    )
    followed = outcomes(
        [
            {"account_id": "a", "is_churned": True},
            {"account_id": "a", "scored_on": date(2024, 2, 29), "is_churned": True},
            {"account_id": "b"},
            {"account_id": "c"},
            {"account_id": "u"},
            {"account_id": "n"},
            {"account_id": "never scored", "is_churned": True},
            {"account_id": "a", "scored_on": date(2020, 1, 31), "is_churned": True},
        ]
    )
    found = of_all(results_of(scored, followed))
    assert found[["observations", "accounts", "events", "event_accounts", "unknown_tiers", "known_later"]].tolist() == [
        5,
        4,
        2,
        1,
        1,
        1,
    ]
    assert found["auc"] == pytest.approx(4 / 6)  # 10 is below 20, 25 and 40, 30 below 40 only
    assert found["events_missing"] == 19
    assert found["finding"] == "No verdict: 1 account left within 90 days, 19 more are needed."
    assert found["direction"] == "unclear"
    by_segment = results_of(scored, followed).loc[("churn", 90, "segment", "SMB", "health_score"), "finding"]
    assert by_segment == found["finding"] + " Its segment is as a later load first showed it."


def test_each_outcome_window_and_slice_has_its_rows() -> None:
    scored = scores([{"account_id": "a"}, {"account_id": "b", "segment": None, "scored_on": date(2023, 12, 31)}])
    followed = outcomes(
        [
            {"account_id": "a", "is_contracted": True},
            {"account_id": "a", "window_days": 180, "is_not_renewed": True},
            {"account_id": "b", "scored_on": date(2023, 12, 31), "is_contracted": None},
        ]
    )
    found = results_of(scored, followed)
    of_score = found.xs("health_score", level="predictor")
    assert of_score.index.tolist() == [
        ("churn", 90, "all", "all"),
        ("churn", 90, "segment", "(none)"),
        ("churn", 90, "segment", "SMB"),
        ("churn", 90, "year", "2023"),
        ("churn", 90, "year", "2024"),
        ("contraction", 90, "all", "all"),
        ("contraction", 90, "segment", "SMB"),
        ("contraction", 90, "year", "2024"),
        *(
            (outcome, 180, part, value)
            for outcome in ("churn", "contraction", "not_renewed")
            for part, value in (("all", "all"), ("segment", "SMB"), ("year", "2024"))
        ),
    ]
    assert of_score["events"].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert found.index.get_level_values("predictor").unique().tolist() == ["health_score", "baseline:tenure_and_arr"]


def test_signals_and_baselines_by_themselves() -> None:
    """Tenure ranks a < b < c < d, ARR ranks b < a = c < d: the means say a = b, c, d."""
    scored, followed = book(
        [50.0] * 4,
        [True, True, False, False],
        tenure_days=[10, 20, 30, 40],
        current_arr=[200.0, 100.0, 200.0, 900.0],
        usage_events_30d=[5, 0, 0, None],
    )
    measured = signals(
        [
            {"account_id": "a000", "signal": "logins", "signal_score": 90.0},
            {"account_id": "a001", "signal": "logins", "signal_score": None},
            {"account_id": "a002", "signal": "logins", "signal_score": 20.0},
            {"account_id": "a003", "signal": "logins", "signal_score": 90.0},
            {"account_id": "a003", "signal": "never scored", "signal_score": None},
        ]
    )
    found = results_of(scored, followed, measured)
    assert of_all(found, "health_score")["auc"] == 0.5
    assert of_all(found, "baseline:tenure_and_arr")["auc"] == 1.0
    assert of_all(found, "baseline:usage")[["auc", "observations"]].tolist() == [0.25, 3]
    assert of_all(found, "signal:logins")[["auc", "observations"]].tolist() == [0.25, 3]
    assert "signal:never scored" not in found.index.get_level_values("predictor")
    of_score = of_all(found, "health_score")
    assert (of_score["baseline"], of_score["auc_gain"]) == ("baseline:tenure_and_arr", -0.5)
    assert pd.isna(of_all(found, "baseline:usage")["baseline"])


def test_nothing_happened_and_nothing_followed() -> None:
    scored, followed = book([1.0, 2.0], [False, False])
    found = of_all(results_of(scored, followed))
    assert pd.isna(found[["auc", "auc_low", "auc_high", "auc_gain", "baseline"]]).all()
    assert results_of(scored, followed.iloc[:0]).empty
    assert results_of(scored.iloc[:0], followed.iloc[:0]).empty


def spread(count: int, around: float) -> list[float]:
    return [round(around + 20 * (n / count - 0.5), 1) for n in range(count)]


LEFT = [True] * 25 + [False] * 75
SEEN = "Of ten accounts that left within 90 days, "
VERDICT = {
    "too_few_events": (
        book(spread(19, 40) + spread(80, 50), [True] * 19 + [False] * 80),
        "No verdict: 19 accounts left within 90 days, 1 more is needed.",
    ),
    "too few others": (
        book(spread(50, 40) + spread(19, 50), [True] * 50 + [False] * 19),
        "No verdict: only 19 accounts stayed, 20 are needed to compare with.",
    ),
    "may_know_the_outcome": (
        book([0.0] * 25 + spread(75, 50), LEFT),
        SEEN
        + "the score had 10 below the middle of those that stayed: too good to be true. "
        + "It may be entered once the outcome is known.",
    ),
    "runs_backwards": (
        book(spread(25, 58) + spread(75, 50), LEFT),
        SEEN + "the score had 1 below the middle of those that stayed: it runs backwards, five would be chance.",
    ),
    "too_little_measured": (
        book(spread(25, 42) + spread(75, 50), LEFT, health_tier=["unknown"] * 51 + ["fair"] * 49),
        SEEN
        + "the score had 9 below the middle of those that stayed, but of most of them too little was measured for a "
        "tier: not the score of today.",
    ),
    "no_better_than_chance": (
        book(spread(25, 50) + spread(75, 50), LEFT),
        SEEN + "the score had 5 below the middle of those that stayed: not told from chance, which is five.",
    ),
    "no_better_than_baseline": (
        book(
            spread(25, 42) + spread(75, 50),
            LEFT,
            usage_events_30d=[int(9 * s) for s in spread(25, 41) + spread(75, 50)],
        ),
        SEEN + "the score had 9 below the middle of those that stayed, but it is no better than last month's usage.",
    ),
    "predicts": (
        book(spread(25, 42) + spread(75, 50), LEFT, health_tier=["unknown"] * 50 + ["fair"] * 50),
        SEEN + "the score had 9 below the middle of those that stayed.",
    ),
}


@pytest.mark.parametrize("case", VERDICT)
def test_verdict(case: str) -> None:
    (scored, followed), told = VERDICT[case]
    found = of_all(results_of(scored, followed))
    assert found["verdict"] == ("too_few_events" if case == "too few others" else case)
    assert found["finding"] == told
    if case == "runs_backwards":
        assert found["direction"] == "against_its_curve"
    if case == "predicts":
        assert found["direction"] == "as_its_curve"


@pytest.mark.parametrize(("share", "tenths"), [(0, 0), (4.9, 0), (5, 1), (64.9, 6), (65, 7), (100, 10)])
def test_of_ten_accounts_is_rounded_half_up(share: float, tenths: int) -> None:
    assert of_ten(share) == tenths


def test_every_verdict_is_reached() -> None:
    assert {*VERDICT, "uses_a_leaking_signal"} - {"too few others"} == set(VERDICTS)


def test_a_leaking_signal_spoils_the_score_that_uses_it() -> None:
    """A field that is filled for eight of 25 who left and for nobody else: its AUC is low, its precision gives it away."""
    left = [True] * 25 + [False] * 475
    scored, followed = book(spread(25, 47) + spread(475, 50), left)
    measured = signals(
        {"account_id": f"a{n:03}", "signal": "logins", "signal_score": 0.0 if n < 8 else 100.0} for n in range(500)
    )
    found = results_of(scored, followed, measured)
    signal, score = of_all(found, "signal:logins"), of_all(found)
    assert signal["auc"] == pytest.approx(0.66)  # 8 of 25 below all, the rest equal
    assert (signal["verdict"], signal["worst_precision_pct"]) == ("may_know_the_outcome", 100)
    assert score["verdict"] == "uses_a_leaking_signal"
    assert score["finding"].endswith("but it uses “logins”, which may be entered once the outcome is known.")
    assert of_all(found, "baseline:tenure_and_arr")["verdict"] == "no_better_than_chance"
    table = rows(contract(OF), [signal.to_dict() | dict(zip(found.index.names, signal.name, strict=True))])
    assert "no_suspicious_predictor" in broken(table, contract(OF))


def test_a_leak_with_its_curve_the_wrong_way_round_is_one_too() -> None:
    scored, followed = book([100.0] * 25 + spread(75, 50), LEFT)
    assert of_all(results_of(scored, followed))["verdict"] == "may_know_the_outcome"


def test_a_field_that_stands_on_all_days_of_those_who_leave_some_day_knows_the_outcome() -> None:
    """A reason for leaving, as the first load shows it: of ten days on which it stands, nine are long before the end."""
    rows = [(f"a{n:03}", month) for n in range(100) for month in range(10)]
    left = [n < 300 and month == 9 for n, (_, month) in enumerate(rows)]
    scored = scores({"account_id": i, "scored_on": MONTH_ENDS[m]} for i, m in rows)
    followed = outcomes(
        {"account_id": i, "scored_on": MONTH_ENDS[m], "is_churned": gone}
        for (i, m), gone in zip(rows, left, strict=True)
    )
    measured = signals(
        {"account_id": i, "scored_on": MONTH_ENDS[m], "signal": "logins", "signal_score": float(100 * (n >= 300))}
        for n, (i, m) in enumerate(rows)
    )
    found = of_all(results_of(scored, followed, measured), "signal:logins")
    assert found["auc"] == pytest.approx(1 - 270 / 970 / 2)  # 270 of the others stand equal
    assert found["worst_precision_pct"] == 10
    assert found["verdict"] == "may_know_the_outcome"


def test_days_and_flags_are_read_whatever_type_a_driver_gives_them() -> None:
    scored, followed = book(spread(25, 42) + spread(75, 50), LEFT)
    expected = of_all(results_of(scored, followed))
    stamped = scored.assign(scored_on=pd.to_datetime(scored["scored_on"]), is_healthy=np.nan)
    other = followed.assign(
        scored_on=pd.to_datetime(followed["scored_on"]), is_churned=followed["is_churned"].astype(bool)
    )
    pd.testing.assert_series_equal(of_all(results_of(stamped, other)), expected)
    mixed = results_of(stamped.sample(frac=1, random_state=1), followed.sample(frac=1, random_state=2))
    assert of_all(mixed)["auc"] == expected["auc"]
