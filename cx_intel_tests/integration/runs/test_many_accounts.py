"""A refresh of several thousand accounts with ordinary cents: shares stay within their bounds, and nothing fails."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

ACCOUNTS = 4000
CHANGES_ON = date(2025, 1, 1)


def cents(number: int) -> str:
    """Amounts from 0.01 to 99.97, of which many times a hundred divided by themselves are not 100 in binary."""
    return f"{(number * 1029) % 9997 / 100 + 0.01:.2f}"


def company(folder: Path) -> SmallCompany:
    """Unchanged contracts since November; every tenth ended and every eleventh gained another one in January."""
    made = SmallCompany(folder)
    made.only("accounts", "subscriptions")
    made.settings = {key: value for key, value in made.settings.items() if key != "usage"}
    template = made.tables["accounts"][0]
    numbers = range(1, ACCOUNTS + 1)
    made.tables["accounts"] = [template | {"account_id": f"A{n}", "segment": f"S{n % 400}"} for n in numbers]
    started = {"product_name": "suite", "currency": "EUR", "status": "active", "start_date": date(2024, 11, 1)}
    contracts = [
        started | {"subscription_id": f"S{n}", "account_id": f"A{n}", "amount": cents(n), "end_date": None}
        for n in numbers
    ]
    for contract in contracts[::10]:
        contract["end_date"] = CHANGES_ON
    more = [
        contract | {"subscription_id": f"{contract['subscription_id']}b", "start_date": CHANGES_ON, "end_date": None}
        for contract in contracts[::11]
    ]
    made.tables["subscriptions"] = [*contracts, *(row | {"product_name": "seats"} for row in more)]
    return made


def test_retention_of_thousands_of_accounts_with_cents_stays_within_its_bounds(tmp_path: Path) -> None:
    made = company(tmp_path)
    outcome = made.refresh(AS_OF)
    assert outcome.succeeded, outcome.failures
    for table in ("nrr_summary", "nrr_by_segment"):
        counted, above, beyond, flat = made.query(
            f"""SELECT count(*), count(*) FILTER (grr_pct > 100), count(*) FILTER (grr_pct > nrr_pct),
            count(*) FILTER (churned_mrr = 0 AND contraction_mrr = 0 AND starting_mrr > 0 AND grr_pct <> 100)
            FROM {table}"""
        )[0]
        assert counted >= 3
        assert (above, beyond, flat) == (0, 0, 0)
    assert made.query("SELECT count(*) FROM fct_revenue WHERE revenue_movement = 'flat'")[0][0] >= ACCOUNTS
