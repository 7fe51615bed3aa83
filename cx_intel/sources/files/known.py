"""What is remembered of files that were read, and which of those that are there now have to be read.

The file is the unit: one that stands as it was read is not opened again. Where this is kept is the warehouse's
(`cx_intel.warehouse.duckdb.files.by_file`); what files there are, `paths.py`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cx_intel.settings.sources.files import ReadByFile
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.paths import SourceFile

READER = "2"
"""Raised where files are read otherwise than before, so that all of them are read anew."""
TRIES = 3
"""How often files are read of which one changes meanwhile."""
NOT_ABOUT_READING = {
    "path",
    "max_quarantined_pct",
    "stale_after_days",
    "freeze_after_days",
    "delivers",
    "missing_rows",
    "max_missing_pct",
    "end_date",
    "amount_is",
    "in_minor_units",
    "key",
    "gone_files",
}
"""Settings of a source that bear on its rows only after they were read."""


@dataclass(frozen=True)
class KnownFile:
    """A file as it was when it was read, or when it was last seen.

    Attributes:
        name: Relative to the folder of the source.
        size: In bytes.
        modified_ns: Its time of change.
        digest: Of its contents.
        recipe: How it was read.
        rows: How many rows it gave.
        rejects: How many more could not be split into columns.
        left_out: How many are none by the source's `where`.
        ignored_columns: Columns that nothing reads.
        is_gone: It was not there any more at the last look; its rows stay.
    """

    name: str
    size: int
    modified_ns: int
    digest: str
    recipe: str
    rows: int = 0
    rejects: int = 0
    left_out: int = 0
    ignored_columns: tuple[str, ...] = ()
    is_gone: bool = False


@dataclass(frozen=True)
class FileChanges:
    """What a look at the files found.

    Attributes:
        to_read: Files that are new or changed, or were read otherwise.
        unchanged: The others, as they are to be remembered now.
        gone: Files that were read and are not there any more.
    """

    to_read: tuple[SourceFile, ...]
    unchanged: tuple[KnownFile, ...]
    gone: tuple[KnownFile, ...]


def changes(files: Iterable[SourceFile], known: Mapping[str, KnownFile], recipe: str) -> FileChanges:
    """Which files have to be read. A file of another size or time is opened to see whether its contents are the same.

    Args:
        files: Those that are there.
        known: What is remembered of earlier ones, by name.
        recipe: How files are read now.
    """
    to_read, unchanged, there = [], [], set()
    for file in files:
        there.add(file.name)
        before = known.get(file.name)
        now = before and _if_unchanged(file.path, before, recipe)
        if now:
            unchanged.append(now)
        else:
            to_read.append(file)
    gone = tuple(replace(known[name], is_gone=True) for name in sorted(known.keys() - there))
    return FileChanges(tuple(to_read), tuple(unchanged), gone)


def _if_unchanged(path: Path, before: KnownFile, recipe: str) -> KnownFile | None:
    if before.recipe != recipe:
        return None
    size, modified = size_and_time(path)
    if (size, modified) == (before.size, before.modified_ns):
        return replace(before, is_gone=False)
    if size != before.size or digest_of(path) != before.digest:
        return None
    return replace(before, modified_ns=modified, is_gone=False)


def size_and_time(path: Path) -> tuple[int, int]:
    """Size and time of change of a file."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def digest_of(path: Path) -> str:
    """A digest of a file's contents, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recipe_of(source: ReadByFile, columns: Iterable[str], zone: str) -> str:
    """Tells whether files would be read otherwise than before.

    Args:
        source: Its settings.
        columns: What may be delivered.
        zone: Of the portfolio, whose days the rows are kept by.
    """
    stated = source.model_dump_json(exclude=NOT_ABOUT_READING)
    return hashlib.sha256(json.dumps([READER, stated, list(columns), zone]).encode()).hexdigest()[:16]


def changed_while_read(files: Iterable[Path]) -> SourceError:
    """The error about files that changed each time that they were read."""
    written = ", ".join(str(file) for file in files)
    return SourceError(f"{written}: changed while it was read, {TRIES} times. Refresh when it is whole.")
