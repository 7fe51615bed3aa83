"""Dumps and loads a PostgreSQL database by that server's own programs, `pg_dump` and `psql`. For Dagster's storage alone.

A dump is plain SQL, so that an erasure finds in it whom it is about. When one is made and brought back is decided in
`cx_intel.warehouse.duckdb.upkeep`; sources are read by `connections.py`.
"""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from cx_intel.warehouse.errors import WarehouseError

DUMP, LOAD = "pg_dump", "psql"
CONNECT_SECONDS = "30"
"""A server that does not answer holds up no run, which makes a back-up before its first step."""


def dump(address: str, file: Path) -> str:
    """Dumps a database into a file that is there only when it is whole. Why not, in words; empty when it was.

    Args:
        address: The database, as postgresql://...
        file: Where to; plain SQL that replaces the tables.
    """
    options = ["--format=plain", "--clean", "--if-exists", "--no-owner", "--no-privileges", f"--file={file}"]
    said = _run(DUMP, options, address)
    if said:
        file.unlink(missing_ok=True)
    return said


def load(address: str, file: Path) -> None:
    """Puts what was dumped in the place of the database's tables, all or nothing. Raises WarehouseError when it did not."""
    options = ["--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={file}"]
    if said := _run(LOAD, options, address):
        raise WarehouseError(f"Dagster's storage in PostgreSQL is as it was: {said}")


def _run(program: str, options: list[str], address: str) -> str:
    """Runs a program of PostgreSQL's; what it said when it failed. The password is in no argument, which others see."""
    path = shutil.which(program)
    if path is None:
        return f"{program} is not installed"
    parts = urlsplit(address)
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    netloc = f"{name}@{host}" if name else host
    variables = {
        "PGCONNECT_TIMEOUT": CONNECT_SECONDS,
        **os.environ,
        **({"PGPASSWORD": unquote(password)} if password else {}),
    }
    command = [path, *options, f"--dbname={urlunsplit(parts._replace(netloc=netloc))}"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
    return f"{program}: {said[0].removeprefix(f'{program}: ')}"
