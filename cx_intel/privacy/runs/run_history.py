"""Blots a subject out of SQLite files: Dagster's events with their samples and previews, and the messages sent.

Events stay readable by Dagster: only texts for people are changed, never what an event is found by. The same in
PostgreSQL stands in `run_history_in_postgres.py`.
"""

import json
import mmap
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from cx_intel.privacy.subject import REDACTED, Subject

NEVER_CHANGED = ("run_id", "step_key", "partition", "path", "__class__", "job_name", "pipeline_name", "parent_run_id")
PICTURE = re.compile(r"data:image/[a-z+]+;base64,")
"""A picture shows names that no search finds."""
BUSY_SECONDS = 60
TEXTS = ("TEXT", "VARCHAR", "CHAR", "CLOB", "JSON", "")


def blot_out(file: Path, subject: Subject) -> int:
    """Takes every mention out of a SQLite file, and writes it anew. How many cells were changed.

    Rows that differ in nothing but the subject, such as what was told of two erased accounts, become one.
    """
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        changed = 0
        for table, column in list(_text_columns(connection)):
            for row, text in list(_mentioning(connection, table, column, subject)):
                connection.execute(
                    f'UPDATE OR REPLACE "{table}" SET "{column}" = ? WHERE rowid = ?', [without(text, subject), row]
                )
                changed += 1
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if changed or _in_bytes(file, subject):  # what was deleted or changed before stays in the file until then
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return changed


def _in_bytes(file: Path, subject: Subject) -> bool:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return bool(subject.byte_pattern.search(content))


def mentions(file: Path, subject: Subject) -> list[str]:
    """The columns of a SQLite file in which a word of the subject stands, as table.column."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as connection:
        return [
            f"{table}.{column}"
            for table, column in _text_columns(connection)
            if next(_mentioning(connection, table, column, subject, pictures=False), None)
        ]


def _text_columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%WITHOUT ROWID%'"
    )
    for (table,) in tables.fetchall():
        for _, column, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
            if str(kind).upper().split("(")[0] in TEXTS:
                yield table, column


def _mentioning(
    connection: sqlite3.Connection, table: str, column: str, subject: Subject, *, pictures: bool = True
) -> Iterator[tuple[int, str]]:
    """The cells that hold a word of the subject, or a picture of an event of its portfolio: row and text."""
    sought = [*subject.spellings]
    hints = " OR ".join([f'instr("{column}", ?) > 0'] * len(sought)) or "0"
    if pictures:
        hints += f' OR (instr("{column}", \'data:image/\') > 0 AND instr("{column}", ?) > 0)'
        sought.append(f'"{subject.portfolio}"')
    query = f'SELECT rowid, "{column}" FROM "{table}" WHERE {hints}'
    for row, text in connection.execute(query, sought):
        if isinstance(text, str) and is_about(text, subject, pictures=pictures):
            yield row, text


def is_about(text: str, subject: Subject, *, pictures: bool) -> bool:
    """Whether a text names the subject, or holds a picture of its portfolio, which may show it."""
    has_picture = pictures and f'"{subject.portfolio}"' in text and PICTURE.search(text)
    return bool(subject.pattern.search(text) or has_picture)


def without(text: str, subject: Subject) -> str:
    """A text of Dagster's, or a message, without the subject."""
    try:
        content = json.loads(text)
    except ValueError:
        return subject.pattern.sub(REDACTED, text)
    if isinstance(content, dict | list):
        return json.dumps(_blotted(content, subject))
    return subject.pattern.sub(REDACTED, text)


def _blotted(node: Any, subject: Subject) -> Any:
    if isinstance(node, dict):
        return {
            subject.pattern.sub(REDACTED, k): v if k in NEVER_CHANGED else _blotted(v, subject) for k, v in node.items()
        }
    if isinstance(node, list):
        return [_blotted(value, subject) for value in node]
    if isinstance(node, str) and (subject.pattern.search(node) or PICTURE.search(node)):
        nested = node.lstrip()[:1] in ("{", "[")
        return without(node, subject) if nested else REDACTED
    return node
