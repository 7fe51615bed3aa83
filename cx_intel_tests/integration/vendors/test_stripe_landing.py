"""What is landed of Stripe: everything at first, then what changed and what is gone, whatever goes wrong on the way."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cx_intel.orchestration.assets.delivery.landed import Landing
from cx_intel.settings.sources.vendors import CUSTOMER_OF, StripeSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.http import Clock
from cx_intel.sources.vendors.readers import refusals
from cx_intel.warehouse.duckdb.opening import writing
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.stripe_stand_in import KEY, StripeStandIn, coupon, item, items, price
from cx_intel_tests.helpers.vendor_server import Asked, Faults, Reply, serving, values

pytestmark = pytest.mark.slow  # many landings; a whole portfolio on Stripe is in each run

NOW = 1_750_000_000  # 2025-06-15
DAY = 86_400
KINDS = ("customers", "products", "prices", "coupons", "subscriptions", "invoices")
SEAT = price("price_seat", 1999)


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    stand_in = StripeStandIn(NOW)
    stand_in.put("products", {"id": "prod_suite", "name": "Suite"})
    stand_in.put("prices", SEAT)
    for n in range(250):
        stand_in.put("customers", {"id": f"cus_{n:03}", "name": f"Company {n}", "email": f"it@company{n}.example"})
    for n in range(120):
        of = {"customer": f"cus_{n:03}", "status": "active", "currency": "usd", "start_date": NOW - 90 * DAY}
        stand_in.put(
            "subscriptions",
            {"id": f"sub_{n:03}", "items": items(f"sub_{n:03}", [item(f"si_{n}", SEAT, n + 1)]), "discounts": []} | of,
        )
    with serving(stand_in):
        yield stand_in


class Home:
    """A warehouse file into which the stand-in is landed."""

    def __init__(self, folder: Path, stripe: StripeStandIn):
        self.file, self.stripe = folder / "warehouse.duckdb", stripe
        self.slept: list[float] = []
        self.erased = ""

    def source(self, **changes: Any) -> StripeSource:
        return StripeSource(kind="stripe", api_key="${STRIPE_API_KEY}", host=self.stripe.host, **changes)

    def land(self, kinds: tuple[str, ...] = KINDS, key: str = KEY, **changes: Any) -> Landing:
        clock = Clock(lambda: float(self.stripe.now), self.slept.append)
        with writing(self.file) as database:
            warehouse = DuckDBWarehouse(database, "book")
            landing = Landing(self.source(**changes), kinds, warehouse, self.is_erased, clock)
            with warehouse.transaction():
                self.results = landing.run({"STRIPE_API_KEY": key})
        return landing

    def is_erased(self, kind: str, row: Mapping[str, str | None]) -> bool:
        return bool(self.erased) and self.erased in [row.get(field) for field in CUSTOMER_OF.get(kind, ())]

    def table(self, kind: str) -> dict[str, dict[str, Any]]:
        with writing(self.file) as database:
            rows = database.rows(f"SELECT * FROM book.landed_stripe_{kind}")
        assert len({row["id"] for row in rows}) == len(rows)
        return {row["id"]: row for row in rows}

    def everything(self) -> dict[str, Any]:
        with writing(self.file) as database:
            tables = {kind: database.rows(f"SELECT * FROM book.landed_stripe_{kind} ORDER BY id") for kind in KINDS}
            return tables | {"cursors": database.rows("SELECT * FROM cx_state.landing_cursors ORDER BY kind")}

    def asked(self, path: str) -> int:
        return sum(asked.path.startswith(path) for asked in self.stripe.asked)


@pytest.fixture
def home(tmp_path: Path, stripe: StripeStandIn) -> Home:
    return Home(tmp_path, stripe)


def test_everything_is_landed_as_text_with_cancelled_subscriptions(home: Home, stripe: StripeStandIn) -> None:
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


def test_a_second_run_asks_for_events_alone_and_changes_nothing(home: Home, stripe: StripeStandIn) -> None:
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


def test_the_next_day_has_what_changed_and_what_is_gone(home: Home, stripe: StripeStandIn) -> None:
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


def test_what_changes_while_it_is_read_comes_with_the_next_run(home: Home, stripe: StripeStandIn) -> None:
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


def test_an_event_that_comes_late_is_read(home: Home, stripe: StripeStandIn) -> None:
    home.land()
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_001", "name": "In time"})
    home.land()
    stripe.now -= 300
    stripe.put("customers", {"id": "cus_002", "name": "Late"})
    stripe.now += DAY
    home.land()
    assert home.table("customers")["cus_002"]["name"] == "Late"


def test_a_full_pass_finds_what_no_event_told(home: Home, stripe: StripeStandIn) -> None:
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


def test_after_a_month_without_a_run_all_is_read_again(home: Home, stripe: StripeStandIn) -> None:
    home.land(full_pass_days=60)
    stripe.put("customers", {"id": "cus_101", "name": "Renamed"})
    stripe.now += 31 * DAY
    home.land(full_pass_days=60)
    assert home.table("customers")["cus_101"]["name"] == "Renamed"


def test_lists_within_objects_are_read_to_their_end(home: Home, stripe: StripeStandIn) -> None:
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


def test_products_that_a_discount_of_a_customer_is_for_come_with_it(home: Home, stripe: StripeStandIn) -> None:
    of_support = coupon(25) | {"applies_to": {"products": ["prod_support"]}}
    stripe.put("customers", {"id": "cus_001", "discount": {"id": "di_1", "object": "discount", "coupon": of_support}})
    home.land()
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_001", "name": "Renamed"})
    home.land()
    landed = home.table("customers")["cus_001"]
    assert landed["name"] == "Renamed"
    assert json.loads(landed["discount"])["coupon"]["applies_to"] == {"products": ["prod_support"]}


def test_tiers_of_prices_come_with_them(home: Home, stripe: StripeStandIn) -> None:
    tiers = [{"up_to": 10, "unit_amount": 900}, {"up_to": None, "unit_amount": 700}]
    stripe.put("prices", price("price_tiers", None) | {"tiers": tiers, "tiers_mode": "volume"})
    home.land()
    assert json.loads(home.table("prices")["price_tiers"]["tiers"])[1]["unit_amount"] == "700"
    stripe.now += DAY
    stripe.put("prices", {"id": "price_tiers", "nickname": "By volume"})
    home.land()
    assert json.loads(home.table("prices")["price_tiers"]["tiers"])[0]["up_to"] == "10"


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_faults_neither_lose_nor_double_anything(home: Home, stripe: StripeStandIn, tmp_path: Path, seed: int) -> None:
    faultless = Home(tmp_path / "other", stripe)
    faultless.file.parent.mkdir()
    kinds = ("500", "429", "dropped", "truncated", "repeated")
    for day in range(3):
        stripe.faults = Faults(seed + 10 * day, 0.3, kinds)
        home.land()
        happened = stripe.faults.happened
        stripe.faults = Faults()
        faultless.land()
        assert home.everything() == faultless.everything()
        stripe.now += DAY
        for n in range(day, 120, 9):
            stripe.put("subscriptions", {"id": f"sub_{n:03}", "status": "past_due" if day else "paused"})
        stripe.delete("customers", f"cus_{240 + day}")
    assert happened
    assert all(0 <= seconds <= 90 for seconds in home.slept)


def test_what_the_vendor_asks_to_wait_is_waited(home: Home, stripe: StripeStandIn) -> None:
    stripe.faults = Faults(1, 0.2, ("429",))
    home.land()
    assert stripe.faults.happened["429"] == len(home.slept)
    assert all(2 <= seconds <= 62 for seconds in home.slept)


def test_many_gone_at_once_are_not_believed(home: Home, stripe: StripeStandIn) -> None:
    home.land()
    before = home.everything()
    for n in range(100):
        del stripe.kept["customers"][f"cus_{n:03}"]
    stripe.now += 8 * DAY
    with pytest.raises(SourceError, match=r"100 of 250 customers .* max_gone_pct"):
        home.land()
    assert home.everything() == before
    home.land(max_gone_pct=50)
    assert sum(row["deleted"] == "true" for row in home.table("customers").values()) == 100


def test_objects_that_are_gone_already_make_no_share_smaller(home: Home, stripe: StripeStandIn) -> None:
    home.land(("customers",))
    for n in range(50, 250):
        stripe.delete("customers", f"cus_{n:03}")
    stripe.now += DAY
    home.land(("customers",), max_gone_pct=80)
    for n in range(20):
        del stripe.kept["customers"][f"cus_{n:03}"]
    stripe.now += 8 * DAY
    with pytest.raises(SourceError, match="20 of 50 customers"):
        home.land(("customers",))


def test_a_field_that_was_never_there_is_kept_and_told(home: Home, stripe: StripeStandIn) -> None:
    home.land()
    assert home.results[0].passed
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_003", "tax_region": {"code": "EU"}})
    home.land()
    assert not home.results[0].passed
    assert "customers.tax_region" in home.results[0].rule.recovery
    assert home.table("customers")["cus_003"]["tax_region"] == '{"code": "EU"}'
    assert home.table("customers")["cus_004"]["tax_region"] is None
    stripe.now += DAY
    home.land()
    assert home.results[0].passed


def test_a_kind_that_is_wanted_later_is_read_whole(home: Home, stripe: StripeStandIn) -> None:
    home.land(("customers",))
    stripe.now += DAY
    home.land(("customers", "subscriptions"))
    assert len(home.table("subscriptions")) == 120


def test_a_wrong_key_is_told_without_the_key(home: Home, stripe: StripeStandIn) -> None:
    with pytest.raises(SourceError, match=r"answers 401 .* in STRIPE_API_KEY") as raised:
        home.land(key="rk_live_mistyped")
    assert "rk_live_mistyped" not in str(raised.value)
    assert len(stripe.asked) == 1


def test_a_right_that_the_key_lacks_is_named(home: Home, stripe: StripeStandIn) -> None:
    stripe.may_read.remove("coupons")
    with pytest.raises(SourceError, match=r"permissions for this endpoint: coupons.*read access"):
        home.land()
    assert not home.slept


def test_an_outage_is_told_after_some_tries_and_leaves_all_as_it_was(home: Home, stripe: StripeStandIn) -> None:
    home.land()
    before = home.everything()
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_001", "name": "Renamed"})
    answer = stripe.answer
    stripe.answer = lambda asked, fault: stripe.error(503, "Down") if "cus_001" in asked.path else answer(asked, fault)  # type: ignore[method-assign]
    with pytest.raises(SourceError, match=r"tried 7 times: .* 503 .*Down"):
        home.land()
    assert len(home.slept) == 6
    assert home.everything() == before
    del stripe.answer
    home.land()
    assert home.table("customers")["cus_001"]["name"] == "Renamed"


def test_nothing_of_an_erased_customer_is_landed(home: Home, stripe: StripeStandIn) -> None:
    home.erased = "cus_003"
    home.land()
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_003", "name": "Renamed"})
    stripe.put("subscriptions", {"id": "sub_003", "status": "past_due"})
    home.land()
    assert "cus_003" not in home.table("customers")
    assert "sub_003" not in home.table("subscriptions")
    assert len(home.table("subscriptions")) == 119


def test_the_doctor_names_each_right_that_is_missing(home: Home, stripe: StripeStandIn) -> None:
    assert refusals(home.source(), KINDS, {"STRIPE_API_KEY": KEY}) == []
    stripe.may_read -= {"coupons", "invoices"}
    found = refusals(home.source(), KINDS, {"STRIPE_API_KEY": KEY})
    assert [text.split(" to ")[1].split(":")[0] for text in found] == ["/v1/coupons", "/v1/invoices"]
    (refused,) = refusals(home.source(), KINDS, {"STRIPE_API_KEY": "rk_live_mistyped"})
    assert "401" in refused
    with pytest.raises(SourceError, match="STRIPE_API_KEY is not set, which signs in to stripe"):
        refusals(home.source(), KINDS, {})
