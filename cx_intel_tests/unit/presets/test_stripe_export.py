"""Stripe's exports: the same made-up subscriptions as objects of two versions of its API and as tables of its data pipeline.

What each costs a month is reckoned from the facts, in fractions; the preset has only the files.
"""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.stripe_facts import SEAT, START, TIERS
from cx_intel_tests.helpers.stripe_objects import ALL, Subscription, as_objects, as_tables, items_of, staged_one
from cx_intel_tests.helpers.vendor_files import judged, taking

SHAPES: dict[str, Callable[[Path], None]] = {
    "objects of 2024": lambda folder: as_objects(folder, 2024),
    "objects of 2025": lambda folder: as_objects(folder, 2025),
    "tables": as_tables,
}


@pytest.fixture(scope="module", params=SHAPES)
def staged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("stripe")
    SHAPES[request.param](folder)
    found = judged(taking("stripe_export", folder=str(folder)), "subscriptions")
    return {row["subscription_id"]: row for row in found}


def test_every_subscription_of_live_mode_is_kept(staged: dict[str, dict[str, Any]]) -> None:
    assert {row["_reason"] for row in staged.values()} == {None}
    assert set(staged) == {s.id for s in ALL if s.live}


@pytest.mark.parametrize("subscription", [s for s in ALL if s.live], ids=lambda s: s.id)
def test_what_it_costs_a_month(staged: dict[str, dict[str, Any]], subscription: Subscription) -> None:
    row = staged[subscription.id]
    assert abs(Fraction(row["mrr_amount"]) - subscription.monthly()) <= Fraction(1, 1_000_000)
    assert (row["account_id"], row["currency"]) == (subscription.customer, subscription.currency.upper())


def test_two_items_by_hand(staged: dict[str, dict[str, Any]]) -> None:
    row = staged["sub_two_items"]  # 10 x 19.99 + 500.00
    assert (row["mrr_amount"], row["product_name"]) == (Fraction("699.9"), "prod_addon")


def test_a_discount_that_ends(staged: dict[str, dict[str, Any]]) -> None:
    row = staged["sub_amount"]  # 4 x 19.99 - 19.96
    assert (row["mrr_amount"], row["list_mrr_amount"], row["discount_until"]) == (
        Fraction("60"),
        Fraction("79.96"),
        date(2025, 12, 1),
    )


def test_yen_have_no_cents(staged: dict[str, dict[str, Any]]) -> None:
    assert staged["sub_yen"]["mrr_amount"] == Fraction("368.5")  # 3 x 220,000 JPY a year, at 0.0067


def test_lives(staged: dict[str, dict[str, Any]]) -> None:
    assert staged["sub_trial"]["trial_end"] == date(2025, 7, 14)
    assert (staged["sub_gone"]["end_date"], staged["sub_gone"]["canceled_at"]) == (date(2025, 3, 31), date(2025, 3, 1))
    assert staged["sub_announced"]["cancel_at"] == date(2025, 9, 1)
    assert (staged["sub_paused"]["status"], staged["sub_percent"]["status"]) == ("paused", "active")
    assert {row["start_date"] for row in staged.values()} == {START}


def test_metered_prices_are_no_mrr(staged: dict[str, dict[str, Any]]) -> None:
    assert staged["sub_with_calls"]["mrr_amount"] == Fraction("39.98")
    assert (staged["sub_calls_only"]["mrr_amount"], staged["sub_calls_only"]["usage_type"]) == (0, "metered")


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (items_of((TIERS, 1)), "its price is by tiers or not delivered"),
        ({"object": "list", "data": []}, "its items are not delivered"),
        (items_of((SEAT, 1)) | {"has_more": True}, "only its first items are delivered"),
        ({"data": [{"plan": {"id": "p", "amount": 1, "interval": "month"}}]}, "its price is by tiers or not delivered"),
    ],
)
def test_what_it_costs_is_known_whole_or_not_at_all(tmp_path: Path, items: dict[str, Any], reason: str) -> None:
    assert reason in staged_one(tmp_path, items=items)["_reason"]


def test_an_end_with_the_period(tmp_path: Path) -> None:
    assert staged_one(tmp_path, cancel_at_period_end=True)["cancel_at"] == date(2026, 2, 28)


def test_flags_as_spreadsheets_and_data_frames_write_them(tmp_path: Path) -> None:
    as_tables(tmp_path)
    for file in ("subscriptions.csv", "subscription_items.csv"):
        text = (tmp_path / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(text.replace(",true", ",True").replace(",false", ",FALSE"), encoding="utf-8")
    found = {r["subscription_id"]: r for r in judged(taking("stripe_export", folder=str(tmp_path)), "subscriptions")}
    assert set(found) == {s.id for s in ALL if s.live}
    assert found["sub_two_items"]["mrr_amount"] == Fraction("699.9")  # the deleted item is none
