"""Takes files from a landing folder to where the sources read them: whole, readable files only, each once.

A file that cannot be read is set aside with its reason beside it. A sensor decides when this is done, and what happens
then (`cx_intel.orchestration.sensors.landing`); files are read by the warehouse.
"""

import errno
import fnmatch
import glob
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.automation import Landing
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.files import FileSet, FilesSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.formats.by_format import read_file
from cx_intel.sources.files.paths import file_sets, source_files, with_variables

REJECTED = "rejected"
ReadFiles: TypeAlias = Callable[..., object]
"""`Warehouse.read_files`."""
UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".swp", "~")
"""Endings by which programs mark files that they still write."""
NAME_IT = "name its table under automation.landing.files."


@dataclass(frozen=True)
class Look:
    """What a file looked like, and since when: its size, time of change, and the moment it was first seen so."""

    size: int
    changed: int
    since: float


@dataclass(frozen=True)
class Taken:
    """What became of a file: where it went, or why it was set aside."""

    name: str
    tables: tuple[str, ...] = ()
    reason: str = ""


def files_in(folder: Path) -> dict[str, tuple[int, int]]:
    """The files of a folder by name, with size and time of change; hidden and unfinished ones are left alone."""
    found = {}
    for entry in os.scandir(folder):
        if entry.is_file(follow_symlinks=False) and not entry.name.startswith(".") and not _is_unfinished(entry.name):
            stat = entry.stat(follow_symlinks=False)
            found[entry.name] = (stat.st_size, stat.st_mtime_ns)
    return found


def settled(
    found: Mapping[str, tuple[int, int]], before: Mapping[str, Look], *, now: float, settle_seconds: float
) -> tuple[tuple[str, ...], dict[str, Look]]:
    """The files that are complete, by name, and what the others look like now.

    Args:
        found: The files that are there: size and time of change.
        before: What they looked like at the last look.
        now: Seconds since 1970.
        settle_seconds: For so long a file must not have changed; one that was not seen before never is complete.
    """
    ready, looks = [], {}
    for name, (size, changed) in sorted(found.items()):
        seen = before.get(name)
        if seen is None or (seen.size, seen.changed) != (size, changed):
            looks[name] = Look(size, changed, now)
        elif now - seen.since >= settle_seconds:
            ready.append(name)
        else:
            looks[name] = seen
    return tuple(ready), looks


def take(file: Path, portfolio: Portfolio, variables: Mapping[str, str], now: datetime, read: ReadFiles) -> Taken:
    """Reads a complete file as its sources would and puts it where they read it, or sets it aside with the reason.

    Args:
        file: The file in the landing folder.
        portfolio: Whose sources.
        variables: What `${NAME}` in their paths is taken from.
        now: For the note beside a file that is set aside.
        read: How a source's files are read.

    Raises:
        KeyError: A variable is not set; the file stays where it is.
        OSError: The file cannot be opened or moved; it stays too.
    """
    assert portfolio.automation.landing is not None
    sources = sources_for(file.name, portfolio, portfolio.automation.landing)
    try:
        if not sources:
            raise SourceError(f"No source of {portfolio.name} reads a file of this name; {NAME_IT}")
        places = {_place(file.name, files, source.table, variables) for source, files in sources}
        if len(places) > 1:
            tables = ", ".join(source.table for source, _ in sources)
            raise SourceError(f"Several sources would read it from different places ({tables}); {NAME_IT}")
        for source, files in sources:
            here = files.model_copy(update={"path": str(file)})
            if isinstance(here, FilesSource):
                read(here, contract=STAGING[source.table](portfolio), environment=variables)
            else:  # one of several tables of a query: the others need not be there yet
                for found in source_files(here, variables, f"the {source.title}"):
                    read_file(found, here)
    except (KeyError, OSError):
        raise
    except Exception as error:  # whatever a reader raises over one file, the others are to come in
        reason = str(error) if isinstance(error, SourceError) else f"It cannot be read: {type(error).__name__}: {error}"
        _set_aside(file, reason, now)
        return Taken(file.name, reason=reason)
    _move(file, places.pop())
    return Taken(file.name, tuple(source.table for source, _ in sources))


def sources_for(name: str, portfolio: Portfolio, landing: Landing) -> list[tuple[TableSource, FileSet]]:
    """The sources that a file is for, each with the files of it that this is one of.

    By the patterns of the settings (of sources of files), else by their paths, else by its name.
    """
    sources = [s for s in portfolio.sources if isinstance(s, TableSource)]
    sets: list[tuple[TableSource, FileSet]] = [(s, files) for s in sources for files, _ in file_sets(s)]
    by_name = [pair for pair in sets if isinstance(pair[1], FilesSource)]
    for pattern, table in landing.files.items():
        if fnmatch.fnmatchcase(name, pattern):
            return [pair for pair in by_name if pair[0].table == table]
    by_path = [pair for pair in sets if _is_of(name, Path(pair[1].path).name)]
    return by_path or [pair for pair in by_name if _begins_with(name, pair[0].table)]


def _is_of(name: str, pattern: str) -> bool:
    """The pattern names its files by more than their ending, and this is one."""
    is_of_files = "." in pattern or glob.has_magic(pattern)
    return not pattern.startswith("*") and is_of_files and fnmatch.fnmatchcase(name, pattern)


def _begins_with(name: str, table: str) -> bool:
    return name.startswith(table) and not name[len(table) : len(table) + 1].isalpha()


def _place(name: str, files: FileSet, table: str, variables: Mapping[str, str]) -> Path:
    """Where the source reads a file of this name from."""
    pattern = with_variables(files.path, variables)
    path = Path(pattern).expanduser()
    if glob.has_magic(pattern) and not path.is_file():
        if glob.has_magic(str(path.parent)) or not fnmatch.fnmatchcase(name, path.name):
            raise SourceError(f"The source of {table} reads {files.path}, which such a file is not in.")
        return path.parent / name
    if path.is_dir() or not path.suffix:
        return path / name
    if _endings(name) != _endings(path.name):
        raise SourceError(f"The source of {table} reads one file, {path.name}; this one ends in another way.")
    return path


def _endings(name: str) -> tuple[str, bool]:
    lower = name.lower()
    return Path(lower.removesuffix(".gz")).suffix, lower.endswith(".gz")


def _is_unfinished(name: str) -> bool:
    return name.lower().endswith(UNFINISHED)


def _move(file: Path, place: Path) -> None:
    """In one step, also from another disk: who reads there sees the old file or the new one.

    Killed in between, the file still lies in the landing folder, whole.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(file, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = place.with_name(f".{place.name}.part")
        shutil.copy2(file, partial)
        os.replace(partial, place)
        file.unlink()


def _set_aside(file: Path, reason: str, now: datetime) -> None:
    folder = file.parent / REJECTED
    folder.mkdir(exist_ok=True)
    name = file.name
    if (folder / name).exists():
        name = f"{now:%Y%m%dT%H%M%S}-{name}"
    lines = [
        f"{file.name} was set aside at {now.isoformat(timespec='seconds')}.",
        reason,
        f"Mend it and put it into {file.parent} again.",
    ]
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.move(file, folder / name)
