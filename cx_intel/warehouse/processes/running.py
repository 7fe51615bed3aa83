"""Tells whether the process of a run is alive: each run holds an operating-system lock on a file of its own.

The kernel frees the lock when the process ends, however it ends, and a run that ends by itself removes its file: a file
that nobody holds is that of a killed run. A lock is seen from other containers too, where a process number means nothing.
The file says how things
stood when the run began. What becomes of killed runs is decided in `cx_intel.orchestration.sensors.killed_runs`; who may
write, in `lock.py`.
"""

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from cx_intel.warehouse.processes.machine import Moment, moment

FOLDER = "running"

State = Literal["alive", "killed", "unknown"]
"""Of a run; unknown: it has no file, because it has not begun, has ended, or uses no warehouse."""


class RunMark:
    """The file of a run that is going on in this process, in `folder`."""

    def __init__(self, folder: Path, run_id: str):
        self.path = folder / run_id
        self._file: int | None = None

    def hold(self) -> None:
        """Makes the file, which is locked from the moment that it is there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        self._file = os.open(new, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._file, json.dumps(asdict(moment())).encode())
        os.rename(new, self.path)

    def release(self) -> None:
        """Removes the file; nothing happens when it is not held."""
        if self._file is not None:
            if _is_at(self.path, self._file):
                self.path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def state_of(folder: Path, run_id: str) -> State:
    """What the file of a run tells."""
    path = folder / run_id
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return "unknown"
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return "killed" if _is_at(path, file) else "unknown"  # it ended between the two looks
    except BlockingIOError:
        return "alive"
    finally:
        os.close(file)


def began(folder: Path, run_id: str) -> Moment | None:
    """How things stood when the run began, as its file says."""
    try:
        return Moment(**json.loads((folder / run_id).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def forget(folder: Path, run_id: str) -> None:
    """Removes the file of a killed run."""
    (folder / run_id).unlink(missing_ok=True)


def _is_at(path: Path, file: int) -> bool:
    """Whether the open file is the one that the path leads to."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(file)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
