"""What a subscription costs in a month: units times price, billing intervals, discounts, and what is beyond limits."""

from decimal import Decimal
from typing import Any

import ibis
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.staged_rows import judged, raw

BOOK = portfolio()
ROW = {"subscription_id": "S1", "account_id": "A1", "start_date": "2025-01-01"}


PRICES: list[tuple[dict[str, str], str, str]] = [
    ({"amount": "120.00"}, "120", "120"),
    ({"amount": "1200", "billing_period_months": "12"}, "100", "100"),
    ({"amount": "1200", "billing_interval": "year"}, "100", "100"),
    ({"amount": "300", "billing_interval": "month", "billing_interval_count": "3"}, "100", "100"),
    ({"amount": "12", "billing_interval": "week"}, "52", "52"),
    ({"amount": "1", "billing_interval": "day"}, "30.416667", "30.416667"),
    ({"amount": "300", "billing_interval": "Quarterly"}, "100", "100"),
    ({"amount": "600", "billing_interval": "semi-annual"}, "100", "100"),
    ({"amount": "600", "billing_interval": "quarter", "billing_interval_count": "2"}, "100", "100"),
    ({"amount": "2400", "billing_interval": "per_two_years"}, "100", "100"),
    ({"amount": "60", "billing_interval": "fortnight"}, "130", "130"),  # 26 times a year
    ({"amount": "1200", "billing_interval": "P1Y"}, "100", "100"),
    ({"amount": "99.50 EUR"}, "99.5", "99.5"),
    ({"unit_amount": "19.99", "quantity": "7"}, "139.93", "139.93"),
    ({"unit_amount": "19.99"}, "19.99", "19.99"),
    ({"amount": "1200 €", "unit_amount": "100 €", "quantity": "12"}, "1200", "1200"),
    ({"amount": "2400", "billing_interval": "month", "billing_interval_count": "120"}, "20", "20"),
    ({"unit_amount": "19.99", "quantity": "0"}, "0", "0"),
    ({"amount": "200", "discount_pct": "20"}, "200", "160"),
    ({"amount": "200", "discount_amount": "50"}, "200", "150"),
    ({"amount": "200", "discount_pct": "10", "discount_amount": "50"}, "200", "130"),
    ({"amount": "200", "discount_amount": "500"}, "200", "0"),
    ({"amount": "200", "discount_pct": "20", "discount_duration": "once"}, "200", "200"),
    ({"amount": "1200", "billing_interval": "year", "discount_pct": "25"}, "100", "75"),
]


@pytest.mark.parametrize(
    "case", range(len(PRICES)), ids=lambda n: " ".join(f"{k}={v}" for k, v in PRICES[n][0].items())
)
def test_the_price_of_a_month(case: int, priced: list[dict[str, Any]]) -> None:
    row, (_, list_mrr, mrr) = priced[case], PRICES[case]
    assert (row["_reason"], row["list_mrr_amount"], row["mrr_amount"]) == (None, Decimal(list_mrr), Decimal(mrr))


IMPOSSIBLE: list[tuple[dict[str, str], str]] = [
    (
        {"amount": "120", "quantity": "1736983800000"},
        "quantity: '1736983800000' is above 1,000,000,000",
    ),
    ({"amount": "120", "quantity": "-1"}, "quantity: '-1' is below 0"),
    ({"unit_amount": "100000000000", "quantity": "1000"}, "quantity times price is beyond the limit"),
    ({"quantity": "3"}, "amount is missing"),
    ({"amount": "120", "discount_pct": "1e5"}, "discount_pct: '1e5' is above 100"),
    (
        {"amount": "120", "billing_interval": "bimonthly"},
        "billing_interval: 'bimonthly' is none of day, week, month, year, nor another known word: map it under values, or "
        "deliver billing_period_months",
    ),
    (
        {"amount": "99 GBP", "currency": "EUR"},
        "amount: '99 GBP' is not in the currency of the row, EUR: mend one of the two",
    ),
    (
        {"amount": "120", "billing_interval": "biweekly"},
        "billing_interval: 'biweekly' is none of day, week, month, year, nor another known word: map it under values, or "
        "deliver billing_period_months",
    ),
    (
        {"amount": "120", "billing_interval": "year", "billing_interval_count": "11"},
        "billing_interval_count: '11' makes a billing period of more than 120 months",
    ),
    (
        {"unit_amount": "10", "quantity": "2.5"},
        "quantity: '2.5' is not a whole number: deliver the amount of all units, and no quantity",
    ),
    (
        {"amount": "99 €", "discount_amount": "9 £"},
        "discount_amount: '9 £' has another currency than an amount of the row with EUR: mend one of the two",
    ),
    (
        {"amount": "99 $", "unit_amount": "99 kr"},
        "amount: '99 $' has another currency than an amount of the row with kr: mend one of the two; "
        "unit_amount: '99 kr' has another currency than an amount of the row with $: mend one of the two",
    ),
    ({"amount": "99 £"}, "currency: 'GBP' has no rate under currency.rates"),
    (
        {"amount": "99 $", "currency": "EUR"},
        "amount: '99 $' is not in the currency of the row, EUR: mend one of the two",
    ),
    ({"amount": "120", "discount_pct": "-0.5"}, "discount_pct: '-0.5' is below 0"),
]


@pytest.fixture(scope="module")
def priced() -> list[dict[str, Any]]:
    """What becomes of each case, first of PRICES and then of IMPOSSIBLE, staged together."""
    given = [*(cells for cells, _, _ in PRICES), *(cells for cells, _ in IMPOSSIBLE)]
    return judged("subscriptions", [ROW | {"subscription_id": f"S{n}"} | cells for n, cells in enumerate(given)], BOOK)


@pytest.mark.slow
def test_a_sign_says_the_currency_or_is_told() -> None:
    """$ may be that of many currencies: it counts as the row's, EUR here, and a rule tells; of CAD it is right."""
    book = portfolio(currency={"reporting": "EUR", "rates": {"GBP": 1.2, "CAD": 0.7}})
    given = [
        ROW | {"subscription_id": "pound", "amount": "100 £"},
        ROW | {"subscription_id": "dollar", "amount": "100 $"},
        ROW | {"subscription_id": "canada", "amount": "100 $", "currency": "CAD"},
        ROW | {"subscription_id": "none", "amount": "100"},
    ]
    rows = judged("subscriptions", given, book)
    assert [row["mrr_amount"] for row in rows] == [Decimal(n) for n in ("120", "100", "70", "100")]
    (rule,) = [r for r in STAGING["subscriptions"](book).cross_invariants if r.name == "amounts_in_currency"]
    staged = ibis.memtable([{name: row[name] for name in ("subscription_id", "currency")} for row in rows])
    broken = rule.broken({"self": staged, "raw_subscriptions": raw(given)})
    assert broken.to_pyarrow()["subscription_id"].to_pylist() == ["dollar"]


def test_units_and_prices_that_cannot_be(priced: list[dict[str, Any]]) -> None:
    assert [row["_reason"] for row in priced[len(PRICES) :]] == [reason for _, reason in IMPOSSIBLE]


def test_an_amount_that_is_not_units_times_price_is_told() -> None:
    """By hand: 3 x 100 is 300, less 10 % 270, less 50 250; a price of a third of a cent may miss a cent a unit."""
    rows = {
        "whole": ("300", "100", "3", None, None),
        "a monthly price for a year": ("3600", "100", "3", None, None),
        "less a share": ("270", "100", "3", "10", None),
        "less an amount": ("250.00 EUR", "100 EUR", "3", None, "50"),
        "rounded": ("10", "3.33", "3", None, None),
        "with a sign": ("€1,000.00", "€100", "3", None, None),
        "another": ("270", "100", "3", None, None),
        "no price": ("270", None, "3", None, None),
        "one": ("90", "100", None, None, None),
    }
    names = ("amount", "unit_amount", "quantity", "discount_pct", "discount_amount")
    given = [{"subscription_id": i} | dict(zip(names, cells, strict=True)) for i, cells in rows.items()]
    (rule,) = [r for r in STAGING["subscriptions"](BOOK).cross_invariants if r.name == "amount_is_units_times_price"]
    staged = ibis.memtable([{"subscription_id": i, "amount": 1.0} for i in rows])
    broken = rule.broken({"self": staged, "raw_subscriptions": raw(given)})
    assert sorted(broken.to_pyarrow()["subscription_id"].to_pylist()) == [
        "a monthly price for a year",
        "another",
        "one",
        "with a sign",
    ]
    assert rule.broken({"self": staged, "raw_subscriptions": raw([{"amount": "1"}])}).to_pyarrow().num_rows == 0
