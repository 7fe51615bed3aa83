"""What is landed of Stripe: everything at first, then what changed and what is gone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel_tests.helpers.stripe_home import DAY, NOW, SEAT, StripeHome, company
from cx_intel_tests.helpers.stripe_stand_in import StripeStandIn, coupon, item, items, price
from cx_intel_tests.helpers.vendor_server import Asked, Reply, serving, values

pytestmark = pytest.mark.slow  # many landings; a whole portfolio on Stripe is in each run


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    stand_in = company()
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def home(tmp_path: Path, stripe: StripeStandIn) -> StripeHome:
    return StripeHome(tmp_path, stripe)


def test_everything_is_landed_as_text_with_cancelled_subscriptions(home: StripeHome, stripe: StripeStandIn) -> None:
    stripe.put("subscriptions", {"id": "sub_007", "status": "canceled", "ended_at": NOW})
    home.land()
    customers, subscriptions = home.table("customers"), home.table("subscriptions")
    assert len(customers) == 250
    assert len(subscriptions) == 120
    assert customers["cus_017"]["name"] == "Company 17"
    assert subscriptions["sub_007"]["status"] == "canceled"
    assert subscriptions["sub_011"]["start_date"] == str(NOW - 90 * DAY)
    (only,) = json.loads(subscriptions["sub_011"]["items"])["data"]
    assert (only["quantity"], only["price"]["unit_amount"]) == ("12", "1999")
    assert home.table("invoices") == {}


def test_a_second_run_asks_for_events_alone_and_changes_nothing(home: StripeHome, stripe: StripeStandIn) -> None:
    stripe.now += DAY
    home.land()
    home.land()
    before = home.everything()
    stripe.asked.clear()
    stripe.now += DAY
    landing = home.land()
    assert {asked.path for asked in stripe.asked} == {"/v1/events"}
    assert home.everything() == before
    assert landing.requests == len(stripe.asked)


def test_the_next_day_has_what_changed_and_what_is_gone(home: StripeHome, stripe: StripeStandIn) -> None:
    stripe.now += DAY
    home.land()
    stripe.now += DAY
    stripe.asked.clear()
    stripe.put("customers", {"id": "cus_new", "name": "New"})
    stripe.put("subscriptions", {"id": "sub_005", "items": items("sub_005", [item("si_5", SEAT, 50)])})
    stripe.put("coupons", coupon(25))
    stripe.put(
        "subscriptions",
        {"id": "sub_006", "discounts": [{"id": "di_1", "object": "discount", "coupon": coupon(25)}]},
        "touched",
    )
    stripe.tell(
        "customer.discount.created",
        {"id": "di_1", "object": "discount", "customer": "cus_006", "subscription": "sub_006"},
    )
    stripe.delete("customers", "cus_200")
    stripe.delete("coupons", "co")
    home.land()
    customers, subscriptions = home.table("customers"), home.table("subscriptions")
    assert customers["cus_new"]["name"] == "New"
    assert (customers["cus_200"]["deleted"], customers["cus_200"]["name"]) == ("true", "Company 200")
    assert json.loads(subscriptions["sub_005"]["items"])["data"][0]["quantity"] == "50"
    assert json.loads(subscriptions["sub_006"]["discounts"])[0]["coupon"]["percent_off"] == "25"
    assert home.asked("/v1/subscriptions/") == 2
    assert home.asked("/v1/subscriptions") == 2


def test_what_changes_while_it_is_read_comes_with_the_next_run(home: StripeHome, stripe: StripeStandIn) -> None:
    answer, changed = stripe.answer, []

    def changing(asked: Asked, fault: str) -> Reply:
        reply = answer(asked, fault)
        if asked.path == "/v1/customers" and values(asked.query, "starting_after") and not changed:
            changed.append(stripe.put("customers", {"id": "cus_249", "name": "Renamed"}))  # of the page before
        return reply

    stripe.answer = changing  # type: ignore[method-assign]
    home.land()
    assert home.table("customers")["cus_249"]["name"] == "Company 249"
    home.land()
    assert home.table("customers")["cus_249"]["name"] == "Renamed"


def test_an_event_that_comes_late_is_read(home: StripeHome, stripe: StripeStandIn) -> None:
    home.land()
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_001", "name": "In time"})
    home.land()
    stripe.now -= 300
    stripe.put("customers", {"id": "cus_002", "name": "Late"})
    stripe.now += DAY
    home.land()
    assert home.table("customers")["cus_002"]["name"] == "Late"


def test_a_full_pass_finds_what_no_event_told(home: StripeHome, stripe: StripeStandIn) -> None:
    home.land()
    del stripe.kept["customers"]["cus_100"]
    stripe.kept["customers"]["cus_101"]["name"] = "Renamed"
    stripe.now += 6 * DAY
    home.land()
    assert home.table("customers")["cus_101"]["name"] == "Company 101"
    stripe.now += DAY
    home.land()
    customers = home.table("customers")
    assert customers["cus_101"]["name"] == "Renamed"
    assert customers["cus_100"]["deleted"] == "true"


def test_after_a_month_without_a_run_all_is_read_again(home: StripeHome, stripe: StripeStandIn) -> None:
    home.land(full_pass_days=60)
    stripe.put("customers", {"id": "cus_101", "name": "Renamed"})
    stripe.now += 31 * DAY
    home.land(full_pass_days=60)
    assert home.table("customers")["cus_101"]["name"] == "Renamed"


def test_lists_within_objects_are_read_to_their_end(home: StripeHome, stripe: StripeStandIn) -> None:
    half = {"id": "di_1", "object": "discount", "coupon": coupon(50)}
    many = [item(f"si_{n}", SEAT, n) | {"discounts": [half] * (n in (1, 18))} for n in range(1, 19)]
    stripe.put(
        "subscriptions", {"id": "sub_wide", "customer": "cus_001", "status": "active", "items": items("sub_wide", many)}
    )
    lines = [{"id": f"il_{n}", "object": "line_item", "amount": n} for n in range(130)]
    listed = {"object": "list", "url": "/v1/invoices/in_1/lines", "data": lines}
    stripe.put("invoices", {"id": "in_1", "customer": "cus_001", "status": "paid", "lines": listed})
    home.land()
    landed = json.loads(home.table("subscriptions")["sub_wide"]["items"])
    assert [one["quantity"] for one in landed["data"]] == [str(n) for n in range(1, 19)]
    assert [len(one["discounts"]) for one in landed["data"]] == [1, *([0] * 16), 1]
    assert {one["discounts"][0]["coupon"]["percent_off"] for one in landed["data"][::17]} == {"50"}
    assert len(json.loads(home.table("invoices")["in_1"]["lines"])["data"]) == 130


def test_products_that_a_discount_of_a_customer_is_for_come_with_it(home: StripeHome, stripe: StripeStandIn) -> None:
    of_support = coupon(25) | {"applies_to": {"products": ["prod_support"]}}
    stripe.put("customers", {"id": "cus_001", "discount": {"id": "di_1", "object": "discount", "coupon": of_support}})
    home.land()
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_001", "name": "Renamed"})
    home.land()
    landed = home.table("customers")["cus_001"]
    assert landed["name"] == "Renamed"
    assert json.loads(landed["discount"])["coupon"]["applies_to"] == {"products": ["prod_support"]}


def test_tiers_of_prices_come_with_them(home: StripeHome, stripe: StripeStandIn) -> None:
    tiers = [{"up_to": 10, "unit_amount": 900}, {"up_to": None, "unit_amount": 700}]
    stripe.put("prices", price("price_tiers", None) | {"tiers": tiers, "tiers_mode": "volume"})
    home.land()
    assert json.loads(home.table("prices")["price_tiers"]["tiers"])[1]["unit_amount"] == "700"
    stripe.now += DAY
    stripe.put("prices", {"id": "price_tiers", "nickname": "By volume"})
    home.land()
    assert json.loads(home.table("prices")["price_tiers"]["tiers"])[0]["up_to"] == "10"
