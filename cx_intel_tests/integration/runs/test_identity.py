"""Refreshes of a company whose billing, help desk and product have ids of their own: MRR is never lost, and it is told."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel_tests.helpers.own_ids import customer, with_own_ids
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # several refreshes

FEBRUARY = date(2025, 2, 28)
MRR = "SELECT account_id, mrr FROM fct_revenue WHERE revenue_month = '{}' AND mrr <> 0 ORDER BY 1"
TOTAL = "SELECT sum(mrr) FROM fct_revenue WHERE revenue_month = '{}'"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    company = with_own_ids(tmp_path_factory.mktemp("identity"))
    assert company.refresh(AS_OF).failures == []
    return company


def test_every_contract_is_in_the_ledger_under_its_account_or_its_own_id(company: SmallCompany):
    mrr = dict(company.query(MRR.format("2025-01-01")))
    assert mrr == {"billing:cus-A10": 1000, "A04": 450, "A12": 1260} | {
        f"A{n:02}": 100 * n for n in (1, 2, 5, 6, 7, 8, 9, 11)
    }
    rules = company.values("identity_map", "rule", by="external_id", where="system = 'billing'")
    assert (rules["cus-A01"], rules["cus-A11"], rules["cus-A10"]) == ("direct", "domain", "own")


def test_what_finds_no_account_is_listed_with_what_hangs_on_it(company: SmallCompany):
    found = company.query("SELECT * EXCLUDE (first_seen_on, last_seen_on) FROM unmatched_accounts ORDER BY 1")
    assert found == [
        ("billing", "cus-A10", "Company 10 Ltd", "has no link", "billing:cus-A10", 1, 0, 1000),
        ("domain", "freemail.example", None, "has no link", None, 1, 0, None),
    ]
    assert company.query("SELECT source_table, reason FROM quarantine ORDER BY 1") == [
        ("support_tickets", "no account: domain 'someone@freemail.example' has no link")
    ]
    assert company.values("dim_account", "account_name", where="account_id LIKE 'billing%'") == {
        "billing:cus-A10": "Company 10 Ltd"
    }
    check = "SELECT failed_rows, rule FROM cx_state.check_results WHERE check_name = 'ids_find_their_account'"
    ((failed, rule),) = company.query(check)
    assert failed == 2
    assert rule.endswith("Sum of mrr of such rows on the newest day: 1,000.00.")


def test_links_that_are_gone_stay_known_and_a_new_one_brings_its_past(company: SmallCompany, tmp_path: Path):
    """Billing forgets the links, the CRM deletes A02, and somebody writes A10 at its customer."""
    later = company.copied(tmp_path)
    later.settings["revenue"] = later.settings["revenue"] | {"closed_through": AS_OF}
    total = later.query(TOTAL.format("2025-01-01"))
    later.tables["identity_links"] = [customer(10)]
    later.tables["accounts"] = [row for row in later.tables["accounts"] if row["account_id"] != "A02"]
    assert later.refresh(FEBRUARY).failures == []
    mrr = dict(later.query(MRR.format("2025-02-01")))
    assert (mrr["A02"], mrr["A10"], "billing:cus-A10" in mrr) == (200, 1000, False)
    assert later.query(TOTAL.format("2025-01-01")) == total
    assert later.query("SELECT count(*) FROM restatements") == [(0,)]
    movements = "SELECT DISTINCT revenue_movement FROM fct_revenue WHERE revenue_month = '2025-02-01' AND mrr > 0"
    assert later.query(movements) == [("flat",)]
    assert dict(later.query(MRR.format("2025-01-01")))["A10"] == 1000
    assert later.values("dim_account", "account_name", "segment", where="account_id = 'A02'") == {
        "A02": ("Company 2", "SMB")
    }
    assert later.query("SELECT count(*) FROM unmatched_accounts WHERE system = 'billing'") == [(0,)]
    before = later.frames()
    assert later.refresh(FEBRUARY).failures == []
    after = later.frames()
    for table in ("identity_map", "stg_accounts", "fct_revenue", "unmatched_accounts", "account_history"):
        assert after[table].equals(before[table]), table


def test_an_id_that_is_merged_by_hand_and_linked_later_brings_its_past_once(company: SmallCompany, tmp_path: Path):
    later = company.copied(tmp_path)
    total = later.query(TOTAL.format("2025-01-01"))
    later.settings["sources"] = [
        *later.settings["sources"],
        {"kind": "files", "table": "account_aliases", "path": "${SMALL_DATA}/account_aliases.csv"},
    ]
    later.tables["account_aliases"] = [{"old_account_id": "billing:cus-A10", "account_id": "A10"}]
    for day, links in ((date(2025, 2, 27), []), (FEBRUARY, [customer(10)])):
        later.tables["identity_links"] += links
        assert later.refresh(day).failures == []
        assert later.query(TOTAL.format("2025-01-01")) == total
        assert dict(later.query(MRR.format("2025-01-01")))["A10"] == 1000
        assert later.query("SELECT count(*) FROM unmatched_accounts WHERE system = 'billing'") == [(0,)]
        assert later.query("SELECT count(*) FROM restatements") == [(0,)]
