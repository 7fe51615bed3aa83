"""Two deliveries of which the second merges accounts: no new, no churn, history on the survivor, nothing restated."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.small_company import AS_OF, SETTINGS, SmallCompany

pytestmark = pytest.mark.slow  # several refreshes

FEBRUARY = date(2025, 2, 28)
JANUARY, MARCH_1 = date(2025, 1, 1), date(2025, 3, 1)
NRR = (
    "SELECT revenue_month, starting_mrr, ending_mrr, nrr_pct, grr_pct, nrr_ttm_pct, churned_mrr, new_mrr "
    "FROM nrr_summary WHERE revenue_month BETWEEN '2024-12-01' AND '2025-01-01' ORDER BY 1"
)
MONTHS = "SELECT revenue_month, mrr, revenue_movement FROM fct_revenue WHERE account_id = '{}' ORDER BY 1 DESC LIMIT 2"

MOVED = (
    "SELECT account_id, revenue_movement FROM fct_revenue WHERE revenue_month = '2025-01-01' AND mrr <> previous_mrr"
)
HYSTERESIS = SETTINGS["health"] | {"tiers": SETTINGS["health"]["tiers"] | {"exit_margin": 3, "min_dwell_days": 60}}


def company_with_aliases(folder: Path) -> SmallCompany:
    company = SmallCompany(folder)
    company.settings["reports"] = {"exports": []}
    company.settings["sources"] = [
        *company.settings["sources"],
        {"kind": "files", "table": "account_aliases", "path": "${SMALL_DATA}/account_aliases.csv"},
    ]
    merge(company, ("A00", "A01"))
    return company


def merge(company: SmallCompany, *pairs: tuple[str, str]) -> None:
    """These accounts are merged in the next delivery; A00, which nothing else names, was before the first."""
    company.tables["account_aliases"] = [
        {"old_account_id": old, "account_id": new} for old, new in dict.fromkeys([("A00", "A01"), *pairs])
    ]


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallCompany, dict[str, list[Any]]]:
    """A02 (200 a month) and A06 (600) are merged into A05 (500) by the second delivery; what stood before it."""
    company = company_with_aliases(tmp_path_factory.mktemp("merged"))
    assert company.refresh(AS_OF).failures == []
    before = {"nrr": company.query(NRR), "moved": company.query(MOVED)}
    merge(company, ("A02", "A06"), ("A06", "A05"))
    assert company.refresh(FEBRUARY).failures == []
    return company, before


def test_mrr_of_both_months_is_on_the_survivor_and_nobody_is_new_or_gone(merged):
    company, before = merged
    assert company.query(MONTHS.format("A05")) == [(FEBRUARY.replace(day=1), 1300, "flat"), (JANUARY, 1300, "flat")]
    movements = company.query("SELECT DISTINCT revenue_movement FROM fct_revenue WHERE revenue_month >= '2025-02-01'")
    assert movements == [("flat",)]
    assert company.query(MOVED) == before["moved"] == [("A04", "expansion")]
    gone = "SELECT count(*) FROM {} WHERE account_id IN ('A02', 'A06')"
    for table in ("fct_revenue", "revenue_ledger", "dim_account", "subscription_periods", "account_history"):
        assert company.query(gone.format(table)) == [(0,)], table


def test_retention_and_the_totals_of_published_months_are_as_before(merged):
    company, before = merged
    assert company.query(NRR) == before["nrr"]
    assert company.query("SELECT count(*) FROM restatements") == [(0,)]


def test_the_survivor_keeps_the_earliest_signup_also_when_the_old_rows_are_no_longer_delivered(merged):
    company, _ = merged
    assert company.values("dim_account", "signup_date", where="account_id = 'A05'") == {"A05": date(2024, 2, 15)}
    company.tables["accounts"] = [r for r in company.tables["accounts"] if r["account_id"] not in ("A02", "A06")]
    assert company.refresh(MARCH_1).failures == []
    assert company.values("dim_account", "signup_date", where="account_id = 'A05'") == {"A05": date(2024, 2, 15)}
    assert company.query("SELECT count(*) FROM quarantine WHERE as_of = '2025-03-01'") == [(0,)]


def test_the_old_accounts_are_told(merged):
    company, _ = merged
    found = company.query("SELECT source_table, reason FROM quarantine WHERE as_of = '2025-02-28'")
    assert found == [("accounts", "merged into 'A05' by account_aliases")] * 2


def test_events_that_were_staged_before_are_the_survivors(merged):
    company, _ = merged
    assert company.query("SELECT DISTINCT account_id FROM stg_usage_events WHERE user_id IN ('U02', 'U06')") == [
        ("A05",)
    ]
    # A02 logs in on 2 January, A06 on the 3rd and 6th; U02 and U06 are two users of the survivor
    used = company.values("fct_usage", "active_users", "total_events", by="event_date", where="account_id = 'A05'")
    assert (used[date(2025, 1, 2)], used[date(2025, 1, 3)], used[date(2025, 1, 6)]) == ((1, 2), (1, 1), (1, 2))
    assert company.query("SELECT count(*) FROM fct_usage WHERE account_id IN ('A02', 'A06')") == [(0,)]


def test_tickets_and_health_of_the_day_are_the_survivors_and_earlier_snapshots_stand(merged):
    company, _ = merged
    tickets = company.query("SELECT DISTINCT account_id FROM fct_tickets WHERE ticket_id IN ('T1', 'T2', 'T4')")
    assert tickets == [("A05",)]
    signal = "SELECT value FROM account_signals WHERE as_of = '{}' AND account_id = '{}' AND signal = 'open_tickets'"
    assert company.query(signal.format("2025-02-28", "A05")) == [(2,)]
    assert company.query(signal.format("2025-01-31", "A02")) == [(2,)]


def test_the_same_day_again_changes_nothing(merged):
    company, _ = merged
    before = company.frames()
    assert company.refresh(MARCH_1).failures == []
    after = company.frames()
    for table in ("revenue_ledger", "fct_revenue", "account_history", "subscription_periods", "restatements"):
        assert after[table].equals(before[table]), table


def test_a_closed_month_keeps_its_total_and_its_amounts_move_to_the_survivor(tmp_path: Path):
    company = company_with_aliases(tmp_path)
    company.only("accounts", "subscriptions", "account_aliases")
    assert company.refresh(AS_OF).failures == []
    totals = "SELECT revenue_month, ending_mrr FROM nrr_summary WHERE revenue_month <= '2025-01-01' ORDER BY 1"
    before = company.query(totals)
    company.settings["revenue"] = company.settings["revenue"] | {"closed_through": AS_OF}
    merge(company, ("A03", "A02"))  # Enterprise, 300 until December, into SMB, 200
    assert company.refresh(FEBRUARY).failures == []
    assert company.query(totals) == before
    closed = "SELECT mrr, segment FROM revenue_ledger WHERE account_id = 'A02' AND is_closed ORDER BY revenue_month"
    assert company.query(closed) == [(200, "SMB"), *[(500, "SMB")] * 9, *[(200, "SMB")] * 2]
    assert company.query("SELECT count(*) FROM restatements") == [(0,)]
    assert company.query(MONTHS.format("A02")) == [(FEBRUARY.replace(day=1), 200, "flat"), (JANUARY, 200, "flat")]


def test_a_new_id_takes_over_the_history_of_the_old_one(tmp_path: Path):
    """The CRM renames A02; with the alias every total is as if it had not, the confirmed tier included."""
    company = company_with_aliases(tmp_path / "renamed")
    company.settings["health"] = HYSTERESIS
    assert company.refresh(AS_OF).failures == []
    other = company.copied(tmp_path / "same")
    for rows in company.tables.values():
        for row in (row for row in rows if row.get("account_id") == "A02"):
            row["account_id"] = "N02"
    merge(company, ("A02", "N02"))
    for each in (company, other):
        assert each.refresh(FEBRUARY).failures == []
    renamed, same = company.frames(), other.frames()
    for table in ("nrr_summary", "nrr_by_segment", "revenue_cohort_analysis", "restatements", "nrr_outlook"):
        assert renamed[table].equals(same[table]), table
    tier = "SELECT confirmed_tier, health_tier FROM customer_health_scores WHERE as_of = '2025-02-28' AND account_id = '{}'"
    assert company.query(tier.format("N02")) == other.query(tier.format("A02"))
    history = "SELECT valid_from, valid_to, segment, signup_date FROM account_history WHERE account_id = '{}'"
    assert company.query(history.format("N02")) == other.query(history.format("A02"))
    changes = "SELECT compared_as_of, health_score_change FROM health_score_changes WHERE account_id = '{}'"
    assert company.query(changes.format("N02")) == other.query(changes.format("A02")) != []
