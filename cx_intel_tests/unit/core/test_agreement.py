"""Accounts that pay before their signup: in the ledger, outside the book, and told."""

from datetime import date

from cx_intel.contracts.agreement import PAYERS_HAVE_SIGNED_UP
from cx_intel.contracts.core import account_history
from cx_intel.contracts.revenue.ledger import fct_revenue
from cx_intel_tests.helpers.builders import accounts, portfolio, rows

DAY = date(2025, 1, 31)
SMALL = portfolio()


def broken(signup: date | None, month: date, mrr: int = 100, valid_to: date | None = None) -> list[str]:
    """The accounts that break the rule on DAY, of one that signs up on `signup` and pays in `month`."""
    history = {"account_id": "A1", "valid_from": date(2025, 1, 1), "valid_to": valid_to, "signup_date": signup}
    tables = {
        "self": accounts(SMALL, [{"account_id": "A2"}], DAY),
        "account_history": rows(account_history(SMALL), [history]),
        "fct_revenue": rows(fct_revenue(SMALL), [{"account_id": "A1", "revenue_month": month, "mrr": mrr}]),
    }
    return [row["account_id"] for row in PAYERS_HAVE_SIGNED_UP.broken(tables).to_pyarrow().to_pylist()]


def test_paid_in_a_month_that_ended_and_signs_up_after_the_day() -> None:
    assert broken(signup=date(2025, 2, 1), month=date(2024, 12, 1)) == ["A1"]


def test_signed_up_on_the_day_or_at_an_unknown_one() -> None:
    assert broken(signup=DAY, month=date(2024, 12, 1)) == []
    assert broken(signup=None, month=date(2024, 12, 1)) == []


def test_has_not_paid_yet() -> None:
    assert broken(signup=date(2025, 2, 1), month=date(2025, 2, 1)) == []
    assert broken(signup=date(2025, 2, 1), month=date(2024, 12, 1), mrr=0) == []


def test_a_signup_that_has_been_mended_since() -> None:
    assert broken(signup=date(2025, 2, 1), month=date(2024, 12, 1), valid_to=DAY) == []
