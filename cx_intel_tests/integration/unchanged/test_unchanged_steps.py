"""A repeated refresh executes only what would come out otherwise: whatever happens, the tables are those of a rebuild."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from cx_intel.orchestration.assets import steps, unchanged
from cx_intel.orchestration.assets.staging.event_days import in_parts
from cx_intel.orchestration.runs import Outcome
from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.upkeep.backups import take
from cx_intel.warehouse.duckdb.upkeep.restoring import restore
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, SETTINGS, SmallCompany

pytestmark = pytest.mark.slow  # refreshes and rebuilds

ROOT = Path(__file__).parents[3]
DAY_BEFORE, DAY_AFTER = AS_OF - timedelta(days=1), AS_OF + timedelta(days=1)
KEY = {"CX_ERASURE_KEY": "a key for these tests alone"}
Change = Callable[[SmallCompany], object]


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """A company, refreshed."""
    company = SmallCompany(tmp_path_factory.mktemp("refreshed"))
    company.settings["reports"] = {"exports": []}
    company.leave_out("renewals", "playbooks", "rollups")
    assert company.refresh(AS_OF).succeeded
    return company


@pytest.fixture
def company(refreshed: SmallCompany, tmp_path: Path) -> SmallCompany:
    """A copy of it."""
    return refreshed.copied(tmp_path / "lean")


def executed(outcome: Outcome) -> set[str]:
    return set(outcome.tables) - outcome.unchanged


def differing(company: SmallCompany, other: SmallCompany) -> list[str]:
    """The tables that are not equal, what checks found and what days were built from among them."""
    left, right = company.frames(), other.frames()
    assert set(left) == set(right)
    found = [name for name in left if not left[name].equals(right[name])]
    for query in (
        "SELECT * EXCLUDE (checked_at, total_rows) FROM cx_state.check_results ORDER BY ALL",  # of the days written then
        "SELECT * FROM cx_state.day_state ORDER BY ALL",
    ):
        if company.query(query) != other.query(query):
            found.append(query)
    return found


def one_ticket_more(company: SmallCompany) -> None:
    company.tables["support_tickets"].append(company.tables["support_tickets"][0] | {"ticket_id": "T9"})


def a_bad_row(company: SmallCompany) -> None:
    company.source("support_tickets", max_quarantined_pct=50)
    company.tables["support_tickets"].append(
        company.tables["support_tickets"][0] | {"ticket_id": "T9", "created_at": "x"}
    )


def another_price(company: SmallCompany) -> None:
    company.tables["subscriptions"][0]["amount"] = 150


def another_tier(company: SmallCompany) -> None:
    levels = SETTINGS["health"]["tiers"]["levels"]
    company.settings["health"] = SETTINGS["health"] | {"tiers": {"levels": [levels[0] | {"at_least": 90}, *levels[1:]]}}


def events_of_an_earlier_day(company: SmallCompany) -> None:
    late = company.tables["usage_events"][0] | {"event_id": "late", "account_id": "A05"}
    company.tables["usage_events"].append(late)


def another_segment(company: SmallCompany) -> None:
    company.tables["accounts"][0]["segment"] = "Enterprise"


def erased(company: SmallCompany) -> None:
    erase(Home(company.home, company.warehouse, company.home / "warehouse.lock", KEY), "small", "account", "A07")


def dropped(table: str) -> Change:
    def drop(company: SmallCompany) -> None:
        with duckdb.connect(str(company.warehouse)) as connection:
            connection.execute(f"DROP TABLE small.{table}")

    return drop


def restored(company: SmallCompany) -> None:
    """A back-up, another price, and the back-up again: with the files as they are then."""
    take(company.home, company.warehouse, reason="a test", keep=7)
    another_price(company)
    company.refresh(AS_OF)
    restore(company.home, company.warehouse, company.home / "warehouse.lock")


def backfilled(company: SmallCompany) -> None:
    company.refresh(DAY_BEFORE)


def the_next_day(company: SmallCompany) -> None:
    company.refresh(DAY_AFTER)


def blocked_and_mended(company: SmallCompany) -> None:
    tickets = company.tables["support_tickets"]
    company.tables["support_tickets"] = [ticket | {"created_at": "x"} for ticket in tickets]
    assert not company.refresh(AS_OF).is_complete
    company.tables["support_tickets"] = tickets


def refused_and_mended(company: SmallCompany) -> None:
    whole = company.tables["subscriptions"]
    company.tables["subscriptions"] = whole[:6]
    for _ in range(2):  # it is refused, and told, as often as it is delivered
        assert company.refresh(DAY_AFTER).checks["failed"] == 1
    company.tables["subscriptions"] = whole
    assert "subscription_periods" in executed(company.refresh(DAY_AFTER))


CHANGES: dict[str, tuple[Change, str, str]] = {
    "a file": (one_ticket_more, "fct_tickets", "revenue_ledger"),
    "a row that is rejected": (a_bad_row, "quarantine", ""),
    "a price": (another_price, "fct_revenue", "stg_support_tickets"),
    "a setting": (another_tier, "customer_health_scores", ""),
    "events of an earlier day": (events_of_an_earlier_day, "fct_usage", "fct_tickets"),
    "a segment": (another_segment, "dim_account", "subscription_periods"),
    "an erasure": (erased, "dim_account", ""),
    "a raw table dropped by hand": (dropped("raw_accounts"), "raw_accounts", "dim_date"),
    "a table dropped by hand": (dropped("fct_revenue"), "fct_revenue", "raw_accounts"),
    "a snapshot dropped by hand": (dropped("account_signals CASCADE"), "account_signals", "fct_revenue"),
    "rejected rows dropped by hand": (dropped("rejected_rows"), "stg_accounts", "raw_accounts"),
    "a restored back-up": (restored, "fct_revenue", "dim_date"),
    "an earlier day made since": (backfilled, "account_snapshot", "revenue_ledger"),
    "a later day made since": (the_next_day, "account_snapshot", "raw_accounts"),
    "a delivery that was blocked": (blocked_and_mended, "stg_support_tickets", "revenue_ledger"),
    "a delivery that was refused": (refused_and_mended, "account_snapshot", "fct_tickets"),
}


CHAINS = (
    ("a file", "a row that is rejected", "a price", "a later day made since"),
    ("a setting", "events of an earlier day", "a segment", "a delivery that was refused"),
    ("an erasure", "a raw table dropped by hand", "a table dropped by hand", "an earlier day made since"),
    (
        "rejected rows dropped by hand",
        "a snapshot dropped by hand",
        "a restored back-up",
        "a delivery that was blocked",
    ),
)
"""Changes that follow each other in one home, with a lean refresh after each and a rebuild beside the last."""


def test_every_change_is_tried() -> None:
    assert sorted(change for chain in CHAINS for change in chain) == sorted(CHANGES)


@pytest.mark.parametrize("chain", CHAINS, ids=" ".join)
def test_after_changes_the_tables_are_those_of_a_rebuild(
    company: SmallCompany, tmp_path: Path, chain: tuple[str, ...]
) -> None:
    company.variables |= KEY
    for change in chain:
        make, made_again, left = CHANGES[change]
        make(company)
        company.write()
        if change == chain[-1]:
            rebuilt = company.copied(tmp_path / "rebuilt")
            rebuilt.variables |= KEY
        lean = company.refresh(AS_OF)
        assert made_again in executed(lean), change
        assert left not in executed(lean), change
    whole = rebuilt.refresh(AS_OF, rebuild=True)
    assert (lean.failures, lean.warnings, lean.checks) == (whole.failures, whole.warnings, whole.checks)
    assert differing(company, rebuilt) == []
    assert whole.unchanged <= {"raw_usage_events"}  # of events only new files are read, also then


def test_a_repeated_refresh_executes_nothing_and_tells_the_same(company: SmallCompany) -> None:
    before = company.frames()
    first, second = company.refresh(AS_OF), company.refresh(AS_OF)
    assert executed(second) == set()
    assert (second.tables, second.checks, second.warnings) == (first.tables, first.checks, first.warnings)
    after = company.frames()
    assert [name for name in before if not before[name].equals(after[name])] == []


def test_days_of_events_grouped_in_parts_are_those_grouped_at_once(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = company.frames()["fct_usage"]
    assert before["event_date"].nunique() > 1
    dropped("fct_usage")(company)
    parts: list[tuple[date, ...]] = []

    def noted(days: tuple[date, ...], count: int) -> list[tuple[date, ...]]:
        parts[:] = in_parts(days, count)
        return parts

    with monkeypatch.context() as patched:
        patched.setattr(DuckDBWarehouse, "rows_at_once", 1)
        patched.setattr(steps, "in_parts", noted)
        assert "fct_usage" in executed(company.refresh(AS_OF))
    assert {len(part) for part in parts} == {1}
    assert len(parts) >= before["event_date"].nunique()
    assert company.frames()["fct_usage"].equals(before)


def test_a_recipe_tells_program_settings_zone_and_days(monkeypatch: pytest.MonkeyPatch) -> None:
    key = dg.AssetKey(["fleet", "t"])
    fleet = load_portfolio(ROOT / "cx_intel" / "portfolios" / "fleet.yaml")
    recipes = [
        unchanged.recipe_of(key, fleet, (AS_OF,)),
        unchanged.recipe_of(key, fleet, (DAY_AFTER,)),
        unchanged.recipe_of(key, fleet, (AS_OF, DAY_AFTER)),
        unchanged.recipe_of(key, fleet, (AS_OF,), "a digest"),
        unchanged.recipe_of(key, fleet.model_copy(update={"include_churned": not fleet.include_churned}), (AS_OF,)),
    ]
    assert unchanged.recipe_of(key, fleet, (AS_OF,)) == recipes[0]
    for name in ("program", "time_zone"):
        with monkeypatch.context() as patched:
            patched.setattr(unchanged, name, lambda *_: "another")
            recipes.append(unchanged.recipe_of(key, fleet, (AS_OF,)))
    assert len(set(recipes)) == len(recipes) == 7


def test_files_of_a_run_are_made_again_where_one_is_gone(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.refresh(AS_OF, reports=True)
    files = [*(company.home / "reports" / "small").glob("*.html"), company.home / "published" / "small.duckdb"]
    assert len(files) > 5
    times = [file.stat().st_mtime_ns for file in files]
    company.refresh(AS_OF, reports=True)
    assert [file.stat().st_mtime_ns for file in files] == times
    for file in files:
        file.unlink()
    company.refresh(AS_OF, reports=True)
    assert [file for file in files if not file.exists()] == []
