"""Two deliveries of which the second merges accounts: no new, no churn, history on the survivor, nothing restated."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

FEBRUARY = date(2025, 2, 28)
NRR = "SELECT * FROM nrr_summary WHERE revenue_month <= '2025-01-01' ORDER BY revenue_month"
MONTHS = "SELECT revenue_month, mrr, revenue_movement FROM fct_revenue WHERE account_id = '{}' ORDER BY 1 DESC LIMIT 2"


def company_with_aliases(folder: Path) -> SmallCompany:
    company = SmallCompany(folder)
    company.settings["reports"] = {"exports": []}
    company.settings["sources"] = [
        *company.settings["sources"],
        {"kind": "files", "table": "account_aliases", "path": "${SMALL_DATA}/account_aliases.csv"},
    ]
    merge(company, ("A00", "A01"))
    return company


def merge(company: SmallCompany, *pairs: tuple[str, str]) -> None:
    """These accounts are merged in the next delivery; A00, which nothing else names, was before the first."""
    company.tables["account_aliases"] = [
        {"old_account_id": old, "account_id": new} for old, new in dict.fromkeys([("A00", "A01"), *pairs])
    ]
