"""Stripe as Fivetran lands it: made-up subscriptions as tables of a PostgreSQL, one without some tables, and of a SQLite.

What each costs a month is reckoned from the facts, in fractions; the preset has only the tables.
"""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.landed_tables import land, land_in_sqlite, landed, staged
from cx_intel_tests.helpers.stripe_facts import DRAWN, SEAT, START, TIERS, YEN, Price
from cx_intel_tests.helpers.stripe_landed import LIVE, Discount, Subscription, as_plans, at, tables

pytestmark = pytest.mark.slow  # a PostgreSQL of its own


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
            Subscription("sub_in_yen", ((YEN, 1),), discounts=(in_part,)),
            Subscription("sub_two_intervals", ((SEAT, 1), (DRAWN[4], 1)), discounts=(in_part,)),
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
        "sub_in_yen": "its discount is in another currency",
        "sub_two_intervals:month1": "an amount is taken off several intervals",
        "sub_two_intervals:year1": "an amount is taken off several intervals",
    }


def test_prices_by_tiers(tmp_path: Path) -> None:
    """Up to 10 seats 20.00 each and 5.00 for all, up to 50 15.00 each, above 10.00 each."""
    graduated, volume, closed = (Price(f"price_{name}", None) for name in ("graduated", "volume", "closed"))
    wanted = {
        "sub_first": (graduated, 10, "205.00"),  # 5 + 10 x 20
        "sub_second": (graduated, 11, "220.00"),  # 5 + 10 x 20 + 1 x 15
        "sub_third": (graduated, 60, "905.00"),  # 5 + 10 x 20 + 40 x 15 + 10 x 10
        "sub_all_alike": (volume, 11, "165.00"),  # 11 x 15
        "sub_at_the_edge": (volume, 10, "205.00"),
        "sub_one_by_default": (volume, None, "25.00"),
    }
    of = [Subscription(name, ((price, quantity),)) for name, (price, quantity, _) in wanted.items()]
    given = tables(
        [*of, Subscription("sub_beyond", ((closed, 51),)), Subscription("sub_two", ((volume, 1), (SEAT, 1)))]
    )
    modes = {graduated.id: "graduated", volume.id: "volume", closed.id: "graduated"}
    like = given["price"][0] | {"unit_amount": None, "unit_amount_decimal": None}
    given["price"] = [*given["price"], *(like | {"id": p, "tiers_mode": mode} for p, mode in modes.items())]
    steps = [(10, "2000", 500), (50, "1500", None), (None, "1000", None)]
    given["tier"] = [
        {"price_id": p, "up_to": up_to, "unit_amount_decimal": unit, "flat_amount": flat}
        for p in modes
        for up_to, unit, flat in steps[::-1]  # in no order
        if p != closed.id or up_to
    ]
    address = land_in_sqlite(tmp_path / "stripe.sqlite", given)
    found = {r["subscription_id"]: r for r in staged(landed("fivetran_stripe", "main"), "subscriptions", address)}
    assert {name: found[name]["mrr_amount"] for name in wanted} == {
        name: Decimal(mrr) for name, (*_, mrr) in wanted.items()
    }
    assert found["sub_two"]["mrr_amount"] == Decimal("44.99")  # 5 + 20 + 19.99
    assert (
        "its price is by tiers or not delivered" in found["sub_beyond"]["_reason"]
    )  # no tier says what the 51st costs


def test_discounts_of_customers_in_the_table_of_all_discounts(tmp_path: Path) -> None:
    """Where the connector lands one table for all, rows without a subscription or an invoice are the customer's."""
    of = [Subscription(f"sub_{name}") for name in ("customer", "invoice", "both", "ended")]
    given = tables(of)
    row = {
        "coupon_id": "c_half",
        "start": at(date(2024, 3, 1)),
        "end": None,
        "subscription_id": None,
        "invoice_id": None,
    }
    of_the_customer = [row | {"customer_id": f"cus_{name}"} for name in ("customer", "both", "ended")]
    given["discount"] = [
        *of_the_customer[:2],
        row | {"customer_id": "cus_invoice", "subscription_id": "sub_invoice", "invoice_id": "in_1"},
        row | {"customer_id": "cus_both", "subscription_id": "sub_both", "invoice_id": "in_2"},
        of_the_customer[2] | {"coupon_id": "c_three_months"},
    ]
    del given["subscription_discount"], given["customer_discount"]
    coupon = {"id": "c_half", "percent_off": 50.0, "amount_off": None, "currency": None, "duration": "forever"}
    repeating = coupon | {"id": "c_three_months", "duration": "repeating", "duration_in_months": 3}
    given["coupon"] = [coupon | {"duration_in_months": None}, repeating]
    address = land_in_sqlite(tmp_path / "stripe.sqlite", given)
    found = {r["subscription_id"]: r for r in staged(landed("fivetran_stripe", "main"), "subscriptions", address)}
    assert {name: row["mrr_amount"] for name, row in found.items()} == {
        "sub_customer": Decimal("9.995"),
        "sub_invoice": Decimal("19.99"),  # a discount of one invoice
        "sub_both": Decimal("9.995"),  # which does not take the place of the customer's
        "sub_ended": Decimal("9.995"),
    }
    assert found["sub_ended"]["discount_until"] == date(2024, 6, 1)  # three months, though the row states no end


@pytest.mark.parametrize(("yes", "no"), [("TRUE", "FALSE"), ("t", "f"), ("1", "0")])
def test_flags_that_were_landed_as_text(tmp_path: Path, yes: str, no: str) -> None:
    given = tables([Subscription("sub_live"), Subscription("sub_test_mode", is_live=False)])
    as_text = {True: yes, False: no}
    written = {
        name: [{k: as_text[v] if isinstance(v, bool) else v for k, v in row.items()} for row in rows]
        for name, rows in given.items()
    }
    address = land_in_sqlite(tmp_path / "stripe.sqlite", written)
    book = landed("fivetran_stripe", "main")
    assert [row["account_id"] for row in staged(book, "accounts", address)] == ["cus_live"]
    assert [(r["subscription_id"], r["mrr_amount"]) for r in staged(book, "subscriptions", address)] == [
        ("sub_live", Decimal("19.99"))
    ]
