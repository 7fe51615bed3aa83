"""Opening the file of a warehouse: shared within a process, refused with what to do where it cannot be had."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse, reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


def test_both_openings_of_a_process_share_one_connection(file: Path) -> None:
    one, two = open_warehouse(file), open_warehouse(file)
    assert one is two
    close_warehouse(file)
    DuckDBWarehouse(one, "s").stage("t", [pd.DataFrame({"x": [1]})])
    DuckDBWarehouse(one, "s").swap("t")
    close_warehouse(file)
    with reading(file) as third:
        assert third.rows("SELECT x FROM s.t") == [{"x": 1}]


def test_a_file_that_is_no_database_is_named_with_what_to_do(file: Path) -> None:
    file.write_bytes(b"these bytes are no database " * 1000)
    with pytest.raises(WarehouseError, match=r"warehouse\.duckdb .*[Cc]heck that it is a DuckDB file"):
        open_warehouse(file)


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(WarehouseError, match=r"cannot be made\. Its folder has to be one that may be written"):
        open_warehouse(tmp_path / "home" / "warehouse.duckdb")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every folder")
def test_a_folder_that_may_not_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o500)
    with pytest.raises(WarehouseError, match="may be written"):
        open_warehouse(tmp_path / "home" / "warehouse.duckdb")


def test_a_file_that_another_process_writes_is_named_with_what_to_do(file: Path) -> None:
    code = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(WarehouseError, match=r"is open in another program\. Close it there"):
            open_warehouse(file)
        with pytest.raises(WarehouseError, match="is open in another program"), reading(file):
            pass
        other.kill()


def test_who_waits_gets_the_file_when_another_process_has_looked_into_it(file: Path) -> None:
    duckdb.connect(str(file)).close()
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print('ready', flush=True); "
        "sys.stdin.readline(); c.close(); print('closed', flush=True); sys.stdin.readline()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, str(file)], text=True, **pipes) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(WarehouseError, match="is open in another program"):
            open_warehouse(file, wait_seconds=0.3)
        other.stdin.write("close it\n")
        other.stdin.flush()
        assert DuckDBWarehouse(open_warehouse(file, wait_seconds=30), "s").tables() == []
        close_warehouse(file)


def test_reading_what_is_not_there_says_how_it_comes_to_be(file: Path) -> None:
    with pytest.raises(WarehouseError, match=r"is not there yet\. Run `cx-intel refresh` first"), reading(file):
        pass
    assert not file.exists()
