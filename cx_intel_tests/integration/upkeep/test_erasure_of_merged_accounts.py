"""Erasure follows merged accounts: whichever id is named all of them go, and a merge that comes later is refused."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel.privacy.erase import Erasure, erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.proof import remains
from cx_intel.privacy.subject import Subject
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # three refreshes and an erasure each

FEBRUARY = date(2025, 2, 28)
NRR = "SELECT revenue_month, starting_mrr, ending_mrr, new_mrr, churned_mrr FROM nrr_summary ORDER BY 1"
MERGES = "SELECT old_account_id, account_id FROM {}_account_aliases WHERE old_account_id <> 'A00'"
PRICES = "SELECT subscription_id, valid_from, mrr_amount FROM subscription_periods WHERE account_id = '{}' ORDER BY ALL"


def company_of(folder: Path, *merges: tuple[str, str]) -> SmallCompany:
    company = SmallCompany(folder)
    company.only("accounts", "subscriptions")
    company.settings["reports"] = {"exports": []}
    company.settings["sources"] = [
        *company.settings["sources"],
        {"kind": "files", "table": "account_aliases", "path": "${SMALL_DATA}/account_aliases.csv"},
    ]
    merge(company, *merges)
    return company


def merge(company: SmallCompany, *merges: tuple[str, str]) -> None:
    pairs = [("A00", "A01"), *merges]
    company.tables["account_aliases"] = [{"old_account_id": old, "account_id": new} for old, new in pairs]


def take_out(company: SmallCompany, account: str) -> Erasure:
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    return erase(home, "small", "account", account)


@pytest.mark.parametrize("named", ["A02", "A05"])
def test_whichever_id_is_erased_all_go_and_the_ledger_stays(tmp_path: Path, named: str):
    company = company_of(tmp_path)
    assert company.refresh(AS_OF).failures == []
    company.tables["subscriptions"][1]["amount"] = 300  # A02 from February on: the price of before is history
    merge(company, ("A02", "A05"))
    assert company.refresh(FEBRUARY).failures == []
    before, prices = company.query(NRR), company.query(PRICES.format("A05"))
    done = take_out(company, named)
    assert done.remains == ()
    assert {named, *done.merged} == {"A02", "A05"}
    for account, name in (("A02", "Company 2"), ("A05", "Company 5")):
        assert remains(company.home, Subject("small", "account", account, (name,), "erased-1")).places == ()
    assert company.query(NRR) == before
    ((old, survivor),) = company.query(MERGES.format("raw"))
    assert {old[:7], survivor[:7]} == {"erased-"}
    assert company.query(MERGES.format("stg")) == [(old, survivor)]
    kept = company.query(PRICES.format(survivor))
    assert sorted(row[1:] for row in kept) == sorted(row[1:] for row in prices)

    assert company.refresh(FEBRUARY, write=False).failures == []
    assert company.query(NRR) == before
    assert company.query(PRICES.format(survivor)) == kept
    assert company.query("SELECT count(*) FROM restatements") == [(0,)]
    company.tables["account_aliases"] = company.tables["account_aliases"][:1]  # the source forgets the merge
    assert company.refresh(FEBRUARY).failures == []
    assert company.query(NRR) == before
    assert remains(company.home, Subject("small", "account", "A02", ("Company 2",), "erased-1")).places == ()


@pytest.mark.parametrize(("first", "second"), [("A05", "A02"), ("A02", "A05")])
def test_a_merge_with_an_erased_account_is_refused_until_the_other_is_erased_too(
    tmp_path: Path, first: str, second: str
):
    company = company_of(tmp_path)
    assert company.refresh(AS_OF).failures == []
    assert take_out(company, first).merged == ()
    before = company.query(NRR)
    merge(company, ("A02", "A05"))
    refused = company.refresh(FEBRUARY)
    assert not refused.succeeded
    message = (
        f"account_aliases merges the account '{second}' with one that was erased; nothing was loaded. Erase it too"
    )
    assert any(message in text for text in refused.failures)
    assert take_out(company, second).remains == ()
    assert company.refresh(FEBRUARY, write=False).failures == []
    ((old, survivor),) = company.query(MERGES.format("stg"))
    paid = company.query("SELECT DISTINCT account_id FROM fct_revenue WHERE account_id LIKE 'erased-%'")
    assert paid == [(survivor,)]
    assert old != survivor
    months = company.query(NRR)
    assert [row[:3] for row in months[:-1]] == [row[:3] for row in before]
    assert months[-1][3:] == (0, 0)
