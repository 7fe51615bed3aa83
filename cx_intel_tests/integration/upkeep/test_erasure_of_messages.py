"""Erasure of what was told: the news of accounts in Dagster's event log, the outbox of the alerts, cursors, left-overs."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from cx_intel.orchestration.alerts.dispatcher import Dispatcher
from cx_intel.orchestration.alerts.lifecycle import METADATA, TABLE
from cx_intel.orchestration.alerts.messages import LIFECYCLE
from cx_intel.orchestration.alerts.outbox import Outbox
from cx_intel.orchestration.build import load_portfolios
from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.runs.run_history import blot_out, mentions
from cx_intel.privacy.subject import Subject
from cx_intel.warehouse.duckdb.upkeep.backups import take
from cx_intel_tests.helpers.listener import Listener, listening
from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.traces import files_with

BEFORE, CHANGED, NEXT = date(2025, 1, 18), date(2025, 1, 20), date(2025, 1, 21)
"""A02 has a second open ticket from the 20th on, which changes its tier."""
A02 = Subject("small", "account", "A02", ("Company 2",), "erased-1")


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> SmallCompany:
    """A company whose owners were told of A02, once in vain, and that was backed up with a message on its way."""
    made = SmallCompany(tmp_path_factory.mktemp("company"))
    made.settings["reports"] = {"exports": []}
    made.variables["CX_ALERT_URLS"] = listener.url()
    for day in (BEFORE, CHANGED):
        assert made.refresh(day).failures == []
    listener.refusing = True
    look(made)
    listener.refusing = False
    take(made.home, made.warehouse, reason="a test", keep=7)
    return made


def look(company: SmallCompany, later: float = 0) -> str:
    """The look of the sensor that tells of accounts, so many seconds later."""
    dispatcher = Dispatcher(
        load_portfolios(company.portfolios)["small"], company.environment, lambda: time.time() + later
    )
    with company.instance() as instance:
        return dispatcher.look(instance, LIFECYCLE)


@pytest.mark.slow
def test_an_account_that_was_told_of_is_nowhere_and_is_not_told_of_again(
    company: SmallCompany, listener: Listener
) -> None:
    assert {"alerts.sqlite", "event_log.db"} <= set(files_with(company.home))
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    assert erase(home, "small", "account", "A02").remains == ()
    assert files_with(company.home) == {}
    with company.instance() as instance:
        entry = instance.get_latest_materialization_event(dg.AssetKey(["small", TABLE]))
    assert entry is not None
    assert entry.asset_materialization is not None
    (news,) = entry.asset_materialization.metadata[METADATA].value  # type: ignore[union-attr]
    assert (news["account_id"], news["account_name"], news["event_type"]) == ("(erased)", "(erased)", "tier_change")

    assert "Sent 1 message." in look(company, later=100)
    assert "(erased)" in listener.taken[0]["message"]
    assert company.refresh(NEXT).failures == []
    assert "Sent" not in look(company, later=200)
    assert files_with(company.home) == {}


def test_two_accounts_that_changed_on_the_same_day_are_erased_one_after_the_other(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "alerts.sqlite")
    outbox.record("small", LIFECYCLE, now=0, told=["digest-A02", "digest-A03", "other-A03"])
    for account in ("A02", "A03"):
        subject = Subject("small", "account", account, (), "erased-1")
        assert blot_out(outbox.path, subject) > 0
        assert mentions(outbox.path, subject) == []
    assert outbox.told("small") == {"digest-(erased)", "other-(erased)"}


def test_names_in_keys_of_json_are_blotted_as_those_in_values(tmp_path: Path) -> None:
    """The cursor of the landing folder is such: names of files, which may be those of accounts."""
    cursor = {"A02.csv": {"size": 1}, "run_id": "A02-1", "nested": json.dumps({"Company 2": ["A02"], "A021": 1})}
    file = database(tmp_path, json.dumps(cursor))
    blot_out(file, A02)
    with closing(sqlite3.connect(file)) as connection:
        ((found,),) = connection.execute("SELECT text FROM cells").fetchall()
    nested = json.dumps({"(erased)": ["(erased)"], "A021": 1})
    assert json.loads(found) == {"(erased).csv": {"size": 1}, "run_id": "A02-1", "nested": nested}


def test_what_was_deleted_before_goes_from_the_file_too(tmp_path: Path) -> None:
    file = database(tmp_path, "told of Company 2")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM cells")
    assert set(files_with(tmp_path)) == {"cells.db"}, "the bytes are still there"
    assert blot_out(file, A02) == 0
    assert files_with(tmp_path) == {}


def database(folder: Path, text: str) -> Path:
    """A SQLite file with one cell."""
    file = folder / "cells.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE cells (id INTEGER PRIMARY KEY, text TEXT)")
        connection.execute("INSERT INTO cells (text) VALUES (?)", [text])
    return file
