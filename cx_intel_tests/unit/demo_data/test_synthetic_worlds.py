"""What a synthetic world promises: the same on every call, nothing from the future, a past that stays.

What the figures look like is in `test_synthetic_realism`, what they are made of in `test_synthetic_parts`.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cx_intel.demo_data import World, build_world
from cx_intel_tests.helpers.small_worlds import EVENTS_FROM, NOTICE_DAYS, STARTS_ON, small

WORLDS = ("novacrm", "fleet")
"""Those that go on for ever; the planted one is in `test_planted_world`."""

COLUMNS = {
    (
        "novacrm",
        "accounts",
    ): "account_id account_name industry country region employee_count plan_tier owner status "
    "signup_date parent_account_id currency",
    (
        "novacrm",
        "subscriptions",
    ): "subscription_id account_id product_name plan_tier amount billing_period_months "
    "currency start_date end_date status",
    (
        "novacrm",
        "invoices",
    ): "invoice_id account_id invoice_date amount billing_period_months currency status line_items",
    (
        "novacrm",
        "contacts",
    ): "contact_id account_id contact_name email phone job_title contact_role status user_id updated_at",
    (
        "fleet",
        "contacts",
    ): "contact_id account_id contact_name email phone job_title contact_role status user_id updated_at",
    ("novacrm", "support_tickets"): "ticket_id account_id created_at resolved_at priority category status "
    "satisfaction_score",
    (
        "fleet",
        "accounts",
    ): "account_id account_name segment industry country region employee_count owner status "
    "signup_date parent_account_id currency vehicle_count products product_count legacy_system",
    (
        "fleet",
        "subscriptions",
    ): "subscription_id account_id product_name amount billing_period_months currency "
    "start_date end_date renewal_date status",
    ("fleet", "mrr_history"): "account_id month mrr currency",
    ("fleet", "support_tickets"): "ticket_id account_id created_at resolved_at priority category status "
    "satisfaction_score",
    ("fleet", "nps_responses"): "response_id account_id score responded_at",
    ("fleet", "csm_activities"): "activity_id account_id activity_type status completed_at",
}
EVENT_COLUMNS = ["event_id", "account_id", "user_id", "event_name", "event_timestamp", "properties"]

MAY_CHANGE = {
    "accounts": ["status", "plan_tier", "vehicle_count", "products", "product_count"],
    "subscriptions": ["status", "end_date", "renewal_date"],
    "invoices": ["status"],
    "mrr_history": [],
    "support_tickets": ["status", "resolved_at", "satisfaction_score"],
    "nps_responses": [],
    "csm_activities": ["status", "completed_at"],
    "contacts": ["status", "updated_at"],
}
KNOWN_SINCE = {
    "accounts": "signup_date",
    "subscriptions": "start_date",
    "invoices": "invoice_date",
    "support_tickets": "created_at",
    "nps_responses": "responded_at",
}


def midnight_after(day: date) -> pd.Timestamp:
    return pd.Timestamp(day) + pd.Timedelta(days=1)


days = st.dates(date(2022, 11, 1), date(2027, 6, 30))
worlds = st.sampled_from(WORLDS)
seeds = st.integers(0, 2**40)
sizes = st.integers(1, 90)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("as_of", [date(2020, 1, 1), date(2023, 1, 1), date(2026, 11, 1)])
def test_every_table_has_its_columns_even_when_empty(world: str, as_of: date) -> None:
    built = small(world)
    later = {name: built.table(name, date(2026, 11, 1)).dtypes for name in built.tables}
    for name in built.tables:
        table = built.table(name, as_of)
        assert list(table.columns) == COLUMNS[world, name].split()
        pd.testing.assert_series_equal(table.dtypes, later[name])


@pytest.mark.parametrize("world", WORLDS)
def test_frames_go_to_duckdb_and_arrow_as_text_times_and_numbers(world: str) -> None:
    built = small(world)
    frames = [built.table(name, date(2026, 11, 1)) for name in built.tables]
    frames += [built.day("usage_events", date(2026, 10, 1)), built.day("usage_events", date(2024, 1, 1))]
    for frame in frames:
        duck = duckdb.connect().execute("select * from frame").fetchdf()
        arrow = pa.Table.from_pandas(frame)
        assert len(duck) == arrow.num_rows == len(frame)
        kinds = {name: str(field.type) for name, field in zip(arrow.column_names, arrow.schema, strict=True)}
        assert set(kinds.values()) <= {"large_string", "timestamp[us]", "double", "int64"}


@pytest.mark.slow
@given(world=worlds, seed=seeds, accounts=sizes, first=days, second=days)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_the_past_stays_as_it_was(world: str, seed: int, accounts: int, first: date, second: date) -> None:
    earlier, later = sorted([first, second])
    asked_late, asked_early = (small(world, seed=seed, accounts=accounts) for _ in range(2))
    for name in asked_late.tables:
        now = asked_late.table(name, later)
        then = asked_late.table(name, earlier)
        assert_frame_equal(then, asked_early.table(name, earlier))
        kept = [column for column in now.columns if column not in MAY_CHANGE[name]]
        assert_frame_equal(now[kept].head(len(then)), then[kept])
        if name in KNOWN_SINCE:
            known_then = now[KNOWN_SINCE[name]] < midnight_after(earlier)
            assert known_then.sum() == len(then)


@pytest.mark.slow
@given(world=worlds, seed=seeds, accounts=sizes, as_of=days)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_nothing_is_dated_after_as_of(world: str, seed: int, accounts: int, as_of: date) -> None:
    built = small(world, seed=seed, accounts=accounts)
    for name in built.tables:
        table = built.table(name, as_of)
        for column in table.select_dtypes("datetime"):
            if column == "renewal_date":
                continue
            announced = pd.Timedelta(days=NOTICE_DAYS if column == "end_date" else 0)
            assert not (table[column] >= midnight_after(as_of) + announced).any(), (name, column)


@pytest.mark.slow
@given(world=worlds, seed=seeds, accounts=sizes, first=days, second=days)
@settings(max_examples=10, deadline=None, derandomize=True)
def test_what_was_settled_stays_settled(world: str, seed: int, accounts: int, first: date, second: date) -> None:
    earlier, later = sorted([first, second])
    built = small(world, seed=seed, accounts=accounts)
    then, now = (built.table("support_tickets", day) for day in (earlier, later))
    resolved = then["status"] == "resolved"
    assert_frame_equal(now.head(len(then))[resolved], then[resolved])
    then, now = (built.table("subscriptions", day) for day in (earlier, later))
    over = then["end_date"].notna()
    assert_frame_equal(now.head(len(then)).loc[over, ["end_date"]], then.loc[over, ["end_date"]])
    ended = then["end_date"] < midnight_after(earlier)
    assert_frame_equal(now.head(len(then))[ended].drop(columns="renewal_date", errors="ignore"),
                       then[ended].drop(columns="renewal_date", errors="ignore"))  # fmt: skip
    if "invoices" in built.tables:
        then, now = (built.table("invoices", day) for day in (earlier, later))
        settled = then["status"] != "overdue"
        assert_frame_equal(now.head(len(then))[settled], then[settled])


@pytest.mark.slow
@given(world=worlds, seed=seeds, accounts=sizes, day=days, other=days)
@settings(max_examples=10, deadline=None, derandomize=True)
def test_a_day_of_events_needs_no_other_day(world: str, seed: int, accounts: int, day: date, other: date) -> None:
    busy, fresh = (small(world, seed=seed, accounts=accounts) for _ in range(2))
    busy.day("usage_events", other)
    busy.table("accounts", max(day, other))
    events = busy.day("usage_events", day)
    assert_frame_equal(events, fresh.day("usage_events", day))
    assert list(events.columns) == EVENT_COLUMNS
    assert events["event_timestamp"].is_monotonic_increasing
    if day < EVENTS_FROM:
        assert events.empty
    if not events.empty:
        assert events["event_timestamp"].min() >= pd.Timestamp(day)
        assert events["event_timestamp"].max() < midnight_after(day)
        accounts_then = built_ids(busy, day)
        assert set(events["account_id"]) <= accounts_then


def built_ids(world: World, day: date) -> set[str]:
    """Accounts that a day's events may come from: those that have signed up and are customers at its end."""
    table = world.table("accounts", day)
    return set(table.loc[table["status"].isin(["active", "trial"]), "account_id"])


@pytest.mark.parametrize("world", WORLDS)
def test_ids_are_unique_within_tables_and_across_days(world: str) -> None:
    built = small(world)
    for name in built.tables:
        table = built.table(name, date(2026, 11, 1))
        key = ["account_id", "month"] if name == "mrr_history" else [table.columns[0]]
        assert not table.duplicated(key).any()
        assert set(table["account_id"]) <= set(built.table("accounts", date(2026, 11, 1))["account_id"])
    ids = pd.concat([built.day("usage_events", date(2026, 10, 1) + timedelta(days=n))["event_id"] for n in range(10)])
    assert len(ids) > 100
    assert ids.is_unique


@pytest.mark.parametrize("world", WORLDS)
def test_another_seed_is_another_world_and_more_accounts_follow_for_ever(world: str) -> None:
    built = small(world)
    three_years_on = STARTS_ON + timedelta(days=1096)
    assert not built.table("accounts", three_years_on).equals(small(world, seed=6).table("accounts", three_years_on))
    assert len(built.table("accounts", three_years_on)) == pytest.approx(40, abs=1)
    assert len(built.table("accounts", date(2032, 1, 1))) > 60


@pytest.mark.parametrize("world", WORLDS)
def test_a_single_account_is_a_world_too(world: str) -> None:
    built = small(world, accounts=1)
    assert [len(built.table("accounts", day)) for day in (date(2022, 1, 1), date(2026, 6, 1))] == [0, 1]
    for name in built.tables:
        built.table(name, date(2026, 6, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"world": "atlantis"}, "no world 'atlantis'; there are novacrm, fleet, planted"),
        ({"accounts": 0}, "accounts must be between 1 and 1,000,000, not 0"),
        ({"accounts": 1_000_001}, "accounts must be between"),
        ({"seed": -1}, "seed must not be negative, not -1"),
    ],
)
def test_an_impossible_world_says_why(change: dict[str, object], message: str) -> None:
    arguments: dict = {
        "world": "fleet",
        "seed": 1,
        "accounts": 9,
        "starts_on": STARTS_ON,
        "events_from": EVENTS_FROM,
    }
    with pytest.raises(ValueError, match=message):
        build_world(**(arguments | change))


@pytest.mark.parametrize("world", WORLDS)
def test_an_unknown_table_is_named_with_those_there_are(world: str) -> None:
    built = small(world)
    with pytest.raises(KeyError, match="no table 'usage_events' here; there are accounts, subscriptions"):
        built.table("usage_events", date(2026, 1, 1))
    with pytest.raises(KeyError, match="no event table 'accounts' here; there are usage_events"):
        built.day("accounts", date(2026, 1, 1))
