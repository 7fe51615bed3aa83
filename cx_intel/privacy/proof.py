"""Looks for an erased subject everywhere in the home: every text column of every table, and every byte of every file.

It changes nothing, and finds what the erasure forgot, whatever wrote it. A word too short to mean somebody (`7`) is not
looked for by itself; rows are found by their columns then.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cx_intel.privacy.register import FOLDER, KEY_FILE, PENDING
from cx_intel.privacy.runs.run_history import mentions
from cx_intel.privacy.subject import Subject, pattern_of_words
from cx_intel.privacy.tables import Tables
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.access.readable import COPY_SCHEMA
from cx_intel.warehouse.duckdb.upkeep.row_edits import mentions_in_parquet
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA
from cx_intel.warehouse.spark.remembered import ICEBERG

DUCKDB, SQLITE, PARQUET = b"DUCK", b"SQLite format 3\0", b"PAR1"
OF_A_PORTFOLIO = ("published", "reports", "exports", ICEBERG)
"""Folders in which each portfolio has a file or folder of its own."""


@dataclass(frozen=True)
class Found:
    """Where a subject can still be found.

    Attributes:
        places: In what is the portfolio's or nobody's, in words; empty when nowhere.
        also_in: Other portfolios that have somebody of the same id or name: their rows are theirs, and in the bytes of a
            file that holds them the subject could not be told from that.
    """

    places: tuple[str, ...]
    also_in: frozenset[str]


def remains(home: Path, subject: Subject, elsewhere: Path | None = None) -> Found:
    """Looks for a subject in the whole home. No connection may be open on these files.

    Args:
        home: CX_HOME.
        subject: Whom.
        elsewhere: A folder of the portfolio alone that is not in the home: its tables on a cluster.
    """
    places: list[str] = []
    also_in: set[str] = set()
    if elsewhere:
        outside = sorted(path for path in elsewhere.rglob("*") if path.is_file())
        places += [f"{file}: {place}" for file in outside for place in _places(file, subject, is_shared=False)]
    for file in sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink()):
        name = file.relative_to(home)
        if str(name) in (f"{FOLDER}/{PENDING}", f"{FOLDER}/{KEY_FILE}"):
            continue
        owner = name.parts[1].partition(".")[0] if name.parts[0] in OF_A_PORTFOLIO and len(name.parts) > 1 else ""
        if owner and owner != subject.portfolio and not name.parts[1].startswith("."):
            continue  # another portfolio's, which is looked for in the warehouse
        others = _others(file, subject)
        also_in |= others
        places += [f"{name}: {place}" for place in _places(file, subject, is_shared=bool(others))]
    return Found(tuple(places), frozenset(also_in))


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(16)


def _others(file: Path, subject: Subject) -> set[str]:
    """The other portfolios in a DuckDB file whose rows have the id or a name of the subject."""
    if _head(file)[8:12] != DUCKDB:
        return set()
    with reading(file) as database:
        schemas = [s for s in database.schemas() if s not in (subject.portfolio, COPY_SCHEMA, STATE_SCHEMA)]
        known = {schema: Tables(database, schema) for schema in schemas}
        return {s for s, tables in known.items() if tables.holds_any(subject) or tables.mentions_in_rows(subject)}


def _places(file: Path, subject: Subject, *, is_shared: bool) -> Iterator[str]:
    head = _head(file)
    if not head:
        return
    is_parquet = head.startswith(PARQUET)  # compressed, so that its bytes say nothing: its values are read
    if not is_shared and not is_parquet:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if subject.byte_pattern.search(content):
                yield "its bytes"
    if head[8:12] == DUCKDB:
        yield from _in_tables(file, subject)
    elif head == SQLITE:
        yield from mentions(file, subject)
    elif is_parquet and subject.words:
        yield from mentions_in_parquet(file, pattern_of_words(subject.spellings))


def _in_tables(file: Path, subject: Subject) -> Iterator[str]:
    with reading(file) as database:
        for schema in (subject.portfolio, COPY_SCHEMA):
            tables = Tables(database, schema)
            if tables.holds_any(subject):
                yield f"rows with the {subject.column}"
            yield from tables.mentions(subject)
