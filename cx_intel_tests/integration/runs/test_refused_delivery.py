"""A delivery of subscriptions of which too much is missing: refused and told, while the rest goes on with the one before."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from cx_intel.reports.data.figures.headline import headline
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

BEFORE = AS_OF - timedelta(days=1)
PAID = "SELECT sum(current_mrr) FROM account_snapshot WHERE as_of = '{day}'"
TIERS = "SELECT count(*), count(*) FILTER (is_frozen) FROM customer_health_scores WHERE as_of = '{day}'"
NEWEST = "SELECT DISTINCT contracts_as_of FROM account_snapshot WHERE as_of = '{day}'"


def test_what_is_refused_stays_as_it_was_and_the_rest_goes_on(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.leave_out("renewals", "playbooks", "rollups")
    assert company.refresh(BEFORE).succeeded
    whole = company.tables["subscriptions"]
    company.tables["subscriptions"] = whole[:6]  # of twelve accounts the first six

    outcome = company.refresh(AS_OF)
    assert (outcome.is_complete, outcome.succeeded, outcome.checks["failed"]) == (True, False, 1)
    (told,) = outcome.failures
    assert told.startswith(
        "subscription_periods: missing_share: subscription_periods was not replaced, it stands as of 2025-01-30. "
    )
    assert "raise max_missing_pct of the source" in told
    for day, newest, frozen in ((BEFORE, BEFORE, 0), (AS_OF, BEFORE, 11)):
        # 100 + 200 + 400 + ... + 1,100 + 1,200 CHF x 1.05, and 50 for seats; A03 has left
        assert company.query(PAID.format(day=day)) == [(7610,)]
        assert company.query(NEWEST.format(day=day)) == [(newest,)]
        assert company.query(TIERS.format(day=day)) == [(11, frozen)]
    portfolio = load_portfolio(company.portfolios / "small.yaml")
    with reading(company.warehouse) as database:
        notes = headline(DuckDBWarehouse(database, "small"), portfolio, AS_OF).notes
    sentence = (
        "The subscriptions delivered for 31 Jan 2025 were refused, because too many were missing: contracts and MRR"
    )
    assert [note for note in notes if note.startswith(sentence)] == [
        f"{sentence} are those of 30 Jan 2025, and tiers are held."
    ]

    company.source("subscriptions", max_missing_pct=100)  # so many ended indeed
    assert company.refresh(AS_OF).succeeded
    assert company.query(PAID.format(day=AS_OF)) == [(100 + 200 + 400 + 500 + 600,)]
    assert company.query(NEWEST.format(day=AS_OF)) == [(AS_OF,)]
    assert company.query(TIERS.format(day=AS_OF)) == [(5, 0)]
    assert company.query("SELECT max(known_from) FROM subscription_periods") == [(date(2025, 1, 31),)]
