"""Reads one CSV file into text columns.

Arrow reads it: it numbers the rows that it cannot split, keeps every cell as text, and knows every encoding
that Python does. What a file's content is: `content.py`; which columns are wanted: `columns.py`.
"""

import csv
import re
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import KEPT_OF_REJECT, Content, is_utf8, open_text, rejects_table
from cx_intel.sources.files.paths import SourceFile

BLOCK_BYTES, LARGEST_ROW_BYTES = 1 << 24, 1 << 28
"""Bytes read at once; a row that does not fit is tried again with the larger figure."""
_ESCAPED = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that are no text."""


def read_csv(file: SourceFile, source: FileSet) -> Content:
    """The content of a CSV file."""
    names, has_rows = _header(file, source)
    _refuse_other_encodings(file, source)
    fields = [f"c{n}" for n in range(len(names))]
    if not has_rows:
        return _numbered(names, pa.table({f: pa.array([], pa.string()) for f in fields}), [], file)
    try:
        table, faulty = _parse_csv(file, source, fields, BLOCK_BYTES)
    except pa.ArrowInvalid as error:
        if "straddling" not in str(error):
            raise
        try:
            table, faulty = _parse_csv(file, source, fields, LARGEST_ROW_BYTES)
        except pa.ArrowInvalid as again:
            if "straddling" not in str(again):
                raise
            raise SourceError(
                f"{file.path}: a row is over {LARGEST_ROW_BYTES >> 20} MB long, or a quote never closed; "
                f"mend it at the source."
            ) from again
    return _numbered(names, table, faulty, file)


def _header(file: SourceFile, source: FileSet) -> tuple[tuple[str, ...], bool]:
    """The names in the first row, and whether anything follows."""
    with open_text(file, source, errors="replace") as text:  # bytes that are no text are found later, with their row
        rows = csv.reader((line.replace("\0", "") for line in text), **dialect(source))
        names = next((row for row in rows if row), None)
        if names is None:
            raise SourceError(f"{file.path}: is empty, without even a header row; fetch it again.")
        has_rows = any(line.strip("\r\n") for line in text)
    return tuple(name.strip() for name in names), has_rows


def dialect(source: FileSet) -> dict[str, Any]:
    """How Python's csv module is to split the source's text."""
    quoting: dict[str, Any] = {"quotechar": source.quote} if source.quote else {"quoting": csv.QUOTE_NONE}
    return {"delimiter": source.delimiter} | quoting


def _refuse_other_encodings(file: SourceFile, source: FileSet) -> None:
    """Names row and column of the first bytes that are no UTF-8; Arrow cannot where they stand in a faulty row.

    Other encodings are read by Python, which finds such bytes by itself.
    """
    if not is_utf8(source) or _is_text(file, source):
        return
    place = ""
    with open_text(file, source, errors="surrogateescape") as text, suppress(csv.Error):
        rows = csv.reader((line.replace("\0", "") for line in text), **dialect(source))
        found = (
            (number, column)
            for number, row in enumerate(row for row in rows if row)
            for column, cell in enumerate(row, 1)
            if not cell.isascii() and _ESCAPED.search(cell)
        )
        if first := next(found, None):
            place = f"row {first[0]}, column {first[1]} " if first[0] else f"the header, column {first[1]} "
    raise SourceError(
        f"{file.path}: {place}is not {source.encoding} text; state the `encoding` of {file.of}, for instance latin-1."
    )


def _is_text(file: SourceFile, source: FileSet) -> bool:
    try:
        with open_text(file, source) as text:
            while text.read(BLOCK_BYTES):
                pass
    except UnicodeError:
        return False
    return True


def _parse_csv(
    file: SourceFile, source: FileSet, fields: list[str], block: int
) -> tuple[pa.Table, list[pa_csv.InvalidRow]]:
    faulty: list[pa_csv.InvalidRow] = []

    def keep_aside(row: pa_csv.InvalidRow) -> str:
        faulty.append(row)
        return "skip"

    encoding = "utf8" if is_utf8(source) else source.encoding
    with pa.input_stream(str(file.path), compression="gzip" if file.is_gzip else None) as stream:
        table = pa_csv.read_csv(
            stream,
            read_options=pa_csv.ReadOptions(
                use_threads=False,  # only then are faulty rows numbered
                block_size=block,
                column_names=fields,
                skip_rows_after_names=1,
                encoding=encoding,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=source.delimiter,
                quote_char=source.quote or False,
                newlines_in_values=bool(source.quote),
                invalid_row_handler=keep_aside,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={field: pa.string() for field in fields}, strings_can_be_null=False
            ),
        )
    return table, faulty


def _numbered(names: tuple[str, ...], table: pa.Table, faulty: list[pa_csv.InvalidRow], file: SourceFile) -> Content:
    """Adds the row numbers: the data rows in order, without the faulty ones."""
    taken = {row.number - 1 for row in faulty}
    numbers = (n for n in range(1, table.num_rows + len(taken) + 1) if n not in taken)
    counted = range(1, table.num_rows + 1) if not taken else numbers
    table = table.append_column("row_number", pa.array(counted, pa.int64()))
    rejects = [(file.name, row.number - 1, _fault(row), row.text[:KEPT_OF_REJECT]) for row in faulty]
    return Content(names, table, rejects_table(rejects))


def _fault(row: pa_csv.InvalidRow) -> str:
    fault = f"has {row.actual_columns} columns where the header has {row.expected_columns}"
    lines = row.text.count("\n")
    return f"{fault}; it spans {lines + 1} lines, so a quote may not be closed" if lines > 1 else fault
