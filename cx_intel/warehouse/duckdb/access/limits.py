"""How much memory and how many cores an open warehouse may take, and where it puts what does not fit.

Stated by `CX_MEMORY_LIMIT`, `CX_THREADS` and `CX_SPILL_FOLDER` (`cx_intel.settings.environment`); else by the machine, or by
the container where that has limits of its own. What is opened: `opening.py`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

SHARE = 0.6
"""Of the memory there is: Python, Arrow and the operating system need the rest."""
CGROUP = Path("/sys/fs/cgroup")
MEMORY_FILES = ("memory.max", "memory/memory.limit_in_bytes")
ROOM = 750_000_000
"""Bytes that Python, Arrow and what reports are made of take beside DuckDB, of a company of 20,000 accounts at most."""
ROOM_SHARE = 4
"""Of larger companies, which have a larger limit, they take a part of so many."""
UNITS = {"K": 1, "M": 2, "G": 3, "T": 4}
NO_LIMIT = 1 << 60
"""Version 1 of control groups writes a figure near the largest one where there is no limit."""


@dataclass(frozen=True)
class Limits:
    """What DuckDB may take; what is not stated is told by the machine.

    Attributes:
        memory: Such as 4GB; empty: 60 % of what the machine or container has.
        threads: How many; 0: as many as it has cores.
        spill_folder: Where it puts what does not fit; empty: beside the warehouse.
    """

    memory: str = ""
    threads: int = 0
    spill_folder: str = ""

    @classmethod
    def beside(cls, connection: duckdb.DuckDBPyConnection) -> "Limits":
        """For a DuckDB that works for an open connection, such as that of a source's query: half of its memory."""
        settings = ", ".join(f"current_setting('{name}')" for name in ("memory_limit", "threads", "temp_directory"))
        ((memory, threads, folder),) = connection.execute(f"SELECT {settings}").fetchall()
        amount, unit = memory.split()
        return cls(f"{float(amount) / 2:.1f} {unit}", int(threads), folder)

    def apply(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Sets them for an open connection."""
        memory = self.memory or f"{int(SHARE * memory_bytes()) // 1_000_000}MB"
        connection.execute(f"SET memory_limit = '{memory}'")
        connection.execute(f"SET threads = {self.threads or cores()}")
        if self.spill_folder:
            folder = self.spill_folder.replace("'", "''")
            connection.execute(f"SET temp_directory = '{folder}'")


def of_run(stated: str) -> str:
    """What DuckDB may take of the memory that a run may, such as 4GB; empty: nothing is stated.

    A quarter is left to others, or `ROOM` where that is more, at most half.
    """
    if not stated:
        return ""
    amount, unit = stated.rstrip("KMGTiB "), stated.strip("0123456789. ")
    all_of_it = int(float(amount) * (1024 if "i" in unit else 1000) ** UNITS[unit[0]])
    return f"{max(all_of_it - max(ROOM, all_of_it // ROOM_SHARE), all_of_it // 2)}B"


def memory_bytes(groups: Path = CGROUP) -> int:
    """The memory of the machine, or of the container where that is less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in MEMORY_FILES:
        stated = _read(groups / name)
        if stated.isdigit() and int(stated) < NO_LIMIT:
            found.append(int(stated))
    return min(found)


def cores(groups: Path = CGROUP) -> int:
    """The cores that this process may run on, or what the container allows where that is less."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(groups / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        return max(1, min(usable, -(-int(quota) // int(period))))
    return usable


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
