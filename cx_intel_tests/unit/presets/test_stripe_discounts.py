"""Discounts of Stripe's subscriptions: of which kind, whose, and which cannot be known.

Each case is two seats at 19.99 USD a month.
"""

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.stripe_facts import ADDON, SEAT, YEN, Price
from cx_intel_tests.helpers.stripe_objects import items_of, staged_one
from cx_intel_tests.helpers.vendor_files import write_lines

pytestmark = pytest.mark.slow  # loads of whole exports

TENTH, HALF = {"percent_off": 10, "duration": "forever"}, {"percent_off": 50, "duration": "forever"}
DOLLAR = {"amount_off": 100, "currency": "usd", "duration": "forever"}
FOR_SEATS = {"applies_to": {"products": [SEAT.product]}}
FOR_OTHERS = {"applies_to": {"products": ["prod_gone"]}}
IN_2025 = {"discounts": [{"id": "di_1", "source": {"type": "coupon", "coupon": TENTH}}]}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"discounts": ["di_1"]}, "its discount is an id: export discounts whole"),
        ({"discount": "di_1"}, "its discount is an id"),
        ({"discounts": "di_1"}, "its discount is an id"),
        (
            {"items": {"data": [{"price": {"id": "p", "unit_amount": 1}, "discounts": ["di_1"]}]}},
            "its discount is an id: export discounts whole",
        ),
        (
            {"discounts": [{"coupon": TENTH, "end": 1767225600}, {"coupon": HALF, "end": 1769904000}]},
            "its discounts have several ends",
        ),
        (
            {"discounts": [{"coupon": TENTH | FOR_SEATS}], "items": items_of((SEAT, 2), (ADDON, 1))},
            "its discount is for some products only",
        ),
        ({"discounts": [{"coupon": DOLLAR | {"currency": "eur"}}]}, "its discount is in another currency"),
    ],
)
def test_what_cannot_be_known_is_quarantined(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    assert reason in staged_one(tmp_path, **changes)["_reason"]


@pytest.mark.parametrize(
    ("changes", "mrr"),
    [
        (IN_2025, "35.982"),  # 39.98 x 0.9
        ({"discounts": [{"coupon": TENTH}, {"coupon": HALF}]}, "17.991"),  # 39.98 x 0.9 x 0.5
        ({"discounts": [{"coupon": TENTH}, {"coupon": DOLLAR}]}, "34.982"),  # 39.98 x 0.9 - 1
        ({"discounts": [{"coupon": DOLLAR}, {"coupon": TENTH}]}, "35.082"),  # (39.98 - 1) x 0.9
        ({"discounts": [{"coupon": DOLLAR}, {"coupon": DOLLAR}]}, "37.98"),
        ({"discounts": [{"coupon": TENTH}, {"coupon": HALF | {"duration": "once"}}]}, "35.982"),
        ({"discount": {"id": "di_1", "coupon": TENTH}, "discounts": ["di_1"]}, "35.982"),  # as versions of 2024 have it
        (
            {"discounts": [{"coupon": TENTH | FOR_SEATS}, {"coupon": HALF | FOR_OTHERS}]},
            "35.982",
        ),  # all it has are seats
        ({"discounts": [{"coupon": DOLLAR | {"amount_off": 5000}}]}, "0"),  # never below nothing
    ],
)
def test_what_is_left(tmp_path: Path, changes: dict[str, Any], mrr: str) -> None:
    assert staged_one(tmp_path, **changes)["mrr_amount"] == Fraction(mrr)


def test_products_that_the_list_of_coupons_tells(tmp_path: Path) -> None:
    """As newer versions of the API have it: the discount names the coupon alone."""
    write_lines(tmp_path / "coupons.jsonl", [{"id": "c", **HALF, **FOR_SEATS}, {"id": "d", **HALF, **FOR_OTHERS}])
    of = {name: [{"id": "di", "source": {"type": "coupon", "coupon": name}}] for name in ("c", "d")}
    assert staged_one(tmp_path, discounts=of["c"])["mrr_amount"] == Fraction("19.99")
    assert staged_one(tmp_path, discounts=of["d"])["mrr_amount"] == Fraction("39.98")
    without_product = items_of((SEAT, 2))
    del without_product["data"][0]["price"]["product"]
    for items in (items_of((SEAT, 2), (ADDON, 1)), without_product):
        row = staged_one(tmp_path, discounts=of["c"], items=items)
        assert "its discount is for some products only" in row["_reason"]


def test_an_amount_in_yen(tmp_path: Path) -> None:
    coupon = {"amount_off": 20_000, "currency": "jpy", "duration": "repeating"}
    discounts = [{"coupon": coupon, "end": 1767225600}]
    row = staged_one(tmp_path, currency="jpy", items=items_of((YEN, None)), discounts=discounts)
    # (220,000 - 20,000) JPY a year at 0.0067
    assert abs(Fraction(row["mrr_amount"]) - Fraction(200_000, 12) * Fraction("0.0067")) < Fraction(1, 1_000_000)
    assert row["discount_until"] == date(2026, 1, 1)


def test_one_of_two_ends(tmp_path: Path) -> None:
    row = staged_one(tmp_path, discounts=[{"coupon": HALF}, {"coupon": TENTH, "end": 1767225600}])
    assert (row["mrr_amount"], row["list_mrr_amount"]) == (Fraction("17.991"), Fraction("19.99"))
    assert row["discount_until"] == date(2026, 1, 1)


def item_discounts(*discounts: dict[str, Any]) -> dict[str, Any]:
    items = items_of((SEAT, 2), (ADDON, 1))
    items["data"][0]["discounts"] = list(discounts)
    return items


@pytest.mark.parametrize(
    ("of_item", "of_subscription", "mrr"),
    [
        ([{"coupon": HALF}], [], "519.99"),  # 39.98 x 0.5 + 500
        ([{"coupon": HALF}, {"coupon": DOLLAR}], [{"coupon": TENTH}], "467.091"),  # (39.98 x 0.5 - 1 + 500) x 0.9
        ([{"coupon": DOLLAR | {"amount_off": 5000}}], [], "500"),
        ([{"coupon": HALF | {"duration": "once"}}], [], "539.98"),
    ],
)
def test_that_of_an_item(tmp_path: Path, of_item: list[Any], of_subscription: list[Any], mrr: str) -> None:
    row = staged_one(tmp_path, items=item_discounts(*of_item), discounts=of_subscription)
    assert row["mrr_amount"] == Fraction(mrr)


def test_that_of_an_item_ends(tmp_path: Path) -> None:
    row = staged_one(tmp_path, items=item_discounts({"coupon": HALF, "end": 1767225600}), discounts=[{"coupon": TENTH}])
    assert (row["mrr_amount"], row["list_mrr_amount"]) == (Fraction("467.991"), Fraction("485.982"))
    assert row["discount_until"] == date(2026, 1, 1)


def test_items_of_several_intervals(tmp_path: Path) -> None:
    """They are told by the month; what an amount is taken off is not known then."""
    items = items_of((SEAT, 2), (Price("price_yearly", SEAT.unit, interval="year"), 3))
    row = staged_one(tmp_path, items=items, discounts=[{"coupon": TENTH}])
    assert row["mrr_amount"] == Fraction("40.47975")  # (39.98 + 3 x 19.99 / 12) x 0.9
    row = staged_one(tmp_path, items=items, discounts=[{"coupon": DOLLAR}])
    assert "an amount is taken off several intervals" in row["_reason"]


def test_that_of_a_customer(tmp_path: Path) -> None:
    customer = {"discount": {"coupon": {"percent_off": 25, "duration": "forever"}}}
    assert staged_one(tmp_path, customer)["mrr_amount"] == Fraction("29.985")
    assert staged_one(tmp_path, customer, **IN_2025)["mrr_amount"] == Fraction("35.982")  # its own goes before
