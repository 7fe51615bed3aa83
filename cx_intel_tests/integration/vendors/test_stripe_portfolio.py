"""A portfolio whose one source is Stripe: from an empty home to MRR, and the day after, through the real job."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.proof import remains
from cx_intel.privacy.subject import Subject
from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.stripe_stand_in import KEY, StripeStandIn, coupon, item, items, price
from cx_intel_tests.helpers.vendor_server import serving

pytestmark = pytest.mark.slow  # whole refreshes

FIRST, SECOND = date(2025, 6, 30), date(2025, 7, 1)
SEAT = price("price_seat", 1999)
YEN = price("price_yen", 120_000, "jpy", "year")


def at(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 10, tzinfo=UTC).timestamp())


def subscription(customer: str, *listed: dict[str, object], **more: object) -> dict[str, object]:
    id_ = customer.replace("cus", "sub")
    of = {
        "customer": customer,
        "status": "active",
        "currency": "usd",
        "discounts": [],
        "start_date": at(date(2025, 2, 3)),
    }
    return {"id": id_, "items": items(id_, list(listed)), **of, **more}


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    stand_in = StripeStandIn(at(FIRST))
    stand_in.put("products", {"id": "prod_suite", "name": "Suite"})
    stand_in.put("prices", SEAT)
    stand_in.put("prices", YEN)
    for name in "abcd":
        stand_in.put(
            "customers", {"id": f"cus_{name}", "name": f"Company {name.upper()}", "created": at(date(2025, 2, 1))}
        )
    stand_in.put("subscriptions", subscription("cus_a", item("si_a", SEAT, 10)))
    stand_in.put("subscriptions", subscription("cus_b", item("si_b", YEN, 3, at(date(2026, 2, 3))), currency="jpy"))
    quarter_off = {"id": "di_c", "object": "discount", "coupon": coupon(25), "start": at(date(2025, 2, 3)), "end": None}
    stand_in.put("subscriptions", subscription("cus_c", item("si_c", SEAT, 4), discounts=[quarter_off]))
    ended = {"status": "canceled", "ended_at": at(date(2025, 5, 31)), "canceled_at": at(date(2025, 5, 31))}
    stand_in.put("subscriptions", subscription("cus_d", item("si_d", SEAT, 1), **ended))
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def company(tmp_path: Path, stripe: StripeStandIn) -> SmallCompany:
    company = SmallCompany(tmp_path)
    company.only()
    company.settings |= {
        "currency": {"reporting": "USD", "rates": {"JPY": 0.0067}},
        "as_of": {"default": FIRST, "earliest": date(2025, 6, 1)},
        "revenue": {"basis": "subscriptions"},
        "sources": [
            {"kind": "stripe", "api_key": "${STRIPE_API_KEY}", "host": stripe.host},
            {"preset": "stripe_export", "landed": "stripe"},
        ],
    }
    company.settings.pop("usage")
    company.variables["STRIPE_API_KEY"] = KEY
    company.write_settings()
    return company


def test_from_an_empty_home_to_mrr_and_the_day_after(company: SmallCompany, stripe: StripeStandIn) -> None:
    outcome = company.refresh(FIRST, write=False)
    assert outcome.failures == []
    assert outcome.tables["landed_stripe"] == 2 + 4 + 4 + 1
    mrr = company.values("dim_account", "current_mrr")
    # 10 * 19.99; 3 * 120,000 JPY a year at 0.0067; 4 * 19.99 less a quarter; ended in May
    assert {k: Decimal(v) for k, v in mrr.items()} == {
        "cus_a": Decimal("199.90"),
        "cus_b": Decimal("201.00"),
        "cus_c": Decimal("59.97"),
        "cus_d": Decimal(0),
    }

    stripe.now = at(SECOND)
    stripe.put("subscriptions", subscription("cus_a", item("si_a", SEAT, 12)))
    gone = {"status": "canceled", "ended_at": at(SECOND), "canceled_at": at(SECOND)}
    stripe.put("subscriptions", {"id": "sub_c"} | gone)
    stripe.delete("customers", "cus_d")
    outcome = company.refresh(SECOND, write=False)
    assert outcome.failures == []
    mrr = company.values("dim_account", "current_mrr")
    assert {k: Decimal(v) for k, v in mrr.items()} == {
        "cus_a": Decimal("239.88"),
        "cus_b": Decimal("201.00"),
        "cus_c": Decimal(0),
        "cus_d": Decimal(0),
    }
    months = company.values("nrr_summary", "ending_mrr", by="revenue_month")
    assert Decimal(months[date(2025, 6, 1)]) == Decimal("460.87")

    key = KEY.encode()
    assert [file for file in company.home.rglob("*") if file.is_file() and key in file.read_bytes()] == []


@pytest.mark.slow
def test_a_subscription_that_is_gone_without_an_event_ends(company: SmallCompany, stripe: StripeStandIn) -> None:
    company.settings["sources"][0]["full_pass_days"] = 1
    company.settings["sources"][1]["tables"] = {"subscriptions": {"max_missing_pct": 50}}
    company.write_settings()
    assert company.refresh(FIRST, write=False).failures == []
    del stripe.kept["subscriptions"]["sub_c"]
    stripe.now = at(SECOND)
    assert company.refresh(SECOND, write=False).failures == []
    mrr = company.values("dim_account", "current_mrr")
    assert {k: Decimal(v) for k, v in mrr.items()} == {
        "cus_a": Decimal("199.90"),
        "cus_b": Decimal("201.00"),
        "cus_c": Decimal(0),
        "cus_d": Decimal(0),
    }


@pytest.mark.slow
def test_what_is_as_it_was_at_stripe_is_not_made_again(company: SmallCompany, stripe: StripeStandIn) -> None:
    company.refresh(FIRST, write=False)
    assert company.refresh(FIRST, write=False).unchanged >= {"raw_accounts", "raw_subscriptions", "fct_revenue"}
    stripe.put("customers", {"id": "cus_a", "phone": "+49 30 1"})
    outcome = company.refresh(FIRST, write=False)
    assert "raw_subscriptions" not in outcome.unchanged  # which has the discounts of customers
    assert outcome.unchanged >= {"stg_subscriptions", "fct_revenue"}
    assert any("customers.phone" in warning for warning in outcome.warnings)


def test_a_key_that_is_refused_is_named_and_nothing_is_made_of_nothing(
    company: SmallCompany, stripe: StripeStandIn
) -> None:
    stripe.key = "rk_live_another"
    outcome = company.refresh(FIRST, write=False)
    assert not outcome.is_complete
    assert "STRIPE_API_KEY" in outcome.failures[0]
    assert KEY not in "".join(outcome.failures)
    assert "raw_subscriptions" not in outcome.tables
    for folder, _, files in os.walk(company.home):
        assert [f for f in files if KEY.encode() in (Path(folder) / f).read_bytes()] == []


@pytest.mark.slow
def test_an_erased_customer_is_nowhere_and_does_not_come_back(company: SmallCompany) -> None:
    assert company.refresh(FIRST, write=False).failures == []
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    assert erase(home, company.name, "account", "cus_c").remains == ()
    left = [("sub_a",), ("sub_b",), ("sub_d",)]
    assert company.query("SELECT id FROM landed_stripe_subscriptions ORDER BY 1") == left
    outcome = company.refresh(SECOND, write=False, rebuild=True)
    assert outcome.failures == []
    assert company.query("SELECT id FROM landed_stripe_customers ORDER BY 1") == [("cus_a",), ("cus_b",), ("cus_d",)]
    months = company.values("nrr_summary", "ending_mrr", by="revenue_month")
    assert Decimal(months[date(2025, 5, 1)]) == Decimal("460.87")
    assert remains(company.home, Subject(company.name, "account", "cus_c", ("Company C",), "erased-1")).places == ()
