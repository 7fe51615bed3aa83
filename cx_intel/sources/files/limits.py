"""What a file may be: how wide, how long a cell, how deeply nested, how much it unpacks to. What is beyond is refused.

No true export comes near these limits; what does would exhaust the memory of the process, or is damaged in a way that
swallows rows. How files are opened is in `content.py`; the readers of the formats are in `formats`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
import pyarrow.compute as pc

from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.paths import SourceFile

MOST_COLUMNS = 10_000
LONGEST_CELL = 1 << 26
"""Bytes of one cell."""
LONGEST_NAME = 10_000
"""Characters of a column's name."""
LARGEST_AT_ONCE = 4 << 30
"""Bytes of the text of one file that is held whole."""
LARGEST_DOCUMENT = 500_000_000
"""Characters of a JSON file that is one document."""
MOST_NESTED = 200
"""Levels of lists and objects within a JSON object."""
MOST_NESTED_CELL = 50_000
"""Levels within a cell that a query may read as JSON: some functions of DuckDB end the process far above that."""
MOST_EXPANDED, EXPANSION_FROM = 200, 1 << 28
"""How many times its size a compressed file may unpack to, once that is more than so many bytes."""
_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def refuse_too_wide(columns: int, file: SourceFile) -> None:
    """Raises SourceError for a file of more columns than any export has: no reader could hold its rows."""
    if columns > MOST_COLUMNS:
        raise SourceError(
            f"{file.path}: has {columns:,} columns, more than {MOST_COLUMNS:,}. If they are rows, the file lacks line "
            "breaks; if names of columns are data, such as ids or days, put them into a column; else deliver only the "
            "columns that are read."
        )


def refuse_long_names(names: Iterable[str], file: SourceFile) -> None:
    """Raises SourceError for a name of a column that is none."""
    for place, name in enumerate(names, 1):
        if len(name) > LONGEST_NAME:
            raise SourceError(
                f"{file.path}: the name of column {place} has {len(name):,} characters, more than {LONGEST_NAME:,}: "
                f"{name[:40]!r} ... Either a quote in the header is never closed, or the file is of another format."
            )


def refuse_long_cells(table: pa.Table, names: tuple[str, ...], file: SourceFile) -> None:
    """Raises SourceError for a cell longer than any true one; the table is as in `Content`."""
    for place, name in enumerate(names):
        column = table.column(place)
        if column.nbytes <= LONGEST_CELL:
            continue
        lengths = pc.binary_length(column)
        if (longest := pc.max(lengths).as_py() or 0) > LONGEST_CELL:
            row = table["row_number"][pc.index(lengths, longest).as_py()].as_py()
            raise SourceError(
                f"{file.path}: row {row}, column {name!r} is {longest:,} bytes long, more than {LONGEST_CELL >> 20} MB. "
                "Either a quote is never closed there, or deliver the file without that column."
            )


def held(blocks: Iterable[Any], file: SourceFile) -> Iterator[Any]:
    """The blocks of a file that is to be held whole. Raises SourceError once they are more than may be held."""
    size = rows = 0
    for block in blocks:
        size, rows = size + block.table.nbytes, rows + block.table.num_rows
        if max(size, rows * len(block.columns) * 4) > LARGEST_AT_ONCE:
            raise SourceError(
                f"{file.path}: holds over {LARGEST_AT_ONCE >> 30} GB of text, more than one file may that is read "
                "whole. Split it into several files, or deliver only the columns that are read."
            )
        yield block


def is_nested_too_deep(text: str, most: int = MOST_NESTED) -> bool:
    """Whether lists and objects stand within each other in more levels than that."""
    if text.count("{") + text.count("[") <= most:
        return False
    depth = 0
    for sign in _SIGNS.finditer(text):
        found = sign[0]
        if found in "[{":
            depth += 1
            if depth > most:
                return True
        elif found in "]}":
            depth -= 1
    return False


def refuse_deep_cells(table: pa.Table, file: SourceFile) -> None:
    """Raises SourceError for a cell that is JSON of more levels than may be handed to a query; all columns are text."""
    for name in table.column_names:
        column = table[name]
        if column.nbytes <= MOST_NESTED_CELL or not pa.types.is_string(column.type):
            continue
        is_long = pc.greater(pc.binary_length(column), MOST_NESTED_CELL)
        if any(is_nested_too_deep(text, MOST_NESTED_CELL) for text in column.filter(is_long).to_pylist()):
            raise SourceError(
                f"{file.path}: a cell of {name!r} is JSON of more than {MOST_NESTED_CELL:,} levels; mend it at the source."
            )


def refuse_expansion(unpacked: int, packed: int, path: object) -> None:
    """Raises SourceError for a compressed file that unpacks to far more than true data do."""
    if unpacked > EXPANSION_FROM and unpacked > MOST_EXPANDED * packed:
        raise SourceError(
            f"{path}: its {packed:,} bytes unpack to more than {MOST_EXPANDED} times as much, which no true export does. "
            "Fetch it again; if it is right, deliver it unpacked."
        )


def refuse_expanding_zip(path: Any) -> None:
    """Raises SourceError for a workbook whose parts unpack to far more than true ones; damage is told by its reader."""
    try:
        with ZipFile(path) as packed:
            refuse_expansion(sum(part.file_size for part in packed.infolist()), path.stat().st_size, path)
    except (BadZipFile, ValueError, NotImplementedError):
        return
