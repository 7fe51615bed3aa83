"""Rates by tier, errors and bands of the score, on a book of ten observations worked by hand."""

from datetime import date
from typing import Any

import pandas as pd
import pytest

from cx_intel.contracts.backtest import tiers as contracts
from cx_intel.models.backtest import tiers
from cx_intel_tests.helpers.builders import AS_OF, health, portfolio, rows
from cx_intel_tests.helpers.planted_books import outcomes, scores
from cx_intel_tests.helpers.renewal_tables import broken

OF = portfolio(health=health({"logins": {"kind": "metric", "metric": "logins"}}), rollups=["segment"])
FEBRUARY = date(2024, 2, 29)
BOOK = (
    ("a", "good", 95.0, False),
    ("b", "good", 100.0, True),
    ("c", "fair", 42.0, False),
    ("d", "fair", 49.9, True),
    ("e", "poor", 0.0, True),
    ("f", "poor", 9.9, True),
    ("g", "poor", 10.0, False),
    ("u", "unknown", 50.0, False),
)
SCORED = scores(
    [
        *({"account_id": i, "health_tier": tier, "health_score": score} for i, tier, score, _ in BOOK),
        {
            "account_id": "a",
            "health_tier": "good",
            "health_score": 90.0,
            "scored_on": FEBRUARY,
            "segment": "Enterprise",
        },
        {"account_id": "z", "health_tier": "fair", "health_score": 41.0},  # what followed is not known
    ]
)
FOLLOWED = outcomes(
    [
        *({"account_id": i, "is_churned": left, "is_contracted": None} for i, _, _, left in BOOK),
        {"account_id": "a", "scored_on": FEBRUARY, "is_contracted": None},
    ]
)


def table_of(name: str, scored: pd.DataFrame = SCORED, followed: pd.DataFrame = FOLLOWED) -> pd.DataFrame:
    found = getattr(tiers, name)(scored, followed, portfolio=OF, as_of=AS_OF)
    contract = getattr(contracts, name)(OF)
    table = rows(contract, found.astype(object).where(found.notna(), None).to_dict("records"))
    assert broken(table, contract) == []
    return found.set_index([g for g in contract.grain if g not in ("outcome", "window_days")])


def listed(found: pd.DataFrame, *columns: str) -> list[Any]:
    return found[list(columns)].round(6).to_numpy().tolist()


def test_rates_of_tiers() -> None:
    found = table_of("backtest_tiers").loc[("all", "all")]
    assert found.index.tolist() == ["good", "fair", "poor", "unknown"]
    assert listed(found, "observations", "accounts", "events", "event_accounts") == [
        [3, 2, 1, 1],
        [2, 2, 1, 1],
        [3, 3, 2, 2],
        [1, 1, 0, 0],
    ]
    third = 100 / 3
    assert found["event_rate_pct"].tolist() == pytest.approx([third, 50, 2 * third, 0])
    assert found["lift"].tolist() == pytest.approx([0.75, 1.125, 1.5, 0])  # of 4 in 9
    assert found["share_of_events_pct"].tolist() == [25, 25, 50, 0]
    assert (found["event_rate_low_pct"] <= found["event_rate_pct"]).all()
    assert (found["event_rate_high_pct"] > found["event_rate_pct"]).all()


def test_tiers_by_slice_and_a_slice_without_events() -> None:
    found = table_of("backtest_tiers")
    assert found.loc[("segment", "Enterprise")].index.tolist() == ["good"]
    row = found.loc[("segment", "Enterprise", "good")]
    assert row[["observations", "events", "event_rate_pct"]].tolist() == [1, 0, 0]
    assert row[["lift", "share_of_events_pct"]].isna().all()
    assert found.loc[("year", "2024")]["observations"].sum() == 9


def test_both_errors() -> None:
    found = table_of("backtest_errors").loc[("all", "all")]
    assert listed(found, "observations", "accounts", "events", "event_accounts") == [[3, 2, 1, 1], [5, 5, 2, 2]]
    assert found.index.tolist() == ["healthy_with_outcome", "not_healthy_without"]
    assert found["error_rate_pct"].tolist() == pytest.approx([100 / 3, 40])
    # One of four that left was healthy; of the four observations that stayed and were judged, two were not.
    assert found["missed_pct"].tolist() == [25, 50]


def test_errors_of_a_group_that_nobody_is_in() -> None:
    found = table_of("backtest_errors").loc[("segment", "Enterprise")]
    assert found["observations"].tolist() == [1, 0]
    assert found["error_rate_pct"].isna().tolist() == [False, True]
    assert found["missed_pct"].isna().tolist() == [True, False]


def test_bands_of_ten_points() -> None:
    found = table_of("backtest_bands")
    assert found.index.tolist() == [0, 10, 40, 50, 90]  # 100 belongs to the highest
    assert found["observations"].tolist() == [2, 1, 2, 1, 3]
    assert found["mean_score"].tolist() == pytest.approx([4.95, 10, 45.95, 50, 95])
    assert found["event_rate_pct"].tolist() == pytest.approx([100, 0, 50, 0, 100 / 3])


@pytest.mark.parametrize("name", ["backtest_tiers", "backtest_errors", "backtest_bands"])
def test_nothing_scored_is_no_row(name: str) -> None:
    assert table_of(name, SCORED.iloc[:0], FOLLOWED.iloc[:0]).empty
