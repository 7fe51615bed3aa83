"""A subscription in an ended word without an end: kept where an earlier load had it in force, else quarantined."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow


def test_only_what_was_never_in_force_is_quarantined(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.source("subscriptions", max_quarantined_pct=20)
    assert company.refresh(date(2025, 1, 30)).succeeded
    rows = company.tables["subscriptions"]
    rows[1]["status"] = "canceled"  # S02 of 200 was in force on 30 January
    rows.append(rows[0] | {"subscription_id": "S99", "status": "canceled", "end_date": None})
    for _ in range(2):  # the same day twice: it forgets what that day wrote
        assert company.refresh(AS_OF).succeeded
        quarantined = company.query("SELECT source_table, reason LIKE '%map the day to end_date%' FROM quarantine")
        assert quarantined == [("subscriptions", True)]
        of_s02 = (
            "SELECT counts_from, counts_until FROM subscription_periods WHERE is_counting AND subscription_id = 'S02'"
        )
        assert company.query(of_s02) == [(date(2024, 2, 15), AS_OF)]
