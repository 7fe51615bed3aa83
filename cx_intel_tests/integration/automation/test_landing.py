"""The landing folder: files are taken whole and once, bad ones set aside, and a refresh is asked for whatever happens."""

import os
import signal
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cx_intel.orchestration.schedules.jobs import refresh_job
from cx_intel.orchestration.sensors import landing as landing_sensor
from cx_intel.orchestration.sensors.landing import day_of_refresh, landing_sensors
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.loader import parse_portfolio
from cx_intel.sources.landing import Look, settled, sources_for, take
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.listener import Listener, listening
from cx_intel_tests.helpers.processes import PATIENCE_SECONDS, server
from cx_intel_tests.helpers.ticking import Ticking, carried_out


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


class Inbox:
    """A portfolio with a landing folder, and its sensor."""

    def __init__(self, home: Path, instance: dg.DagsterInstance, listener: Listener, **portfolio: Any):
        self.home, self.instance = home, instance
        self.folder, self.data, self.listener = home / "inbox", home / "data", listener
        self.folder.mkdir(exist_ok=True)
        self.variables = {"INBOX": str(self.folder), "DATA": str(self.data), "CX_ALERT_URLS": listener.url()}
        self.portfolio = landing_portfolio(**portfolio)
        environment = Environment(home=home, portfolios=home, lock_wait_seconds=1, variables=self.variables)
        (sensor,) = landing_sensors(self.portfolio, environment, refresh_job(self.portfolio))
        self.sensor = Ticking(sensor, instance)
        self.seconds = 0

    def put(self, name: str, text: str) -> Path:
        """Writes a file; each time it is seen to have changed."""
        self.seconds += 1
        file = self.folder / name
        file.write_text(text)
        os.utime(file, (self.seconds, self.seconds))
        return file


def landing_portfolio(subscriptions: str = "${DATA}/subscriptions.csv", **landing: Any) -> Portfolio:
    sources = [
        {"kind": "files", "table": "accounts", "path": "${DATA}/accounts.csv"},
        {"kind": "files", "table": "subscriptions", "path": subscriptions},
        {"kind": "files", "table": "usage_events", "path": "${DATA}/events"},
        {"kind": "files", "table": "support_tickets", "path": "${DATA}/tickets/t_*.csv"},
    ]
    block = {"folder": "${INBOX}", "settle_seconds": 0} | landing
    return portfolio(sources=sources, automation={"landing": block}, as_of={"default": "2025-01-31"})


@pytest.fixture
def inbox(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[Inbox]:
    with listening() as listener:
        yield Inbox(tmp_path, instance, listener)


ACCOUNTS = "account_id,account_name\nA1,Company 1\n"
SUBSCRIPTIONS = "subscription_id,account_id,amount,start_date\nS1,A1,100,2025-01-01\n"


def test_a_file_is_taken_once_it_no_longer_changes_and_once_only(inbox: Inbox) -> None:
    inbox.put("accounts.csv", ACCOUNTS[:12])
    assert inbox.sensor.tick() == [], "seen for the first time"
    inbox.put("accounts.csv", ACCOUNTS)
    assert inbox.sensor.tick() == [], "it has changed"
    (request,) = inbox.sensor.tick()
    assert request.partition_key == "2025-01-31"
    assert (inbox.data / "accounts.csv").read_text() == ACCOUNTS
    carried_out(inbox.instance, request, fails=False)
    assert inbox.sensor.tick() == []
    assert inbox.sensor.said[-1] == "No file is complete."
    assert list(inbox.folder.iterdir()) == []


def test_a_file_that_comes_again_is_taken_again_by_another_run(inbox: Inbox) -> None:
    keys = set()
    for name in ("Company 1", "Company One"):
        inbox.put("accounts.csv", f"account_id,account_name\nA1,{name}\n")
        inbox.sensor.tick()
        (request,) = inbox.sensor.tick()
        carried_out(inbox.instance, request, fails=False)
        keys.add(request.run_key)
    assert len(keys) == 2
    assert "Company One" in (inbox.data / "accounts.csv").read_text()


def test_a_bad_file_is_set_aside_with_its_reason_and_told_while_good_ones_go_on(inbox: Inbox) -> None:
    inbox.put("accounts.csv", ACCOUNTS)
    inbox.put("subscriptions.csv", "who,what\nA1,base\n")
    inbox.put("holiday.jpg", "no table")
    inbox.sensor.tick()
    assert len(inbox.sensor.tick()) == 1
    rejected = inbox.folder / "rejected"
    assert sorted(f.name for f in rejected.iterdir()) == [
        "holiday.jpg",
        "holiday.jpg.txt",
        "subscriptions.csv",
        "subscriptions.csv.txt",
    ]
    assert "subscription_id" in (rejected / "subscriptions.csv.txt").read_text()
    assert "automation.landing.files" in (rejected / "holiday.jpg.txt").read_text()
    assert not (inbox.data / "subscriptions.csv").exists()
    assert inbox.listener.titles == ["[small] Set aside: 2 files"]
    inbox.sensor.tick()
    assert len(inbox.listener.taken) == 1


def test_files_that_are_still_written_are_left_alone(inbox: Inbox) -> None:
    for name in (".accounts.csv", "accounts.csv.part", "accounts.csv.tmp"):
        inbox.put(name, ACCOUNTS)
    for _ in range(3):
        assert inbox.sensor.tick() == []
    assert len(list(inbox.folder.iterdir())) == 3


def test_a_file_that_cannot_be_moved_is_tried_again(inbox: Inbox) -> None:
    inbox.put("accounts.csv", ACCOUNTS)
    inbox.data.write_text("a file where the folder should be")
    for _ in range(3):
        assert inbox.sensor.tick() == []
    inbox.data.unlink()
    assert len(inbox.sensor.tick()) == 1


@pytest.mark.parametrize("dies_in", ["take", pytest.param("_tell", marks=pytest.mark.slow)])
def test_a_tick_that_dies_loses_neither_files_nor_their_refresh(inbox: Inbox, dies_in: str) -> None:
    """Killed while the second of two files is taken, or when both are moved and nothing has been asked for."""
    texts = {"accounts.csv": ACCOUNTS, "subscriptions.csv": SUBSCRIPTIONS}
    for name, text in texts.items():
        inbox.put(name, text)
    assert inbox.sensor.tick() == []
    process = server().Process(target=_die_in_tick, args=(inbox.home, inbox.sensor.cursor, dies_in))
    process.start()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == -signal.SIGKILL
    left = {file.name for file in inbox.folder.iterdir()}
    assert left == ({"subscriptions.csv"} if dies_in == "take" else set())
    (request,) = inbox.sensor.tick()
    assert {file.name: file.read_text() for file in inbox.data.iterdir()} == texts
    (again,) = inbox.sensor.tick()
    assert again.run_key == request.run_key, "until Dagster has the run, and then it is made once"
    carried_out(inbox.instance, request, fails=True)
    assert inbox.sensor.tick() == inbox.sensor.tick() == []


def _die_in_tick(home: Path, cursor: str, dies_in: str) -> None:
    """A tick that is killed: before the second call of `take`, or in the call of `_tell`."""
    calls, going_on = 0, getattr(landing_sensor, dies_in)

    def dying(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2 or dies_in == "_tell":
            os.kill(os.getpid(), signal.SIGKILL)
        return going_on(*args)

    setattr(landing_sensor, dies_in, dying)
    with dg.DagsterInstance.ephemeral() as instance, listening() as listener:
        inbox = Inbox(home, instance, listener)
        inbox.sensor.cursor = cursor
        inbox.sensor.tick()


def test_a_file_from_another_disk_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """In memory as the other disk; a part of a file that a killed move left is no obstacle."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        file = Path(folder) / "accounts.csv"
        file.write_text(ACCOUNTS)
        (tmp_path / ".accounts.csv.part").write_text("account_id,acc")
        taken = take(file, landing_portfolio(), {"DATA": str(tmp_path)}, datetime.now(UTC), read_files)
        assert taken.reason == ""
        assert not file.exists()
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("accounts.csv", ACCOUNTS)]


def test_a_variable_that_one_source_misses_holds_up_no_other(inbox: Inbox) -> None:
    inbox = Inbox(inbox.home, inbox.instance, inbox.listener, subscriptions="${ELSEWHERE}/subscriptions.csv")
    inbox.put("accounts.csv", ACCOUNTS)
    inbox.put("subscriptions.csv", SUBSCRIPTIONS)
    inbox.sensor.tick()
    (request,) = inbox.sensor.tick()
    carried_out(inbox.instance, request, fails=False)
    assert inbox.sensor.tick() == []
    assert inbox.sensor.said[-1] == "The environment variable ELSEWHERE is not set."
    assert [file.name for file in inbox.folder.iterdir()] == ["subscriptions.csv"]


def test_without_its_variable_or_its_folder_the_sensor_says_so(inbox: Inbox) -> None:
    del inbox.variables["DATA"]
    inbox.put("accounts.csv", ACCOUNTS)
    assert inbox.sensor.tick() == inbox.sensor.tick() == []
    assert inbox.sensor.said[-1] == "The environment variable DATA is not set."
    assert (inbox.folder / "accounts.csv").exists()
    inbox.variables["INBOX"] = str(inbox.folder / "nowhere")
    inbox.sensor.tick()
    assert inbox.sensor.said[-1].startswith("There is no folder ")
    del inbox.variables["INBOX"]
    inbox.sensor.tick()
    assert inbox.sensor.said[-1] == "The environment variable INBOX is not set."


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("accounts.csv", ["accounts"]),
        ("usage_events_2025-01-31.csv.gz", ["usage_events"]),
        ("usage_eventsandmore.csv", []),
        ("t_17.csv", ["support_tickets"]),
        ("crm_export.csv", ["accounts"]),
        ("readme.md", []),
    ],
)
def test_the_source_of_a_file_is_told_by_pattern_path_or_name(name: str, tables: list[str]) -> None:
    small = landing_portfolio(files={"crm_*.csv": "accounts"})
    assert small.automation.landing is not None
    assert [source.table for source, _ in sources_for(name, small, small.automation.landing)] == tables


def test_files_of_presets_are_told_by_how_their_names_begin() -> None:
    text = "currency: {reporting: EUR}\nrevenue: {basis: subscriptions}\nautomation: {landing: {folder: '${INBOX}'}}\n"
    text += "sources: [{preset: stripe_export, folder: '${STRIPE}'}]\n"
    book = parse_portfolio(text, Path("book.yaml"))
    assert book.automation.landing is not None
    found = {
        n: [s.table for s, _ in sources_for(n, book, book.automation.landing)]
        for n in ("prices-2.csv", "customers.jsonl")
    }
    assert found == {"prices-2.csv": ["subscriptions"], "customers.jsonl": ["accounts", "subscriptions"]}


def test_a_file_is_complete_when_it_was_seen_before_and_has_not_changed_for_long_enough() -> None:
    ready, looks = settled({"a": (1, 1), "b": (2, 2)}, {}, now=100, settle_seconds=10)
    assert (ready, looks) == ((), {"a": Look(1, 1, 100), "b": Look(2, 2, 100)})
    ready, looks = settled({"a": (1, 1), "b": (3, 2)}, looks, now=105, settle_seconds=10)
    assert (ready, looks) == ((), {"a": Look(1, 1, 100), "b": Look(3, 2, 105)})
    ready, looks = settled({"a": (1, 1), "b": (3, 2)}, looks, now=110, settle_seconds=10)
    assert (ready, looks) == (("a",), {"b": Look(3, 2, 105)})


def test_new_files_are_for_the_portfolios_day_or_for_yesterday() -> None:
    now = datetime(2025, 6, 1, 23, 30, tzinfo=UTC)
    assert day_of_refresh(landing_portfolio(), now, ()) == date(2025, 1, 31)
    assert day_of_refresh(landing_portfolio(), now, {date(2025, 1, 30)}) == date(2025, 1, 31)
    assert day_of_refresh(portfolio(time_zone="Europe/Berlin"), now, {date(2025, 1, 31)}) == date(2025, 6, 1)


def test_a_fixed_day_gives_way_to_a_later_one_that_was_refreshed_or_the_file_would_not_be_read(inbox: Inbox) -> None:
    for day in ("2025-02-03", "2025-02-01"):
        inbox.instance.report_runless_asset_event(
            dg.AssetMaterialization(dg.AssetKey(["small", "account_snapshot"]), partition=day)
        )
    inbox.put("accounts.csv", ACCOUNTS)
    inbox.sensor.tick()
    (request,) = inbox.sensor.tick()
    assert request.partition_key == "2025-02-03"
