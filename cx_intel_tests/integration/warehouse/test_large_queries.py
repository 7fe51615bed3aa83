"""Queries of sources within limits: what a query gives is never all in memory, and its own DuckDB takes no more than it may."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.access.limits import Limits
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio

ROWS, MOST_MB = 400_000, 420


def staged(folder: Path, query: str, limits: Limits) -> list[tuple[object, ...]]:
    """What the query over a file of one row leaves staged in a warehouse with limits, at most three rows, and how many."""
    (folder / "one.csv").write_text("id,name\nA,One\n")
    source = SqlSource.model_validate(
        {"kind": "sql", "table": "accounts", "files": {"one": str(folder / "one.csv")}, "query": query}
    )
    database = open_warehouse(folder / "w.duckdb", limits=limits)
    try:
        warehouse = DuckDBWarehouse(database, "large")
        warehouse.stage_query("accounts", source, contract=STAGING["accounts"](portfolio()), environment={})
        return database.connection.execute(
            "SELECT account_id, account_name, _row_number, count(*) OVER () FROM large._staged_accounts LIMIT 3"
        ).fetchall()
    finally:
        close_warehouse(folder / "w.duckdb")


def test_a_query_has_half_of_the_memory_the_spill_folder_and_one_core(tmp_path: Path) -> None:
    settings = "current_setting('memory_limit') || ' ' || current_setting('threads')"
    query = f"select {settings} as account_id, current_setting('temp_directory') as account_name from one"
    assert staged(tmp_path, query, Limits("1GiB", 2, str(tmp_path / "spill"))) == [
        ("512.0 MiB 1", str(tmp_path / "spill"), 1, 1)
    ]


@pytest.mark.slow  # 2 s
def test_what_a_query_needs_beyond_its_memory_is_spilt(tmp_path: Path) -> None:
    query = """select md5(i::varchar) as account_id, md5(md5(i::varchar)) as account_name
        from one, range(1000000) as numbers(i) order by account_id"""
    found = staged(tmp_path, query, Limits("160MB", 2, str(tmp_path / "spill")))
    assert [row[2:] for row in found] == [(1, 1_000_000), (2, 1_000_000), (3, 1_000_000)]
    assert sorted(row[0] for row in found) == [row[0] for row in found]


def test_a_query_that_fails_on_the_way_says_whose_it_is(tmp_path: Path) -> None:
    query = """select i::varchar as account_id, case when i = 90000 then name::integer else i end::varchar as account_name
        from one, range(100000) as numbers(i)"""
    with pytest.raises(SourceError, match=r"The query of the .*accounts.* fails: .*Could not convert string 'One'"):
        staged(tmp_path, query, Limits("1GB", 2))


@pytest.mark.slow  # in a process of its own, 12 s
def test_a_result_larger_than_the_limit_goes_through_in_bounded_memory(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, __file__, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows, megabytes = map(int, done.stdout.split())
    assert rows == ROWS
    assert megabytes < MOST_MB


def take_large(folder: Path) -> None:
    """Stages a result of some 500 MB within 100 MB; prints its rows, and by how many megabytes the process grew."""
    query = f"""select i::varchar as account_id, repeat(md5(i::varchar), 20) as account_name
        from one, range({ROWS}) as numbers(i)"""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ((*_, rows), *_) = staged(folder, query, Limits("100MB", 2, str(folder / "spill")))
    print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)


if __name__ == "__main__":
    take_large(Path(sys.argv[1]))
