"""Erasure reaches what each of several sources delivers of an account, and it does not come back from any."""

from pathlib import Path

import pytest

from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.proof import remains
from cx_intel.privacy.subject import Subject
from cx_intel_tests.helpers.own_ids import with_two_of_each
from cx_intel_tests.helpers.small_company import AS_OF

pytestmark = pytest.mark.slow  # refreshes and an erasure

NRR = "SELECT revenue_month, starting_mrr, ending_mrr, new_mrr, churned_mrr FROM nrr_summary ORDER BY 1"


@pytest.mark.parametrize("account", ["A07", "A02"])
def test_an_account_goes_from_all_sources_and_the_ledger_stays(tmp_path: Path, account: str):
    company = with_two_of_each(tmp_path)
    assert company.refresh(AS_OF).failures == []
    before = company.query(NRR)
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    assert erase(home, "small", "account", account).remains == ()
    assert company.query(NRR) == before
    assert company.refresh(AS_OF).failures == []
    assert company.query(NRR) == before
    name = f"Company {int(account[1:])}"
    assert remains(company.home, Subject("small", "account", account, (name,), "erased-1")).places == ()
    assert remains(company.home, Subject("small", "account", f"cus-{account}", (), "erased-1", "billing")).places == ()
    paid = company.query("SELECT count(*) FROM fct_revenue WHERE account_id LIKE 'erased-%' AND mrr > 0")
    assert paid[0][0] > 0
