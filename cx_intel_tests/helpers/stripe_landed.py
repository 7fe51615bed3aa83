"""Made-up subscriptions of Stripe as the tables that Fivetran's connector lands, with their history.

What each costs is known from the facts (`stripe_facts.py`); exports are in `stripe_objects.py`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from cx_intel_tests.helpers.landed_tables import Rows
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


@dataclass(frozen=True)
class Discount:
    """A coupon on a subscription, or on its customer."""

    percent: int | None = None
    amount: int | None = None
    duration: str = "forever"
    since: date = date(2024, 3, 1)
    until: date | None = None
    of_customer: bool = False


@dataclass(frozen=True)
class Subscription:
    """What is so, whatever the tables look like. `before`: earlier versions, each until a day."""

    id: str
    items: tuple[tuple[Price, int | None], ...] = ((SEAT, 1),)
    status: str = "active"
    discounts: tuple[Discount, ...] = ()
    dates: dict[str, date] = field(default_factory=dict)
    before: tuple[tuple[date, dict[str, Any]], ...] = ()
    is_live: bool = True
    is_paused: bool = False

    @property
    def customer(self) -> str:
        return self.id.replace("sub", "cus")

    def monthly(self) -> Fraction:
        """In USD a month, with what is taken off on the day of the load."""
        if not (found := licensed(self.items)):
            return Fraction(0)
        price, amount = found
        for d in self.discounts:
            if d.duration != "once" and (d.until is None or d.until > date(2025, 6, 30)):
                amount = amount * (1 - Fraction(d.percent or 0, 100)) - (d.amount or 0)
        return price.in_usd_a_month(amount)


def drawn(count: int) -> list[Subscription]:
    """Further subscriptions, the same ones each time."""
    draw = random.Random(7)
    found = []
    for n in range(count):
        price = draw.choice(DRAWN)
        discount = Discount(draw.choice([10, 25, 40])) if draw.random() < 0.3 else None
        versions = ((date(2025, 1, draw.randint(1, 28)), {"status": "past_due"}),) if draw.random() < 0.3 else ()
        found.append(
            Subscription(
                f"sub_{n:03}",
                ((price, draw.randint(1, 40)),),
                draw.choice(["active", "active", "past_due", "unpaid"]),
                (discount,) if discount else (),
                before=versions,
            )
        )
    return found


OLD_DISCOUNT = Discount(90, since=date(2024, 3, 1), until=date(2024, 9, 1))
BY_HAND = [
    Subscription("sub_two_items", ((SEAT, 10), (ADDON, 1))),
    Subscription("sub_forever", ((SEAT, 4),), discounts=(Discount(25),)),
    Subscription(
        "sub_repeating", ((SEAT, 4),), discounts=(Discount(amount=1996, duration="repeating", until=date(2025, 12, 1)),)
    ),
    Subscription("sub_once", discounts=(Discount(50, duration="once"),)),
    Subscription("sub_of_customer", discounts=(Discount(25, of_customer=True),)),
    Subscription("sub_second_discount", discounts=(OLD_DISCOUNT, Discount(50, since=date(2025, 3, 1)))),
    Subscription("sub_two_percent", ((SEAT, 2),), discounts=(Discount(10), Discount(50))),
    Subscription("sub_trial", status="trialing", dates={"trial_end": date(2025, 7, 14)}),
    Subscription("sub_yen", ((YEN, 3),), dates={"current_period_end": date(2026, 2, 28)}),
    Subscription("sub_part_of_a_cent", ((PART, 200),)),
    Subscription("sub_with_calls", ((SEAT, 2), (CALLS, None))),
    Subscription("sub_calls_only", ((CALLS, None),)),
    Subscription("sub_gone", status="canceled", dates={"ended_at": date(2025, 3, 31), "canceled_at": date(2025, 3, 1)}),
    Subscription("sub_announced", dates={"cancel_at": date(2025, 9, 1), "canceled_at": date(2025, 6, 1)}),
    Subscription("sub_at_period_end", dates={"current_period_end": date(2025, 7, 29)}),
    Subscription("sub_paused", is_paused=True, before=((date(2025, 5, 10), {"pause_collection_behavior": None}),)),
    Subscription(
        "sub_more_seats",
        ((SEAT, 9),),
        before=((date(2024, 8, 5), {"quantity": 2}), (date(2025, 2, 3), {"quantity": 5}), (date(2025, 4, 1), {})),
    ),
    Subscription("sub_test_mode", ((SEAT, 1000),), is_live=False),
]
ALL = BY_HAND + drawn(60)
LIVE = [s for s in ALL if s.is_live]


def at(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, 10, tzinfo=UTC) if day else None


def versions(s: Subscription) -> Rows:
    """The rows of subscription_history: each earlier version, then the one that holds."""
    names = ("ended_at", "canceled_at", "cancel_at", "trial_end", "current_period_end")
    row = {
        "id": s.id,
        "customer_id": s.customer,
        "status": s.status,
        "created": at(START),
        "start_date": at(START),
        **{name: at(s.dates.get(name)) for name in names},
        "cancel_at_period_end": s.id == "sub_at_period_end",
        "pause_collection_behavior": "void" if s.is_paused else None,
        "quantity": s.items[0][1] if len(s.items) == 1 else None,
        "livemode": s.is_live,
    }
    starts = [START, *(until for until, _ in s.before)]
    rows = [row | changed for _, changed in s.before] + [row]
    last = len(rows) - 1
    return [r | {"_fivetran_active": n == last, "_fivetran_start": at(starts[n])} for n, r in enumerate(rows)]


def discounts(of: Sequence[Subscription], of_customers: bool) -> Rows:
    key = "customer_id" if of_customers else "subscription_id"
    found = [
        {
            "id": f"di_{s.id}_{n}",
            key: s.customer if of_customers else s.id,
            "coupon_id": f"c_{s.id}_{n}",
            "start": at(d.since),
            "end": at(d.until),
        }
        for s in of
        for n, d in enumerate(s.discounts)
        if d.of_customer == of_customers
    ]
    if not of_customers:  # of one invoice: takes nothing off the subscription
        found.append(
            {"id": "di_1", key: "sub_000", "coupon_id": "c_none", "start": at(START), "end": None, "invoice_id": "in_1"}
        )
    return found


def tables(of: Sequence[Subscription] = ALL) -> dict[str, Rows]:
    """As the connector lands them."""
    items: list[dict[str, Any]] = [
        {"id": f"si_{s.id}_{n}", "subscription_id": s.id, "plan_id": price.id, "quantity": quantity}
        for s in of
        for n, (price, quantity) in enumerate(s.items)
    ]
    items.append(items[0] | {"id": "si_deleted", "plan_id": ADDON.id, "quantity": 9, "_fivetran_deleted": True})
    return {
        "subscription_history": [row for s in of for row in versions(s)],
        "subscription_item": items,
        "price": [
            {
                "id": p.id,
                "product_id": p.product,
                "currency": p.currency,
                "unit_amount": p.whole,
                "unit_amount_decimal": p.decimal,
                "recurring_interval": p.interval,
                "recurring_interval_count": p.count,
                "recurring_usage_type": p.usage,
                "transform_quantity_divide_by": None,
            }
            for p in PRICES
        ],
        "product": [{"id": p.product, "name": p.id.removeprefix("price_").title()} for p in PRICES],
        "coupon": [
            {
                "id": f"c_{s.id}_{n}",
                "percent_off": None if d.percent is None else float(d.percent),
                "amount_off": d.amount,
                "currency": None if d.amount is None else "usd",
                "duration": d.duration,
            }
            for s in of
            for n, d in enumerate(s.discounts)
        ],
        "subscription_discount": discounts(of, of_customers=False),
        "customer_discount": discounts(of, of_customers=True),
        "customer": [
            {
                "id": s.customer,
                "name": s.id.title(),
                "email": None,
                "created": at(START),
                "currency": s.items[0][0].currency,
                "livemode": s.is_live,
                "address_country": "DE",
                "is_deleted": s.id == "sub_gone",
            }
            for s in of
        ],
    }


def as_plans(given: dict[str, Rows]) -> dict[str, Rows]:
    """What older connectors land: plans in place of prices, no history, no coupons of anything."""
    names = {"unit_amount": "amount", "recurring_interval": "interval", "recurring_interval_count": "interval_count"}
    names |= {"recurring_usage_type": "usage_type", "transform_quantity_divide_by": "transform_usage_divide_by"}
    plans = [{names.get(k, k): v for k, v in row.items() if k != "unit_amount_decimal"} for row in given["price"]]
    current = [
        {k: v for k, v in row.items() if not k.startswith("_")}
        for row in given["subscription_history"]
        if row["_fivetran_active"]
    ]
    kept = {name: given[name] for name in ("subscription_item", "customer")}
    return {**kept, "subscription": current, "plan": plans}
