"""The shipped worlds behave like businesses: they grow, lose customers who had faded, meet most targets.

Bounds are wide on purpose: they hold for the shipped sizes over several seeds, and catch a world gone astray.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from cx_intel.demo_data import World, build_world

AS_OF = date(2026, 11, 30)
SIZES = {"novacrm": 150, "fleet": 250}
TARGET_HOURS = {"p1": 4, "p2": 12, "p3": 48, "p4": 120}
CHF = 1.05


@cache
def shipped(world: str, seed: int = 22) -> World:
    return build_world(
        world=world,
        seed=seed,
        accounts=SIZES[world],
        starts_on=date(2023, 1, 1),
        events_from=date(2024, 1, 1),
    )


@cache
def ledger(world: str, seed: int = 22) -> pd.DataFrame:
    """MRR by account and month, 0 where there is none."""
    if world == "fleet":
        rows = shipped(world, seed).table("mrr_history", AS_OF)
        rows["amount"] = rows["mrr"] * np.where(rows["currency"] == "CHF", CHF, 1.0)
    else:
        rows = shipped(world, seed).table("invoices", AS_OF).query("status != 'void'")
        rows["month"] = rows["invoice_date"].dt.to_period("M").dt.to_timestamp()
    return rows.groupby(["account_id", "month"])["amount"].sum().unstack(fill_value=0.0)


def movements(world: str) -> pd.Series:
    """How often each movement occurs."""
    now = ledger(world)
    before = now.shift(1, axis=1, fill_value=0.0)
    paid_before = before.cummax(axis=1) > 0
    kinds = np.select(
        [
            (now > 0) & (before == 0) & ~paid_before,
            (now > 0) & (before == 0),
            (now == 0) & (before > 0),
            now > before,
            now < before,
            now > 0,
        ],
        ["new", "reactivation", "churn", "expansion", "contraction", "flat"],
        default="none",
    )
    return pd.Series(kinds.ravel()).value_counts()


@pytest.mark.parametrize("world", SIZES)
def test_every_movement_occurs(world: str) -> None:
    counts = movements(world)
    for kind in ("new", "reactivation", "expansion", "contraction", "churn", "flat"):
        assert counts[kind] >= 3, kind


@pytest.mark.parametrize("world", SIZES)
@pytest.mark.parametrize("seed", [1, 2, 3, 22])
def test_growth_churn_and_retention_are_those_of_a_healthy_business(world: str, seed: int) -> None:
    now = ledger(world, seed)
    before = now.shift(1, axis=1, fill_value=0.0)
    logo_churn = ((before > 0) & (now == 0)).sum().sum() / (before > 0).sum().sum()
    assert 0.007 < logo_churn < 0.02
    assert now.iloc[:, -1].sum() > 1.4 * now.iloc[:, 14].sum()
    year_ago = now.shift(12, axis=1).iloc[:, 24:]
    retained = now.iloc[:, 24:].where(year_ago > 0, 0.0).sum() / year_ago.sum()
    assert 0.93 < retained.mean() < 1.09
    assert retained.between(0.84, 1.2).all()


@pytest.mark.parametrize("world", SIZES)
def test_most_tickets_meet_their_target_and_ratings_follow_speed(world: str) -> None:
    tickets = shipped(world).table("support_tickets", AS_OF)
    hours = (tickets["resolved_at"] - tickets["created_at"]).dt.total_seconds() / 3600
    is_resolved = hours.notna()
    within = (hours <= tickets["priority"].map(TARGET_HOURS).astype(float))[is_resolved]
    assert 0.78 < within.mean() < 0.92
    assert (within.groupby(tickets["priority"][is_resolved]).mean() > 0.65).all()
    ratings = tickets["satisfaction_score"][is_resolved]
    assert ratings.between(1, 5).sum() == ratings.notna().sum()
    assert ratings[within].mean() > ratings[~within].mean() + 1
    assert 3 <= (tickets["status"] == "escalated").sum() < 0.05 * len(tickets)
    assert (tickets["status"] == "open").any()
    assert (hours[is_resolved] > 0).all()


@pytest.mark.parametrize(("world", "least", "most"), [("novacrm", 600, 1600), ("fleet", 8_000, 16_000)])
def test_weekdays_are_busy_and_weekends_quiet(world: str, least: int, most: int) -> None:
    monday = date(2026, 11, 9)
    counts = [len(shipped(world).day("usage_events", monday + timedelta(days=n))) for n in range(7)]
    assert all(least < count < most for count in counts[:5])
    assert max(counts[5:]) < 0.5 * min(counts[:5])


@pytest.mark.parametrize(("world", "remains"), [("novacrm", 0.5), ("fleet", 0.75)])
def test_accounts_fade_before_they_leave(world: str, remains: float) -> None:
    built = shipped(world)
    now = ledger(world)
    leavers = (now > 0) & (now.shift(-1, axis=1, fill_value=np.nan) == 0)
    month = now.columns[-10]
    last_month = leavers.loc[:, month:]
    gone = last_month.index[last_month.any(axis=1)]
    leaves_in = last_month.idxmax(axis=1)[gone]
    assert len(gone) >= 5
    early = late = 0
    for account, last in leaves_in.items():
        for day in range(1, 22, 4):
            early += events_of(built, account, (last - pd.DateOffset(months=5)).date() + timedelta(days=day))
            late += events_of(built, account, last.date() + timedelta(days=day))
    assert late < remains * early


@cache
def events_by_account(world: World, day: date) -> pd.Series:
    return world.day("usage_events", day)["account_id"].value_counts()


def events_of(world: World, account: object, day: date) -> int:
    return int(events_by_account(world, day).get(account, 0))


def test_novacrm_has_accounts_of_every_kind() -> None:
    built = shipped("novacrm")
    seen: set[str] = set()
    for day in pd.date_range("2023-06-01", AS_OF, freq="30D"):
        seen |= set(built.table("accounts", day.date())["status"])
    assert seen == {"active", "churned", "suspended", "trial"}
    subscriptions = built.table("subscriptions", AS_OF)
    assert set(subscriptions["status"]) == {"active", "cancelled", "upgraded", "trial"}
    assert set(subscriptions["product_name"]) == {
        "novacrm_platform",
        "api_access",
        "advanced_analytics",
        "priority_support",
    }
    assert set(subscriptions["amount"]) == {49.0, 149.0, 499.0, 29.0, 79.0, 59.0}
    invoices = built.table("invoices", AS_OF)
    assert set(invoices["status"]) == {"paid", "overdue", "void"}
    accounts = built.table("accounts", AS_OF)
    assert accounts["owner"].isna().any()
    assert accounts["parent_account_id"].notna().any()
    assert (
        accounts["parent_account_id"].dropna() < accounts["account_id"][accounts["parent_account_id"].notna()]
    ).all()


def test_fleet_has_the_three_countries_the_four_systems_and_two_currencies() -> None:
    accounts = shipped("fleet").table("accounts", AS_OF)
    assert set(accounts["country"]) == {"DE", "AT", "CH"}
    assert set(accounts["segment"]) == {"SMB", "Mid-Market", "Enterprise"}
    assert set(accounts["legacy_system"]) == {"Avrios", "Vimcar", "Optimum Automotive", "New Logo"}
    assert set(accounts.loc[accounts["currency"] == "CHF", "country"]) == {"CH"}
    assert (accounts.loc[accounts["country"] == "CH", "currency"] == "EUR").any()
    assert (accounts["products"].str.count(r"\|") + 1 == accounts["product_count"]).all()
    assert accounts.loc[accounts["status"] == "active", "vehicle_count"].sum() == pytest.approx(5500, rel=0.3)
    before_start = accounts["signup_date"] < pd.Timestamp(2023, 1, 1)
    assert ((accounts["legacy_system"] == "New Logo") == ~before_start).all()


def test_fleet_renewals_spread_over_the_year_ahead_and_a_few_are_shown_late() -> None:
    built = shipped("fleet")
    overdue = 0
    for month in range(1, 12):
        as_of = date(2026, month, 15)
        lines = built.table("subscriptions", as_of)
        in_force = lines[lines["end_date"].isna() | (lines["end_date"] > pd.Timestamp(as_of))]
        to_go = (in_force.groupby("account_id")["renewal_date"].min() - pd.Timestamp(as_of)).dt.days
        assert to_go.between(0, 90).mean() == pytest.approx(0.22, abs=0.1)
        assert to_go.max() <= 731
        assert to_go.min() > -46
        overdue += (to_go < 0).sum()
    assert 0 < overdue < 40


def test_fleet_relationship_covers_the_scale() -> None:
    built = shipped("fleet")
    scores = built.table("nps_responses", AS_OF)["score"]
    assert set(scores) == set(range(11))
    assert 6 < scores.mean() < 8.5
    activities = built.table("csm_activities", AS_OF)
    assert set(activities["activity_type"]) == {"qbr", "check_in", "training"}
    assert set(activities["status"]) == {"done", "planned", "cancelled"}
    assert (activities["completed_at"].notna() == (activities["status"] == "done")).all()
