"""Writes a DuckDB file anew from its living rows: rows that were deleted stay in a file until then.

Rows are deleted by `row_edits.py`; a live file is rewritten only under the writer's lock (`../lock.py`). Back-ups are
made by `backups.py`.
"""

import json
import os
from pathlib import Path
from typing import Any

import duckdb

from cx_intel.warehouse.duckdb.database import escaped
from cx_intel.warehouse.duckdb.publish import remove
from cx_intel.warehouse.duckdb.upkeep.backups import MANIFEST, Backup, count_rows, digest
from cx_intel.warehouse.errors import WarehouseError


def rewrite(file: Path) -> dict[str, int]:
    """Puts a copy of the file's living rows in its place, at once; its rows by table.

    Raises:
        WarehouseError: The copy is not the same, or the file cannot be read; it is as it was.
    """
    new = half_written(file)
    remove(new)
    mode = file.stat().st_mode
    try:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{escaped(file)}' AS cx_old (READ_ONLY)")
            connection.execute(f"ATTACH '{escaped(new)}' AS cx_new")
            connection.execute("COPY FROM DATABASE cx_old TO cx_new")
            before, after = count_rows(connection, "cx_old"), count_rows(connection, "cx_new")
    except duckdb.Error as error:
        remove(new)
        raise WarehouseError(f"{file} could not be written anew: {str(error).splitlines()[0]}") from error
    if before != after:
        remove(new)
        raise WarehouseError(f"{file} could not be written anew: the copy has other rows")
    with new.open("rb") as copy:
        os.fsync(copy.fileno())
    new.chmod(mode)
    os.replace(new, file)
    forget_log(file)
    return after


def half_written(file: Path) -> Path:
    """Where the copy is made: there only while that goes on, or since it was killed."""
    return file.with_name(f".{file.name}.rewritten")


def rewrite_backup(backup: Backup) -> None:
    """As `rewrite`, for a back-up: its manifest is brought in line, so that it can still be verified."""
    rows = rewrite(backup.warehouse)
    _write_manifest(backup, {"rows": rows, "sha256": digest(backup.warehouse)})


def forget_dump(backup: Backup, file: Path) -> None:
    """Removes a dump of a back-up, which then does not hold it any more."""
    held = [name for name in backup.manifest["dagster_postgres"] if name != file.name]
    missing = [*backup.manifest["not_held"], "its dump named somebody who was erased since"]
    _write_manifest(backup, {"dagster_postgres": held, "not_held": missing})
    file.unlink(missing_ok=True)


def _write_manifest(backup: Backup, changes: dict[str, Any]) -> None:
    backup.manifest.update(changes)
    new = backup.folder / f".{MANIFEST}.new"
    new.write_text(json.dumps(backup.manifest, indent=2), encoding="utf-8")
    os.replace(new, backup.folder / MANIFEST)


def forget_log(file: Path) -> None:
    """A log beside a file that was replaced belongs to the old one."""
    log_of(file).unlink(missing_ok=True)


def log_of(file: Path) -> Path:
    """Where DuckDB keeps what is committed and not yet in the file."""
    return file.with_name(file.name + ".wal")
