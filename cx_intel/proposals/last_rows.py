"""The last rows of a file: exports grow at their end, so that these tell its newest day, which the first rows do not.

Only of formats whose end can be read without all that stands before it; of others the first rows have to do. What is
looked at otherwise is in `folders.py`.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cx_intel.sources.files.paths import format_by_ending

LAST_BYTES = 1 << 16
LAST_ROWS = 1000


def last_rows(path: Path, layout: Mapping[str, Any], columns: Sequence[str]) -> list[dict[str, str | None]]:
    """The last rows as text by column; none of compressed text and of formats that are read from the beginning.

    Args:
        path: The file.
        layout: Its delimiter and encoding, where they are not a comma and UTF-8.
        columns: The names of its columns.

    Raises:
        OSError: The file cannot be read.
        ArrowException: It is no Parquet.
    """
    form = format_by_ending(path)
    if form == "parquet" and path.suffix.lower() != ".gz":
        return _of_parquet(path)
    if form != "csv" or path.suffix.lower() == ".gz" or layout.get("encoding") == "utf-16":
        return []
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - LAST_BYTES))
        text = file.read().decode(layout.get("encoding", "utf-8"), errors="replace")
    lines = text.splitlines()[1:]  # the first one is the header, or cut
    rows = csv.reader(lines, delimiter=layout.get("delimiter", ","))
    return [dict(zip(columns, row, strict=True)) for row in rows if len(row) == len(columns)]


def _of_parquet(path: Path) -> list[dict[str, str | None]]:
    with pq.ParquetFile(path) as file:
        if not file.num_row_groups:
            return []
        last = file.read_row_group(file.num_row_groups - 1)
    rows = last.slice(max(0, last.num_rows - LAST_ROWS)).to_pylist()
    return [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]
