"""What a subscription costs in a month: units times price, billing intervals, discounts, and what is beyond limits."""

from decimal import Decimal
from typing import Any

import pytest

from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.staged_rows import judged

BOOK = portfolio()
ROW = {"subscription_id": "S1", "account_id": "A1", "start_date": "2025-01-01"}


PRICES: list[tuple[dict[str, str], str, str]] = [
    ({"amount": "120.00"}, "120", "120"),
    ({"amount": "1200", "billing_period_months": "12"}, "100", "100"),
    ({"amount": "1200", "billing_interval": "year"}, "100", "100"),
    ({"amount": "300", "billing_interval": "month", "billing_interval_count": "3"}, "100", "100"),
    ({"amount": "12", "billing_interval": "week"}, "52", "52"),
    ({"amount": "1", "billing_interval": "day"}, "30.416667", "30.416667"),
    ({"unit_amount": "19.99", "quantity": "7"}, "139.93", "139.93"),
    ({"unit_amount": "19.99"}, "19.99", "19.99"),
    ({"unit_amount": "19.99", "quantity": "0"}, "0", "0"),
    ({"amount": "200", "discount_pct": "20"}, "200", "160"),
    ({"amount": "200", "discount_amount": "50"}, "200", "150"),
    ({"amount": "200", "discount_pct": "10", "discount_amount": "50"}, "200", "130"),
    ({"amount": "200", "discount_amount": "500"}, "200", "0"),
    ({"amount": "200", "discount_pct": "20", "discount_duration": "once"}, "200", "200"),
    ({"amount": "1200", "billing_interval": "year", "discount_pct": "25"}, "100", "75"),
]


@pytest.fixture(scope="module")
def priced() -> list[dict[str, Any]]:
    """What becomes of each case, staged together."""
    return judged(
        "subscriptions", [ROW | {"subscription_id": f"S{n}"} | given for n, (given, _, _) in enumerate(PRICES)], BOOK
    )


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
    ({"amount": "120", "discount_pct": "-0.5"}, "discount_pct: '-0.5' is below 0"),
]


def test_units_and_prices_that_cannot_be() -> None:
    given = [ROW | {"subscription_id": f"S{n}"} | cells for n, (cells, _) in enumerate(IMPOSSIBLE)]
    assert [row["_reason"] for row in judged("subscriptions", given, BOOK)] == [reason for _, reason in IMPOSSIBLE]
