"""Stripe's exports: the same made-up subscriptions as objects of two versions of its API and as tables of its data pipeline.

What each costs a month is reckoned here from the facts, in fractions; the preset has only the files.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.vendor_files import judged, taking, write_lines, write_table

RATE = {"usd": Fraction(1), "eur": Fraction(11, 10), "jpy": Fraction(67, 10000)}
MINOR = {"usd": 100, "eur": 100, "jpy": 1}
MONTHS = {"day": Fraction(12, 365), "week": Fraction(12, 52), "month": Fraction(1), "year": Fraction(12)}


@dataclass(frozen=True)
class Price:
    """A price in minor units, of which there may be fractions."""

    id: str
    product: str
    currency: str
    unit: Fraction | None
    interval: str = "month"
    count: int = 1
    usage: str = "licensed"

    @property
    def decimal(self) -> str | None:
        return None if self.unit is None else f"{float(self.unit):g}"


@dataclass(frozen=True)
class Subscription:
    """What is so, whatever it looks like in an export."""

    id: str
    items: tuple[tuple[Price, int | None], ...]
    status: str = "active"
    percent_off: int | None = None
    amount_off: int | None = None
    duration: str = "forever"
    discount_end: date | None = None
    dates: dict[str, date] = field(default_factory=dict)
    live: bool = True
    paused: bool = False

    @property
    def customer(self) -> str:
        return self.id.replace("sub", "cus")

    @property
    def currency(self) -> str:
        return self.items[0][0].currency

    def monthly(self) -> Fraction:
        """In USD a month, with its discount."""
        licensed = [(price, quantity) for price, quantity in self.items if price.usage == "licensed"]
        if not licensed:
            return Fraction(0)
        amount = sum(
            ((price.unit or 0) * (quantity if quantity is not None else 1) for price, quantity in licensed), Fraction(0)
        )
        if self.duration != "once":
            amount = amount * (1 - Fraction(self.percent_off or 0, 100)) - (self.amount_off or 0)
        price = licensed[0][0]
        return amount / MINOR[self.currency] / (MONTHS[price.interval] * price.count) * RATE[self.currency]


SEAT = Price("price_seat", "prod_seat", "usd", Fraction(1999))
ADDON = Price("price_addon", "prod_addon", "usd", Fraction(50000))
METERED = Price("price_calls", "prod_calls", "usd", Fraction(2), usage="metered")
YEN = Price("price_yen", "prod_seat", "jpy", Fraction(220000), "year")
PART = Price("price_part", "prod_seat", "eur", Fraction(901, 2))  # 450.5 cents: no unit_amount, a decimal only
TIERED = Price("price_tiers", "prod_seat", "usd", None)
PRICES = [SEAT, ADDON, METERED, YEN, PART, TIERED]
PRICES += [
    Price(f"price_{c}_{i}_{n}", f"prod_{i}", c, Fraction(4900 * n if c != "jpy" else 70 * n), i, n)
    for c in RATE
    for i, n in (("day", 30), ("week", 1), ("month", 1), ("month", 3), ("year", 1), ("year", 2))
]

START = date(2024, 2, 29)
BY_HAND = [
    Subscription("sub_two_items", ((SEAT, 10), (ADDON, 1))),
    Subscription("sub_percent", ((SEAT, 4),), percent_off=25),
    Subscription("sub_amount", ((SEAT, 4),), amount_off=1996, duration="repeating", discount_end=date(2025, 12, 1)),
    Subscription("sub_once", ((SEAT, 1),), percent_off=50, duration="once"),
    Subscription("sub_trial", ((SEAT, 1),), status="trialing", dates={"trial_end": date(2025, 7, 14)}),
    Subscription("sub_yen", ((YEN, 3),)),
    Subscription("sub_part_of_a_cent", ((PART, 200),)),
    Subscription("sub_with_calls", ((SEAT, 2), (METERED, None))),
    Subscription("sub_calls_only", ((METERED, None),)),
    Subscription(
        "sub_gone",
        ((SEAT, 1),),
        status="canceled",
        dates={"ended_at": date(2025, 3, 31), "canceled_at": date(2025, 3, 1)},
    ),
    Subscription("sub_announced", ((SEAT, 1),), dates={"cancel_at": date(2025, 9, 1), "canceled_at": date(2025, 6, 1)}),
    Subscription("sub_paused", ((SEAT, 1),), paused=True),
    Subscription("sub_test_mode", ((SEAT, 1000),), live=False),
]


def drawn(count: int) -> list[Subscription]:
    """Further subscriptions, the same ones each time."""
    draw = random.Random(11)
    by_kind: dict[tuple[str, str, int], list[Price]] = {}
    for price in PRICES[6:]:
        by_kind.setdefault((price.currency, price.interval, price.count), []).append(price)
    return [
        Subscription(
            f"sub_{n}",
            tuple((price, draw.choice([1, 2, 7, 40])) for price in draw.choice(list(by_kind.values()))),
            percent_off=draw.choice([None, None, 10, 33]),
            status=draw.choice(["active", "past_due", "unpaid"]),
        )
        for n in range(count)
    ]


ALL = BY_HAND + drawn(50)


def seconds(day: date | None) -> int | None:
    return int(datetime(day.year, day.month, day.day, 10, tzinfo=UTC).timestamp()) if day else None


def price_object(price: Price) -> dict[str, Any]:
    unit = price.unit
    return {
        "id": price.id,
        "currency": price.currency,
        "unit_amount": int(unit) if unit is not None and unit.denominator == 1 else None,
        "unit_amount_decimal": price.decimal,
        "product": price.product,
        "recurring": {"interval": price.interval, "interval_count": price.count, "usage_type": price.usage},
    }


def coupon(s: Subscription) -> dict[str, Any]:
    return {"id": f"c_{s.id}", "percent_off": s.percent_off, "amount_off": s.amount_off, "duration": s.duration}


def objects(s: Subscription, version: int) -> dict[str, Any]:
    """A subscription as the API lists it: of 2024, or of 2025 without `discount` and with periods on the items."""
    is_old, period = version == 2024, {"current_period_end": seconds(date(2026, 2, 28))}
    discount = {"id": f"di_{s.id}", "end": seconds(s.discount_end)}
    discount |= {"coupon": coupon(s)} if is_old else {"source": {"type": "coupon", "coupon": coupon(s)}}
    has_discount = bool(s.percent_off or s.amount_off)
    items = [
        {"id": f"si_{s.id}_{n}", "price": price_object(price)}
        | ({"quantity": quantity} if quantity is not None else {})
        | ({} if is_old else period)
        for n, (price, quantity) in enumerate(s.items)
    ]
    names = ("cancel_at", "canceled_at", "ended_at", "trial_end")
    return {
        "id": s.id,
        "customer": s.customer,
        "status": s.status,
        "currency": s.currency,
        "created": seconds(START),
        "start_date": seconds(START),
        **{name: seconds(s.dates.get(name)) for name in names},
        "cancel_at_period_end": False,
        "pause_collection": {"behavior": "void"} if s.paused else None,
        "livemode": s.live,
        "items": {"object": "list", "has_more": False, "data": items},
        "discounts": [discount] if has_discount and not is_old else [],
        **({"discount": discount if has_discount else None, **period} if is_old else {}),
    }


def as_objects(folder: Path, version: int) -> None:
    write_lines(folder / "subscriptions.jsonl", [objects(s, version) for s in ALL])
    write_lines(
        folder / "customers.jsonl",
        [{"id": s.customer, "name": s.id.title(), "created": seconds(START), "livemode": s.live} for s in ALL],
    )


def as_tables(folder: Path) -> None:
    """Tables of the data pipeline: times as text, nested values flat, items and prices in files of their own."""

    def at(day: date | None) -> str | None:
        return f"{day} 10:00:00" if day else None

    names = ("cancel_at", "canceled_at", "ended_at", "trial_end")
    write_table(
        folder / "subscriptions.csv",
        [
            {
                "Id": s.id,
                "Customer ID": s.customer,
                "Status": s.status,
                "Currency": s.currency,
                "Start": at(START),
                **{name: at(s.dates.get(name)) for name in names},
                "pause_collection_behavior": "void" if s.paused else None,
                "livemode": s.live,
                "discount_coupon_id": f"c_{s.id}" if s.percent_off or s.amount_off else None,
                "discount_end": at(s.discount_end),
            }
            for s in ALL
        ],
    )
    items = [
        {
            "id": f"si_{s.id}_{n}",
            "subscription_id": s.id,
            "price_id": price.id,
            "quantity": quantity,
            "is_deleted": False,
        }
        for s in ALL
        for n, (price, quantity) in enumerate(s.items)
    ]
    items.append(
        {
            "id": "si_old",
            "subscription_id": "sub_two_items",
            "price_id": "price_addon",
            "quantity": 9,
            "is_deleted": True,
        }
    )
    write_table(folder / "subscription_items.csv", items)
    write_table(
        folder / "prices.csv",
        [
            {k: v for k, v in price_object(p).items() if k not in ("recurring", "product")}
            | {"product_id": p.product, "recurring_interval": p.interval, "recurring_interval_count": p.count}
            | {"recurring_usage_type": p.usage}
            for p in PRICES
        ],
    )
    write_table(folder / "coupons.csv", [coupon(s) for s in ALL if s.percent_off or s.amount_off])
    write_table(folder / "customers.csv", [{"id": s.customer, "name": s.id.title(), "created": at(START)} for s in ALL])


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


def one(folder: Path, **changes: Any) -> dict[str, Any]:
    """A single subscription as an object of 2025, staged."""
    subscription = objects(Subscription("sub_1", ((SEAT, 2),)), 2025) | changes
    write_lines(folder / "subscriptions.jsonl", [subscription])
    write_lines(folder / "customers.jsonl", [{"id": "cus_1", "name": "One"}])
    (row,) = judged(taking("stripe_export", folder=str(folder)), "subscriptions")
    return row


def items(*of: tuple[Price, int | None]) -> dict[str, Any]:
    return {"items": objects(Subscription("sub_1", of), 2025)["items"]}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"discounts": ["di_1"]}, "its discount is an id: export discounts whole"),
        (items((TIERED, 1)), "its price is by tiers or not delivered"),
        ({"items": {"object": "list", "data": []}}, "its items are not delivered"),
        (
            {"items": {"data": [{"price": {"id": "p", "unit_amount": 1}, "discounts": ["di_1"]}]}},
            "an item has a discount of its own",
        ),
        (
            {"discounts": [{"coupon": {"percent_off": 10}}, {"coupon": {"amount_off": 100}}]},
            "several discounts of different kinds or ends",
        ),
    ],
)
def test_what_cannot_be_known_is_quarantined(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    assert reason in one(tmp_path, **changes)["_reason"]


def test_two_percentages_follow_one_another(tmp_path: Path) -> None:
    discounts = [{"coupon": {"percent_off": 10}}, {"coupon": {"percent_off": 50}}]
    assert one(tmp_path, discounts=discounts)["mrr_amount"] == Fraction("17.991")  # 39.98 x 0.9 x 0.5


def test_an_end_with_the_period(tmp_path: Path) -> None:
    assert one(tmp_path, cancel_at_period_end=True)["cancel_at"] == date(2026, 2, 28)


def test_a_discount_of_the_customer(tmp_path: Path) -> None:
    write_lines(tmp_path / "subscriptions.jsonl", [objects(Subscription("sub_1", ((SEAT, 2),)), 2025)])
    customer = {"id": "cus_1", "name": "One", "discount": {"coupon": {"percent_off": 25, "duration": "forever"}}}
    write_lines(tmp_path / "customers.jsonl", [customer])
    (row,) = judged(taking("stripe_export", folder=str(tmp_path)), "subscriptions")
    assert row["mrr_amount"] == Fraction("29.985")
