"""A feed that was cut 66 days ago: nobody turns bad for want of data, and it is told, though no setting asks for it."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from cx_intel.reports.data.headline import headline
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, EVENTS_UNTIL, SmallCompany

LATER = EVENTS_UNTIL + timedelta(days=66)
TIERS = "SELECT account_id, confirmed_tier FROM customer_health_scores WHERE as_of = '{day}' ORDER BY 1"
SIGNALS = "SELECT DISTINCT is_stale, value IS NULL FROM account_signals WHERE as_of = '{day}' AND signal = 'logins_30d'"


@pytest.mark.slow
def test_tiers_are_held_and_it_is_told_that_a_feed_was_cut(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    first = company.refresh(AS_OF)
    assert [text for text in first.warnings if "freshness" in text] == []
    assert company.query(SIGNALS.format(day=AS_OF)) == [(False, False)]

    outcome = company.refresh(LATER)
    told = "The newest row of usage_events is of 10 Feb 2025, 66 days before 17 Apr 2025."
    (warning,) = [text for text in outcome.warnings if "freshness" in text]
    assert warning.startswith(
        f"source_freshness: freshness_usage_events: {told} Its rhythm is 1 day. It is late after 3 days and frozen "
        "after 7. Signals that read it are missing, and tiers are held. See whether the source still delivers: "
    )
    assert company.query(SIGNALS.format(day=LATER)) == [(True, True)]
    assert company.query("SELECT DISTINCT is_frozen FROM customer_health_scores ORDER BY as_of") == [(False,), (True,)]
    assert company.query(TIERS.format(day=LATER)) == company.query(TIERS.format(day=AS_OF))
    assert company.query("SELECT count(*) FROM lifecycle_events") == [(0,)]
    late = "SELECT as_of, source_table FROM source_freshness WHERE is_late"
    assert company.query(late) == [(date(2025, 4, 17), "usage_events")]
    with reading(company.warehouse) as database:
        portfolio = load_portfolio(company.portfolios / "small.yaml")
        notes = headline(DuckDBWarehouse(database, "small"), portfolio, LATER).notes
    # tickets are too few for a rhythm
    assert "Newest row of each source: support_tickets 2 Feb 2025, usage_events 10 Feb 2025." in notes
