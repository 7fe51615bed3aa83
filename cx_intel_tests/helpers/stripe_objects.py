"""Made-up subscriptions of Stripe as its exports have them: objects of two versions of its API, tables of its data pipeline.

What each costs is known from the facts (`stripe_facts.py`); tables that Fivetran lands are in `stripe_landed.py`.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from cx_intel_tests.helpers.stripe_facts import (
    ADDON,
    CALLS,
    DRAWN,
    PART,
    PRICES,
    SEAT,
    START,
    YEN,
    Price,
    licensed,
)
from cx_intel_tests.helpers.vendor_files import judged, taking, write_lines, write_table


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
        if not (found := licensed(self.items)):
            return Fraction(0)
        price, amount = found
        if self.duration != "once":
            amount = amount * (1 - Fraction(self.percent_off or 0, 100)) - (self.amount_off or 0)
        return price.in_usd_a_month(amount)


BY_HAND = [
    Subscription("sub_two_items", ((SEAT, 10), (ADDON, 1))),
    Subscription("sub_percent", ((SEAT, 4),), percent_off=25),
    Subscription("sub_amount", ((SEAT, 4),), amount_off=1996, duration="repeating", discount_end=date(2025, 12, 1)),
    Subscription("sub_once", ((SEAT, 1),), percent_off=50, duration="once"),
    Subscription("sub_trial", ((SEAT, 1),), status="trialing", dates={"trial_end": date(2025, 7, 14)}),
    Subscription("sub_yen", ((YEN, 3),)),
    Subscription("sub_part_of_a_cent", ((PART, 200),)),
    Subscription("sub_with_calls", ((SEAT, 2), (CALLS, None))),
    Subscription("sub_calls_only", ((CALLS, None),)),
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
    return [
        Subscription(
            f"sub_{n}",
            ((draw.choice(DRAWN), draw.choice([1, 2, 7, 40])),),
            percent_off=draw.choice([None, None, 10, 33]),
            status=draw.choice(["active", "past_due", "unpaid"]),
        )
        for n in range(count)
    ]


ALL = BY_HAND + drawn(50)


def seconds(day: date | None) -> int | None:
    return int(datetime(day.year, day.month, day.day, 10, tzinfo=UTC).timestamp()) if day else None


def price_object(price: Price) -> dict[str, Any]:
    return {
        "id": price.id,
        "currency": price.currency,
        "unit_amount": price.whole,
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


def staged_one(folder: Path, customer: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A single subscription, two seats as an object of 2025, as staging judges it."""
    write_lines(folder / "subscriptions.jsonl", [objects(Subscription("sub_1", ((SEAT, 2),)), 2025) | changes])
    write_lines(folder / "customers.jsonl", [{"id": "cus_1", "name": "One", **(customer or {})}])
    book = taking("stripe_export", folder="${STRIPE}")
    (row,) = judged(book, "subscriptions", accounts=("cus_1",), environment={"STRIPE": str(folder)})
    return row


def items_of(*items: tuple[Price, int | None]) -> dict[str, Any]:
    """The list of a subscription's items, as its objects have it."""
    listed: dict[str, Any] = objects(Subscription("sub_1", items), 2025)["items"]
    return listed
