"""What files hold, whatever their format: text columns, and the rows that could not be split; and how text is opened.

Shared by the readers in `formats`; which of them reads a file is decided in `formats/by_format.py`, and which
of its columns are wanted by the warehouse (`cx_intel.warehouse.duckdb.files`).
"""

import codecs
import gzip
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import pyarrow as pa

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.files.limits import refuse_expansion
from cx_intel.sources.files.paths import SourceFile

_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
EXACT = 2.0**53
"""Up to here a float tells one whole number from the next."""
KEPT_OF_REJECT = 1_000_000
"""Characters kept of a row that could not be split."""
UNPACKED_AT_ONCE = 1 << 18

REJECTS = pa.schema(
    [
        ("source_file", pa.string()),
        ("row_number", pa.int64()),
        ("reason", pa.string()),
        ("raw_row", pa.string()),
    ]
)


@dataclass(frozen=True)
class Content:
    """What one file holds.

    Attributes:
        columns: Its columns' names, as they stand there without the blanks around them.
        table: Text columns `c0`, `c1` ... in that order, and `row_number`; besides, where the source has spellings
            of its own and the format types, `t0`, `t1` ...: true where the cell is no text there.
        rejects: The rows that could not be split, as `REJECTS`.
        raw_rows: The rows as they stood there, where the format has a text of its own.
        is_part: More of the file follows, and a column that is not here may still come with it.
    """

    columns: tuple[str, ...]
    table: pa.Table
    rejects: pa.Table
    raw_rows: pa.ChunkedArray | None = None
    is_part: bool = False

    def only(self, mask: pa.ChunkedArray) -> "Content":
        """The content with the rows for which the mask is true; rejects stay."""
        raw_rows = None if self.raw_rows is None else self.raw_rows.filter(mask)
        return replace(self, table=self.table.filter(mask), raw_rows=raw_rows)


@dataclass(frozen=True)
class FilesRead:
    """What was read.

    Attributes:
        table: Text columns under canonical names; `_source_file` (relative to the source's folder),
            `_row_number` (data
            row in its file, from 1) and `_raw_row` (the row as a JSON object of the file's own columns).
        rejects: Rows that could not be split into columns: source_file, row_number, reason, raw_row (as it
            stood).
        files: The files read, in order.
        ignored_columns: Columns of the files that nothing reads, sorted.
        left_out: Rows that are none by the source's `where`.
    """

    table: pa.Table
    rejects: pa.Table
    files: tuple[str, ...]
    ignored_columns: tuple[str, ...]
    left_out: int = 0

    def raw(self) -> pa.Table:
        """The raw table to keep: the rows, then the rejects with their reason in `_reject` and no other
        column.
        """
        return pa.concat_tables([self.table, raw_rejects(self.rejects)], promote_options="default")


def open_bytes(file: SourceFile) -> BinaryIO:
    """The file as bytes, without gzip.

    What reads it raises SourceError where a compressed file unpacks to far more than true data do.
    """
    if file.is_gzip:
        return io.BufferedReader(_Unpacked(file.path), UNPACKED_AT_ONCE)
    return file.path.open("rb")


def open_text(file: SourceFile, source: FileSet, errors: str = "strict") -> TextIO:
    """The file as text, without gzip and byte order mark."""
    encoding = "utf-8-sig" if is_utf8(source) else source.encoding
    return io.TextIOWrapper(open_bytes(file), encoding=encoding, errors=errors)


class _Unpacked(io.RawIOBase):
    """What a gzip file holds, within limits."""

    def __init__(self, path: Path):
        self._path, self._size, self._count = path, path.stat().st_size, 0
        self._file = gzip.open(path)  # noqa: SIM115 - closed with the stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer)
        self._count += count
        refuse_expansion(self._count, self._size, self._path)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def is_utf8(source: FileSet) -> bool:
    """Whether the source's files are UTF-8."""
    return codecs.lookup(source.encoding).name in ("utf-8", "utf-8-sig", "ascii")


def raw_rejects(rejects: pa.Table) -> pa.Table:
    """Rows that could not be split, under the names of the raw table."""
    return rejects.rename_columns(["_source_file", "_row_number", "_reject", "_raw_row"])


def in_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows in the columns of a schema; null where they lack one."""
    there = set(table.column_names)
    columns = [
        table[field.name].cast(field.type) if field.name in there else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def rejects_table(rows: list[tuple[str, int, str, str]]) -> pa.Table:
    """Rows that could not be split: file, line, reason and raw text."""
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[], [], [], []], schema=REJECTS)


def as_text(value: Any) -> str | None:
    """A value of JSON as a cell; null stays null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _ENCODER.encode(value)
