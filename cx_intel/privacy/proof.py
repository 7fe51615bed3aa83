"""Looks for an erased subject everywhere in the home: every text column of every table, and every byte of every file.

It changes nothing, and finds what the erasure forgot, whatever wrote it. A word too short to mean somebody (`7`) is not
looked for by itself; rows are found by their columns then.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

from cx_intel.privacy.register import FOLDER, KEY_FILE, PENDING
from cx_intel.privacy.run_history import mentions
from cx_intel.privacy.subject import Subject
from cx_intel.privacy.tables import Tables
from cx_intel.warehouse.duckdb.opening import reading
from cx_intel.warehouse.duckdb.readable import COPY_SCHEMA

DUCKDB, SQLITE = b"DUCK", b"SQLite format 3\0"


def remains(home: Path, subject: Subject) -> list[str]:
    """Where the subject can still be found, in words; empty when nowhere. No connection may be open on these files."""
    found: list[str] = []
    for file in sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink()):
        name = str(file.relative_to(home))
        if name in (f"{FOLDER}/{PENDING}", f"{FOLDER}/{KEY_FILE}"):
            continue
        found += [f"{name}: {place}" for place in _places(file, subject)]
    return found


def _places(file: Path, subject: Subject) -> Iterator[str]:
    with file.open("rb") as opened:
        head = opened.read(16)
        if not head:
            return
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if subject.byte_pattern.search(content):
                yield "its bytes"
    if head[8:12] == DUCKDB:
        yield from _in_tables(file, subject)
    elif head == SQLITE:
        yield from mentions(file, subject)


def _in_tables(file: Path, subject: Subject) -> Iterator[str]:
    with reading(file) as database:
        for schema in (subject.portfolio, COPY_SCHEMA):
            tables = Tables(database, schema)
            if tables.holds_any(subject):
                yield f"rows with the {subject.column}"
            yield from tables.mentions(subject)
