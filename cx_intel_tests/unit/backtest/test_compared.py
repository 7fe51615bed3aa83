"""Two sets of scores of the same past days: AUC and errors of each by hand, the difference, and what is left out."""

from datetime import date

import pandas as pd
import pytest

from cx_intel.models.backtest.compared import Compared, compared

DAY = date(2025, 1, 31)


def scored(scores: dict[str, float], healthy_from: float = 50) -> pd.DataFrame:
    """Accounts of one past day with a score each."""
    rows = [
        {
            "scored_on": DAY,
            "account_id": account,
            "health_score": score,
            "health_tier": "good" if score >= healthy_from else "bad",
            "is_healthy": score >= healthy_from,
        }
        for account, score in scores.items()
    ]
    return pd.DataFrame(rows).assign(tenure_days=1, current_arr=1, usage_events_30d=1)


def followed(left: set[str], accounts: list[str]) -> pd.DataFrame:
    rows = [{"scored_on": DAY, "account_id": a, "window_days": 90, "is_churned": a in left} for a in accounts]
    return pd.DataFrame(rows).assign(is_contracted=None, is_not_renewed=None)


def churn(before: pd.DataFrame, after: pd.DataFrame, outcomes: pd.DataFrame) -> Compared:
    return next(found for found in compared(before, after, outcomes) if found.outcome == "churn")


ACCOUNTS = [f"A{n:02}" for n in range(40)]
LEFT = set(ACCOUNTS[:20])


def test_both_sides_by_hand() -> None:
    """Before all score 60. After those that left score 40, but for five of them who score 60, as those that stayed do."""
    before = scored(dict.fromkeys(ACCOUNTS, 60.0))
    after = scored({a: 40.0 if a in ACCOUNTS[:15] else 60.0 for a in ACCOUNTS})
    found = churn(before, after, followed(LEFT, ACCOUNTS))
    assert found.before
    assert found.after
    assert found.gain
    assert (found.before.auc[0], found.after.auc[0]) == (0.5, pytest.approx((15 * 20 + 5 * 10) / 400))
    assert found.gain[0] == pytest.approx(0.375)
    assert found.gain[1] > 0
    assert (found.before.missed_pct, found.after.missed_pct) == (100, 25)  # healthy, and left
    assert (found.before.alarm_pct, found.after.alarm_pct) == (0, 0)
    assert (found.observations, found.event_accounts, found.missing) == (40, 20, 0)


def test_alarms_are_those_not_healthy_that_stayed() -> None:
    before = scored(dict.fromkeys(ACCOUNTS, 60.0))
    after = scored(dict.fromkeys(ACCOUNTS, 60.0) | {ACCOUNTS[20]: 10.0})
    found = churn(before, after, followed(LEFT, ACCOUNTS))
    assert found.after
    assert found.after.alarm_pct == 5


def test_below_twenty_accounts_nothing_is_told() -> None:
    few = scored(dict.fromkeys(ACCOUNTS, 60.0))
    found = churn(few, few, followed(set(ACCOUNTS[:18]), ACCOUNTS))
    assert (found.missing, found.before, found.after, found.gain) == (2, None, None, None)


def test_what_one_side_does_not_score_is_left_out_of_both() -> None:
    before = scored(dict.fromkeys(ACCOUNTS, 60.0))
    after = scored(dict.fromkeys(ACCOUNTS[2:], 60.0))
    after.loc[after["account_id"] == ACCOUNTS[39], "health_score"] = float("nan")
    found = churn(before, after, followed(LEFT, ACCOUNTS))
    assert (found.observations, found.event_accounts, found.missing) == (37, 18, 2)


def test_nothing_followed_yet() -> None:
    before = scored({"A": 1.0})
    assert (
        list(compared(before, before, followed(set(), []).reindex(columns=["scored_on", "account_id", "window_days"])))
        == []
    )
