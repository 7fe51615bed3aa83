"""The published copy: what is in it, that it can be read while a run writes, and that readers keep what they opened."""

import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.access.readable import readable
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseLocked
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # whole refreshes
DAY_BEFORE = date(2025, 1, 30)


def test_the_newest_snapshots_are_copied_and_whole_tables_whole(tmp_path: Path):
    warehouse = _warehouse(tmp_path, {DAY_BEFORE: 80, AS_OF: 90})
    file = tmp_path / "published" / "fleet.duckdb"
    made = warehouse.publish({"scores": "as_of", "dim_account": "", "absent": ""}, file)
    assert made.rows == {"scores": 1, "dim_account": 2}
    assert made.missing == ("absent",)
    assert _query(file, "SELECT score FROM fleet.scores") == [(90,)]
    assert _query(file, "SELECT score FROM scores_latest") == [(90,)]
    assert _query(file, "SELECT portfolio, as_of FROM publication") == [("fleet", AS_OF)]
    assert [path.name for path in file.parent.iterdir()] == ["fleet.duckdb"]
    close_warehouse(warehouse.database.path)


def test_more_days_are_copied_where_the_setting_asks_for_them(tmp_path: Path):
    warehouse = _warehouse(tmp_path, {date(2025, 1, 1): 70, DAY_BEFORE: 80, AS_OF: 90})
    file = tmp_path / "fleet.duckdb"
    warehouse.publish({"scores": "as_of"}, file, snapshot_days=2)
    assert _query(file, "SELECT as_of, score FROM scores ORDER BY 1") == [(DAY_BEFORE, 80), (AS_OF, 90)]
    assert _query(file, "SELECT score FROM scores_latest") == [(90,)]
    close_warehouse(warehouse.database.path)


def test_a_snapshot_that_has_no_rows_today_shows_its_own_newest_day(tmp_path: Path):
    warehouse = _warehouse(tmp_path, {DAY_BEFORE: 80})
    file = tmp_path / "fleet.duckdb"
    warehouse.publish({"scores": "as_of"}, file)
    assert _query(file, "SELECT as_of FROM scores_latest") == [(DAY_BEFORE,)]
    close_warehouse(warehouse.database.path)


def test_an_open_reader_keeps_the_old_copy_and_a_new_one_sees_the_new(tmp_path: Path):
    warehouse = _warehouse(tmp_path, {DAY_BEFORE: 80})
    file = tmp_path / "fleet.duckdb"
    warehouse.publish({"scores": "as_of"}, file)
    with _reader(file) as reader:
        assert _ask(reader) == "80"
        _write(warehouse, AS_OF, 90)
        warehouse.publish({"scores": "as_of"}, file)
        assert _ask(reader) == "80"
    with _reader(file) as reader:
        assert _ask(reader) == "90"
    close_warehouse(warehouse.database.path)


def test_what_fails_leaves_the_old_copy_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    warehouse = _warehouse(tmp_path, {DAY_BEFORE: 80})
    file = tmp_path / "published" / "fleet.duckdb"
    warehouse.publish({"scores": "as_of"}, file)
    monkeypatch.setattr("cx_intel.warehouse.duckdb.publish._note", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        warehouse.publish({"dim_account": ""}, file)
    assert [path.name for path in file.parent.iterdir()] == ["fleet.duckdb"]
    assert _query(file, "SELECT score FROM scores") == [(80,)]
    monkeypatch.undo()
    assert warehouse.publish({"dim_account": ""}, file).rows == {"dim_account": 2}
    close_warehouse(warehouse.database.path)


def test_while_the_warehouse_is_written_the_copy_is_read_in_its_place(tmp_path: Path):
    warehouse = _warehouse(tmp_path, {AS_OF: 90})
    copies = {"fleet": tmp_path / "fleet.duckdb", "other": tmp_path / "other.duckdb"}
    warehouse.publish({"scores": "as_of"}, copies["fleet"])
    close_warehouse(warehouse.database.path)
    with readable(warehouse.database.path, copies) as found:
        assert (found.note, found.newest("fleet"), found.exists("fleet", "dim_account")) == ("", AS_OF, True)
    with _writer(warehouse.database.path), readable(warehouse.database.path, copies) as found:
        assert "copy" in found.note
        assert found.newest("fleet") == AS_OF
        assert found.exists("fleet", "scores_latest")
        assert not found.exists("fleet", "dim_account")
        assert not found.exists("other", "scores")


def test_without_a_copy_a_locked_warehouse_is_an_error_that_says_so(tmp_path: Path):
    warehouse = _warehouse(tmp_path, {AS_OF: 90})
    close_warehouse(warehouse.database.path)
    with (
        _writer(warehouse.database.path),
        pytest.raises(WarehouseLocked, match="open in another program"),
        readable(warehouse.database.path, {"fleet": tmp_path / "fleet.duckdb"}),
    ):
        pass


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    made = SmallCompany(tmp_path_factory.mktemp("company"))
    made.only("accounts", "subscriptions", "usage_events")
    made.settings["reports"] = {"exports": []}
    assert made.refresh(AS_OF).failures == []
    return made


def test_a_refresh_ends_with_the_copy_of_marts_dimensions_and_facts(company: SmallCompany):
    file = company.environment.published("small")
    tables = {name for (name,) in _query(file, "SELECT table_name FROM information_schema.tables")}
    assert {"dim_account", "fct_revenue", "nrr_summary", "account_snapshot", "account_snapshot_latest"} <= tables
    assert {"check_results", "publication"} <= tables
    assert not {t for t in tables if t.startswith(("raw_", "stg_", "_staged"))}
    assert not {"fct_usage", "quarantine"} & tables
    assert _query(file, "SELECT account_id FROM small.dim_account ORDER BY 1") == company.query(
        "SELECT account_id FROM dim_account ORDER BY 1"
    )


def test_show_and_list_read_the_copy_while_a_run_writes(company: SmallCompany):
    run = CliRunner().invoke
    with _writer(company.warehouse):
        shown = run(app, ["show", "dim_account", "--rows", "1"], env=company.variables)
        listed = run(app, ["list"], env=company.variables)
        absent = run(app, ["show", "fct_usage"], env=company.variables)
    assert shown.exit_code == 0, shown.output
    assert "copy that the last run published" in shown.output
    assert "A0" in shown.output
    assert "2025-01-31" in listed.output
    assert absent.exit_code == 2
    assert "copy" not in run(app, ["show", "dim_account"], env=company.variables).output


def _warehouse(folder: Path, scores: dict[date, int]) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(open_warehouse(folder / "warehouse.duckdb"), "fleet")
    for day, score in scores.items():
        _write(warehouse, day, score)
    warehouse.stage("dim_account", [pd.DataFrame({"account_id": ["a", "b"]})])
    warehouse.swap("dim_account", stands_at=AS_OF)
    return warehouse


def _write(warehouse: DuckDBWarehouse, day: date, score: int) -> None:
    frame = pd.DataFrame({"as_of": pd.to_datetime([day]).date, "score": [score]})
    warehouse.stage("scores", [frame])
    warehouse.swap("scores", column="as_of", days=[day])


def _query(file: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
for _ in sys.stdin:
    print(connection.execute("SELECT max(score) FROM scores").fetchone()[0], flush=True)
"""
WRITER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def _reader(file: Path) -> "Process":
    return Process(READER, file)


def _writer(file: Path) -> "Process":
    return Process(WRITER, file)


def _ask(process: "Process") -> str:
    process.stdin.write("?\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


class Process:
    """A program of its own that has a DuckDB file open until the end of the block."""

    def __init__(self, program: str, file: Path):
        self._command = [sys.executable, "-c", program, str(file)]

    def __enter__(self) -> "Process":
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.stdin, self.stdout = self._process.stdin, self._process.stdout
        assert self.stdout.readline().strip() == "open"
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate(timeout=20)
        finally:
            self._process.kill()


POLLER = """
import sys, time, duckdb
print("open", flush=True)
seen, until = set(), time.monotonic() + 200
while time.monotonic() < until:
    with duckdb.connect(sys.argv[1], read_only=True) as connection:
        seen |= {str(at) for (at,) in connection.execute("SELECT published_at FROM publication").fetchall()}
        connection.execute("SELECT count(*) FROM dim_account").fetchall()
    if len(seen) == 2:
        print("saw both", flush=True)
        break
"""


def test_a_reader_is_never_turned_away_during_a_run_and_sees_the_new_copy_after_it(company: SmallCompany):
    with Process(POLLER, company.environment.published("small")) as reader:
        time.sleep(1)  # it has seen the old copy
        assert company.refresh(AS_OF, write=False, rebuild=True).failures == []  # else nothing new would be published
        assert reader.stdout.readline().strip() == "saw both"
