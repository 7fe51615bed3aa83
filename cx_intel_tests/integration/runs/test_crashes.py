"""Crashes: whatever ends a refresh, each table is as it was or as it should become, and the next run mends the rest."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from cx_intel_tests.helpers.processes import Hardship, RefreshProcess, refreshing
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany, ordered

BEFORE = date(2025, 1, 30)
Tables = dict[str, pd.DataFrame]

pytestmark = pytest.mark.slow  # refreshes in processes of their own


class Home:
    """The small company refreshed for a day, and what the refresh of the next day makes of it when nothing happens."""

    def __init__(self, folder: Path):
        self.company = SmallCompany(folder)
        self.company.write()
        assert self.run(BEFORE)
        self.before = self.tables()
        self.company.keep()
        assert self.run(AS_OF)
        self.after = self.tables()

    def run(self, day: date = AS_OF) -> bool:
        with refreshing(self.company, day) as process:
            outcome = process.outcome()
        return outcome is not None and outcome.succeeded

    def tables(self) -> Tables:
        """All tables, and what is remembered of the days that each was built from."""
        with duckdb.connect(str(self.company.warehouse), read_only=True) as connection:
            state = connection.execute(
                "FROM cx_state.day_state WHERE schema_name = ? AND NOT starts_with(table_name, '_')",
                [self.company.name],
            ).df()
        frames = {t: f for t, f in self.company.frames().items() if not t.startswith("_staged_")}
        return {**frames, **{f"state of {t}": ordered(rows) for t, rows in state.groupby("table_name")}}

    def assert_old_or_new(self) -> set[str]:
        """Each table is as before or as an undisturbed run makes it; returns those that are new."""
        found = self.tables()
        assert set(found) == set(self.after)
        old = {t for t, rows in found.items() if t in self.before and rows.equals(self.before[t])}
        new = {t for t, rows in found.items() if rows.equals(self.after[t])}
        assert set(found) - old - new == set()
        return new - old

    def assert_as_before(self) -> None:
        assert self.assert_old_or_new() == set()

    def assert_next_run_mends(self) -> None:
        assert self.run()
        found = self.tables()
        assert {t for t in self.after if not found[t].equals(self.after[t])} == set()
        with duckdb.connect(str(self.company.warehouse), read_only=True) as connection:
            left = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%staged%'"
            )
            assert left.fetchall() == []


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("crashes"))


def killed(home: Home, dice: random.Random) -> tuple[int, str]:
    """A refresh killed at a random moment, or within the transaction of a random table; how far it came."""
    if dice.random() < 0.3:
        with refreshing(home.company, AS_OF, Hardship(killed_in_swap=dice.randrange(1, 28))) as process:
            assert process.outcome() is None
        return len(process.steps), "within a swap"
    with refreshing(home.company, AS_OF) as process:
        for _ in range(dice.randrange(55)):
            if process.step() is None:
                break
        time.sleep(dice.random() * 0.3)
        process.kill()
    return len(process.steps), "at any moment"


def test_a_refresh_killed_again_and_again_leaves_tables_old_or_new_and_the_next_one_mends(home: Home) -> None:
    home.company.bring_back()
    dice = random.Random(4)
    for _ in range(4):
        killed(home, dice)
        home.assert_old_or_new()
    home.assert_next_run_mends()


@pytest.mark.parametrize("seed", range(20))
def test_a_refresh_killed_at_any_point_leaves_tables_old_or_new_and_the_next_one_mends(home: Home, seed: int) -> None:
    home.company.bring_back()
    killed(home, random.Random(seed))
    home.assert_old_or_new()
    home.assert_next_run_mends()


def failures(home: Home, hardship: Hardship | None = None) -> str:
    """What a refresh that cannot succeed tells."""
    with refreshing(home.company, AS_OF, hardship or Hardship()) as process:
        outcome = process.outcome()
    assert outcome is not None
    assert not outcome.succeeded
    return " ".join(outcome.failures)


def test_a_read_only_warehouse_is_said_and_nothing_changes(home: Home) -> None:
    home.company.bring_back()
    home.company.warehouse.chmod(0o444)
    try:
        told = failures(home, Hardship(no_privileges=True))
    finally:
        home.company.warehouse.chmod(0o644)
    assert f"{home.company.warehouse} cannot be opened. Check that it is a DuckDB file and may be written." in told
    home.assert_as_before()


def test_a_corrupt_warehouse_is_said_and_left_as_it_is(home: Home) -> None:
    home.company.bring_back()
    whole = home.company.warehouse.read_bytes()
    for damaged in (b"no database" * 1000, whole[:20_000], b"\xff" * 4096 * 3 + whole[4096 * 3 :]):
        home.company.warehouse.write_bytes(damaged)
        told = failures(home)
        assert str(home.company.warehouse) in told
        assert "Restore it from a back-up" in told or "Check that it is a DuckDB file" in told
        assert home.company.warehouse.read_bytes() == damaged
    home.company.warehouse.write_bytes(whole)
    home.assert_next_run_mends()


@contextmanager
def held_open(home: Home) -> Iterator[None]:
    """Another program has the warehouse open."""
    from cx_intel_tests.helpers.processes import PATIENCE_SECONDS, server

    ours, theirs = server().Pipe()
    process = server().Process(target=_hold, args=(home.company.warehouse, theirs))
    process.start()
    assert ours.poll(PATIENCE_SECONDS)
    assert ours.recv() == "open"
    try:
        yield
    finally:
        ours.send("close")
        process.join(PATIENCE_SECONDS)


def _hold(warehouse: Path, pipe) -> None:  # type: ignore[no-untyped-def]
    with duckdb.connect(str(warehouse), read_only=True):
        pipe.send("open")
        pipe.recv()


def test_a_warehouse_that_another_program_has_open_is_said_and_nothing_changes(home: Home) -> None:
    home.company.bring_back()
    with held_open(home):
        told = failures(home)
    assert f"{home.company.warehouse} is open in another program. Close it there, or read the published copy." in told
    home.assert_as_before()


def test_two_refreshes_at_once_go_one_after_the_other_and_a_reader_meets_a_clear_error(home: Home) -> None:
    home.company.bring_back()
    patient = Hardship(lock_wait_seconds=100)
    with refreshing(home.company, AS_OF, patient) as one, refreshing(home.company, AS_OF, patient) as other:
        first: RefreshProcess = one
        assert one.step()
        with pytest.raises(duckdb.IOException, match="Could not set lock on file"):
            duckdb.connect(str(home.company.warehouse), read_only=True)
        outcomes = [first.outcome(), other.outcome()]
    assert [outcome is not None and outcome.succeeded for outcome in outcomes] == [True, True]
    earlier, later = sorted(([time for time, _, _ in p.steps] for p in (one, other)), key=min)
    assert max(earlier) <= min(later)
    assert {t for t, rows in home.tables().items() if not rows.equals(home.after[t])} == set()


def test_a_second_refresh_that_waits_too_long_names_the_first(home: Home) -> None:
    home.company.bring_back()
    with refreshing(home.company, AS_OF) as first:
        assert first.step()
        told = failures(home, Hardship(lock_wait_seconds=0.2))
        assert "The warehouse is being written by run" in told
        assert "of small_refresh (process " in told
        assert "CX_LOCK_WAIT_SECONDS" in told
        first.kill()
    home.assert_old_or_new()


def test_a_full_disk_is_said_and_leaves_tables_old_or_new(tmp_path: Path) -> None:
    """The process may write no file beyond a size, which the events of the second day exceed."""
    dice = random.Random(1)
    home = Home.__new__(Home)
    home.company = SmallCompany(tmp_path)
    home.company.only("accounts", "subscriptions", "usage_events")
    home.company.write()
    assert home.run(BEFORE)
    home.before = home.tables()
    home.company.keep()
    events = home.company.tables["usage_events"]
    home.company.tables["usage_events"] = events + [
        events[0] | {"event_id": f"full-{n}", "properties": dice.randbytes(1000).hex()} for n in range(12_000)
    ]
    home.company.write()
    assert home.run()
    home.after = home.tables()
    home.company.bring_back()
    told = failures(home, Hardship(largest_file=10_000_000))
    assert "disk" in told.lower() or "space" in told.lower() or "File too large" in told
    home.assert_old_or_new()
    home.assert_next_run_mends()
