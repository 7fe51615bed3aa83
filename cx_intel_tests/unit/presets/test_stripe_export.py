"""Stripe's exports: the same made-up subscriptions as objects of two versions of its API and as tables of its data pipeline.

What each costs a month is reckoned from the facts, in fractions; the preset has only the files.
"""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.stripe_facts import SEAT, START, TIERS, Price
from cx_intel_tests.helpers.stripe_objects import (
    ALL,
    Subscription,
    as_objects,
    as_tables,
    items_of,
    objects,
    seconds,
    staged_one,
)
from cx_intel_tests.helpers.vendor_files import judged, taking, write_lines

pytestmark = pytest.mark.slow  # loads of whole exports

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
        ({"data": [{"price": {"id": "p", "unit_amount": 1}}]}, "the interval of its price is not delivered"),
        (items_of((SEAT, 1)) | {"has_more": True}, "only its first items are delivered"),
        ({"data": [{"plan": {"id": "p", "amount": 1, "interval": "month"}}]}, "its price is by tiers or not delivered"),
    ],
)
def test_what_it_costs_is_known_whole_or_not_at_all(tmp_path: Path, items: dict[str, Any], reason: str) -> None:
    assert reason in staged_one(tmp_path, items=items)["_reason"]


GRADUATED = [
    {"up_to": 5, "flat_amount": 9900, "unit_amount": 0},
    {"up_to": 20, "flat_amount": None, "unit_amount": 1500},
    {"up_to": "inf", "flat_amount": 2000, "unit_amount_decimal": "1250.5"},  # as it is stated, or null as it is given
]


@pytest.mark.parametrize(
    ("mode", "quantity", "mrr"),
    [
        ("graduated", 0, "99"),  # the fee of the first tier is charged whatever is used
        ("graduated", 5, "99"),
        ("graduated", 6, "114"),  # 99 + 15
        ("graduated", 21, "356.505"),  # 99 + 15 x 15 + 20 + 12.505
        ("volume", 5, "99"),
        ("volume", 6, "90"),  # 6 x 15
        ("volume", 21, "282.605"),  # 21 x 12.505 + 20
    ],
)
def test_prices_by_tiers(tmp_path: Path, mode: str, quantity: int, mrr: str) -> None:
    items = items_of((TIERS, quantity))
    items["data"][0]["price"] |= {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": GRADUATED}
    assert staged_one(tmp_path, items=items)["mrr_amount"] == Fraction(mrr)


@pytest.mark.parametrize(
    ("options", "mrr"),
    [
        ({"eur": {"unit_amount": 1800, "unit_amount_decimal": "1800"}}, "39.6"),  # 2 x 18.00 EUR at 1.1
        ({"eur": {"unit_amount": None, "unit_amount_decimal": "1800.5"}}, "39.611"),
        ({"gbp": {"unit_amount": 1500}}, None),
        (None, None),
    ],
)
def test_a_price_of_several_currencies(tmp_path: Path, options: dict[str, Any] | None, mrr: str | None) -> None:
    """The price states its own, dollars; the customer pays in euros."""
    items = items_of((SEAT, 2))
    items["data"][0]["price"]["currency_options"] = options
    row = staged_one(tmp_path, currency="eur", items=items)
    if mrr:
        assert row["mrr_amount"] == Fraction(mrr)
    else:
        assert "its price is in another currency: export currency_options" in row["_reason"]


def test_currencies_of_a_price_in_the_list_of_prices(tmp_path: Path) -> None:
    options = {"eur": {"unit_amount": None, "tiers": [{"up_to": None, "unit_amount": 1800}]}}
    write_lines(tmp_path / "prices.jsonl", [{"id": TIERS.id, "currency": "usd", "currency_options": options}])
    items = items_of((TIERS, 2))
    items["data"][0]["price"] |= {"billing_scheme": "tiered", "tiers_mode": "volume"}
    assert staged_one(tmp_path, currency="eur", items=items)["mrr_amount"] == Fraction("39.6")


def test_twelve_digits_of_a_cent(tmp_path: Path) -> None:
    items = items_of((Price("price_third", None), 3_000_000))
    items["data"][0]["price"]["unit_amount_decimal"] = "0.333333333333"
    assert abs(Fraction(staged_one(tmp_path, items=items)["mrr_amount"]) - 10_000) < Fraction(1, 10_000)


def test_krona_are_written_with_two_digits(tmp_path: Path) -> None:
    """Of Stripe's own: the currency has none."""
    price = Price("price_krona", Fraction(650_000), "isk")
    row = staged_one(tmp_path, currency="isk", items=items_of((price, 1)))
    assert row["mrr_amount"] == Fraction("45.5")  # 6,500 ISK at 0.007


def test_a_trial_that_ended_without_a_way_to_pay(tmp_path: Path) -> None:
    row = staged_one(tmp_path, status="paused", trial_end=1748736000)
    assert (row["status"], row["paused_at"]) == ("paused", date(2025, 6, 1))
    assert staged_one(tmp_path, trial_end=1748736000)["paused_at"] is None


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


def test_one_that_is_gone_is_missing_unless_it_had_ended(tmp_path: Path) -> None:
    of = {name: objects(Subscription(f"sub_{name}", ((SEAT, 1),)), 2025) for name in ("there", "gone", "ended")}
    of["gone"] |= {"deleted": True}
    of["ended"] |= {"deleted": True, "status": "canceled", "ended_at": seconds(date(2025, 3, 31))}
    write_lines(tmp_path / "subscriptions.jsonl", of.values())
    write_lines(tmp_path / "customers.jsonl", [{"id": f"cus_{name}", "name": name} for name in of])
    found = judged(taking("stripe_export", folder=str(tmp_path)), "subscriptions")
    assert {row["subscription_id"] for row in found} == {"sub_there", "sub_ended"}
