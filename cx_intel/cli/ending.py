"""How a command ends when it could not go on: interrupted, or because the disk would not take what it writes.

What is wrong with settings and data is said where it is found (`common.explained`); here is what can happen at any write,
to Dagster's storage, the warehouse or a page alike. Anything else is a fault of the program and keeps its traceback.
"""

import errno
import sqlite3
from collections.abc import Iterator

INTERRUPTED = 130
"""Exit status of a command that somebody stopped (Ctrl-C), as shells have it."""
WHOLE = "What was written is whole; the same command does what is left."
FULL = f"The disk is full{{where}}: free some space (`cx-intel doctor` says what a home takes). {WHOLE}"
READ_ONLY = "It may not be written{where}: CX_HOME has to lie where this user may write."
_KINDS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
}
_SAID = {
    "no space left on device": FULL,
    "disk is full": FULL,
    "disk quota exceeded": FULL,
    "readonly database": READ_ONLY,
    "read-only file system": READ_ONLY,
    "unable to open database file": READ_ONLY,
}
"""What SQLite and DuckDB say, which keep no number of the error."""


def of_the_disk(error: BaseException) -> str | None:
    """One line where the disk is the cause, whatever was made of it on its way up; else nothing."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in _KINDS:
            where = f", at {cause.filename}" if cause.filename else ""
            return _KINDS[cause.errno].format(where=where)
        if isinstance(cause, sqlite3.Error) or type(cause).__module__.startswith(("duckdb", "_duckdb")):
            said = str(cause).lower()
            if found := next((text for words, text in _SAID.items() if words in said), None):
                return found.format(where="")
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
