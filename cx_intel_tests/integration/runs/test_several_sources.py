"""A company with two billing systems, and a billing system that knows more of its accounts than the CRM."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel_tests.helpers.own_ids import with_two_of_each
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # several refreshes

CONFLICTS = "SELECT * FROM source_conflicts ORDER BY ALL"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    company = with_two_of_each(tmp_path_factory.mktemp("several"))
    assert company.refresh(AS_OF).failures == []
    return company


def test_contracts_of_both_systems_are_read_by_their_own_settings_and_add_up(company: SmallCompany):
    mrr = company.values("fct_revenue", "mrr", where="revenue_month = '2025-01-01' AND mrr <> 0")
    assert mrr == {"A12": 1260} | {f"A{n:02}": 100 * n for n in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)}
    assert company.query("SELECT count(*) FROM raw_subscriptions") == [(6,)]
    assert company.query("SELECT count(*) FROM raw_subscriptions__new") == [(6,)]


def test_an_id_that_both_have_begins_with_the_name_of_the_later_and_is_told(company: SmallCompany):
    ids = company.values("stg_subscriptions", "account_id", by="subscription_id", where="subscription_id LIKE '%S01'")
    assert ids == {"S01": "A01", "new-S01": "A07"}
    assert ("subscriptions", "S01", "subscription_id", "old", "S01", "new", "new-S01") in company.query(CONFLICTS)


def test_columns_of_an_account_come_from_their_owner_else_from_the_first_that_has_a_value(company: SmallCompany):
    known = company.values("stg_accounts", "country", "owner", "segment", "account_name", where="account_id > 'A06'")
    assert known["A07"] == ("AT", None, "SMB", "Company 7")
    assert known["A08"] == ("DE", "Zoe", "SMB", "Company 8")
    assert known["A10"] == ("DE", None, "SMB", "Company 10")
    assert len(known) == 6
    assert [row for row in company.query(CONFLICTS) if row[0] == "accounts"] == [
        ("accounts", "A07", "country", "billing", "AT", "crm", "DE")
    ]
    told = company.query("SELECT failed_rows FROM cx_state.check_results WHERE check_name = 'sources_agree'")
    assert told == [(3,)]


def test_the_crm_adds_renewal_dates_to_contracts_of_both_systems(company: SmallCompany):
    found = company.values("stg_subscriptions", "renewal_date", by="subscription_id", where="renewal_date IS NOT NULL")
    assert found == {"S02": date(2025, 6, 30), "S03": date(2025, 7, 30), "S08": date(2025, 8, 30)}
    assert company.values("account_snapshot", "renewal_date", where="account_id IN ('A02', 'A08')") == {
        "A02": date(2025, 6, 30),
        "A08": date(2025, 8, 30),
    }
    assert ("subscriptions", "S03", "account_id", "old", "A03", "crm", "A05") in company.query(CONFLICTS)


def test_a_customer_of_billing_that_is_no_account_and_a_contract_of_the_crm_alone_are_quarantined(
    company: SmallCompany,
):
    assert company.query("SELECT source_table, reason FROM quarantine ORDER BY 1") == [
        ("accounts", "no account: billing 'cus-A13' is not in identity_map"),
        ("subscriptions", "no contract: no other source has the subscription_id 'S99'"),
    ]


def test_the_next_day_and_the_same_day_again_change_nothing_but_the_day(company: SmallCompany, tmp_path: Path):
    later = company.copied(tmp_path)
    before = later.frames()
    assert later.refresh(AS_OF).failures == []
    after = later.frames()
    for table in ("stg_accounts", "stg_subscriptions", "source_conflicts", "fct_revenue", "subscription_periods"):
        assert after[table].equals(before[table]), table
    gone = "SELECT subscription_id FROM subscription_periods WHERE is_missing AND valid_to IS NULL"
    assert later.refresh(date(2025, 2, 1)).failures == []
    assert later.query(gone) == []
    later.tables["subscriptions_new"] = later.tables["subscriptions_new"][2:]  # S01 of the new system ends, and S08
    later.settings["sources"] = [s | {"max_missing_pct": 100} for s in later.settings["sources"]]
    assert later.refresh(date(2025, 2, 2)).failures == []
    assert later.query(f"{gone} ORDER BY 1") == [("S08",), ("new-S01",)]
