"""A company whose exports are German, through a whole refresh: days, times and amounts, read or turned away."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cx_intel_tests.helpers.small_company import SmallCompany

pytestmark = pytest.mark.slow


def test_german_files_through_a_whole_refresh(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions", "usage_events")
    german = {"date_formats": ["%d.%m.%Y", "%d.%m.%Y %H:%M"], "decimal": ","}
    company.source("accounts", **german)
    company.source("subscriptions", max_quarantined_pct=30, **german)
    company.source("usage_events", time_zone="Europe/Berlin", **german)
    account = {"account_id": "A1", "signup_date": "15.01.2024", "employee_count": "1.400", "currency": "EUR"}
    contract = {
        "subscription_id": "1.000",
        "account_id": "A1",
        "product_name": "suite",
        "amount": "24.000,50",
        "billing_period_months": "1",
        "start_date": "15.01.2024",
        "end_date": "31.12.9999",
        "status": "active",
    }
    event = {"event_id": "E1", "account_id": "A1", "event_name": "login", "event_timestamp": "31.12.2024 09:00"}
    company.tables |= {
        "accounts": [account, account | {"account_id": "A2", "signup_date": "2024-02-29", "employee_count": "7"}],
        "subscriptions": [
            contract,
            contract | {"subscription_id": "S2", "amount": "1 200", "start_date": "2024-06-01", "end_date": ""},
            contract | {"subscription_id": "S3", "amount": "99,5", "start_date": "1.2.2024"},
            contract | {"subscription_id": "S4", "amount": "24,000.50"},
            contract | {"subscription_id": "S5", "amount": "24.5", "start_date": "30.02.2024"},
            *(contract | {"subscription_id": f"T{n}", "amount": "0,00"} for n in range(5)),
        ],
        "usage_events": [
            event,
            event | {"event_id": "E2", "event_timestamp": "2025-01-10 09:00"},
            event | {"event_id": "E3", "event_timestamp": "2025-01-10T09:00Z"},
        ],
    }
    assert company.refresh().succeeded
    assert company.values("stg_accounts", "signup_date", "employee_count") == {
        "A1": (date(2024, 1, 15), 1400),
        "A2": (date(2024, 2, 29), 7),
    }
    found = company.values("stg_subscriptions", "amount", "start_date", "end_date", by="subscription_id")
    never = date(9999, 12, 31)
    assert {key: row for key, row in found.items() if not key.startswith("T")} == {
        "1.000": (Decimal("24000.50"), date(2024, 1, 15), never),
        "S2": (Decimal("1200.00"), date(2024, 6, 1), None),
        "S3": (Decimal("99.50"), date(2024, 2, 1), never),
    }
    assert company.values("stg_usage_events", "event_timestamp", by="event_id") == {
        "E1": datetime(2024, 12, 31, 8),
        "E2": datetime(2025, 1, 10, 8),
        "E3": datetime(2025, 1, 10, 9),
    }
    assert company.values("quarantine", "reason", by="row_number") == {
        4: "amount: '24,000.50 (decimal: \",\")' is not a number (write 1234.50)",
        5: "amount: '24.5 (decimal: \",\")' is not a number (write 1234.50); "
        "start_date: '30.02.2024' is not a date (YYYY-MM-DD, or as date_formats say)",
    }
    assert '"amount":"24.5"' in company.query("SELECT raw_row FROM quarantine WHERE row_number = 5")[0][0]
    # 24,000.50 + 1,200 + 99.50
    assert company.values("nrr_summary", "ending_mrr", by="revenue_month")[date(2025, 1, 1)] == Decimal("25300.00")
