"""Exports of Stripe that stand in one folder, an older one beside the newest: what they repeat counts once."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.stripe_facts import SEAT
from cx_intel_tests.helpers.stripe_objects import ALL, Subscription, as_objects, as_tables, objects
from cx_intel_tests.helpers.vendor_files import judged, taking, write_lines, write_table

pytestmark = pytest.mark.slow  # loads of whole exports

LIVE = [s for s in ALL if s.live]
DIFFER = "two exports of it differ: leave the newest one in the folder"


def staged(folder: Path) -> list[dict[str, Any]]:
    return judged(taking("stripe_export", folder=str(folder)), "subscriptions")


@pytest.mark.parametrize("written", [lambda folder: as_objects(folder, 2025), as_tables], ids=["objects", "tables"])
def test_the_same_export_twice(tmp_path: Path, written: Callable[[Path], None]) -> None:
    written(tmp_path)
    for file in list(tmp_path.iterdir()):
        (tmp_path / f"{file.stem}_copy{file.suffix}").write_bytes(file.read_bytes())
    found = {row["subscription_id"]: row for row in staged(tmp_path)}
    assert {row["_reason"] for row in found.values()} == {None}
    assert set(found) == {s.id for s in LIVE}
    for s in LIVE:
        assert abs(Fraction(found[s.id]["mrr_amount"]) - s.monthly()) <= Fraction(1, 1_000_000)


def test_a_subscription_that_has_changed_since(tmp_path: Path) -> None:
    for name, seats in (("subscriptions_may", 2), ("subscriptions_june", 3)):
        write_lines(tmp_path / f"{name}.jsonl", [objects(Subscription("sub_1", ((SEAT, seats),)), 2025)])
    write_lines(tmp_path / "customers.jsonl", [{"id": "cus_1", "name": "One"}])
    assert [DIFFER in row["_reason"] for row in staged(tmp_path)] == [True, True]


@pytest.mark.parametrize("change", [{"quantity": 3}, {"is_deleted": True}])
def test_an_item_that_has_changed_since(tmp_path: Path, change: dict[str, Any]) -> None:
    head = {"id": "sub_1", "customer": "cus_1", "status": "active", "currency": "usd", "start": "2024-02-29"}
    write_table(tmp_path / "subscriptions.csv", [head])
    write_table(tmp_path / "customers.csv", [{"id": "cus_1", "name": "One"}])
    price = {"id": "price_seat", "unit_amount": 1999, "recurring_interval": "month"}
    write_table(tmp_path / "prices.csv", [price])
    item = {"id": "si_1", "subscription_id": "sub_1", "price_id": "price_seat", "quantity": 2, "is_deleted": False}
    write_table(tmp_path / "subscription_items_may.csv", [item])
    write_table(tmp_path / "subscription_items_june.csv", [item | change])
    (row,) = staged(tmp_path)
    assert DIFFER in row["_reason"]


def test_a_discount_of_a_customer_that_has_ended_since(tmp_path: Path) -> None:
    write_lines(tmp_path / "subscriptions.jsonl", [objects(Subscription("sub_1", ((SEAT, 2),)), 2025)])
    customer = {"id": "cus_1", "name": "One"}
    discount = {"coupon": {"percent_off": 25, "duration": "forever"}}
    write_lines(tmp_path / "customers_may.jsonl", [customer | {"discount": discount}])
    write_lines(tmp_path / "customers_june.jsonl", [customer | {"discount": None}])
    (row,) = staged(tmp_path)
    assert "differs between two exports" in row["_reason"]
