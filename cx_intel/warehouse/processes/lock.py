"""One writer at a time: a run holds an operating-system lock on a file beside the warehouse, from first to last step.

The kernel frees the lock when the holder ends, however it ends. The file says who holds it, for people; only the lock
counts. Whether a run that is not writing is still alive is seen in `running.py`.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from cx_intel.warehouse.errors import WarehouseBusy

LOCK_FILE = "warehouse.lock"
"""Its name, beside the warehouse."""
POLL_SECONDS = 0.2


class WriterLock:
    """The lock of one warehouse; `acquire` waits for another holder, `release` lets the next one in."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = FileLock(path, thread_local=False)  # a run may end in another thread than it began in

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
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            on_wait(describe_holder(self.path))
            try:
                self._lock.acquire(timeout=wait_seconds, poll_interval=POLL_SECONDS)
            except Timeout:
                raise WarehouseBusy(
                    f"The warehouse is being written by {describe_holder(self.path)}, for longer than the "
                    f"{wait_seconds:g} seconds that this run waits (CX_LOCK_WAIT_SECONDS). Wait for that run to end, or "
                    "cancel it, and try again."
                ) from None
        note = {"holder": holder, "pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        self.path.write_text(json.dumps(note), encoding="utf-8")

    def release(self) -> None:
        """Gives the lock back; nothing happens when it is not held."""
        if self._lock.is_locked:
            self.path.write_text("", encoding="utf-8")
            self._lock.release()


def current_holder(path: Path) -> str:
    """Who holds the lock, in words; empty when nobody does."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return describe_holder(path)
    lock.release()
    return ""


def describe_holder(path: Path) -> str:
    """Who holds a lock that is held, in words, as far as the file says."""
    try:
        note = json.loads(path.read_text() or "{}")
    except (OSError, ValueError):
        note = {}
    if not note:
        return "another run"
    return f"{note.get('holder', 'another run')} (process {note.get('pid')}, since {note.get('since')})"
