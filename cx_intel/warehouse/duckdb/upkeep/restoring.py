"""Brings a back-up back: checked first, then put in the warehouse's place at once, what was there kept beside it.

How back-ups are made is decided in `backups.py`; when to restore, and what to do afterwards, stands in
docs/deploy.md.
"""

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from cx_intel.warehouse.duckdb.database import escaped
from cx_intel.warehouse.duckdb.upkeep.backups import STORAGE, Backup, backups, count_rows, digest
from cx_intel.warehouse.duckdb.upkeep.rewriting import log_of
from cx_intel.warehouse.errors import WarehouseError, refuse_if_in_use
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel.warehouse.servers.postgres_dumps import load

REPLACED = ".replaced-"


@dataclass(frozen=True)
class Restored:
    """What was done: the back-up that is now the warehouse, and where the file is that stood there; None: there was none."""

    backup: Backup
    kept: Path | None


def find(home: Path, name: str | None) -> Backup:
    """The back-up of that name, or the newest. Raises WarehouseError naming those that there are."""
    found = backups(home)
    if not found:
        raise WarehouseError(f"There is no back-up in {home / 'backups'}. `cx-intel backup` makes one.")
    if name is None:
        return found[0]
    for backup in found:
        if backup.name == name:
            return backup
    raise WarehouseError(f"There is no back-up {name!r}; there are {', '.join(b.name for b in found)}.")


def verify(backup: Backup) -> None:
    """Raises WarehouseError unless the copy is, to the byte, what was made, and DuckDB reads all of its tables."""
    if not backup.warehouse.exists():
        raise WarehouseError(f"Back-up {backup.name} has no warehouse file. Choose another one (--backup NAME).")
    if digest(backup.warehouse) != backup.manifest["sha256"]:
        raise WarehouseError(
            f"Back-up {backup.name} is damaged: its file is not the one that was made. Choose another one "
            "(--backup NAME). The warehouse is as it was."
        )
    try:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{escaped(backup.warehouse)}' AS cx_backup (READ_ONLY)")
            rows = count_rows(connection, "cx_backup")
    except duckdb.Error as error:
        raise WarehouseError(f"Back-up {backup.name} cannot be opened: {error}. The warehouse is as it was.") from error
    if rows != backup.manifest["rows"]:
        raise WarehouseError(f"Back-up {backup.name} has other rows than were copied. The warehouse is as it was.")


def restore(
    home: Path,
    warehouse: Path,
    lock: Path,
    name: str | None = None,
    *,
    with_dagster: bool = False,
    servers: Sequence[str] = (),
) -> Restored:
    """Puts a back-up in the warehouse's place.

    A killed restore leaves the old file, with all that was ever committed to it, or the new one; run again, it completes.

    Args:
        home: CX_HOME.
        warehouse: The warehouse file.
        lock: The writer's lock: a run that holds it is not waited for.
        name: The back-up; default: the newest.
        with_dagster: Also bring back Dagster's runs, events and schedules.
        servers: The PostgreSQL databases that Dagster's storage is in; none where SQLite keeps it.

    Raises:
        WarehouseError: There is no such back-up, it is damaged, a run writes, or another program has the file open.
    """
    backup = find(home, name)
    verify(backup)
    dumps = [backup.folder / STORAGE / one for one in backup.manifest.get("dagster_postgres", ())]
    if with_dagster and len(dumps) != len(servers):
        raise WarehouseError(
            f"Back-up {backup.name} holds {len(dumps)} dumps of PostgreSQL, and Dagster's storage is in {len(servers)} such "
            "databases: bring that back by your own means (psql), and leave --with-dagster out. The warehouse is as it was."
        )
    guard = WriterLock(lock)
    guard.acquire("cx-intel restore", wait_seconds=0)
    try:
        _refuse_open_file(warehouse)
        new = warehouse.with_name(f".{warehouse.name}.restoring")
        new.unlink(missing_ok=True)
        shutil.copyfile(backup.warehouse, new)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        kept = _keep(warehouse)
        os.replace(new, warehouse)
        if with_dagster:
            _restore_storage(home, backup)
            for address, dumped in zip(servers, dumps, strict=True):
                load(address, dumped)
    finally:
        guard.release()
    return Restored(backup, kept)


def _refuse_open_file(warehouse: Path) -> None:
    """A program that writes the file without our lock, such as DuckDB's own shell, would lose what it writes."""
    if not warehouse.exists():
        return
    try:
        duckdb.connect(str(warehouse), read_only=True).close()
    except duckdb.IOException as error:
        refuse_if_in_use(warehouse, error)
    except (duckdb.Error, UnicodeDecodeError):
        pass  # it cannot be opened: what a restore is for


def _keep(warehouse: Path) -> Path | None:
    """A second name for the file that is about to be replaced, and for its log of what is not yet in it.

    The log is written into the file first, so that one step replaces both. Where the file cannot be opened, which is what a
    restore is for, its log has its second name before it goes.
    """
    if not warehouse.exists():
        return None
    _write_log_into(warehouse)
    kept = warehouse.with_name(f"{warehouse.name}{REPLACED}{datetime.now(UTC):%Y-%m-%dT%H%M%S}")
    log, kept_log = log_of(warehouse), log_of(kept)
    kept.unlink(missing_ok=True)
    kept_log.unlink(missing_ok=True)
    os.link(warehouse, kept)
    if log.exists():
        os.link(log, kept_log)
        log.unlink()
    return kept


def _write_log_into(warehouse: Path) -> None:
    if not log_of(warehouse).exists():
        return
    try:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("CHECKPOINT")
    except (duckdb.Error, UnicodeDecodeError, OSError):
        pass  # file and log are kept as they are


def _restore_storage(home: Path, backup: Backup) -> None:
    for relative in backup.manifest["dagster_storage"]:
        file = home / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(f"file:{backup.folder / STORAGE / relative}?mode=ro", uri=True)) as copy,
            closing(sqlite3.connect(file)) as live,
        ):
            copy.backup(live)
