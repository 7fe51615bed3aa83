"""The example of four vendors' own systems, on stand-ins: from an empty home to health, and the day after."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel_tests.helpers.connected_company import (
    ACME,
    BOLT,
    COVA,
    DYNE,
    SEAT,
    SECRETS,
    Vendors,
    bill,
    connected_vendors,
)
from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.stripe_stand_in import item

pytestmark = pytest.mark.slow  # two refreshes

FIRST, SECOND = date(2025, 6, 30), date(2025, 7, 1)
FIGURES = ("health", "renewals", "playbooks", "rollups")
"""What is made of landed objects, and none of what an erasure is tried for."""


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    with connected_vendors(FIRST) as found:
        yield found


@pytest.fixture
def company(tmp_path: Path, vendors: Vendors) -> SmallCompany:
    company = SmallCompany(tmp_path)
    company.settings = vendors.settings()
    company.variables |= SECRETS
    company.write_settings()
    return company


def test_from_an_empty_home_to_health_and_the_day_after(company: SmallCompany, vendors: Vendors) -> None:
    outcome = company.refresh(FIRST, write=False)
    assert outcome.failures == []
    for vendor, count in {
        "salesforce": 2 + 5 + 4,
        "stripe": 4 + 4 + 3 + 1,
        "zendesk": 4 + 4 + 4,
        "planhat": 4 + 2 + 3,
    }.items():
        assert outcome.tables[f"landed_{vendor}"] == count
    owners = company.values("dim_account", "owner")
    assert owners == {ACME: "Ann Lee", BOLT: "Ben Ost", COVA: "Ann Lee", DYNE: "Ann Lee"}
    mrr = {account: Decimal(value) for account, value in company.values("dim_account", "current_mrr").items()}
    # 10 * 19.99; 1,200 / 12; 4 * 50 EUR at 1.08; left
    assert mrr == {ACME: Decimal("199.90"), BOLT: Decimal(100), COVA: Decimal(216), DYNE: Decimal(0)}
    months = company.values("nrr_summary", "ending_mrr", by="revenue_month")
    assert Decimal(months[date(2025, 4, 1)]) == Decimal("199.90") + 100 + 216 + Decimal("99.95")
    assert Decimal(months[date(2025, 6, 1)]) == Decimal("515.90")
    renewals = company.values("renewal_pipeline", "renewal_date")
    assert (renewals[ACME], renewals[BOLT]) == (date(2025, 9, 30), date(2026, 2, 2))
    # 0.4 * support + 0.6 * (review + NPS) / 2: 0.4 * 50 + 0.6 * 95; 0.4 * 100 + 0.6 * 25; 0.4 * 100 + 0.6 * 75
    scores = company.values("customer_health_scores", "health_score")
    assert scores == {ACME: 77.0, BOLT: 55.0, COVA: 85.0}
    assert company.values("customer_health_scores", "health_tier") == {ACME: "Green", BOLT: "Amber", COVA: "Green"}

    vendors.move_to(SECOND)
    bill(vendors.stripe, ACME, item("si_a", SEAT, 12))
    vendors.salesforce.put("Account", Id=BOLT, Name="Bolt & Sons", CSM_Owner__c="005A")
    vendors.salesforce.put("Opportunity", Id=f"006{ACME}", CloseDate="2025-10-31")
    vendors.zendesk.put("tickets", id=1000, status="solved", _metrics={"solved_at": "2025-07-01T09:00:00Z"})
    vendors.planhat.put("nps", _id="n-new", cId=f"c-{COVA}", score=10, dateAnswered="2025-07-01T08:00:00.000Z")
    for one in vars(vendors).values():
        one.now += 120  # Zendesk leaves out the last minute
    outcome = company.refresh(SECOND, write=False)
    assert outcome.failures == []
    assert Decimal(company.values("dim_account", "current_mrr")[ACME]) == Decimal("239.88")
    assert company.values("dim_account", "account_name")[BOLT] == "Bolt & Sons"
    assert company.values("dim_account", "owner")[BOLT] == "Ann Lee"
    of_today = f"WHERE as_of = DATE '{SECOND}'"
    renewals = dict(company.query(f"SELECT account_id, renewal_date FROM renewal_pipeline {of_today}"))
    assert renewals[ACME] == date(2025, 10, 31)
    newest = company.query(f"SELECT account_id, health_score FROM customer_health_scores {of_today}")
    # one ticket open: 0.4 * 75 + 57; a new quarter, in which last quarter's review counts for 30 days; 0.4 * 100 + 0.6 * 100
    assert dict(newest) == {ACME: 87.0, BOLT: 55.0, COVA: 100.0}

    kept = [file for file in files_of(company) for secret in secrets(vendors) if secret.encode() in file.read_bytes()]
    assert kept == []


def test_an_erased_account_is_nowhere_and_does_not_come_back(company: SmallCompany, vendors: Vendors) -> None:
    company.leave_out(*FIGURES)
    company.write_settings()
    assert company.refresh(FIRST, write=False).failures == []
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    assert erase(home, company.name, "account", BOLT).remains == ()
    left = {
        "salesforce_account": [ACME, COVA, DYNE, "001E"],
        "salesforce_opportunity": [f"006{id_}" for id_ in (ACME, COVA, DYNE)],
        "stripe_subscriptions": [f"sub_{id_}" for id_ in (ACME, COVA, DYNE)],
        "zendesk_tickets": ["1000", "1001", "1003"],
        "planhat_companies": [f"c-{id_}" for id_ in (ACME, COVA, DYNE)],
        "planhat_tasks": [f"t-{ACME}", f"t-{COVA}"],
    }

    def landed() -> dict[str, list[str]]:
        return {name: [id_ for (id_,) in company.query(f"SELECT id FROM landed_{name} ORDER BY id")] for name in left}

    assert landed() == left
    vendors.move_to(SECOND)
    vendors.salesforce.put("Account", Id=BOLT, Name="Bolt again")
    vendors.planhat.put("nps", _id="n-new", cId=f"c-{BOLT}", score=10, dateAnswered="2025-07-01T08:00:00.000Z")
    assert company.refresh(SECOND, write=False).failures == []
    assert landed() == left
    assert company.query("SELECT id FROM landed_planhat_nps ORDER BY id") == [(f"n-{ACME}",)]


def secrets(vendors: Vendors) -> list[str]:
    """What may stand nowhere: secrets and tokens; the ids of clients are none."""
    return [value for name, value in SECRETS.items() if not name.endswith("CLIENT_ID")] + vendors.tokens()


def files_of(company: SmallCompany) -> list[Path]:
    return [file for file in company.home.rglob("*") if file.is_file()]
