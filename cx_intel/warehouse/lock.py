"""One writer at a time: a run holds an operating-system lock on a file beside the warehouse, from first to last step.

The kernel frees the lock when the holder ends, however it ends. The file tells who holds it, for people; only the lock
counts.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cx_intel.warehouse.errors import WarehouseBusy

LOCK_FILE = "warehouse.lock"
"""Its name, beside the warehouse."""
POLL_SECONDS = 0.2


class WriterLock:
    """The lock of one warehouse; `acquire` waits for another holder, `release` lets the next one in."""

    def __init__(self, path: Path):
        self.path = path
        self._file: int | None = None

    def acquire(self, holder: str, *, wait_seconds: float, on_wait: Callable[[str], None] = lambda _: None) -> None:
        """Takes the lock.

        Args:
            holder: Who takes it, in words: shown to those who wait.
            wait_seconds: How long to wait for another holder.
            on_wait: Called once, with the holder's words, when there is one.

        Raises:
            WarehouseBusy: The other one went on for longer.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + wait_seconds
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                other = describe_holder(self.path)
                if not told:
                    on_wait(other)
                    told = True
                if time.monotonic() >= deadline:
                    os.close(file)
                    raise WarehouseBusy(
                        f"The warehouse is being written by {other}, for longer than the {wait_seconds:g} seconds that "
                        "this run waits (CX_LOCK_WAIT_SECONDS). Wait for that run to end, or cancel it, and try again."
                    ) from None
                time.sleep(POLL_SECONDS)
        note = {"holder": holder, "pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(note).encode(), 0)
        self._file = file

    def release(self) -> None:
        """Gives the lock back; nothing happens when it is not held."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def describe_holder(path: Path) -> str:
    """Who holds the lock, in words, as far as the file tells."""
    try:
        note = json.loads(path.read_text() or "{}")
    except (OSError, ValueError):
        note = {}
    if not note:
        return "another run"
    return f"{note.get('holder', 'another run')} (process {note.get('pid')}, since {note.get('since')})"
