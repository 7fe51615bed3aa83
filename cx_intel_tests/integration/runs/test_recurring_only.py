"""A setup fee among subscriptions: told while nothing says that it does not recur, beside MRR afterwards."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

DECEMBER = date(2024, 12, 1)
FEE = {
    "subscription_id": "S01-fee",
    "account_id": "A01",
    "product_name": "Setup fee",
    "amount": 5000,
    "currency": "EUR",
    "start_date": date(2024, 12, 20),
    "end_date": date(2025, 1, 20),
    "status": "active",
}


def test_a_setup_fee(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.tables["subscriptions"].append(FEE)
    company.write()
    assert company.refresh(AS_OF).succeeded
    told = "SELECT failed_rows, severity FROM cx_state.check_results WHERE check_name = 'no_month_is_ten_times_usual'"
    paid = "SELECT mrr FROM small.fct_revenue WHERE account_id = 'A01' AND revenue_month = '2024-12-01'"
    assert company.query(paid) == [(5100,)]
    assert company.query(told) == [(1, "warn")]
    company.settings["revenue"] |= {"recurring_only": {"column": "product_name", "except": ["setup*"]}}
    company.write()
    assert company.refresh(AS_OF).succeeded
    assert company.query(paid) == [(100,)]
    assert company.query(told) == [(0, "warn")]
    assert company.query("SELECT id, billed_on, amount, why FROM small.non_recurring") == [
        ("S01-fee", date(2024, 12, 20), 5000, "product_name 'setup fee'")
    ]
