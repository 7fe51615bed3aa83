"""Reads one file of JSON lines, an object each, into text columns: numbers as they are spelled, lists as JSON.

A line that is no object is a reject; a `.json` file may be one document (`json_documents.py`). What a file's content is:
`content.py`; which columns are wanted: `columns.py`.
"""

import json
from typing import Any

import pyarrow as pa

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import KEPT_OF_REJECT, Content, as_text, open_text, rejects_table
from cx_intel.sources.files.json_documents import object_lines
from cx_intel.sources.files.paths import SourceFile

BATCH_ROWS = 50_000


class _Number(str):
    """The spelling of a number that is no text in the file."""


def read_json_lines(file: SourceFile, source: FileSet) -> Content:
    """The content of a file of JSON lines."""
    names: dict[str, int] = {}
    batches: list[pa.Table] = []
    rejects: list[tuple[str, int, str, str]] = []
    rows: list[tuple[int, str, dict[str, Any]]] = []
    number = 0
    with open_text(file, source) as text:
        for line in (written.strip() for written in object_lines(file, text)):
            if not line:
                continue
            number += 1
            try:
                row = json.loads(line, parse_int=_Number, parse_float=_Number, parse_constant=lambda _: None)
                if not isinstance(row, dict):
                    raise ValueError("not an object")
                json.dumps(row, ensure_ascii=False).encode() if "\\u" in line else None
            except (ValueError, RecursionError) as error:
                rejects.append((file.name, number, f"is no JSON object ({error})", line[:KEPT_OF_REJECT]))
                continue
            for name in row:
                names.setdefault(name, len(names))
            rows.append((number, line, row))
            if len(rows) == BATCH_ROWS:
                batches.append(_text_batch(rows, names, source))
                rows = []
    if number == 0:
        raise SourceError(f"{file.path}: is empty; fetch it again.")
    batches.append(_text_batch(rows, names, source))
    table = pa.concat_tables(batches, promote_options="default")
    raw_rows = table["raw"]
    table = table.drop_columns(["raw"])
    return Content(tuple(names), table, rejects_table(rejects), raw_rows)


def _text_batch(rows: list[tuple[int, str, dict[str, Any]]], names: dict[str, int], source: FileSet) -> pa.Table:
    columns: dict[str, pa.Array] = {
        f"c{n}": pa.array([as_text(row.get(name)) for _, _, row in rows], pa.string()) for name, n in names.items()
    }
    if source.has_local_spellings:
        columns |= {
            f"t{n}": pa.array([isinstance(row.get(name), _Number) for _, _, row in rows], pa.bool_())
            for name, n in names.items()
        }
    columns["row_number"] = pa.array([number for number, _, _ in rows], pa.int64())
    columns["raw"] = pa.array([line for _, line, _ in rows], pa.string())
    return pa.table(columns)
