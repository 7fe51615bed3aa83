"""Lets a second process compile what a refresh will execute, while the first one sets up and executes what comes before.

A refresh on small data is mostly Python, on one core; the SQL of most tables follows from the settings and the day
alone. A process of its own compiles it (`cx_intel.orchestration.compiled`) and writes it to a pipe, table by table; what
has arrived when a table's turn comes is taken, anything else is compiled in place. So nothing depends on that process:
it may be missing, slow or dead.

This module is imported before all others, so that the second process begins at once: it knows none of them.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

COMMAND = "compile-ahead"
TABLE = "table"


@dataclass(frozen=True)
class Ready:
    """One table, compiled.

    Attributes:
        portfolio: Its name.
        settings: A fingerprint of its settings.
        table: The table.
        as_of: The day that it is compiled for.
        queries: What is asked, as SQL: the rows under `TABLE`, where they can be; what the checks and the figures ask
            of them under names of their own.
        sources: For each column, the tables and columns that it is computed from.
        program: Where the program lies that has compiled it.
    """

    portfolio: str
    settings: str
    table: str
    as_of: date
    queries: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    program: str = __file__


_arrived: dict[tuple[str, str, date], Ready] = {}


def begin(arguments: Sequence[str]) -> threading.Thread | None:
    """Starts the second process with the arguments of `cx-intel refresh`, where there is a second core for it.

    Returns what receives its tables, until it has sent all or ends otherwise.
    """
    if cores() < 2:
        return None
    # -P: what is imported is not looked for in the folder that the command is given in
    command = [sys.executable, "-P", "-m", "cx_intel", COMMAND, *arguments]
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:  # no memory, or no more processes
        return None
    receiver = threading.Thread(target=_attend, args=(process,), daemon=True)
    receiver.start()
    return receiver


def _attend(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    receive(process.stdout)
    process.wait()


def cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> float:
    """How many cores this process may use, by its own settings and by its container's (Linux)."""
    allowed = float(len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else float(os.cpu_count() or 1)
    try:
        limit, period = quota.read_text(encoding="ascii").split()
        return min(allowed, float(limit) / float(period))
    except (OSError, ValueError):  # there is no such file, or the limit is `max`
        return allowed


def receive(pipe: IO[bytes]) -> None:
    """Keeps every table that comes out of the pipe."""
    with pipe:
        try:
            while True:
                keep(pickle.load(pipe))
        except (EOFError, pickle.UnpicklingError):
            return  # all has come, or the sender has ended in the middle of one


def send(ready: Ready, pipe: IO[bytes]) -> None:
    """Writes a table to the pipe of the process that waits for it."""
    pickle.dump(ready, pipe)
    pipe.flush()


def keep(ready: Ready) -> None:
    """Keeps a table until its turn, if this very program has compiled it."""
    if ready.program == __file__:
        _arrived[ready.portfolio, ready.table, ready.as_of] = ready


def taken(portfolio: str, table: str, as_of: date) -> Ready | None:
    """What has arrived for a table, once; None when nothing has."""
    return _arrived.pop((portfolio, table, as_of), None)
