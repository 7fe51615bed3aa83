"""Discounts of Stripe's subscriptions: of which kind, whose, and which cannot be known.

Each case is two seats at 19.99 USD a month.
"""

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.stripe_facts import SEAT, YEN, Price
from cx_intel_tests.helpers.stripe_objects import items_of, staged_one
from cx_intel_tests.helpers.vendor_files import judged, taking

TENTH, HALF = {"percent_off": 10, "duration": "forever"}, {"percent_off": 50, "duration": "forever"}
DOLLAR = {"amount_off": 100, "currency": "usd", "duration": "forever"}
IN_2025 = {"discounts": [{"id": "di_1", "source": {"type": "coupon", "coupon": TENTH}}]}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"discounts": ["di_1"]}, "its discount is an id: export discounts whole"),
        ({"discount": "di_1"}, "its discount is an id"),
        ({"discounts": "di_1"}, "its discount is an id"),
        (
            {"items": {"data": [{"price": {"id": "p", "unit_amount": 1}, "discounts": ["di_1"]}]}},
            "an item has a discount of its own",
        ),
        ({"discounts": [{"coupon": TENTH}, {"coupon": DOLLAR}]}, "several discounts of different kinds or ends"),
        (
            {"discounts": [{"coupon": TENTH, "end": 1767225600}, {"coupon": HALF}]},
            "several discounts of different kinds or ends",
        ),
        (
            {"discounts": [{"coupon": TENTH | {"applies_to": {"products": ["prod_seat"]}}}]},
            "its discount is for some products only",
        ),
        ({"currency": "eur", "discounts": [{"coupon": DOLLAR}]}, "its discount is in another currency"),
    ],
)
def test_what_cannot_be_known_is_quarantined(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    assert reason in staged_one(tmp_path, **changes)["_reason"]


@pytest.mark.parametrize(
    ("changes", "mrr"),
    [
        (IN_2025, "35.982"),  # 39.98 x 0.9
        ({"discounts": [{"coupon": TENTH}, {"coupon": HALF}]}, "17.991"),  # 39.98 x 0.9 x 0.5
        ({"discounts": [{"coupon": DOLLAR}, {"coupon": DOLLAR}]}, "37.98"),
        ({"discounts": [{"coupon": TENTH}, {"coupon": HALF | {"duration": "once"}}]}, "35.982"),
        ({"discount": {"id": "di_1", "coupon": TENTH}, "discounts": ["di_1"]}, "35.982"),  # as versions of 2024 have it
        ({"discounts": [{"coupon": DOLLAR | {"amount_off": 5000}}]}, "0"),  # never below nothing
    ],
)
def test_what_is_left(tmp_path: Path, changes: dict[str, Any], mrr: str) -> None:
    assert staged_one(tmp_path, **changes)["mrr_amount"] == Fraction(mrr)


def test_an_amount_in_yen(tmp_path: Path) -> None:
    coupon = {"amount_off": 20_000, "currency": "jpy", "duration": "repeating"}
    discounts = [{"coupon": coupon, "end": 1767225600}]
    row = staged_one(tmp_path, currency="jpy", items=items_of((YEN, None)), discounts=discounts)
    # (220,000 - 20,000) JPY a year at 0.0067
    assert abs(Fraction(row["mrr_amount"]) - Fraction(200_000, 12) * Fraction("0.0067")) < Fraction(1, 1_000_000)
    assert row["discount_until"] == date(2026, 1, 1)


def test_an_amount_off_several_intervals(tmp_path: Path) -> None:
    """It would be taken off each of them."""
    yearly = Price("price_yearly", SEAT.unit, interval="year")
    with pytest.raises(ValueError, match="too many values"):
        staged_one(tmp_path, items=items_of((SEAT, 2), (yearly, 1)), discounts=[{"coupon": DOLLAR}])
    rows = judged(taking("stripe_export", folder=str(tmp_path)), "subscriptions")
    assert ["an amount is taken off several intervals" in row["_reason"] for row in rows] == [True, True]


def test_that_of_a_customer(tmp_path: Path) -> None:
    customer = {"discount": {"coupon": {"percent_off": 25, "duration": "forever"}}}
    assert staged_one(tmp_path, customer)["mrr_amount"] == Fraction("29.985")
    assert staged_one(tmp_path, customer, **IN_2025)["mrr_amount"] == Fraction("35.982")  # its own goes before
