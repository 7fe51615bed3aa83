"""Reads one file of JSON lines, an object each, into text columns: numbers as they are spelled, lists as JSON.

A line that is no object is a reject; a `.json` file may be one document (`json_documents.py`). What a file's content is:
`cx_intel.sources.files.content`; which columns are wanted: `cx_intel.warehouse.duckdb.files.columns`.
"""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from cx_intel.contracts.staging.reasons import told_of_row
from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import KEPT_OF_REJECT, Content, as_text, open_text, rejects_table
from cx_intel.sources.files.formats.json_documents import object_lines
from cx_intel.sources.files.limits import (
    LONGEST_CELL,
    MOST_NESTED,
    held,
    is_nested_too_deep,
    refuse_long_names,
    refuse_too_wide,
)
from cx_intel.sources.files.paths import SourceFile

BLOCK_ROWS, BLOCK_CHARACTERS, BLOCK_CELLS = 50_000, 1 << 24, 1 << 22
"""Rows, characters or cells after which a block is given."""


class _Number(str):
    """The spelling of a number that is no text in the file."""


_DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=lambda _: None)


def read_json_lines(file: SourceFile, source: FileSet) -> Content:
    """The content of a file of JSON lines, all at once."""
    blocks = list(held(json_blocks(file, source), file))
    raw_rows = pa.chunked_array([chunk for b in blocks if b.raw_rows for chunk in b.raw_rows.chunks], pa.string())
    table = pa.concat_tables([block.table for block in blocks], promote_options="default")
    return Content(blocks[-1].columns, table, pa.concat_tables([block.rejects for block in blocks]), raw_rows)


def json_blocks(file: SourceFile, source: FileSet) -> Iterator[Content]:
    """The content of a file of JSON lines, a block of rows after the other, with the columns that were met so far.

    The last one, which may have no row, has them all.
    """
    block = _Block(file, source, {})
    number = 0
    with open_text(file, source) as text:
        for line in (written.strip() for written in object_lines(file, text)):
            if not line:
                continue
            number += 1
            block.add(number, line)
            if block.is_full:
                yield block.content(is_part=True)
                block = _Block(file, source, block.names)
    if number == 0:
        raise SourceError(f"{file.path}: is empty; fetch it again.")
    yield block.content(is_part=False)


class _Block:
    """Rows of a file one after the other.

    Attributes:
        names: The columns met so far in the file, and the place of each.
    """

    def __init__(self, file: SourceFile, source: FileSet, names: dict[str, int]):
        self.file, self.source, self.names = file, source, names
        self._numbers: list[int] = []
        self._lines: list[str] = []
        self._rows: list[dict[str, Any]] = []
        self._rejects: list[tuple[str, int, str, str]] = []
        self._characters = 0

    @property
    def is_full(self) -> bool:
        rows = len(self._rows) + len(self._rejects)
        return rows >= BLOCK_ROWS or self._characters >= BLOCK_CHARACTERS or rows * len(self.names) >= BLOCK_CELLS

    def add(self, number: int, line: str) -> None:
        """A line of the file, which has that number."""
        self._characters += len(line)
        if len(line) > LONGEST_CELL:
            raise SourceError(
                f"{self.file.path}: row {number} has {len(line):,} characters, more than {LONGEST_CELL >> 20} MB. Write an "
                "object a line; if this is one, deliver it without what is so long."
            )
        try:
            if is_nested_too_deep(line):
                raise ValueError(f"nested in more than {MOST_NESTED} levels")
            row = _DECODER.decode(line)
            if not isinstance(row, dict):
                raise ValueError("not an object")
            json.dumps(row, ensure_ascii=False).encode() if "\\u" in line else None
        except (ValueError, RecursionError) as error:
            reason = told_of_row("no_json", error=str(error))
            self._rejects.append((self.file.name, number, reason, line[:KEPT_OF_REJECT]))
            return
        if not row.keys() <= self.names.keys():
            refuse_long_names(row, self.file)
            for name in row:
                self.names.setdefault(name, len(self.names))
            refuse_too_wide(len(self.names), self.file)
        self._numbers.append(number)
        self._lines.append(line)
        self._rows.append(row)

    def content(self, *, is_part: bool) -> Content:
        """What was added."""
        rows = self._rows
        columns: dict[str, pa.Array] = {
            f"c{n}": pa.array([as_text(row.get(name)) for row in rows], pa.string()) for name, n in self.names.items()
        }
        if self.source.has_local_spellings:
            columns |= {
                f"t{n}": pa.array([isinstance(row.get(name), _Number) for row in rows], pa.bool_())
                for name, n in self.names.items()
            }
        columns["row_number"] = pa.array(self._numbers, pa.int64())
        raw_rows = pa.chunked_array([pa.array(self._lines, pa.string())])
        return Content(tuple(self.names), pa.table(columns), rejects_table(self._rejects), raw_rows, is_part)
