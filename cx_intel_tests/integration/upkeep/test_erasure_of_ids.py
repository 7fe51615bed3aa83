"""Erasure follows identity: the ids of billing and help desk go with their account, and do not come back."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel.privacy.erase import Erasure, erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.proof import remains
from cx_intel.privacy.register import PrivacyError
from cx_intel.privacy.subject import Subject
from cx_intel_tests.helpers.own_ids import with_own_ids
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # refreshes and erasures

FEBRUARY = date(2025, 2, 28)
NRR = "SELECT revenue_month, starting_mrr, ending_mrr, new_mrr, churned_mrr FROM nrr_summary ORDER BY 1"


def take_out(company: SmallCompany, account: str) -> Erasure:
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    return erase(home, "small", "account", account)


def left(company: SmallCompany, external_id: str, system: str) -> tuple[str, ...]:
    subject = Subject("small", "account", external_id, (), "erased-1", system, ("subscriptions", "support_tickets"))
    return remains(company.home, subject).places


@pytest.mark.parametrize(
    ("account", "customer", "name"), [("A02", "cus-A02", "Company 2"), ("billing:cus-A10", "cus-A10", "Company 10 Ltd")]
)
def test_an_account_goes_with_its_ids_and_the_ledger_stays(tmp_path: Path, account: str, customer: str, name: str):
    company = with_own_ids(tmp_path)
    assert company.refresh(AS_OF).failures == []
    before = company.query(NRR)
    done = take_out(company, account)
    assert (done.remains, done.merged) == ((), ())
    assert company.query(NRR) == before
    domain = f"{customer[-3:].lower()}.example"
    for is_refreshed in (False, True):
        assert left(company, customer, "billing") == ()
        assert left(company, domain, "domain") == () or account != "A02"
        assert remains(company.home, Subject("small", "account", account, (name,), "erased-1")).places == ()
        paid = company.query("SELECT count(*) FROM fct_revenue WHERE account_id LIKE 'erased-%' AND mrr > 0")
        assert paid[0][0] > 0
        assert is_refreshed or company.refresh(AS_OF).failures == []
        assert company.query(NRR) == before
    assert company.refresh(FEBRUARY).failures == []
    assert company.query("SELECT count(*) FROM restatements") == [(0,)]
    assert company.query(NRR)[: len(before) - 1] == before[:-1]
    company.tables["subscriptions"] = [r for r in company.tables["subscriptions"] if r["account_id"] != customer]
    assert company.refresh(FEBRUARY).failures == []
    assert company.query("SELECT count(*) FROM fct_revenue WHERE account_id LIKE 'erased-%'")[0][0] > 0


def test_links_go_however_they_write_systems_and_domains(tmp_path: Path):
    company = with_own_ids(tmp_path)
    link = {"system": "Billing", "external_id": "7", "linked_system": "Domain", "linked_id": "Eve@A02.Example"}
    company.tables["identity_links"] += [
        link,
        link | {"external_id": "8", "linked_system": "Account", "linked_id": "A02"},
        link | {"external_id": "9", "linked_id": "Ann@A05.Example"},
    ]
    assert company.refresh(AS_OF).failures == []
    assert take_out(company, "A02").remains == ()
    written = company.query("SELECT external_id, linked_id FROM raw_identity_links WHERE system = 'Billing'")
    assert written == [("9", "Ann@A05.Example")]


def test_an_id_is_no_account_and_one_without_an_account_is_named_with_its_system(tmp_path: Path):
    company = with_own_ids(tmp_path)
    assert company.refresh(AS_OF).failures == []
    with pytest.raises(PrivacyError, match="It is an id of billing: erase the account A02"):
        take_out(company, "cus-A02")
    with pytest.raises(PrivacyError, match=r"It is an id of domain: erase domain:freemail\.example"):
        take_out(company, "freemail.example")
    assert take_out(company, "domain:freemail.example").remains == ()
    assert company.refresh(AS_OF).failures == []
    assert left(company, "freemail.example", "domain") == ()
