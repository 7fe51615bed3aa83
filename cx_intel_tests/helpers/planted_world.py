"""What the back-test would read of the planted world, taken straight from its tables: figures as signals, ends as outcomes.

The same through a warehouse is in `test_planted_backtest`; books without a world are in `planted_books`.
"""

from datetime import date, timedelta

import pandas as pd

from cx_intel.demo_data import World, build_world

STARTS_ON = date(2023, 1, 1)
TIERS = [(70, "good"), (40, "fair"), (0, "poor")]
HEALTHY = {"good": True, "fair": False, "poor": False}


def planted(*, seed: int = 1, accounts: int = 300) -> World:
    return build_world(world="planted", seed=seed, accounts=accounts, starts_on=STARTS_ON, events_from=STARTS_ON)


def tier(score: float) -> str:
    return next(name for bound, name in TIERS if score >= bound)


def frames(world: World, as_of: date, window_days: int = 90) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Scores, signals and outcomes of all month ends that are so long ago; the score is `engagement`, contacts count as good."""
    metrics, left = world.table("metrics", as_of), world.departures(as_of)
    accounts = world.table("accounts", as_of).merge(world.table("subscriptions", as_of)[["account_id", "amount"]])
    known = metrics[metrics["measured_on"] + timedelta(days=window_days) <= pd.Timestamp(as_of)]
    signals = known.rename(columns={"measured_on": "scored_on", "metric": "signal"}).assign(signal_score=known["value"])
    scored = signals[signals["signal"] == "engagement"].merge(accounts, on="account_id")
    scores = pd.DataFrame(
        {
            "scored_on": scored["scored_on"],
            "account_id": scored["account_id"],
            "health_score": scored["value"],
            "health_tier": scored["value"].map(tier),
            "tenure_days": (scored["scored_on"] - scored["signup_date"]).dt.days,
            "current_arr": 12 * scored["amount"],
            "usage_events_30d": None,
            "segment": scored["segment"],
            "attributes_known_from": scored["scored_on"],
        }
    )
    scores["is_healthy"] = scores["health_tier"].map(HEALTHY)
    ends = scores[["scored_on", "account_id"]].merge(left, how="left", on="account_id")
    is_churned = ends["left_on"] <= ends["scored_on"] + timedelta(days=window_days)
    outcomes = ends.assign(window_days=window_days, is_churned=is_churned, is_contracted=None, is_not_renewed=None)
    return scores, signals, outcomes.drop(columns=["left_on"])
