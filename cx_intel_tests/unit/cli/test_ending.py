"""What a command says when the disk would not take what it writes: one line, whatever was made of the error on its way up."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from cx_intel.cli.ending import FULL, READ_ONLY, of_the_disk

ROWS = 1000


def raised(error: BaseException, *, from_: BaseException | None = None) -> BaseException:
    try:
        raise error from from_
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("number", "text"),
    [(errno.ENOSPC, FULL), (errno.EDQUOT, FULL), (errno.EROFS, READ_ONLY), (errno.EACCES, READ_ONLY)],
)
def test_the_systems_number_tells_it_and_the_file_is_named(number: int, text: str) -> None:
    error = raised(OSError(number, os.strerror(number), "/srv/home/warehouse.duckdb"))
    assert of_the_disk(error) == text.format(where=", at /srv/home/warehouse.duckdb")


def test_a_cause_tells_it_too() -> None:
    cause = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert of_the_disk(raised(RuntimeError("the run failed"), from_=cause)) == FULL.format(where="")


def test_sqlite_that_cannot_grow_is_a_full_disk_also_through_sqlalchemy(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'runs.db'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 2")
        connection.exec_driver_sql("CREATE TABLE t (x TEXT)")
        with pytest.raises(sa.exc.OperationalError) as full:
            connection.exec_driver_sql(f"INSERT INTO t VALUES ('{'x' * 8 * ROWS}')")
    engine.dispose()
    assert of_the_disk(full.value) == FULL.format(where="")


def test_a_database_that_may_only_be_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (x)")
    with (
        closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError) as refused,
    ):
        connection.execute("INSERT INTO t VALUES (1)")
    assert of_the_disk(refused.value) == READ_ONLY.format(where="")


@pytest.mark.parametrize(
    "error", [ValueError("x"), OSError(errno.ENOENT, "no such file", "a"), KeyError("disk is full")]
)
def test_anything_else_is_a_fault_of_the_program(error: Exception) -> None:
    assert of_the_disk(raised(error)) is None
