"""Ranges of days in one run, and days that something came too late for: found, made anew, equal to a clean run."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.dated_facts import dated_facts
from cx_intel.orchestration.assets.partitions import range_tags, run_days
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.runs import QUIET, refresh
from cx_intel.orchestration.sensors.stale_snapshots import digests, gaps, stale_snapshots, unfinished_snapshots
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.small_company import DATED, SmallCompany

pytestmark = pytest.mark.slow  # refreshes of many days

FIRST, SECOND, LAST = date(2025, 1, 29), date(2025, 1, 30), date(2025, 1, 31)
LATE = {
    "event_id": "E-late",
    "account_id": "A05",
    "user_id": "U05",
    "event_name": "login",
    "event_timestamp": f"{FIRST}T12:00:00",
}
TABLES = (
    *(f"{layer}_{table}" for layer in ("raw", "stg") for table in DATED),
    "account_history",
    "subscription_periods",
    "source_freshness",
    "revenue_ledger",
    "fct_revenue",
    "fct_usage",
    "account_snapshot",
    "account_signals",
    "health_score_drivers",
    "customer_health_scores",
)
STALE = ("stale_since", "stale_until", "stale_key", "stale_before")


def a_company(folder: Path) -> SmallCompany:
    company = SmallCompany(folder)
    company.leave_out("renewals", "playbooks", "rollups")
    company.source("support_tickets", stale_after_days=5, freeze_after_days=20)
    return company


def run(company: SmallCompany, day: date, since: date | None = None) -> tuple[list[str], dict[str, Any]]:
    """A refresh of the tables up to the scores; which checks warned, and what was told of late events."""
    job = build_definitions(company.environment).resolve_job_def("small_refresh")
    with company.instance() as instance:
        result = job.execute_in_process(
            run_config=QUIET,
            instance=instance,
            asset_selection=[dg.AssetKey(["small", table]) for table in TABLES],
            partition_key=None if since else day.isoformat(),
            tags=range_tags(since, day) if since else None,
        )
        entry = instance.get_latest_materialization_event(dg.AssetKey(["small", "account_signals"]))
    assert entry is not None
    assert entry.asset_materialization is not None
    metadata = entry.asset_materialization.metadata
    warned = [f"{c.asset_key.path[-1]}: {c.description}" for c in result.get_asset_check_evaluations() if not c.passed]
    return warned, {name: metadata[name].value for name in STALE if name in metadata}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Refreshed for the 29th and the 31st, when an event of the 29th arrives; then what was found is made anew."""
    company = a_company(tmp_path_factory.mktemp("late"))
    company.write()
    told: dict[str, Any] = {"company": company, "first": run(company, FIRST)}
    company.tables["usage_events"].append(LATE)
    company.write()
    told["last"] = run(company, LAST)
    told["between"] = company.frames()
    told["anew"] = run(company, LAST, since=FIRST)
    clean = a_company(tmp_path_factory.mktemp("clean"))
    clean.tables["usage_events"].append(LATE)
    clean.write()
    told["clean run"] = run(clean, LAST, since=FIRST)
    return told | {"clean": clean}


def test_one_run_over_a_range_makes_every_day(story: dict[str, Any]) -> None:
    days = story["clean"].query("SELECT as_of, count(*) FROM customer_health_scores GROUP BY 1 ORDER BY 1")
    assert days == [(day, 11) for day in (FIRST, SECOND, LAST)]  # A03 has left


def test_tables_kept_whole_stand_at_the_last_day_of_a_range(story: dict[str, Any]) -> None:
    standing = "SELECT DISTINCT day FROM cx_state.day_state WHERE built_from = 'whole'"
    assert story["clean"].query(standing) == [(LAST,)]


def test_an_event_that_comes_late_makes_its_snapshot_and_all_after_it_stale(story: dict[str, Any]) -> None:
    _, told = story["first"]
    assert told == {"stale_since": "", "stale_until": "", "stale_key": ""}
    _, told = story["last"]
    assert (told["stale_since"], told["stale_until"]) == (FIRST.isoformat(), LAST.isoformat())
    assert len(told["stale_key"]) == 16


def test_snapshots_made_anew_equal_those_of_a_clean_run(story: dict[str, Any]) -> None:
    _, told = story["anew"]
    assert told == {"stale_since": "", "stale_until": "", "stale_key": ""}
    found, wanted = story["company"].frames(), story["clean"].frames()
    assert set(found) == set(wanted)
    differing = [name for name in wanted if not found[name].equals(wanted[name])]
    # attributes are known from the first load on, which was on the 29th in one and on the 31st in the other
    assert set(differing) <= {"account_history", "subscription_periods", "source_freshness"}  # of loads


def test_before_they_were_made_anew_they_did_not(story: dict[str, Any]) -> None:
    scores = story["between"]["account_signals"]
    assert not scores.equals(story["clean"].frames()["account_signals"])


def test_a_stale_source_warns_with_its_newest_row_and_its_age(story: dict[str, Any]) -> None:
    warned, _ = story["first"]
    text = "The newest row of “Support tickets” is of 20 Jan 2025, 9 days before 29 Jan 2025."
    assert warned == [f"source_freshness: {text} It is late after 5 days and frozen after 20."]
    warned, _ = story["last"]
    assert warned == []


# the pure part


def test_a_run_is_for_its_day_its_range_or_none() -> None:
    assert run_days({"dagster/partition": "2025-01-31"}) == (LAST,)
    assert run_days(range_tags(FIRST, LAST)) == (FIRST, SECOND, LAST)
    assert run_days({}) == ()


days = st.dates(date(2025, 1, 1), date(2025, 1, 20))
known_days = st.dictionaries(days, st.text("abc", min_size=1, max_size=2))


@given(known_days, st.sets(days), days, st.text("xyz", min_size=1, max_size=2))
def test_what_changes_on_a_day_makes_exactly_the_snapshots_from_that_day_on_stale(
    known: Mapping[date, str], snapshots: set[date], changed: date, news: str
) -> None:
    now = digests({**known, changed: news}, snapshots)
    stale = stale_snapshots([digests(known, snapshots)], now)
    assert stale == tuple(sorted(day for day in snapshots if day >= changed))


@given(known_days, st.sets(days))
def test_nothing_is_stale_while_nothing_changes_and_days_without_a_digest_are_not_judged(
    known: Mapping[date, str], snapshots: set[date]
) -> None:
    assert stale_snapshots([digests(known, snapshots), {}], digests(known, snapshots)) == ()


@pytest.mark.parametrize(
    ("present", "at_most", "missing"),
    [([1, 2, 3], 5, []), ([1, 3], 5, [2]), ([1, 5], 3, [2, 3, 4]), ([1, 5], 2, []), ([1, 3, 9], 1, [2]), ([], 5, [])],
)
def test_short_gaps_are_made_up_for_and_long_ones_are_meant(present, at_most, missing) -> None:
    assert gaps([date(2025, 1, n) for n in present], at_most) == tuple(date(2025, 1, n) for n in missing)


def test_the_days_that_a_first_refresh_makes_besides_its_own_have_no_gaps() -> None:
    present = [date(2025, 1, n) for n in (1, 7, 8, 10)]  # refreshed for the 8th with first_snapshots 1 and 7
    assert gaps(present, 5, not_within=7) == (date(2025, 1, 9),)


def test_a_day_that_a_run_did_not_finish_is_found() -> None:
    every = dict.fromkeys((FIRST, SECOND, LAST), "d")
    built = {"account_signals": every, "lifecycle_events": {FIRST: "d"}, "new_rollup": {LAST: "d"}, "never_made": {}}
    assert unfinished_snapshots(built, "account_signals") == (SECOND, LAST)


def test_a_change_of_a_price_or_a_status_is_nothing_that_came_late() -> None:
    small = portfolio(tables=("support_tickets",), time_zone="Europe/Berlin")

    def facts(**changes: Any) -> list[tuple[str, str]]:

        ticket = {"ticket_id": "T1", "account_id": "A", "created_at": "2025-01-30T23:30:00", "status": "open"}
        ticket |= {"created_date": LAST} | changes
        ticket = {k: datetime.fromisoformat(v) if k.endswith("_at") else v for k, v in ticket.items()}
        table = rows(STAGING["support_tickets"](small), [ticket])
        found = dated_facts({"support_tickets": table}, portfolio=small)
        assert found is not None
        return sorted((str(day)[:10], fact.split("\x1f")[0]) for day, fact in found.to_pandas().itertuples(index=False))

    assert facts() == facts(status="escalated", priority="p1") == [("2025-01-31", "support_tickets.created_date")]
    resolved = ("2025-02-01", "support_tickets.resolved_at")  # past midnight in Berlin
    assert facts(resolved_at="2025-01-31T23:30:00", status="resolved") == [*facts(), resolved]


# the command line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "2025-01-31", "--to", "2025-01-30"], "--from 2025-01-31 is after --to 2025-01-30"),
        (["--from", "2024-01-01", "--to", "2025-01-30"], "--from 2024-01-01 is outside 2024-12-01"),
        (["--from", "2025-01-01", "--to", "2999-01-01"], "--to 2999-01-01 is outside"),
        (["--from", "yesterday"], "formats"),
    ],
)
def test_a_range_that_cannot_be_is_refused(tmp_path: Path, options: list[str], said: str) -> None:
    company = SmallCompany(tmp_path)
    company.write()
    result = CliRunner().invoke(app, ["backfill", "small", *options], env=company.variables)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_days_of_a_range_are_all_its_days() -> None:
    assert len(run_days(range_tags(FIRST, FIRST + timedelta(days=400)))) == 401


def test_a_backfill_is_one_run_of_the_refresh_job_with_the_tags_of_a_range() -> None:
    handled = []

    @dg.asset(
        key=["small", "fct_usage"],
        partitions_def=dg.DailyPartitionsDefinition("2025-01-01"),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def fct_usage(context: dg.AssetExecutionContext) -> None:
        handled.append(run_days(context.run.tags))

    definitions = dg.Definitions(assets=[fct_usage], jobs=[dg.define_asset_job("small_refresh")])
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = refresh(definitions, "small", LAST, instance, since=FIRST)
        assert outcome.succeeded
        assert instance.get_runs_count() == 1
        made = instance.get_materialized_partitions(dg.AssetKey(["small", "fct_usage"]))
    assert handled == [(FIRST, SECOND, LAST)]
    assert made == {day.isoformat() for day in (FIRST, SECOND, LAST)}
