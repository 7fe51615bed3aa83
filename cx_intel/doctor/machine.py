"""What the machine gives: Python, packages at the locked versions, a home that can be written and has room, a browser.

The files of the deployment itself are looked at in `stores.py`.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cx_intel.doctor.findings import Finding, note, ok, problem
from cx_intel.orchestration.removal import bytes_of

OLDEST_PYTHON = (3, 11)
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs", "lustre")
"""File systems whose locks and replacing of files are not those of a local disk."""
ROOM_BYTES = 1_000_000_000
PARTS = {
    "warehouse.duckdb": "warehouse",
    "dagster": "Dagster's history",
    "storage": "console of runs",
    "backups": "back-ups",
    "published": "published copies",
}
"""What stands in a home, in words, where its name does not say it."""
MOST_PARTS = 8
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)([^\\]*)")


def python(running: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """Whether this Python is new enough."""
    shown = ".".join(map(str, running))
    if running[:2] < OLDEST_PYTHON:
        return problem("Python", f"{shown} is too old", "Set the environment up with Python 3.11 or newer.")
    return ok("Python", shown)


def packages(lock: Path, installed: Callable[[str], str] = version) -> Finding:
    """Whether what is installed is what the lock file names.

    Args:
        lock: requirements.lock, or the one for PostgreSQL.
        installed: The version of a package; raises PackageNotFoundError.
    """
    if not lock.exists():
        return note("packages", "there is no requirements.lock beside the program to compare with")
    wrong = list(_differing(lock, installed))
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        return problem(
            "packages",
            f"not those of {lock.name}: {', '.join(wrong[:5])}{more}",
            f"Install them: `uv pip sync {lock.name}`.",
        )
    return ok("packages", f"as {lock.name} names them")


def _differing(lock: Path, installed: Callable[[str], str]) -> Iterator[str]:
    for line in lock.read_text(encoding="utf-8").splitlines():
        found = _PINNED.match(line)
        if not found or ";" in found[3]:  # bound to another system or Python
            continue
        try:
            now = installed(found[1])
        except PackageNotFoundError:
            yield f"{found[1]} is missing"
            continue
        if now != found[2]:
            yield f"{found[1]} {now} in place of {found[2]}"


def home(folder: Path, mounts: str | None = None, free: Callable[[Path], int] | None = None) -> Iterator[Finding]:
    """Whether CX_HOME can be written, is on a local disk and has room.

    Args:
        folder: CX_HOME.
        mounts: The lines of /proc/mounts; default: the machine's.
        free: The free bytes of the disk that a folder is on.
    """
    if not folder.is_dir():
        yield note("CX_HOME", f"{folder} is not there yet", "The first `cx-intel refresh` makes it.")
        return
    if not _writable(folder):
        yield problem("CX_HOME", f"{folder} may not be written", "Give it to the user that runs this, and try again.")
        return
    kind = file_system(folder, mounts)
    if kind in REMOTE:
        yield problem(
            "CX_HOME",
            f"{folder} is on a network file system ({kind}), where the lock of the warehouse does not hold",
            "Move CX_HOME to a local disk; put back-ups and exports elsewhere by copying them.",
        )
    room = (free or _free)(folder)
    needed = max(ROOM_BYTES, 2 * sum(f.stat().st_size for f in folder.glob("warehouse.duckdb")))
    if room < needed:
        yield problem(
            "disk",
            f"{room / 1e9:.1f} GB free, of {needed / 1e9:.1f} GB that a refresh with a back-up may need",
            "Make room: lower CX_KEEP_BACKUPS, reports.keep_exports and keep_days, or the retention periods.",
        )
    else:
        yield ok("disk", f"{room / 1e9:.1f} GB free")
    sizes = {_part(entry.name): bytes_of(entry) for entry in sorted(folder.iterdir())}
    told = [f"{part} {size / 1e6:,.1f} MB" for part, size in sorted(sizes.items(), key=lambda item: -item[1])]
    yield ok(
        "CX_HOME",
        f"{folder} takes {sum(sizes.values()) / 1e6:,.1f} MB: {', '.join(told[:MOST_PARTS]) or 'nothing yet'}",
    )


def _part(name: str) -> str:
    return PARTS.get(name, name)


def file_system(folder: Path, mounts: str | None = None) -> str:
    """The kind of the file system that a folder is on; empty when the system does not tell."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8")
        except OSError:
            return ""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        point = fields[1].replace("\\040", " ") if len(fields) > 2 else ""
        if point and folder.resolve().is_relative_to(point) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def chromium(variables: Mapping[str, str]) -> Finding:
    """Whether there is a browser; only tests of the reports need one."""
    found = shutil.which("chromium", path=variables.get("PATH", ""))
    return ok("Chromium", found) if found else note("Chromium", "not installed; only the tests of the reports use it")


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
