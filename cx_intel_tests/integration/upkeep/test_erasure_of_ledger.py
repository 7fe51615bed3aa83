"""What an erasure leaves of the history that only the warehouse knows, and what it takes of tables without accounts."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.register import Register
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

PUBLISHED = "SELECT revenue_month, sum(mrr), sum(arr) FROM revenue_ledger GROUP BY ALL ORDER BY ALL"
PRICES = "SELECT valid_from, mrr_amount FROM subscription_periods WHERE account_id = '{}' ORDER BY ALL"
HISTORY = "SELECT DISTINCT ticket_id FROM {}_ticket_status_history ORDER BY ALL"


def test_a_price_that_was_changed_in_place_stays_in_the_past_months(tmp_path: Path):
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions", "support_tickets")
    company.settings["reports"] = {"exports": []}
    company.settings["sources"].append(
        {"kind": "files", "table": "ticket_status_history", "path": "${SMALL_DATA}/ticket_status_history.csv"}
    )
    company.tables["ticket_status_history"] = [
        {"ticket_id": ticket, "changed_at": f"2024-12-{day}T09:00:00", "value": "pending"}
        for ticket, day in (("T1", 11), ("T2", 21), ("T3", 15))
    ]
    assert company.refresh(date(2024, 12, 31)).failures == []
    company.tables["subscriptions"][1]["amount"] = 300
    assert company.refresh(AS_OF).failures == []
    prices, published = company.query(PRICES.format("A02")), company.query(PUBLISHED)
    assert [float(mrr) for _, mrr in prices] == [200, 300], "December at 200, January at 300"

    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    done = erase(home, "small", "account", "A02")
    assert done.remains == ()
    assert company.query(PRICES.format(done.pseudonym)) == prices
    assert company.query(PUBLISHED) == published
    for prefix in ("raw", "stg"):
        assert company.query(HISTORY.format(prefix)) == [("T3",)], "T1 and T2 are tickets of A02"

    opened_since = {"ticket_id": "T9", "account_id": "A02", "created_at": "2025-01-30T09:00:00", "status": "open"}
    company.tables["support_tickets"].append(opened_since)
    company.tables["ticket_status_history"].append(
        {"ticket_id": "T9", "changed_at": "2025-01-30T10:00:00", "value": "pending"}
    )
    assert company.refresh(AS_OF).failures == []
    assert company.query(PRICES.format(done.pseudonym)) == prices
    assert company.query(PUBLISHED) == published
    assert company.query("SELECT count(*) FROM restatements") == [(0,)]
    assert company.query(HISTORY.format("raw")) == [("T3",)]
    (entry,) = Register(company.home, company.variables).entries("small")
    assert len(entry.tickets) == 3, "T9 was opened after the erasure"
    assert not {"T1", "T2", "T9"} & set(entry.tickets), "only hashes are remembered"


def test_a_parent_that_is_erased_is_in_no_family(tmp_path: Path):
    company = SmallCompany(tmp_path)
    company.settings["reports"] = {"exports": []}
    for n in (4, 6):
        company.tables["accounts"][n]["parent_account_id"] = "A02"
    company.tables["accounts"][7]["parent_account_id"] = "A08"
    assert company.refresh(AS_OF).failures == []
    families = (
        "SELECT parent_account_id, accounts, arr FROM parent_rollup WHERE parent_account_id IN ('A02', 'A05', 'A08')"
    )
    assert company.query(f"{families} ORDER BY ALL") == [("A02", 3, 16800), ("A08", 1, 9600)], "200 + 500 + 700 a month"
    told = "SELECT parent_fault FROM parent_rollup WHERE parent_fault IS NOT NULL"
    assert company.query(told) == [("names itself",)]

    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    assert erase(home, "small", "account", "A02").remains == ()
    assert company.query(f"{families} ORDER BY ALL") == [("A08", 1, 9600)]
