"""Back-ups and their restoring: complete, kept in number, verified, and refused while a run writes."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.upkeep.backups import backups, take
from cx_intel.warehouse.duckdb.upkeep.restoring import restore
from cx_intel.warehouse.duckdb.upkeep.upgrades import back_up_if_due
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseBusy, WarehouseError, WarehouseLocked
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

OLD, NEW = 80, 90


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a warehouse whose one table holds OLD, and a storage of Dagster's with one run."""
    _write(tmp_path, OLD)
    (tmp_path / "dagster").mkdir()
    with closing(sqlite3.connect(tmp_path / "dagster" / "runs.db")) as connection:
        connection.execute("CREATE TABLE runs (run_id TEXT)")
        connection.execute("INSERT INTO runs VALUES ('first')")
        connection.commit()
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return tmp_path


def test_a_back_up_holds_the_warehouse_with_its_views_and_the_storage_of_dagster(home: Path):
    made = _take(home)
    assert _score(made.warehouse) == OLD
    assert _score(made.warehouse, "scores_latest") == OLD
    assert (made.folder / "dagster" / "dagster" / "runs.db").exists()
    assert (made.folder / "dagster.yaml").exists()
    assert made.manifest["rows"]["small.scores"] == 1
    assert made.manifest["reason"] == "a test"
    assert [b.name for b in backups(home)] == [made.name]


def test_the_newest_are_kept(home: Path):
    made = [_take(home, keep=2).name for _ in range(4)]
    assert [b.name for b in backups(home)] == [made[3], made[2]]


def test_restoring_brings_the_old_rows_back_and_keeps_the_replaced_file(home: Path):
    _take(home)
    _write(home, NEW)
    done = restore(home, _file(home), _lock(home))
    assert _score(_file(home)) == OLD
    assert done.kept is not None
    assert _score(done.kept) == NEW
    assert _runs(home) == ["first"]


def test_a_named_one_is_restored_with_the_runs_of_dagster(home: Path):
    first = _take(home)
    _write(home, NEW)
    with closing(sqlite3.connect(home / "dagster" / "runs.db")) as connection:
        connection.execute("INSERT INTO runs VALUES ('second')")
        connection.commit()
    _take(home)
    restore(home, _file(home), _lock(home), first.name, with_dagster=True)
    assert (_score(_file(home)), _runs(home)) == (OLD, ["first"])


def test_a_corrupt_warehouse_is_replaced(home: Path):
    _take(home)
    _file(home).write_bytes(b"not a database, for sure" * 1000)
    with pytest.raises(WarehouseError, match="cannot be copied"):
        _take(home)
    assert len(list((home / "backups").iterdir())) == 1, "a failed back-up leaves nothing, and older ones alone"
    done = restore(home, _file(home), _lock(home))
    assert _score(_file(home)) == OLD
    assert done.kept is not None
    assert done.kept.read_bytes().startswith(b"not a database")


def test_a_missing_warehouse_is_brought_back(home: Path):
    _take(home)
    _file(home).unlink()
    assert restore(home, _file(home), _lock(home)).kept is None
    assert _score(_file(home)) == OLD


def test_a_log_that_was_not_yet_in_the_file_goes_with_the_file_that_it_belongs_to(home: Path):
    _take(home)
    update = "UPDATE small.scores SET score = 7"
    killed = f"import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute('{update}'); os._exit(9)"
    subprocess.run([sys.executable, "-c", killed, str(_file(home))], check=False)
    assert _file(home).with_name("warehouse.duckdb.wal").exists()
    done = restore(home, _file(home), _lock(home))
    assert _score(_file(home)) == OLD
    assert done.kept is not None
    assert _score(done.kept) == 7


def test_a_damaged_back_up_is_refused_and_the_warehouse_stays(home: Path):
    made = _take(home)
    content = bytearray(made.warehouse.read_bytes())
    content[len(content) // 2] ^= 255
    made.warehouse.write_bytes(bytes(content))
    _write(home, NEW)
    with pytest.raises(WarehouseError, match="is damaged"):
        restore(home, _file(home), _lock(home))
    made.warehouse.unlink()
    with pytest.raises(WarehouseError, match="has no warehouse file"):
        restore(home, _file(home), _lock(home))
    assert _score(_file(home)) == NEW


def test_without_a_back_up_or_by_a_wrong_name_it_says_what_there_is(home: Path):
    with pytest.raises(WarehouseError, match="There is no back-up in"):
        restore(home, _file(home), _lock(home))
    made = _take(home)
    with pytest.raises(WarehouseError, match=f"'monday'; there are {made.name}"):
        restore(home, _file(home), _lock(home), "monday")


def test_while_a_run_holds_the_lock_nothing_is_restored(home: Path):
    _take(home)
    _write(home, NEW)
    run = WriterLock(_lock(home))
    run.acquire("run 12345678 of small_refresh", wait_seconds=0)
    with pytest.raises(WarehouseBusy, match="run 12345678 of small_refresh"):
        restore(home, _file(home), _lock(home))
    run.release()
    assert _score(_file(home)) == NEW


def test_a_program_that_writes_the_file_without_our_lock_is_not_pulled_from_under(home: Path):
    _take(home)
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(_file(home))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(WarehouseLocked, match="close it there"):
            restore(home, _file(home), _lock(home))
        with pytest.raises(WarehouseLocked, match="close it there"):
            _take(home)
        process.communicate(timeout=20)


def test_a_run_backs_up_before_the_tables_change_and_not_again(home: Path):
    assert _due(home, {"small": "v1"}) == "before the tables of small change"
    assert _due(home, {"small": "v1"}) is None
    assert _due(home, {"small": "v2"}) == "before the tables of small change"
    assert _due(home, {"small": "v2", "other": "v1"}) is None, "a portfolio without tables has nothing to lose"


def test_the_first_run_of_a_day_backs_up_where_that_is_asked_for(home: Path):
    _due(home, {"small": "v1"})
    manifest = backups(home)[0].folder / "manifest.json"
    assert _due(home, {"small": "v1"}, daily=True) is None
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"made_at": "2025-01-30T06:00:00+00:00"}))
    assert _due(home, {"small": "v1"}, daily=True) == "daily"
    assert _due(home, {"small": "v1"}, daily=True) is None


@pytest.mark.slow  # refreshes in processes of their own
def test_refresh_upgrade_and_restore_by_the_command_line(tmp_path: Path):
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.settings["reports"] = {"exports": []}
    assert company.refresh(AS_OF).failures == []
    assert backups(company.home) == []
    company.settings["account_attributes"] = {"vehicle_count": {"description": "Vehicles.", "type": "integer"}}
    assert company.refresh(AS_OF).failures == []
    assert [b.manifest["reason"] for b in backups(company.home)] == ["before the tables of small change"]
    assert ("vehicle_count",) in company.query("SELECT column_name FROM (DESCRIBE account_snapshot)")
    done = CliRunner().invoke(app, ["restore"], env=company.variables)
    assert done.exit_code == 0, done.output
    assert ("vehicle_count",) not in company.query("SELECT column_name FROM (DESCRIBE account_snapshot)")
    made = CliRunner().invoke(app, ["backup"], env=company.variables)
    assert made.exit_code == 0, made.output
    assert len(backups(company.home)) == 2
    assert backups(company.home)[0].manifest["dagster_storage"]


def _file(home: Path) -> Path:
    return home / "warehouse.duckdb"


def _lock(home: Path) -> Path:
    return home / "warehouse.lock"


def _write(home: Path, score: int) -> None:
    warehouse = DuckDBWarehouse(open_warehouse(_file(home)), "small")
    warehouse.stage("scores", [pd.DataFrame({"as_of": [AS_OF], "score": [score]})])
    warehouse.swap("scores", column="as_of", days=[AS_OF])
    close_warehouse(_file(home))


def _take(home: Path, keep: int = 7):
    return take(home, _file(home), reason="a test", keep=keep)


def _due(home: Path, versions: dict[str, str], *, daily: bool = False) -> str | None:
    try:
        made = back_up_if_due(open_warehouse(_file(home)), home, versions, keep=7, daily=daily)
    finally:
        close_warehouse(_file(home))
    return made.manifest["reason"] if made else None


def _score(file: Path, table: str = "scores") -> int:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{file}' AS warehouse (READ_ONLY)")
        return connection.execute(f"SELECT max(score) FROM warehouse.small.{table}").fetchone()[0]


def _runs(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "dagster" / "runs.db")) as connection:
        return [run for (run,) in connection.execute("SELECT run_id FROM runs ORDER BY 1")]
