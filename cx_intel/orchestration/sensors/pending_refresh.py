"""Remembers the refresh that files from a landing folder call for, from before they are moved until Dagster has the run.

A tick that dies in between has lost its cursor and its request, and the files are no longer where it would look. What
is written here outlives it. When files are taken is the matter of `landing_sensor.py`.
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
class Owed:
    """A refresh for `day`, an ISO date, that is owed to files: digests of what tells them from others, in order."""

    day: str
    files: Sequence[str]

    @property
    def run_key(self) -> str:
        return f"landing-{self.day}-{_digest(*self.files)}"


class OwedNote:
    """The note of a portfolio, a file in the home."""

    def __init__(self, home: Path, portfolio: str):
        self.path = home / FOLDER / f"{portfolio}.json"

    def read(self, instance: dg.DagsterInstance) -> Owed | None:
        """What is owed; None once the instance has a run for it, however that ends."""
        if not self.path.exists():
            return None
        owed = Owed(**json.loads(self.path.read_text(encoding="utf-8")))
        return None if instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: owed.run_key}), limit=1) else owed

    def write(self, owed: Owed | None) -> None:
        """Writes what is owed, on the disk when this returns; with None, nothing is."""
        if owed is None:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f".{self.path.name}.new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(asdict(owed), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)


def owed_also(owed: Owed | None, day: str, files: Mapping[str, object]) -> Owed | None:
    """What is owed when these files come in too; unchanged when there are none.

    Args:
        owed: What is owed already.
        day: The day that a refresh is asked for now.
        files: Name: what tells the file from others of its name. Names may be those of customers and are not kept.
    """
    digests = {_digest(name, str(mark)) for name, mark in files.items()}
    return Owed(day, sorted(digests.union(owed.files if owed else ()))) if files else owed


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
