"""Back-ups of a deployment: a consistent copy of the warehouse and of Dagster's own storage, the newest few kept.

DuckDB copies the warehouse, SQLite its files and PostgreSQL its database, each by its own means, so that a copy is never
half of something. How one is brought back is decided in `restoring.py`, and when one is made by itself in `upgrades.py`.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from cx_intel.warehouse.duckdb.database import escaped
from cx_intel.warehouse.errors import WarehouseError, refuse_if_in_use
from cx_intel.warehouse.servers.dagster_storage import addresses
from cx_intel.warehouse.servers.postgres_dumps import dump

FOLDER, MANIFEST, STORAGE = "backups", "manifest.json", "dagster"
POSTGRES = "postgres-"
"""Begins the names of dumps."""
SMALL_FILES = ("dagster.yaml", "privacy/erased.json")
"""Files of the home that a back-up holds besides; the key of erasures is none of them."""
COPY, LIVE = "cx_backup", "cx_live"


@dataclass(frozen=True)
class Backup:
    """One back-up: its folder, and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["made_at"])

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def dumps(self) -> list[Path]:
        """Of Dagster's storage in PostgreSQL; also one that an erasure was killed before it removed."""
        return sorted((self.folder / STORAGE).glob(f"{POSTGRES}*.sql"))

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def backups(home: Path) -> list[Backup]:
    """The complete back-ups of a home, the newest first."""
    found = []
    for manifest in (home / FOLDER).glob("*/" + MANIFEST):
        if not manifest.parent.name.startswith("."):
            found.append(Backup(manifest.parent, json.loads(manifest.read_text(encoding="utf-8"))))
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def take(
    home: Path,
    warehouse: Path,
    *,
    reason: str,
    keep: int,
    connection: duckdb.DuckDBPyConnection | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Backup:
    """Makes a back-up, and removes those beyond the newest `keep`. The caller holds the writer's lock.

    Args:
        home: CX_HOME; the back-up is put into a folder of its own in `backups`, which appears when it is complete.
        warehouse: The warehouse file.
        reason: Why it is made; stands in its manifest.
        keep: How many are kept, this one included.
        connection: The process's own connection to the warehouse, where it has one open: the file is then never
            opened a second time.
        variables: What `dagster.yaml` takes the address of a PostgreSQL database from that Dagster's storage is in; what
            of it is not held stands in the manifest, with the reason.

    Raises:
        WarehouseError: The warehouse cannot be read; older back-ups stay.
    """
    now = datetime.now(UTC)
    folder = home / FOLDER / f"{now:%Y-%m-%dT%H%M%S.%f}"[:-3].replace(".", "-")
    new = folder.with_name(f".{folder.name}.new")
    for left_over in (home / FOLDER).glob(".*"):
        shutil.rmtree(left_over)
    new.mkdir(parents=True)
    try:
        rows = _copy_warehouse(warehouse, new / "warehouse.duckdb", connection)
        manifest = {
            "made_at": now.isoformat(),
            "reason": reason,
            "cx_intel": version("cx-intel"),
            "duckdb": duckdb.__version__,
            "dagster_storage": _copy_storage(home, new / STORAGE),
            **_dump_servers(home, variables, new / STORAGE),
            "rows": rows,
            "sha256": digest(new / "warehouse.duckdb"),
        }
        for name in SMALL_FILES:
            if (home / name).exists():
                (new / name).parent.mkdir(exist_ok=True)
                shutil.copy2(home / name, new / name)
        with (new / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.rename(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    for old in backups(home)[keep:]:
        shutil.rmtree(old.folder.rename(old.folder.with_name(f".{old.name}.old")))  # at no time half of one
    return Backup(folder, manifest)


def count_rows(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, int]:
    """The rows of every table of an attached file."""
    tables = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_catalog = ? AND table_type = 'BASE TABLE' ORDER BY 1, 2",
        [catalog],
    ).fetchall()
    found = {}
    for schema, table in tables:
        ((count,),) = connection.execute(f'SELECT count(*) FROM "{catalog}"."{schema}"."{table}"').fetchall()
        found[f"{schema}.{table}"] = int(count)
    return found


def digest(file: Path) -> str:
    """The SHA-256 of a file that no connection of this process has open."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _copy_warehouse(warehouse: Path, target: Path, connection: duckdb.DuckDBPyConnection | None) -> dict[str, int]:
    if connection is not None:
        ((name,),) = connection.execute("SELECT current_database()").fetchall()
        return _copy_database(connection, str(name), target)
    if not warehouse.exists():
        raise WarehouseError(
            f"{warehouse} is not there yet, so there is nothing to back up. Run `cx-intel refresh` first."
        )
    try:
        with duckdb.connect() as own:
            own.execute(f"ATTACH '{escaped(warehouse)}' AS {LIVE} (READ_ONLY)")
            return _copy_database(own, LIVE, target)
    except duckdb.IOException as error:
        refuse_if_in_use(warehouse, error)
        raise _unreadable(warehouse, error) from error
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise _unreadable(warehouse, error) from error


def _unreadable(warehouse: Path, error: Exception) -> WarehouseError:
    text = (str(error).strip().splitlines() or ["no reason given"])[0]
    return WarehouseError(f"{warehouse} cannot be copied: no back-up was made, older ones are as they were. ({text})")


def _copy_database(connection: duckdb.DuckDBPyConnection, name: str, target: Path) -> dict[str, int]:
    connection.execute(f"ATTACH '{escaped(target)}' AS {COPY}")
    try:
        connection.execute(f'COPY FROM DATABASE "{name}" TO {COPY}')
        return count_rows(connection, COPY)
    finally:
        connection.execute(f"DETACH {COPY}")


def _copy_storage(home: Path, target: Path) -> list[str]:
    """Copies Dagster's SQLite files; none of runs when its storage is in PostgreSQL."""
    copied = []
    for file in storage_files(home):
        relative = file.relative_to(home)
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target / relative)) as copy,
        ):
            live.backup(copy)
        copied.append(str(relative))
    return copied


def _dump_servers(home: Path, variables: Mapping[str, str], target: Path) -> dict[str, list[str]]:
    """The dumps that were made, by name, and why others were not."""
    try:
        servers = addresses(home, variables)
    except WarehouseError as error:
        return {"dagster_postgres": [], "not_held": [str(error)]}
    dumps: list[str] = []
    missing: list[str] = []
    for number, address in enumerate(servers, start=1):
        target.mkdir(exist_ok=True)
        name = f"{POSTGRES}{number}.sql"
        said = dump(address, target / name)
        (missing if said else dumps).append(said or name)
    return {"dagster_postgres": dumps, "not_held": missing}


def storage_files(home: Path) -> list[Path]:
    """The SQLite files in a home: Dagster's, and that of the messages sent."""
    files = (path for pattern in ("*.db", "*.sqlite") for path in home.rglob(pattern))
    found = (path for path in files if FOLDER not in path.relative_to(home).parts[:1])
    return sorted(path for path in found if path.is_file() and path.stat().st_size)
