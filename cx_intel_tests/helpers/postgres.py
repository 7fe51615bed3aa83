"""A PostgreSQL server of the test's own, on loopback, that ends with it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "s3cr%40t"  # percent-encoded, as in an address
DAGSTER_YAML = "storage:\n  postgres:\n    postgres_url: {env: DAGSTER_POSTGRES_URL}\n"
"""Says in a home that Dagster's storage is there; the variable holds the address."""


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a new, empty server. It runs as `postgres` where the tests run as root, which it refuses."""
    (bin_folder,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    folder = Path(tempfile.mkdtemp(prefix="cx-postgres-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "password").write_text("s3cr@t")
    initdb = [
        "initdb",
        "-D",
        folder / "data",
        "-U",
        "cx",
        "-A",
        "scram-sha-256",
        f"--pwfile={folder}/password",
        "--no-sync",
    ]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    start = ["pg_ctl", "-D", folder / "data", "-o", options, "-l", folder / "log", "-w", "start"]
    stop = ["pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"]

    def run(command: list[str | Path], *, check: bool = True) -> None:
        program, *arguments = map(str, command)
        subprocess.run(
            [*as_user, str(bin_folder / program), *arguments],
            check=check,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            timeout=60,
        )

    try:
        run(initdb)
        run(start)
        yield f"postgresql://cx:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        run(stop, check=False)  # what kept it from starting is the error to see
        shutil.rmtree(folder)
