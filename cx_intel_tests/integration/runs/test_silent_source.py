"""A feed that was cut: nobody turns bad for want of data, and it is told, though no setting asks for it."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from cx_intel.reports.data.figures.headline import headline
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, EVENTS_UNTIL, SmallCompany

pytestmark = pytest.mark.slow

LATER = EVENTS_UNTIL + timedelta(days=66)
TIERS = "SELECT account_id, confirmed_tier FROM customer_health_scores WHERE as_of = '{day}' ORDER BY 1"
SIGNALS = "SELECT DISTINCT is_stale, value IS NULL FROM account_signals WHERE as_of = '{day}' AND signal = 'logins_30d'"


def test_tiers_are_held_and_it_is_told_that_a_feed_was_cut(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    first = company.refresh(AS_OF)
    assert [text for text in first.warnings if "freshness" in text] == []
    assert company.query(SIGNALS.format(day=AS_OF)) == [(False, False)]

    outcome = company.refresh(LATER)
    told = "The newest row of “Usage events” is of 10 Feb 2025, 66 days before 17 Apr 2025."
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
    assert "Newest row of each source: Support tickets 2 Feb 2025, Usage events 10 Feb 2025." in notes


def test_one_of_two_feeds_that_was_cut_is_not_hidden_by_the_other(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.leave_out("renewals", "playbooks", "rollups")
    company.source("usage_events", name="web")
    app = {"kind": "files", "table": "usage_events", "path": "${SMALL_DATA}/app_events.csv", "name": "app"}
    company.settings["sources"].append(app)
    company.tables["app_events"] = [
        {"event_id": f"P{n}", "account_id": "A01", "event_name": "login", "event_timestamp": f"2025-01-{n:02}T09:00:00"}
        for n in range(1, 32)
    ]
    company.write()
    first = company.refresh(AS_OF, write=False)
    assert [text for text in first.warnings if "freshness" in text] == []

    outcome = company.refresh(EVENTS_UNTIL, write=False)  # the web goes on until this day, ten after the app

    (warning,) = [text for text in outcome.warnings if "freshness" in text]
    assert warning.startswith(
        "source_freshness: freshness_usage_events__app: The newest row of “Usage events (app)” is of 31 Jan 2025, 10 days "
        "before 10 Feb 2025. Its rhythm is 1 day. It is late after 3 days and frozen after 7. Signals that read it are "
        "missing, and tiers are held. See whether the source still delivers: "
    )
    newest = f"SELECT source_name, newest_on, is_frozen FROM source_freshness WHERE as_of = '{EVENTS_UNTIL}'"
    assert company.query(f"{newest} AND source_table = 'usage_events' ORDER BY 1") == [
        ("app", AS_OF, True),
        ("web", EVENTS_UNTIL, False),
    ]
    assert company.query(SIGNALS.format(day=EVENTS_UNTIL)) == [(True, True)]
    assert company.query(TIERS.format(day=EVENTS_UNTIL)) == company.query(TIERS.format(day=AS_OF))
    with reading(company.warehouse) as database:
        portfolio = load_portfolio(company.portfolios / "small.yaml")
        notes = headline(DuckDBWarehouse(database, "small"), portfolio, EVENTS_UNTIL).notes
    listed = "Usage events (app) 31 Jan 2025, Support tickets 2 Feb 2025, Usage events (web) 10 Feb 2025"
    assert f"Newest row of each source: {listed}." in notes
