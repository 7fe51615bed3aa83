"""Stripe as Fivetran lands it: made-up subscriptions as tables of a PostgreSQL, one without some tables, and of a SQLite.

What each costs a month is reckoned here from the facts, in fractions; the preset has only the tables.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.landed_tables import Rows, land, land_in_sqlite, landed, staged

pytestmark = pytest.mark.slow  # a PostgreSQL of its own

RATE = {"usd": Fraction(1), "eur": Fraction(11, 10), "jpy": Fraction(67, 10000)}
MINOR = {"usd": 100, "eur": 100, "jpy": 1}
MONTHS = {"week": Fraction(12, 52), "month": Fraction(1), "year": Fraction(12)}


@dataclass(frozen=True)
class Price:
    """A price in minor units."""

    id: str
    unit: Fraction | None
    currency: str = "usd"
    interval: str = "month"
    count: int = 1
    usage: str = "licensed"


SEAT = Price("price_seat", Fraction(1999))
ADDON = Price("price_addon", Fraction(50000))
CALLS = Price("price_calls", Fraction(2), usage="metered")
YEN = Price("price_yen", Fraction(220000), "jpy", "year")
PART = Price("price_part", Fraction(901, 2), "eur")  # 450.5 cents
TIERS = Price("price_tiers", None)
DRAWN = [
    Price(f"price_{c}_{i}_{n}", Fraction(4900 * n if c != "jpy" else 70 * n), c, i, n)
    for c in RATE
    for i, n in (("week", 1), ("month", 1), ("month", 3), ("year", 1), ("year", 2))
]
PRICES = [SEAT, ADDON, CALLS, YEN, PART, TIERS, *DRAWN]


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
        licensed = [(p, Fraction(1 if q is None else q)) for p, q in self.items if p.usage == "licensed"]
        if not licensed:
            return Fraction(0)
        price = licensed[0][0]
        amount = sum(((p.unit or 0) * q for p, q in licensed), Fraction(0))
        for d in self.discounts:
            if d.duration != "once" and (d.until is None or d.until > date(2025, 6, 30)):
                amount = amount * (1 - Fraction(d.percent or 0, 100)) - (d.amount or 0)
        return amount / MINOR[price.currency] / (MONTHS[price.interval] * price.count) * RATE[price.currency]


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


START = date(2024, 2, 29)
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
                "product_id": f"prod_{p.id}",
                "currency": p.currency,
                "unit_amount": int(p.unit) if p.unit is not None and p.unit.denominator == 1 else None,
                "unit_amount_decimal": None if p.unit is None else f"{float(p.unit):g}",
                "recurring_interval": p.interval,
                "recurring_interval_count": p.count,
                "recurring_usage_type": p.usage,
                "transform_quantity_divide_by": None,
            }
            for p in PRICES
        ],
        "product": [{"id": f"prod_{p.id}", "name": p.id.removeprefix("price_").title()} for p in PRICES],
        "coupon": [
            {
                "id": f"c_{s.id}_{n}",
                "percent_off": None if d.percent is None else float(d.percent),
                "amount_off": d.amount,
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


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def address(request: pytest.FixtureRequest, database: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return land_in_sqlite(tmp_path_factory.mktemp("stripe") / "stripe.sqlite", tables())
    land(database, "stripe", tables())
    return database


@pytest.fixture(scope="module")
def rows(address: str) -> dict[str, dict[str, Any]]:
    schema = "main" if address.startswith("sqlite") else "stripe"
    return {row["subscription_id"]: row for row in staged(landed("fivetran_stripe", schema), "subscriptions", address)}


def test_every_subscription_of_live_mode_is_kept(rows: dict[str, dict[str, Any]]) -> None:
    assert {row["_reason"] for row in rows.values()} == {None}
    assert set(rows) == {s.id for s in LIVE}


def test_what_each_costs_a_month(rows: dict[str, dict[str, Any]]) -> None:
    wrong = {
        s.id: (rows[s.id]["mrr_amount"], float(s.monthly()))
        for s in LIVE
        if abs(Fraction(rows[s.id]["mrr_amount"]) - s.monthly()) > Fraction(1, 1_000_000)
    }
    assert wrong == {}
    assert {s.id: rows[s.id]["currency"] for s in LIVE} == {s.id: s.items[0][0].currency.upper() for s in LIVE}


@pytest.mark.parametrize(
    ("subscription", "mrr"),
    [
        ("sub_two_items", "699.90"),  # 10 x 19.99 + 500.00; the deleted item of 9 x 500.00 is none
        ("sub_forever", "59.97"),  # 4 x 19.99 less a quarter
        ("sub_repeating", "60.00"),  # 79.96 - 19.96
        ("sub_once", "19.99"),
        ("sub_of_customer", "14.9925"),
        ("sub_second_discount", "9.995"),  # the first one is over
        ("sub_two_percent", "17.991"),  # 39.98 x 0.9 x 0.5
        ("sub_yen", "368.5"),  # 3 x 220,000 JPY a year at 0.0067
        ("sub_with_calls", "39.98"),
        ("sub_calls_only", "0"),
    ],
)
def test_prices_by_hand(rows: dict[str, dict[str, Any]], subscription: str, mrr: str) -> None:
    assert rows[subscription]["mrr_amount"] == Decimal(mrr)


def test_lives(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["sub_trial"]["trial_end"] == date(2025, 7, 14)
    assert (rows["sub_gone"]["end_date"], rows["sub_gone"]["canceled_at"]) == (date(2025, 3, 31), date(2025, 3, 1))
    assert (rows["sub_announced"]["cancel_at"], rows["sub_at_period_end"]["cancel_at"]) == (
        date(2025, 9, 1),
        date(2025, 7, 29),
    )
    assert rows["sub_yen"]["renewal_date"] == date(2026, 2, 28)
    assert rows["sub_repeating"]["discount_until"] == date(2025, 12, 1)
    assert {row["start_date"] for row in rows.values()} == {START}


def test_the_history_dates_the_newest_change(rows: dict[str, dict[str, Any]]) -> None:
    assert (rows["sub_paused"]["status"], rows["sub_paused"]["paused_at"]) == ("paused", date(2025, 5, 10))
    # 2 seats, then 5 from 5 August, 9 from 3 February; the version of April changes none of it
    assert rows["sub_more_seats"]["changed_at"] == date(2025, 2, 3)
    assert rows["sub_second_discount"]["changed_at"] == date(2025, 3, 1)
    assert rows["sub_two_items"]["changed_at"] is None


def test_accounts_of_live_mode(address: str) -> None:
    schema = "main" if address.startswith("sqlite") else "stripe"
    found = staged(landed("fivetran_stripe", schema), "accounts", address)
    assert len(found) == len(LIVE)
    (gone,) = (row for row in found if row["account_id"] == "cus_gone")  # deleted: its history stays
    assert (gone["account_name"], gone["signup_date"], gone["country"]) == ("Sub_Gone", START, "DE")


def test_tables_of_older_connectors(database: str) -> None:
    land(database, "stripe_old", as_plans(tables()))
    found = {
        r["subscription_id"]: r for r in staged(landed("fivetran_stripe", "stripe_old"), "subscriptions", database)
    }
    assert set(found) == {s.id for s in LIVE}
    assert found["sub_two_items"]["mrr_amount"] == Decimal("699.90")
    assert found["sub_forever"]["mrr_amount"] == Decimal("79.96")  # no table says that there is a coupon
    assert found["sub_paused"]["paused_at"] is None
    # 450.5 cents: plans without decimals of cents cannot say it
    assert found["sub_part_of_a_cent"]["_reason"] is not None


def test_what_cannot_be_known_is_quarantined(tmp_path: Path) -> None:
    in_part = Discount(amount=100, duration="repeating", until=date(2025, 12, 1))
    given = tables(
        [
            Subscription("sub_by_tiers", ((TIERS, 1),)),
            Subscription("sub_unknown_price"),
            Subscription("sub_no_items"),
            Subscription("sub_no_coupon", discounts=(Discount(25),)),
            Subscription("sub_two_kinds", discounts=(Discount(25), in_part)),
        ]
    )
    items = [row for row in given["subscription_item"] if row["subscription_id"] != "sub_no_items"]
    given["subscription_item"] = [
        row | ({"plan_id": "price_gone"} if row["subscription_id"] == "sub_unknown_price" else {}) for row in items
    ]
    given["coupon"] = [row for row in given["coupon"] if row["id"] != "c_sub_no_coupon_0"]
    address = land_in_sqlite(tmp_path / "stripe.sqlite", given)
    found = {
        r["subscription_id"]: r["_reason"] for r in staged(landed("fivetran_stripe", "main"), "subscriptions", address)
    }
    assert {name: reason.split("'")[1] for name, reason in found.items()} == {
        "sub_by_tiers": "its price is by tiers or not delivered",
        "sub_unknown_price": "its price is by tiers or not delivered",
        "sub_no_items": "its items are not delivered",
        "sub_no_coupon": "its coupon is not delivered",
        "sub_two_kinds": "several discounts of different kinds or ends",
    }
