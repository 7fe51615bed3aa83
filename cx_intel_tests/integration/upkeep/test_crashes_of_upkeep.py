"""Crashes of what keeps a deployment: a publication, a back-up or an erasure that is killed leaves the old or the new."""

import random
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cx_intel.doctor.stores import back_ups
from cx_intel.orchestration.assets.publication import published_tables
from cx_intel.orchestration.build import load_portfolios
from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.register import Entry, Register
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.upkeep.backups import backups, take
from cx_intel.warehouse.duckdb.upkeep.restoring import restore, verify
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany
from cx_intel_tests.helpers.sudden_death import killed_before, steps_of
from cx_intel_tests.helpers.traces import cells_with, files_with

BEFORE = date(2025, 1, 30)
NRR = "SELECT * EXCLUDE (segment) FROM nrr_by_segment UNION ALL BY NAME FROM nrr_summary ORDER BY ALL"
KILLED, ERASED, REGISTERED = 12, 6, 1000
"""How many steps of a publication or back-up, of an erasure, and of a registration a test is killed before, at most."""

pytestmark = pytest.mark.slow  # a process for each step


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """Refreshed, published and backed up for a day, and refreshed for the next, which is not published yet."""
    made = SmallCompany(tmp_path_factory.mktemp("company"))
    made.only("accounts", "subscriptions", "usage_events", "support_tickets")
    assert made.refresh(BEFORE).failures == []
    for _ in range(2):
        take(made.home, made.warehouse, reason="a test", keep=7)
    made.settings["publish"] = {"enabled": False}
    assert made.refresh(AS_OF).failures == []
    made.settings.pop("publish")
    made.write()
    made.keep()
    return made


@pytest.fixture(autouse=True)
def as_it_was(company: SmallCompany) -> None:
    company.bring_back()


def chosen(steps: int, count: int) -> list[int]:
    """The steps to be killed before: the first, the last, and others by chance."""
    others = random.Random(7).sample(range(2, steps), min(count, steps) - 2)
    return [1, *sorted(others), steps]


def contents(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All tables of a published copy; when it was made is left out."""
    with duckdb.connect(str(file), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        found = {name: connection.execute(f'FROM "{name}" ORDER BY ALL').fetchall() for name in names}
    found["publication"] = [row[:2] for row in found["publication"]]
    return found


def publication(company: SmallCompany) -> None:
    """Publishes what the warehouse holds, as the last step of a refresh does."""
    portfolio = load_portfolios(company.portfolios)["small"]
    warehouse = DuckDBWarehouse(open_warehouse(company.warehouse), "small")
    warehouse.publish(published_tables(portfolio), company.environment.published("small"))
    close_warehouse(company.warehouse)


def test_a_publication_that_is_killed_leaves_the_old_copy_or_the_new(company: SmallCompany) -> None:
    file = company.environment.published("small")
    old = contents(file)
    steps = steps_of(publication, company)
    new = contents(file)
    assert old["publication"] != new["publication"]
    for step in chosen(steps, KILLED):
        company.bring_back()
        killed_before(step, publication, company)
        assert contents(file) in (old, new)
        assert file.stat().st_mode & 0o222 == 0
        publication(company)
        assert contents(file) == new
        assert [path.name for path in file.parent.iterdir()] == [file.name]


def back_up(company: SmallCompany) -> None:
    """A third back-up, of which two are kept."""
    take(company.home, company.warehouse, reason="a third", keep=2)


def test_a_back_up_that_is_killed_is_none_and_what_is_one_is_whole(company: SmallCompany) -> None:
    known = {backup.name for backup in backups(company.home)}
    assert len(known) == 2
    for step in chosen(steps_of(back_up, company), KILLED):
        company.bring_back()
        killed_before(step, back_up, company)
        found = backups(company.home)
        assert len(found) >= 2
        assert len({backup.name for backup in found} - known) <= 1
        for backup in found:
            verify(backup)
        assert back_ups(company.home).text.startswith(f"{len(found)}, ")
        done = restore(company.home, company.warehouse, company.home / "warehouse.lock")
        assert done.backup.name == found[0].name
        back_up(company)
        assert [backup.manifest["reason"] for backup in backups(company.home)][:1] == ["a third"]
        assert len(list((company.home / "backups").iterdir())) == 2, "nothing is left over"


def erasure(company: SmallCompany) -> tuple[str, ...]:
    """Where A02 can still be found."""
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    return erase(home, "small", "account", "A02").remains


def test_an_erasure_that_is_killed_is_ended_and_proven_by_asking_again(company: SmallCompany) -> None:
    totals = company.query(NRR)
    assert {"warehouse.duckdb", "event_log.db"} <= set(files_with(company.home))
    assert "small.duckdb: dim_account.account_id" in cells_with(company.home)
    for step in chosen(steps_of(erasure, company), ERASED):
        company.bring_back()
        killed_before(step, erasure, company)
        assert erasure(company) == ()
        assert files_with(company.home) == {}
        assert cells_with(company.home) == []
        assert company.query(NRR) == totals
        for backup in backups(company.home):
            verify(backup)
        assert not (company.home / "privacy" / "pending.json").exists()


def registration(home: Path) -> None:
    """What an erasure writes into the register, from its key to its end."""
    register = Register(home, {})
    register.make_key()
    register.begin({"portfolio": "small", "kind": "account", "id": "A02"})
    register.add(Entry("small", "account", register.hash("small", "account", "A02"), "2025-01-31"))
    register.end()


def test_a_register_that_is_killed_can_be_read_and_goes_on(tmp_path: Path) -> None:
    for step in chosen(steps_of(registration, tmp_path / "whole"), REGISTERED):
        home = tmp_path / str(step)
        killed_before(step, registration, home)
        begun = Register(home, {}).begun()
        assert begun is None or begun["id"] == "A02"
        registration(home)
        assert Register(home, {}).begun() is None
        assert len(Register(home, {}).entries("small")) == 1


def test_what_other_killed_programs_left_is_erased_too(company: SmallCompany) -> None:
    """A publication, a restore and a back-up that never came to an end, each with a copy of the data."""
    file = company.environment.published("small")
    shutil.copyfile(file, file.with_name(f".{file.name}.new"))
    shutil.copyfile(company.warehouse, company.home / ".warehouse.duckdb.restoring")
    newest = backups(company.home)[0].folder
    shutil.copytree(newest, newest.with_name(f".{newest.name}.new"))
    assert erasure(company) == ()
    assert files_with(company.home) == {}
