"""Remembers the refresh that files from a landing folder call for, from before they are moved until Dagster has the run.

A tick that dies in between has lost its cursor and its request, and the files are no longer where it would look. What
is written here outlives it. When files are taken is decided by `landing.py`.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg

from cx_intel.orchestration.sensors.late_events import RUN_KEY_TAG

FOLDER = "landing"


@dataclass(frozen=True)
class PendingRefresh:
    """A refresh for `day`, an ISO date, that files wait for: digests of what tells them from others, in order."""

    day: str
    files: Sequence[str]

    @property
    def run_key(self) -> str:
        return f"landing-{self.day}-{_digest(*self.files)}"


class PendingNote:
    """The note of a portfolio, a file in the home."""

    def __init__(self, home: Path, portfolio: str):
        self.path = home / FOLDER / f"{portfolio}.json"

    def read(self, instance: dg.DagsterInstance) -> PendingRefresh | None:
        """What is pending; None once the instance has a run for it, however that ends."""
        if not self.path.exists():
            return None
        pending = PendingRefresh(**json.loads(self.path.read_text(encoding="utf-8")))
        return None if instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: pending.run_key}), limit=1) else pending

    def write(self, pending: PendingRefresh | None) -> None:
        """Writes what is pending, on the disk when this returns; with None, nothing is."""
        if pending is None:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f".{self.path.name}.new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(asdict(pending), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)


def pending_with(pending: PendingRefresh | None, day: str, files: Mapping[str, object]) -> PendingRefresh | None:
    """What is pending when these files come in too; unchanged when there are none.

    Args:
        pending: What is pending already.
        day: The day of the refresh that they call for.
        files: Name: what tells the file from others of its name. Names may be those of customers and are not kept.
    """
    digests = {_digest(name, str(mark)) for name, mark in files.items()}
    return PendingRefresh(day, sorted(digests.union(pending.files if pending else ()))) if files else pending


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
