"""A restore that is killed at any step: what was committed is in the warehouse or in the file that is kept beside it."""

import os
import shutil
import signal
from pathlib import Path

import duckdb
import pytest

from cx_intel.warehouse.duckdb.upkeep.backups import take
from cx_intel.warehouse.duckdb.upkeep.restoring import restore
from cx_intel_tests.helpers.sudden_death import killed_before, run, steps_of

pytestmark = pytest.mark.slow  # a process for each step

OLD, COMMITTED = [(1,)], [(1,), (2,)]


def committed_and_killed(home: Path) -> None:
    """A row that is committed and, because the process is killed, only in the log beside the file."""
    connection = duckdb.connect(str(home / "warehouse.duckdb"))
    connection.execute("SET wal_autocheckpoint = '1GB'")
    connection.execute("INSERT INTO small.t VALUES (2)")
    os.kill(os.getpid(), signal.SIGKILL)


def restored(home: Path) -> None:
    restore(home, home / "warehouse.duckdb", home / "warehouse.lock")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a back-up of one row, and a second row in the log of the warehouse."""
    home = tmp_path_factory.mktemp("kept")
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA small")
        connection.execute("CREATE TABLE small.t AS SELECT 1 AS n")
    take(home, home / "warehouse.duckdb", reason="a test", keep=7)
    assert run(committed_and_killed, home) is None
    assert (home / "warehouse.duckdb.wal").stat().st_size > 0
    return home


def rows(file: Path) -> list[tuple[int]]:
    with duckdb.connect(str(file)) as connection:
        return connection.execute("FROM small.t ORDER BY n").fetchall()


def test_nothing_that_was_committed_is_lost_at_any_step(kept: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(kept, tmp_path / "whole")
    steps = steps_of(restored, whole)
    assert rows(whole / "warehouse.duckdb") == OLD
    assert [rows(file) for file in whole.glob("*.replaced-*") if file.suffix != ".wal"] == [COMMITTED]
    for step in range(1, steps + 1):
        home = shutil.copytree(kept, tmp_path / str(step))
        killed_before(step, restored, home)
        files = [file for file in home.glob("warehouse.duckdb*") if file.suffix not in (".wal", ".lock")]
        found = {file.name: rows(file) for file in files}
        assert COMMITTED in found.values(), step
        assert found["warehouse.duckdb"] in (OLD, COMMITTED)
        restored(home)
        assert rows(home / "warehouse.duckdb") == OLD
        shutil.rmtree(home)


def test_of_a_file_that_cannot_be_opened_the_log_is_kept_too(kept: Path, tmp_path: Path) -> None:
    home = shutil.copytree(kept, tmp_path / "home")
    log = (home / "warehouse.duckdb.wal").read_bytes()
    content = (home / "warehouse.duckdb").read_bytes()
    (home / "warehouse.duckdb").write_bytes(b"\0" * 4096 + content[4096:])
    restored(home)
    assert rows(home / "warehouse.duckdb") == OLD
    assert [file.read_bytes() for file in home.glob("*.replaced-*.wal")] == [log]
