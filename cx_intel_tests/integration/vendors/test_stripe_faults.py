"""What Stripe refuses, loses and breaks on the way: nothing is lost or doubled, and what is wrong is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.readers import refusals
from cx_intel_tests.helpers.stripe_home import DAY, KINDS, StripeHome, company
from cx_intel_tests.helpers.stripe_stand_in import KEY, StripeStandIn
from cx_intel_tests.helpers.vendor_server import Faults, serving

pytestmark = pytest.mark.slow  # many landings; a whole portfolio on Stripe is in each run


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    stand_in = company()
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def home(tmp_path: Path, stripe: StripeStandIn) -> StripeHome:
    return StripeHome(tmp_path, stripe)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_faults_neither_lose_nor_double_anything(
    home: StripeHome, stripe: StripeStandIn, tmp_path: Path, seed: int
) -> None:
    faultless = StripeHome(tmp_path / "other", stripe)
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
    assert all(0 <= seconds <= 90 for seconds in stripe.slept)


def test_what_the_vendor_asks_to_wait_is_waited(home: StripeHome, stripe: StripeStandIn) -> None:
    stripe.faults = Faults(1, 0.2, ("429",))
    home.land()
    assert stripe.faults.happened["429"] == len(stripe.slept)
    assert all(2 <= seconds <= 62 for seconds in stripe.slept)


def test_many_gone_at_once_are_not_believed(home: StripeHome, stripe: StripeStandIn) -> None:
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


def test_objects_that_are_gone_already_make_no_share_smaller(home: StripeHome, stripe: StripeStandIn) -> None:
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


def test_a_field_that_was_never_there_is_kept_and_told(home: StripeHome, stripe: StripeStandIn) -> None:
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


def test_a_kind_that_is_wanted_later_is_read_whole(home: StripeHome, stripe: StripeStandIn) -> None:
    home.land(("customers",))
    stripe.now += DAY
    home.land(("customers", "subscriptions"))
    assert len(home.table("subscriptions")) == 120


def test_a_wrong_key_is_told_without_the_key(home: StripeHome, stripe: StripeStandIn) -> None:
    with pytest.raises(SourceError, match=r"answers 401 .* in STRIPE_API_KEY") as raised:
        home.land(key="rk_live_mistyped")
    assert "rk_live_mistyped" not in str(raised.value)
    assert len(stripe.asked) == 1


def test_a_right_that_the_key_lacks_is_named(home: StripeHome, stripe: StripeStandIn) -> None:
    stripe.may_read.remove("coupons")
    with pytest.raises(SourceError, match=r"permissions for this endpoint: coupons.*read access"):
        home.land()
    assert not stripe.slept


def test_an_outage_is_told_after_some_tries_and_leaves_all_as_it_was(home: StripeHome, stripe: StripeStandIn) -> None:
    home.land()
    before = home.everything()
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_001", "name": "Renamed"})
    answer = stripe.answer
    stripe.answer = lambda asked, fault: stripe.error(503, "Down") if "cus_001" in asked.path else answer(asked, fault)  # type: ignore[method-assign]
    with pytest.raises(SourceError, match=r"tried 7 times: .* 503 .*Down"):
        home.land()
    assert len(stripe.slept) == 6
    assert home.everything() == before
    del stripe.answer
    home.land()
    assert home.table("customers")["cus_001"]["name"] == "Renamed"


def test_nothing_of_an_erased_customer_is_landed(home: StripeHome, stripe: StripeStandIn) -> None:
    home.erased = "cus_003"
    home.land()
    stripe.now += DAY
    stripe.put("customers", {"id": "cus_003", "name": "Renamed"})
    stripe.put("subscriptions", {"id": "sub_003", "status": "past_due"})
    home.land()
    assert "cus_003" not in home.table("customers")
    assert "sub_003" not in home.table("subscriptions")
    assert len(home.table("subscriptions")) == 119


def test_the_doctor_names_each_right_that_is_missing(home: StripeHome, stripe: StripeStandIn) -> None:
    assert refusals(home.of(), KINDS, {"STRIPE_API_KEY": KEY}) == []
    stripe.may_read -= {"coupons", "invoices"}
    found = refusals(home.of(), KINDS, {"STRIPE_API_KEY": KEY})
    assert [text.split(" to ")[1].split(":")[0] for text in found] == ["/v1/coupons", "/v1/invoices"]
    (refused,) = refusals(home.of(), KINDS, {"STRIPE_API_KEY": "rk_live_mistyped"})
    assert "401" in refused
    with pytest.raises(SourceError, match="STRIPE_API_KEY is not set, which signs in to stripe"):
        refusals(home.of(), KINDS, {})
