"""Reads one CSV file into text columns.

Arrow reads it: it numbers the rows that it cannot split, keeps every cell as text, and knows every encoding
that Python does. What a file's content is: `cx_intel.sources.files.content`; which columns are wanted:
`cx_intel.warehouse.duckdb.files.columns`.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from cx_intel.contracts.staging.reasons import told_of_row
from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import KEPT_OF_REJECT, Content, is_utf8, open_bytes, open_text, rejects_table
from cx_intel.sources.files.limits import held, refuse_long_cells, refuse_long_names, refuse_too_wide
from cx_intel.sources.files.paths import SourceFile

BLOCK_BYTES, LARGEST_ROW_BYTES = 1 << 24, 1 << 28
"""Bytes read at once; a row that does not fit is tried again with the larger figure."""
_ESCAPED = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that are no text."""
ENDING = 8
"""Characters by which a cell that ends with its file is known: a quoted cell ends before its quote."""
LINE_BREAK = ord("\n")
LEAST_COLUMNS = 4
"""Below so many columns, text of several lines may well have as many delimiters as lines of the file would."""


def read_csv(file: SourceFile, source: FileSet) -> Content:
    """The content of a CSV file, all at once."""
    blocks = list(held(csv_blocks(file, source), file))
    table = pa.concat_tables([block.table for block in blocks])
    return Content(blocks[0].columns, table, pa.concat_tables([block.rejects for block in blocks]))


def csv_blocks(file: SourceFile, source: FileSet) -> Iterator[Content]:
    """The content of a CSV file, a block of rows after the other; at least one, and no more in memory than that."""
    names, has_rows = _header(file, source)
    _refuse_other_encodings(file, source)
    reading = _Reading(names, file, source)
    if not has_rows:
        yield reading.empty()
        return
    try:
        yield from reading.blocks(BLOCK_BYTES)
    except pa.ArrowInvalid as error:
        if "straddling" not in str(error):
            raise
        try:
            yield from reading.blocks(LARGEST_ROW_BYTES)
        except pa.ArrowInvalid as again:
            if "straddling" not in str(again):
                raise
            raise SourceError(
                f"{file.path}: a row is over {LARGEST_ROW_BYTES >> 20} MB long, or a quote never closed; "
                f"mend it at the source."
            ) from again


def _header(file: SourceFile, source: FileSet) -> tuple[tuple[str, ...], bool]:
    """The names in the first row, and whether anything follows."""
    with open_text(file, source, errors="replace") as text:  # bytes that are no text are found later, with their row
        lines = islice(iter(lambda: text.readline(LARGEST_ROW_BYTES), ""), _lines_above(source), None)
        rows = csv.reader((line.replace("\0", "") for line in lines), **dialect(source))
        try:
            names = next((row for row in rows if row), None)
        except csv.Error as error:
            raise SourceError(
                f"{file.path}: its header cannot be split ({error}). Either a quote in it is never closed, or the file is "
                "of another format."
            ) from error
        if names is None:
            above = f" in or below line {source.header_row}" if source.header_row else ""
            raise SourceError(f"{file.path}: is empty, without even a header row{above}; fetch it again.")
        refuse_too_wide(len(names), file)
        refuse_long_names(names, file)
        has_rows = any(line.strip("\r\n") for line in lines)
    return tuple(name.strip() for name in names), has_rows


def first_lines(file: SourceFile, source: FileSet, count: int) -> list[list[str]]:
    """The cells of the first lines as they stand there, whatever names the columns; an empty line has none."""
    with open_text(file, source, errors="replace") as text, suppress(csv.Error):
        lines = (text.readline(LARGEST_ROW_BYTES).replace("\0", "") for _ in range(count))
        return [next(csv.reader([line], **dialect(source)), []) for line in lines]
    return []


def _lines_above(source: FileSet) -> int:
    """The lines of a title."""
    return (source.header_row or 1) - 1


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
        below = islice(text, _lines_above(source), None)
        rows = csv.reader((line.replace("\0", "") for line in below), **dialect(source))
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


@contextmanager
def _stream(file: SourceFile) -> Iterator[Any]:
    """The bytes of a file as Arrow reads them."""
    if not file.is_gzip:
        with pa.input_stream(str(file.path), compression=None) as stream:
            yield stream
        return
    with open_bytes(file) as unpacked:
        yield pa.PythonFile(unpacked, mode="r")


class _Reading:
    """One reading of a file in blocks; begun anew with larger ones, it goes on after the rows that were given already."""

    def __init__(self, names: tuple[str, ...], file: SourceFile, source: FileSet):
        self.names, self.file, self.source = names, file, source
        self.fields = [f"c{n}" for n in range(len(names))]
        self._above = _lines_above(source) + 1
        self._rows = self._rejects = 0

    def empty(self) -> Content:
        """The columns without a row."""
        return self._content(pa.table({field: pa.array([], pa.string()) for field in self.fields}), range(0), [])

    def blocks(self, size: int) -> Iterator[Content]:
        """The rows that were not given yet, in blocks of so many bytes, each row with its number in the file."""
        faulty: list[pa_csv.InvalidRow] = []
        taken: set[int] = set()
        rows = number = 0
        last = ""
        with _stream(self.file) as stream:
            for batch in self._reader(stream, size, faulty):
                taken.update(row.number - self._above for row in faulty[len(taken) :])
                numbers = _numbers(number, batch.num_rows, taken)
                number, rows = numbers[-1] if len(numbers) else number, rows + batch.num_rows
                wanted = min(batch.num_rows, max(0, rows - self._rows))
                if wanted:
                    table = pa.Table.from_batches([batch.slice(batch.num_rows - wanted)])
                    self._rows, last = rows, table.column(-1)[-1].as_py()
                    yield self._content(table, numbers[len(numbers) - wanted :], faulty)
        if not self._rows or len(faulty) > self._rejects:
            yield self._content(self.empty().table.drop_columns(["row_number"]), range(0), faulty)
        if faulty and faulty[-1].text.count(self.source.quote or "\0") % 2:
            last = faulty[-1].text if taken and max(taken) > number else last
        self._refuse_open_quote(last, max(number, *taken, 0))

    def _refuse_open_quote(self, last: str, row: int) -> None:
        """Raises SourceError where the file ends within a quoted cell: all lines after the quote were taken for one cell."""
        last = last.replace("\r\n", "\n").rstrip("\n")
        swallowed = last.count("\n")
        if not swallowed or not self.source.quote:
            return
        ending = ""
        with open_text(self.file, self.source, errors="replace") as text:
            while block := text.read(BLOCK_BYTES):
                ending = (ending + block)[-BLOCK_BYTES:]
        if ending.rstrip("\n").endswith(last[-ENDING:]):
            raise SourceError(
                f"{self.file.path}: a quote in row {row} is never closed, so that {swallowed:,} lines after it "
                "are one cell. Mend it at the source, or fetch the file again where it was cut off."
            )

    def _reader(self, stream: Any, size: int, faulty: list[pa_csv.InvalidRow]) -> Any:
        def keep_aside(row: pa_csv.InvalidRow) -> str:
            faulty.append(row)
            return "skip"

        return pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(
                use_threads=False,  # only then are faulty rows numbered
                block_size=size,
                column_names=self.fields,
                skip_rows=_lines_above(self.source),
                skip_rows_after_names=1,
                encoding="utf8" if is_utf8(self.source) else self.source.encoding,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.source.delimiter,
                quote_char=self.source.quote or False,
                newlines_in_values=bool(self.source.quote),
                invalid_row_handler=keep_aside,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={field: pa.string() for field in self.fields}, strings_can_be_null=False
            ),
        )

    def _content(self, table: pa.Table, numbers: Sequence[int], faulty: Sequence[pa_csv.InvalidRow]) -> Content:
        given = np.arange(numbers.start, numbers.stop) if isinstance(numbers, range) else numbers
        table = table.append_column("row_number", pa.array(given, pa.int64()))
        refuse_long_cells(table, self.names, self.file)
        told = [
            (self.file.name, r.number - self._above, _fault(r), r.text[:KEPT_OF_REJECT])
            for r in faulty[self._rejects :]
        ]
        self._rejects += len(told)
        if reasons := self._swallowing(table):
            mark = self.source.delimiter
            for place, reason in reasons.items():
                text = mark.join(table.column(field)[place].as_py() for field in self.fields)
                told.append((self.file.name, numbers[place], reason, text[:KEPT_OF_REJECT]))
            table = table.filter(pa.array(place not in reasons for place in range(table.num_rows)))
        return Content(self.names, table, rejects_table(told))

    def _swallowing(self, table: pa.Table) -> dict[int, str]:
        """The rows, by their place, in which a quote that was not meant as one took further lines into a cell; and why."""
        if not self.source.quote or len(self.names) < LEAST_COLUMNS:
            return {}
        found = {}
        for column, field in enumerate(self.fields):
            cells = table.column(field)
            if not _has_line_break(cells):
                continue
            for place in pc.indices_nonzero(pc.match_substring(cells, "\n")).to_pylist():
                if lines := _lines_taken(cells[place].as_py(), column, len(self.names), self.source.delimiter):
                    found[place] = told_of_row("swallowed_rows", column=self.names[column], lines=lines)
        return found


def _has_line_break(cells: pa.ChunkedArray) -> bool:
    """Whether a line break stands in the bytes of the cells, or of those beside them in memory."""
    texts = (chunk.buffers()[2] for chunk in cells.chunks)
    return any(text is not None and (np.frombuffer(text, np.uint8) == LINE_BREAK).any() for text in texts)


def _numbers(after: int, count: int, taken: set[int]) -> Sequence[int]:
    """The numbers of so many rows after a row, without those of faulty ones."""
    if not taken or max(taken) <= after:
        return range(after + 1, after + count + 1)
    free = (number for number in range(after + 1, after + count + len(taken) + 1) if number not in taken)
    return [number for number, _ in zip(free, range(count), strict=False)]


def _lines_taken(cell: str, column: int, width: int, delimiter: str) -> int:
    """How many further lines of the file a cell took in: it has the rest of its own line, whole ones, and a beginning.

    Prose may have as many delimiters by chance, but with a blank after one of them.
    """
    first, *further = (line.count(delimiter) for line in cell.split("\n"))
    expected = [*[width - 1] * (len(further) - 1), column]
    is_taken = first == width - 1 - column and further == expected and f"{delimiter} " not in cell
    return len(further) if is_taken else 0


def _fault(row: pa_csv.InvalidRow) -> str:
    lines, counted = row.text.count("\n"), {"columns": row.actual_columns, "header": row.expected_columns}
    if lines > 1:
        return told_of_row("unclosed_quote", **counted, lines=lines + 1)
    return told_of_row("other_columns", **counted)
