"""Reads one sheet of an Excel file (.xlsx) into text columns, row after row: days in ISO form, numbers as they are written.

What a file's content is: `cx_intel.sources.files.content`; which columns are wanted:
`cx_intel.warehouse.duckdb.files.columns`.
"""

import re
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

import pyarrow as pa

from cx_intel.contracts.staging.reasons import told_of_row
from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import EXACT, Content, rejects_table
from cx_intel.sources.files.limits import refuse_expanding_zip, refuse_long_names, refuse_too_wide
from cx_intel.sources.files.paths import SourceFile

BATCH_ROWS = 20_000
MOST_ROWS = 1 << 20
DAMAGE = (
    BadZipFile,
    ParseError,
    EOFError,
    zlib.error,
    LookupError,
    ValueError,
    ArithmeticError,
    TypeError,
    AttributeError,
    RuntimeError,  # a part that is encrypted, or packed as no workbook is
)
"""What the parts that read a workbook raise where it is damaged."""
SCANNED_AT_ONCE, LONGEST_FORMULA = 1 << 20, 1 << 16
"""Bytes of a sheet, and of a cell with a formula."""
_FORMULA = rb"<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*"
_CALCULATED = re.compile(_FORMULA + rb"<v>[^<]")
_UNCALCULATED = re.compile(rb'<c\b(?![^>]*\bt="str")[^>]*>\s*' + _FORMULA + rb"(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
"""A cell that a program wrote: Excel says of a formula that gave no text that it is one."""


def read_excel(file: SourceFile, source: FileSet) -> Content:
    """The content of a sheet: its first row with text names the columns; a row is numbered by its place below that.

    A value in a column without a name makes a row a reject; what formulas gave when the file was saved counts.
    Where a program wrote formulas that nobody calculated, the cell is the formula, so that no figure is without it in silence.
    """
    with _damage_named(file.path), _rows(file, source) as rows:
        names = _header(islice(rows, (source.header_row or 1) - 1, None), file)
        refuse_too_wide(len(names), file)
        refuse_long_names(names, file)
        batches: list[pa.Table] = []
        rejects: list[tuple[str, int, str, str]] = []
        kept: list[tuple[int, tuple[Any, ...]]] = []
        for number, row in enumerate(rows, 1):
            refuse_too_wide(len(row), file)
            if number > MOST_ROWS:
                raise SourceError(
                    f"{file.path}: states rows beyond {MOST_ROWS:,}, which no workbook has; save it again."
                )
            if beyond := [n for n, value in enumerate(row[len(names) :], len(names) + 1) if value is not None]:
                reason = told_of_row("nameless_column", column=beyond[0])
                rejects.append((file.name, number, reason, str([_text(value) for value in row])))
            elif any(value is not None for value in row):
                kept.append((number, (*row, *[None] * (len(names) - len(row)))[: len(names)]))
            if len(kept) == BATCH_ROWS:
                batches.append(_batch(kept, len(names), source))
                kept = []
        batches.append(_batch(kept, len(names), source))
    return Content(names, pa.concat_tables(batches), rejects_table(rejects))


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise SourceError(f"{path}: cannot be read as xlsx ({error}); save it as an Excel workbook again.") from error


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook, as they are ordered in it. Raises SourceError where it cannot be read."""
    with _damage_named(path), _book(path) as book:
        return [sheet.title for sheet in book.worksheets]


def first_rows(file: SourceFile, source: FileSet, count: int) -> list[list[str]]:
    """The first rows of a sheet as they stand there, as text, whatever names the columns. Raises SourceError."""
    with _damage_named(file.path), _rows(file, source) as rows:
        return [[_text(value) or "" for value in row] for row in islice(rows, count)]


@contextmanager
def _rows(file: SourceFile, source: FileSet) -> Iterator[Iterator[tuple[Any, ...]]]:
    with _book(file.path) as book:
        names = [sheet.title for sheet in book.worksheets]
        if source.sheet is not None and source.sheet not in names:
            raise SourceError(
                f"{file.path}: has no sheet {source.sheet!r}, which {file.of} reads; there are {', '.join(names)}."
            )
        sheet = book[source.sheet] if source.sheet is not None else book.worksheets[0]
        sheet.reset_dimensions()  # some programs state them wrongly
        yield iter(sheet.iter_rows(values_only=True))


@contextmanager
def _book(path: Path) -> Iterator[Any]:
    """The workbook, open for reading."""
    from openpyxl import load_workbook  # a fifth of a second, so only where it is needed

    refuse_expanding_zip(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that do not matter here
        book = load_workbook(path, read_only=True, data_only=not _is_uncalculated(path))
        try:
            yield book
        finally:
            book.close()


def _is_uncalculated(path: Path) -> bool:
    """Whether a workbook has formulas and not one of them a value: no program that calculates has saved it."""
    found = False
    with ZipFile(path) as packed:
        for name in packed.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            with packed.open(name) as sheet:
                before = b""
                while block := sheet.read(SCANNED_AT_ONCE):
                    text = before + block
                    if _CALCULATED.search(text):
                        return False
                    found = found or bool(_UNCALCULATED.search(text))
                    before = text[-LONGEST_FORMULA:]
    return found


def _header(rows: Iterable[tuple[Any, ...]], file: SourceFile) -> tuple[str, ...]:
    """The names in the first row that has any, without empty ones at its end."""
    for row in rows:
        names = [(_text(value) or "").strip() for value in row]
        while names and not names[-1]:
            names.pop()
        if names:
            return tuple(names)
    raise SourceError(f"{file.path}: is empty, without even a header row; fetch it again.")


def _batch(rows: list[tuple[int, tuple[Any, ...]]], width: int, source: FileSet) -> pa.Table:
    columns = {f"c{n}": pa.array([_text(row[n]) for _, row in rows], pa.string()) for n in range(width)}
    if source.has_local_spellings:
        typed = {f"t{n}": [row[n] is not None and not isinstance(row[n], str) for _, row in rows] for n in range(width)}
        columns |= {name: pa.array(cells, pa.bool_()) for name, cells in typed.items()}
    return pa.table({**columns, "row_number": pa.array([number for number, _ in rows], pa.int64())})


def _text(value: Any) -> str | None:
    """A cell as text: a day without a time as its date, whole numbers without a point."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return str(int(value))
    if hasattr(value, "ref"):  # a formula over several cells
        return getattr(value, "text", None) or "="
    return repr(value) if isinstance(value, int | float) else str(value)
