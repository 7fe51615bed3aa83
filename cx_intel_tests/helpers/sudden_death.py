"""Kills a process before its n-th step on files: between any two calls that open, write, rename or remove one, or run SQL.

What happens within such a call, such as DuckDB's own writing, is not split up further; for that a test kills by time.
"""

import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from cx_intel_tests.helpers.processes import PATIENCE_SECONDS, server

OF_FILES = ("open", "write", "fsync", "replace", "rename", "link", "unlink", "rmdir", "mkdir", "chmod")
OF_DATABASES = ("execute", "commit", "backup", "close")
"""Names of methods of DuckDB's and SQLite's connections."""
STEPS = frozenset((*OF_FILES, *OF_DATABASES))


def steps_of(action: Callable[..., object], *args: object) -> int:
    """How many steps the action takes in a process of its own, which it ends."""
    count = run(action, *args)
    assert count is not None
    return count


def killed_before(step: int, action: Callable[..., object], *args: object) -> None:
    """Runs the action in a process of its own that is killed before a step, counted from 1."""
    assert run(action, *args, killed_at=step) is None, "it is over"


def run(action: Callable[..., object], *args: object, killed_at: int = 0) -> int | None:
    """Runs the action in a process of its own; the steps that it took, or None when it was killed."""
    ours, theirs = server().Pipe(duplex=False)
    process = server().Process(target=_run, args=(action, args, killed_at, theirs))
    process.start()
    theirs.close()
    process.join(PATIENCE_SECONDS)
    if process.exitcode == -signal.SIGKILL:
        return None
    assert process.exitcode == 0
    return int(ours.recv())


def _run(action: Callable[..., object], args: tuple[object, ...], killed_at: int, pipe: Connection) -> None:
    taken = 0

    def watch(_: FrameType, event: str, function: Any) -> None:
        nonlocal taken
        if event == "c_call" and getattr(function, "__name__", "") in STEPS:
            taken += 1
            if taken == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    try:
        action(*args)
    finally:
        sys.setprofile(None)
    pipe.send(taken)
