"""Whole refreshes of a dozen accounts through the real job, on a real instance and a real DuckDB file."""

import copy
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd
import pytest

from cx_intel.contracts.catalog import kept_tables, tables_of
from cx_intel.models.core import accounts as account_models
from cx_intel.orchestration.build import load_portfolios
from cx_intel.reports.data.figures.headline import HeadlineFigure, headline
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

EARLIER, DAY_BEFORE, LATER = (AS_OF + timedelta(days=n) for n in (-2, -1, 1))
JANUARY = date(2025, 1, 1)
SNAPSHOTS = (
    "account_signals",
    "account_snapshot",
    "churn_risk_view",
    "cs_intervention_list",
    "customer_health_scores",
    "health_score_drivers",
    "lifecycle_events",
    "nrr_outlook",
    "parent_rollup",
    "quarantine",
    "renewal_pipeline",
    "segment_health_summary",
    "source_freshness",
)

Frames = dict[str, pd.DataFrame]


def differing(left: Frames, right: Frames, *, leave_out: tuple[str, ...] = ()) -> list[str]:
    """The tables that are not equal, row by row and column by column."""
    assert set(left) == set(right)
    return [name for name in sorted(left) if name not in leave_out and not left[name].equals(right[name])]


def of_day(frames: Frames, day: date) -> Frames:
    """The snapshot tables' rows of one day."""
    found = {}
    for name, frame in frames.items():
        if name in SNAPSHOTS:
            chosen = frame[frame["as_of"] == pd.Timestamp(day)].reset_index(drop=True)
            found[name] = chosen.convert_dtypes()  # a null on another day makes a count a float
    return found


@pytest.fixture(scope="module")
def one_day(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A day: the company, the outcome of its refresh, and the tables after it."""
    company = SmallCompany(tmp_path_factory.mktemp("refreshed"))
    return {"company": company, "outcome": company.refresh(AS_OF), "frames": company.frames()}


@pytest.fixture(scope="module")
def refreshed(one_day: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """That day again, an earlier one, and the next: the tables after each."""
    company = one_day["company"].copied(tmp_path_factory.mktemp("again"))
    found: dict[str, Any] = {"company": company, "first": one_day["frames"], "outcomes": []}
    for name, day in (("again", AS_OF), ("earlier", EARLIER), ("later", LATER)):
        found["outcomes"].append(company.refresh(day))
        found[name] = company.frames()
    return found


def changed_after(company: SmallCompany, seed: int) -> None:
    """Changes what is dated after AS_OF: events, tickets, contracts and accounts that nobody knew of then."""
    draw = Random(seed)
    limit = f"{AS_OF}T23:59:59.999"
    for event in company.tables["usage_events"]:
        if event["event_timestamp"] > limit:
            event["account_id"], event["event_name"] = f"A{draw.randint(1, 12):02}", draw.choice(["login", "other"])
    later = [e for e in company.tables["usage_events"] if e["event_timestamp"] > limit]
    for event in draw.sample(later, k=len(later) // 3):
        company.tables["usage_events"].remove(event)
    for ticket in company.tables["support_tickets"]:
        if (ticket["resolved_at"] or "") > limit:
            ticket["resolved_at"] = f"2025-02-0{draw.randint(1, 9)}T{draw.randint(10, 23)}:00:00"
            ticket["satisfaction_score"] = draw.randint(1, 5)
    company.tables["support_tickets"].append(
        company.tables["support_tickets"][0] | {"ticket_id": "T9", "created_at": "2025-02-01T00:00:00"}
    )
    contract = company.tables["subscriptions"][draw.randrange(12)]
    company.tables["subscriptions"].append(
        contract
        | {"subscription_id": "S99", "amount": draw.randint(1, 999), "start_date": AS_OF + timedelta(days=1)}
        | {"end_date": None}
    )
    for row in company.tables["subscriptions"]:
        row["canceled_at"] = None
    ended = company.tables["subscriptions"][6]  # an end that is delivered is known, but for one announced later
    ended["end_date"], ended["canceled_at"] = AS_OF + timedelta(days=draw.randint(2, 99)), AS_OF + timedelta(days=1)
    company.tables["accounts"].append(
        company.tables["accounts"][0] | {"account_id": "A99", "signup_date": AS_OF + timedelta(days=1)}
    )


class TestOneDay:
    def test_the_refresh_succeeds_and_no_check_warns(self, one_day: dict[str, Any]) -> None:
        outcome = one_day["outcome"]
        assert (outcome.succeeded, outcome.failures, outcome.warnings) == (True, [], [])
        assert outcome.checks["passed"] > 100

    def test_the_waterfall_of_january_is_as_worked_by_hand(self, one_day: dict[str, Any]) -> None:
        # 100 x (1 + ... + 12) less 300 of A03, gone in December, and 60 more for A12's francs; then A04 takes 50 more
        found = one_day["company"].values(
            "nrr_summary", "starting_mrr", "expansion_mrr", "churned_mrr", "ending_mrr", by="revenue_month"
        )
        assert found[JANUARY] == (7560, 50, 0, 7610)
        assert found[date(2024, 12, 1)] == (6600, 0, 300, 7560)

    def test_health_scores_are_as_worked_by_hand(self, one_day: dict[str, Any]) -> None:
        # ten logins in 30 days of 20 that score 100; A02 has two open tickets, A06 one that is resolved later; A03 left
        found = one_day["company"].values(
            "customer_health_scores", "health_score", "health_tier", where=f"as_of = DATE '{AS_OF}'"
        )
        expected = {f"A{n:02}": (75.0, "good") for n in range(1, 13) if n != 3}
        assert found == expected | {"A02": (25.0, "poor"), "A05": (50.0, "fair"), "A06": (50.0, "fair")}

    def test_the_one_account_to_call_is_listed(self, one_day: dict[str, Any]) -> None:
        found = one_day["company"].query(
            "SELECT priority_rank, account_id, days_to_renewal, expected_arr_loss, renewal_risk "
            "FROM cs_intervention_list_latest"
        )
        assert found == [(1, "A02", 15, 1680, "Critical")]

    def test_a_source_of_whole_files_keeps_every_day_that_it_holds(self, one_day: dict[str, Any]) -> None:
        company = one_day["company"]
        with company.instance() as instance:
            days = instance.get_materialized_partitions(dg.AssetKey(["small", "fct_usage"]))
        assert {f"2025-01-{day:02}" for day in range(1, 32)} <= days

    def test_every_table_in_the_warehouse_is_in_the_data_dictionary(self, one_day: dict[str, Any]) -> None:
        of = load_portfolios(one_day["company"].portfolios)["small"]
        found = {table for table in one_day["frames"] if not table.startswith("raw_")}
        assert found - {*tables_of(of), *kept_tables(of)} == set()


class TestDaysInARow:
    def test_every_refresh_succeeds_and_no_check_warns(self, refreshed: dict[str, Any]) -> None:
        for outcome in refreshed["outcomes"]:
            assert (outcome.succeeded, outcome.failures, outcome.warnings) == (True, [], [])
            assert outcome.checks["passed"] > 100

    def test_the_headline_is_of_the_day_that_is_asked_for(self, refreshed: dict[str, Any]) -> None:
        company = refreshed["company"]
        portfolio = load_portfolios(company.portfolios)["small"]
        with reading(company.warehouse) as database:
            warehouse = DuckDBWarehouse(database, "small")
            said = {day: headline(warehouse, portfolio, day) for day in (EARLIER, AS_OF)}
        assert [found.figures[0] for found in said.values()] == [
            HeadlineFigure("MRR, Dec 2024", "€7,560.00"),
            HeadlineFigure("MRR, Jan 2025", "€7,610.00"),
        ]
        assert [list(found.call_first["days_to_renewal"]) for found in said.values()] == [[17], [15]]  # to 15 February

    def test_no_row_is_dropped_between_raw_and_staging(self, refreshed: dict[str, Any]) -> None:
        # events later than as_of wait in the raw table
        known = "event_timestamp < '2025-02-02'"
        ((raw,),) = refreshed["company"].query(f"SELECT count(*) FROM raw_usage_events WHERE {known}")
        assert len(refreshed["later"]["stg_usage_events"]) == raw > 170
        assert len(refreshed["first"]["stg_usage_events"]) == 169

    def test_the_same_day_again_changes_nothing(self, refreshed: dict[str, Any]) -> None:
        assert differing(refreshed["first"], refreshed["again"]) == []

    def test_an_earlier_day_adds_its_snapshot_and_nothing_else(self, refreshed: dict[str, Any]) -> None:
        before, after = refreshed["again"], refreshed["earlier"]
        assert differing(before, after, leave_out=SNAPSHOTS) == []
        assert differing(of_day(before, AS_OF), of_day(after, AS_OF)) == []
        assert len(of_day(after, EARLIER)["account_snapshot"]) == 12

    def test_a_later_day_adds_its_snapshot_and_leaves_the_earlier_ones(self, refreshed: dict[str, Any]) -> None:
        before, after = refreshed["earlier"], refreshed["later"]
        for day in (EARLIER, AS_OF):
            assert differing(of_day(before, day), of_day(after, day)) == []
        assert len(of_day(after, LATER)["account_snapshot"]) == 12
        assert before["fct_usage"]["event_date"].max() == pd.Timestamp(AS_OF)
        assert after["fct_usage"]["event_date"].max() == pd.Timestamp(LATER)

    def test_the_latest_view_shows_the_newest_day_and_not_the_last_refreshed(self, refreshed: dict[str, Any]) -> None:
        found = refreshed["company"].query("SELECT DISTINCT as_of FROM customer_health_scores_latest")
        assert found == [(LATER,)]

    def test_an_earlier_day_knows_only_its_own_past(self, refreshed: dict[str, Any]) -> None:
        # A06's ticket came on the 30th
        found = refreshed["company"].values(
            "account_signals", "value", by="as_of", where="account_id = 'A06' AND signal = 'open_tickets'"
        )
        assert found == {EARLIER: 0, AS_OF: 1, LATER: 1}

    def test_what_dagster_shows_agrees_with_the_warehouse(self, refreshed: dict[str, Any]) -> None:
        company = refreshed["company"]
        with company.instance() as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(["small", "fct_tickets"]))
            days = instance.get_materialized_partitions(dg.AssetKey(["small", "customer_health_scores"]))
        assert days == {day.isoformat() for day in (EARLIER, AS_OF, LATER)}
        assert event is not None
        assert event.asset_materialization is not None
        assert company.query("SELECT count(*) FROM fct_tickets") == [(4,)]

    @pytest.mark.parametrize("seed", [1, 2])
    def test_nothing_dated_after_as_of_changes_a_figure(
        self, seed: int, refreshed: dict[str, Any], tmp_path: Path
    ) -> None:
        company = SmallCompany(tmp_path)
        company.tables = copy.deepcopy(company.tables)
        changed_after(company, seed)
        assert company.refresh(AS_OF).succeeded
        loaded = (
            "account_history",
            "judged_accounts",
            "subscription_periods",
            *(t for t in refreshed["first"] if t.startswith(("raw_", "stg_"))),
        )
        assert differing(refreshed["first"], company.frames(), leave_out=loaded) == []


def test_a_blocking_check_keeps_the_old_table_fails_the_run_and_names_the_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    assert company.refresh(DAY_BEFORE).succeeded
    before = company.frames()
    sound = account_models.dim_account

    def dim_account(
        account_snapshot: ir.Table,
        stg_support_tickets: ir.Table,
        stg_ticket_status_history: ir.Table,
        business_hours: ir.Table,
        *,
        portfolio: Portfolio,
        as_of: date,
    ) -> ir.Table:
        tickets = (stg_support_tickets, stg_ticket_status_history, business_hours)
        rows = sound(account_snapshot, *tickets, portfolio=portfolio, as_of=as_of)
        return rows.union(rows.filter(rows.account_id == "A07"))

    monkeypatch.setattr(account_models, "dim_account", dim_account)
    outcome = company.refresh(AS_OF)
    assert not outcome.succeeded
    check, stopped = (text for text in outcome.failures if text.startswith("dim_account"))
    assert check.startswith("dim_account: grain_unique: 1 of 13 rows: account_id: unique. ")
    assert check.endswith("so this is a fault of a model: report it with the sample.")
    assert "small.dim_account was not replaced, it stays as it was. Broken: grain_unique (1 rows)" in stopped
    after = company.frames()
    assert "_staged_dim_account" not in after
    for table in ("dim_account", "nrr_summary", "nrr_by_segment", "revenue_cohort_analysis"):
        assert after[table].equals(before[table]), table
