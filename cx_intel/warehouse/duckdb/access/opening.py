"""Opens a warehouse file: one connection for the whole process, shared by whoever opens the same path.

What an open one holds is read and written in `warehouse.py`; which run may write is decided by the lock (`../lock.py`).
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from cx_intel.warehouse.duckdb.access.limits import Limits
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.errors import WarehouseError, WarehouseLocked

TRY_EVERY_SECONDS = 0.1
_open: dict[Path, tuple[Database, int]] = {}
_guard = threading.Lock()


def open_warehouse(path: Path, *, wait_seconds: float = 0, limits: Limits | None = None) -> Database:
    """The file, opened for writing; each opening is to be ended by `close_warehouse`.

    Args:
        path: The file.
        wait_seconds: How long to wait for other processes to close it, which only look into it.
        limits: What it may take of the machine; default: as the machine tells.

    Raises:
        WarehouseError: The file is locked by another process, not a DuckDB file, or may not be written.
    """
    path = path.resolve()
    with _guard:
        database, users = _open.get(path, (None, 0))
        if database is None:
            database = Database(path, _connect_in_time(path, time.monotonic() + wait_seconds))
            if limits:
                limits.apply(database.connection)
        _open[path] = (database, users + 1)
        return database


def close_warehouse(path: Path) -> None:
    """Ends one opening; the last one closes the file, so that other processes may read it."""
    path = path.resolve()
    with _guard:
        database, users = _open[path]
        if users > 1:
            _open[path] = (database, users - 1)
        else:
            del _open[path]
            database.close()


@contextmanager
def writing(path: Path) -> Iterator[Database]:
    """The file, opened for writing for as long as the block lasts."""
    database = open_warehouse(path)
    try:
        yield database
    finally:
        close_warehouse(path)


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    """The file, opened for reading; many processes may, while none writes."""
    if path.resolve() in _open:
        yield _open[path.resolve()][0]
        return
    with reading_alone(path) as database:
        yield database


@contextmanager
def reading_alone(path: Path) -> Iterator[Database]:
    """The file, opened for reading by a connection that nobody shares."""
    database = Database(path, _connect(path, read_only=True))
    try:
        yield database
    finally:
        database.close()


def _connect_in_time(path: Path, until: float) -> duckdb.DuckDBPyConnection:
    while True:
        try:
            return _connect(path)
        except WarehouseLocked:
            if time.monotonic() >= until:
                raise
            time.sleep(TRY_EVERY_SECONDS)


def _connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    def explained(what: str, to_do: str) -> WarehouseError:
        return WarehouseError(f"{path} {what}. {to_do}")

    if read_only and not path.exists():
        raise explained("is not there yet", "Run `cx-intel refresh` first.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explained("cannot be made", f"Its folder has to be one that may be written. ({error})") from error
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
        connection.execute("SET TimeZone = 'UTC'")
        Limits().apply(connection)
        return connection
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text.lower():
            raise WarehouseLocked(
                f"{path} is open in another program. Close it there, or read the published copy. ({_first_line(text)})"
            ) from error
        raise explained(
            "cannot be opened", f"Check that it is a DuckDB file and may be written. ({_first_line(text)})"
        ) from error
    except (duckdb.Error, OSError) as error:
        raise explained(
            "cannot be used", f"Restore it from a back-up, or move it away. ({_first_line(str(error))})"
        ) from error


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
