"""Reads one file into text columns under the file's own names: CSV, JSON lines, Parquet.

Only what a format says belongs here: rows, cells, and rows that cannot be split into cells. Which of the
columns are wanted and what they are called is the matter of `cx_intel.sources.file_columns`. CSV is read by
Arrow, which numbers the rows it cannot split, keeps every cell as text, and knows every encoding that Python
does.
"""

import codecs
import csv
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from cx_intel.settings.sources import FilesSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.file_paths import SourceFile

BLOCK_BYTES, LARGEST_ROW_BYTES = 1 << 24, 1 << 28
"""Bytes read at once; a row that does not fit is tried again with the larger figure."""
KEPT_OF_REJECT = 1_000_000
"""Characters kept of a row that could not be split."""
BATCH_ROWS = 50_000

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
        table: Text columns `c0`, `c1` ... in that order, and `row_number`.
        rejects: The rows that could not be split, as `REJECTS`.
        raw_rows: The rows as they stood there, where the format has a text of its own.
    """

    columns: tuple[str, ...]
    table: pa.Table
    rejects: pa.Table
    raw_rows: pa.ChunkedArray | None = None


def read_file(file: SourceFile, source: FilesSource) -> Content:
    """The content of one file.

    Raises:
        SourceError: The file is empty, damaged, or not of the format or encoding stated.
    """
    read: dict[str, Callable[[SourceFile, FilesSource], Content]] = {
        "csv": _read_csv,
        "jsonl": _read_json_lines,
        "parquet": _read_parquet,
    }
    with _errors_named(file, source):
        return read[file.format](file, source)


@contextmanager
def _errors_named(file: SourceFile, source: FilesSource) -> Iterator[None]:
    """Turns what the readers raise into a SourceError that names the file and what to do."""
    try:
        yield
    except UnicodeError as error:
        raise SourceError(
            f"{file.path}: is not {source.encoding} text ({error}); state the `encoding` of the source of "
            f"{source.table}, for instance latin-1."
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(
            f"{file.path}: the gzip file is damaged or cut off ({error}); fetch it again."
        ) from error
    except (pa.ArrowException, OSError, csv.Error) as error:
        found = re.search(r"column #(\d+): Row #(\d+): .*invalid UTF8", str(error))
        if found:
            raise SourceError(
                f"{file.path}: row {int(found[2]) - 1}, column {int(found[1]) + 1} is not {source.encoding} text; state "
                f"the `encoding` of the source of {source.table}, for instance latin-1."
            ) from error
        damaged = (
            "the gzip file is damaged or cut off" if file.is_gzip else f"cannot be read as {file.format}"
        )
        raise SourceError(f"{file.path}: {damaged} ({_first_line(error)}); fetch it again.") from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]


def _open_text(file: SourceFile, source: FilesSource, newline: str | None = None) -> TextIO:
    encoding = "utf-8-sig" if _is_utf8(source) else source.encoding
    if file.is_gzip:
        return gzip.open(file.path, "rt", encoding=encoding, newline=newline)
    return open(file.path, encoding=encoding, newline=newline)


def _is_utf8(source: FilesSource) -> bool:
    return codecs.lookup(source.encoding).name in ("utf-8", "utf-8-sig", "ascii")


# CSV --------------------------------------------------------------------------------------------------------------


def _read_csv(file: SourceFile, source: FilesSource) -> Content:
    names, has_rows = _header(file, source)
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
                f"{file.path}: a row is longer than {LARGEST_ROW_BYTES >> 20} MB, or a quote is never closed; mend it "
                f"at the source."
            ) from again
    return _numbered(names, table, faulty, file)


def _header(file: SourceFile, source: FilesSource) -> tuple[tuple[str, ...], bool]:
    """The names in the first row, and whether anything follows."""
    dialect: dict[str, Any] = {"delimiter": source.delimiter}
    dialect |= {"quotechar": source.quote} if source.quote else {"quoting": csv.QUOTE_NONE}
    with _open_text(file, source) as text:
        rows = csv.reader((line.replace("\0", "") for line in text), **dialect)
        names = next((row for row in rows if row), None)
        if names is None:
            raise SourceError(f"{file.path}: is empty, without even a header row; fetch it again.")
        has_rows = any(line.strip("\r\n") for line in text)
    return tuple(name.strip() for name in names), has_rows


def _parse_csv(
    file: SourceFile, source: FilesSource, fields: list[str], block: int
) -> tuple[pa.Table, list[pa_csv.InvalidRow]]:
    faulty: list[pa_csv.InvalidRow] = []

    def keep_aside(row: pa_csv.InvalidRow) -> str:
        faulty.append(row)
        return "skip"

    encoding = "utf8" if _is_utf8(source) else source.encoding
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


def _numbered(
    names: tuple[str, ...], table: pa.Table, faulty: list[pa_csv.InvalidRow], file: SourceFile
) -> Content:
    """Adds the row numbers: the data rows in order, without the faulty ones."""
    taken = {row.number - 1 for row in faulty}
    numbers = (n for n in range(1, table.num_rows + len(taken) + 1) if n not in taken)
    counted = range(1, table.num_rows + 1) if not taken else numbers
    table = table.append_column("row_number", pa.array(counted, pa.int64()))
    rejects = [(file.name, row.number - 1, _fault(row), row.text[:KEPT_OF_REJECT]) for row in faulty]
    return Content(names, table, _rejects(rejects))


def _fault(row: pa_csv.InvalidRow) -> str:
    fault = f"has {row.actual_columns} columns where the header has {row.expected_columns}"
    lines = row.text.count("\n")
    return f"{fault}; it spans {lines + 1} lines, so a quote may not be closed" if lines > 1 else fault


def _rejects(rows: list[tuple[str, int, str, str]]) -> pa.Table:
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[], [], [], []], schema=REJECTS)


# JSON lines -------------------------------------------------------------------------------------------------------


def _read_json_lines(file: SourceFile, source: FilesSource) -> Content:
    names: dict[str, int] = {}
    batches: list[pa.Table] = []
    rejects: list[tuple[str, int, str, str]] = []
    rows: list[tuple[int, str, dict[str, Any]]] = []
    number = 0
    with _open_text(file, source) as text:
        for line in text:
            line = line.strip()
            if not line:
                continue
            number += 1
            try:
                row = json.loads(line, parse_int=str, parse_float=str, parse_constant=lambda _: None)
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
                batches.append(_text_batch(rows, names))
                rows = []
    if number == 0:
        raise SourceError(f"{file.path}: is empty; fetch it again.")
    batches.append(_text_batch(rows, names))
    table = pa.concat_tables(batches, promote_options="default")
    raw_rows = table["raw"]
    table = table.select([*(f"c{n}" for n in range(len(names))), "row_number"])
    return Content(tuple(names), table, _rejects(rejects), raw_rows)


def _text_batch(rows: list[tuple[int, str, dict[str, Any]]], names: dict[str, int]) -> pa.Table:
    columns: dict[str, pa.Array] = {
        f"c{n}": pa.array([_as_text(row.get(name)) for _, _, row in rows], pa.string())
        for name, n in names.items()
    }
    columns["row_number"] = pa.array([number for number, _, _ in rows], pa.int64())
    columns["raw"] = pa.array([line for _, line, _ in rows], pa.string())
    return pa.table(columns)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, default=str)


# Parquet ----------------------------------------------------------------------------------------------------------


def _read_parquet(file: SourceFile, source: FilesSource) -> Content:
    typed = pq.read_table(file.path)
    columns = {f"c{n}": _column_as_text(typed.column(n)) for n in range(typed.num_columns)}
    table = pa.table({**columns, "row_number": pa.array(range(1, typed.num_rows + 1), pa.int64())})
    return Content(tuple(name.strip() for name in typed.column_names), table, _rejects([]))


def _column_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as text: times in ISO form, in UTC with a Z where they have a zone; NaN is missing."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_duration(kind):
        return pa.chunked_array([pa.array([_as_text(v) for v in column.to_pylist()], pa.string())])
    if pa.types.is_timestamp(kind):
        naive = (
            column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.timestamp("us")).cast(pa.string())
        )
        return naive if kind.tz is None else pc.binary_join_element_wise(naive, "Z", "")
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(pa.string())
