"""How far a table was read that is read by a cursor, and where the next reading begins.

What the cursor of a source is stands in `cx_intel.settings.sources.cursor`; how rows are fetched from there on in
`cx_intel.warehouse.duckdb.files.by_cursor`, and where this is kept, in `cx_intel.warehouse.duckdb.remembered`.
"""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from cx_intel.settings.sources.cursor import Cursor
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.known import NOT_ABOUT_READING

READER = "1"
"""Raised where rows are read otherwise than before, so that all of them are read anew."""
AHEAD = timedelta(days=2)
"""A cursor further after the beginning of the day of the refresh is a clock that is wrong, or a date to come."""

CursorKind: TypeAlias = Literal["instant", "time", "date", "number", "text"]
"""What a cursor holds: a time with its zone, one without, a day, a whole number, a time as ISO 8601 text."""


@dataclass(frozen=True)
class KnownCursor:
    """How far a table was read.

    Attributes:
        recipe: How it was read: by another one, everything is read.
        column: The cursor, as the server spells it.
        kind: What it holds.
        value: The newest that was read and is not ahead of its day, as text; instants in UTC.
    """

    recipe: str
    column: str
    kind: CursorKind
    value: str

    def bound(self, cursor: Cursor, of: str) -> str:
        """From where on rows are read again: the newest value less the look-back.

        Raises:
            SourceError: The look-back is of another kind than the cursor.
        """
        if self.kind == "number":
            if not isinstance(cursor.look_back, int):
                raise SourceError(
                    f"The cursor {cursor.column} of the {of} is a whole number, for which {cursor.look_back!r} says nothing: "
                    "write how much is looked back, such as `look_back: 1000`, under `cursor`."
                )
            return str(Decimal(self.value) - cursor.look_back)
        if cursor.duration is None:
            raise SourceError(
                f"The cursor {cursor.column} of the {of} is a time: write `look_back: 3 days` in place of "
                f"{cursor.look_back} under `cursor`."
            )
        if self.kind == "date":
            days = timedelta(days=math.ceil(cursor.duration / timedelta(days=1)))
            return (date.fromisoformat(self.value) - days).isoformat()
        if self.kind == "text":  # a day is below each of its times, however these are written
            return (_time_of(self.value) - cursor.duration).date().isoformat()
        return (datetime.fromisoformat(self.value) - cursor.duration).isoformat(sep=" ")


def recipe_of(source: SqlSource, columns: Iterable[str], zone: str, place: str) -> str:
    """Tells whether rows would be read otherwise than before.

    Args:
        source: Its settings.
        columns: What may be delivered.
        zone: Of the portfolio, whose days the rows are kept by.
        place: Where the data lie.
    """
    assert source.cursor
    stated = source.model_dump_json(exclude={*NOT_ABOUT_READING, "connection", "cursor"})
    cursor = source.cursor.model_dump_json(exclude={"look_back"})
    return hashlib.sha256(json.dumps([READER, stated, cursor, list(columns), zone, place]).encode()).hexdigest()[:16]


def _time_of(text: str) -> datetime:
    """The time that a text says, as far as it can be read: its day at least."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text[:10])
