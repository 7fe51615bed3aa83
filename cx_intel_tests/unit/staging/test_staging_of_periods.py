"""How the ends of subscriptions and of invoiced periods are read, first day without or last day in force."""

from datetime import date
from typing import Any

import pytest

from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.staged_rows import judged


def book(table: str, **source: Any) -> Portfolio:
    names = dict.fromkeys(("accounts", "subscriptions", table))
    files = [{"kind": "files", "table": t, "path": f"{t}.csv"} | (source if t == table else {}) for t in names]
    return portfolio(sources=files)


@pytest.mark.parametrize(
    ("end_date", "expected"),
    [
        pytest.param({}, date(2025, 1, 31), marks=pytest.mark.slow),
        ({"is": "last_day_in_force"}, date(2025, 2, 1)),
    ],
)
def test_the_end_of_an_invoiced_period(end_date: dict[str, str], expected: date) -> None:
    line = {"invoice_id": "I1", "account_id": "A1", "invoice_date": "2025-01-01", "amount": "100", "status": "paid"}
    (row,) = judged(
        "invoices",
        [line | {"period_start": "2025-01-01", "period_end": "2025-01-31"}],
        book("invoices", end_date=end_date),
    )
    assert (row["_reason"], row["period_end"]) == (None, expected)
    if end_date:
        assert row["mrr_amount"] == 100


@pytest.mark.slow
def test_a_subscription_row_that_is_valid_to_its_last_day() -> None:
    row = {"subscription_id": "S1", "account_id": "A1", "amount": "100", "start_date": "2025-01-01"}
    given = [row | {"end_date": "2025-03-31", "valid_from": "2025-01-01", "valid_to": "2025-02-28"}]
    (found,) = judged("subscriptions", given, book("subscriptions", end_date={"is": "last_day_in_force"}))
    assert (found["_reason"], found["end_date"], found["valid_to"]) == (None, date(2025, 4, 1), date(2025, 3, 1))
