"""The erasure of one person where people come from Salesforce itself: their object goes with all else, and is landed no more."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel_tests.helpers.salesforce_stand_in import CLIENT, SECRET, SalesforceStandIn
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany
from cx_intel_tests.helpers.vendor_server import serving

pytestmark = pytest.mark.slow  # two refreshes

NOON = int(datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, tzinfo=UTC).timestamp())
ADA, BO = "Ada.Lind@acme.example", "bo.berg@acme.example"
ONLY_PEOPLE = dict.fromkeys(("accounts", "account_aliases", "subscriptions", "csm_activities", "identity_links"))


@pytest.fixture
def salesforce() -> Iterator[SalesforceStandIn]:
    """Two people at A02, of whom one is the sponsor."""
    stand_in = SalesforceStandIn(NOON)
    for n, (first, last, email) in enumerate((("Ada", "Lind", ADA), ("Bo", "Berg", BO)), 1):
        stand_in.put("Contact", Id=f"003{n}", AccountId="A02", FirstName=first, LastName=last, Email=email)
    stand_in.put("AccountContactRole", Id="02Z1", AccountId="A02", ContactId="0031", Role="Executive Sponsor")
    with serving(stand_in):
        yield stand_in


def test_a_person_is_erased_and_landed_no_more(tmp_path: Path, salesforce: SalesforceStandIn) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.settings.pop("usage")
    signs = {"client_id": "${SALESFORCE_CLIENT_ID}", "client_secret": "${SALESFORCE_CLIENT_SECRET}"}
    people = {**ONLY_PEOPLE, "contacts": {"system": None}}
    company.settings["sources"] += [
        {"kind": "salesforce", "host": salesforce.host} | signs,
        {"preset": "salesforce_export", "landed": "salesforce", "tables": people},
    ]
    company.variables |= {"SALESFORCE_CLIENT_ID": CLIENT, "SALESFORCE_CLIENT_SECRET": SECRET}
    company.write()
    assert company.refresh(AS_OF, write=False).failures == []
    assert company.values("dim_contact", "call_reason", by="email")[ADA.lower()] == "champion"

    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    assert erase(home, company.name, "user", ADA.lower()).remains == ()
    assert company.query("SELECT id FROM landed_salesforce_contact") == [("0032",)]

    salesforce.sleep(3600)
    salesforce.put("Contact", Id="0031", AccountId="A02", FirstName="Ada", LastName="Lind", Email=ADA)
    assert company.refresh(AS_OF, write=False).failures == []
    assert company.query("SELECT id FROM landed_salesforce_contact") == [("0032",)]
    assert list(company.values("dim_contact", "contact_name", by="email")) == [BO]
    words = (b"Ada.Lind@", b"ada.lind@", b"Ada Lind")
    held = [f.name for f in company.home.rglob("*") if f.is_file() and any(word in f.read_bytes() for word in words)]
    assert held == []
