"""The example of four vendors' own systems, written back: from an empty home to the figures and tasks at the vendors."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel_tests.helpers.connected_company import ACME, BOLT, COVA, DYNE, NAMES, SECRETS, Vendors, connected_vendors
from cx_intel_tests.helpers.planhat_writing import TENANT, PlanhatWritingStandIn
from cx_intel_tests.helpers.salesforce_writing import CLIENT, SECRET, SalesforceWritingStandIn
from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.vendor_server import serving

pytestmark = pytest.mark.slow  # a refresh of four vendors

DAY = date(2025, 6, 30)


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    """Today three tickets of Bolt were opened, which it had not yesterday; its renewal is due in August."""
    with connected_vendors(DAY) as found:
        for n in range(3):
            found.zendesk.put("tickets", id=2000 + n, status="open", priority="high", organization_id=2, requester_id=102,
                              created_at="2025-06-30T08:00:00Z")  # fmt: skip
        # a task that an earlier sync created, and that was done since: no review that the customer had
        found.planhat.put("tasks", _id="t-ours", companyId=f"c-{BOLT}", mainType="task", action="QBR held fell",
                          sourceId=f"0123456789abcdef-{BOLT}", isArchived=True, dateDone="2025-06-29T10:00:00Z")  # fmt: skip
        found.salesforce.put("Opportunity", Id=f"006{BOLT}", CloseDate="2025-08-15")
        for one in (found.zendesk, found.planhat):
            one.now += 120
        yield found


@pytest.fixture
def salesforce() -> Iterator[SalesforceWritingStandIn]:
    stand_in = SalesforceWritingStandIn()
    for account in NAMES:
        stand_in.put("Account", account, OwnerId="005A", CSM_Owner__c="005B", Churn_Risk_Flag__c=False)
        closes_on = "2025-08-15" if account == BOLT else "2025-09-30"
        stand_in.put("Opportunity", f"006{account}", AccountId=account, Type="Existing Business - Renewal", IsClosed=False,
                     CloseDate=closes_on, Renewal_Risk__c=False, ForecastCategoryName="Pipeline")  # fmt: skip
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def planhat() -> Iterator[PlanhatWritingStandIn]:
    stand_in = PlanhatWritingStandIn()
    for account in NAMES:
        stand_in.put(account)
    stand_in.token = SECRETS["PLANHAT_TOKEN"]
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def company(
    tmp_path: Path, vendors: Vendors, salesforce: SalesforceWritingStandIn, planhat: PlanhatWritingStandIn
) -> SmallCompany:
    company = SmallCompany(tmp_path)
    company.settings = vendors.settings()
    company.settings["as_of"] = {"earliest": date(2025, 1, 1), "first_snapshots": [1]}
    company.settings["write_back"] = {
        "planhat": {"token": "${PLANHAT_TOKEN}", "tenant": "${PLANHAT_TENANT}", "host": planhat.host}
        | {"analytics_host": planhat.host},
        "salesforce": {"host": salesforce.host, "client_id": "${SF_ID}", "client_secret": "${SF_SECRET}"}
        | {"owner_field": "CSM_Owner__c", "opportunities": {"forecast_category": "Omitted"}},
        "tasks": {"to": "salesforce"},
    }
    company.variables |= SECRETS | {"PLANHAT_TENANT": TENANT, "SF_ID": CLIENT, "SF_SECRET": SECRET}
    company.write_settings()
    return company


def test_from_an_empty_home_to_the_figures_and_tasks_at_the_vendors(
    company: SmallCompany, salesforce: SalesforceWritingStandIn, planhat: PlanhatWritingStandIn
) -> None:
    assert company.refresh(DAY, write=False).failures == []
    of_today = f"as_of = DATE '{DAY}'"
    scores = company.values("customer_health_scores", "health_score", "confirmed_tier", where=of_today)
    # Bolt: 0.4 * 5 + 0.6 * (20 + 30) / 2
    assert scores == {ACME: (77.0, "Green"), BOLT: (17.0, "Red"), COVA: (85.0, "Green")}

    done = CliRunner().invoke(app, ["sync", company.name], env=company.variables)
    assert done.exit_code == 0, done.output
    written = salesforce.records["Account"]
    back = {a: (written[a].get("Planhat_Health_Score__c"), written[a].get("Planhat_Health_Tier__c")) for a in NAMES}
    assert back == {**scores, DYNE: (None, None)}
    assert {a: (planhat.field(a, "cx Health Score"), planhat.field(a, "cx Health Tier")) for a in NAMES} == back
    assert planhat.metrics[BOLT, "cx_support_score", "2025-06-30"] == 5
    assert {a for a in NAMES if written[a]["Churn_Risk_Flag__c"]} == {BOLT}
    renewals = salesforce.records["Opportunity"]
    assert {key for key, one in renewals.items() if one["Renewal_Risk__c"]} == {f"006{BOLT}"}
    assert renewals[f"006{BOLT}"]["ForecastCategoryName"] == "Omitted"
    (task,) = salesforce.records["Task"].values()
    assert (task["WhatId"], task["OwnerId"], task["Subject"]) == (BOLT, "005B", "Health fell from Amber to Red")
    (due,) = company.query(f"SELECT due_date FROM cs_intervention_list WHERE account_id = '{BOLT}' AND {of_today}")
    assert task["ActivityDate"] == due[0].isoformat() == "2025-07-03"

    asked = len(salesforce.jobs), len(planhat.metrics)
    again = CliRunner().invoke(app, ["sync", company.name], env=company.variables)
    assert (again.exit_code, "nothing differs" in again.output) == (0, True)
    assert asked == (len(salesforce.jobs), len(planhat.metrics))
    left = b"".join(file.read_bytes() for file in company.home.rglob("*") if file.is_file())
    for secret in (SECRET, TENANT, SECRETS["PLANHAT_TOKEN"], *salesforce.tokens):
        assert secret.encode() not in left
