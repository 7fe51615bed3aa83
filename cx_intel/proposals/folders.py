"""Which files lie in a folder, which of them belong together, and what their first rows hold.

What a file is about is proposed in `tables.py` and `presets.py`; files are read by `cx_intel.sources.files`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from cx_intel.proposals.last_rows import last_rows
from cx_intel.proposals.words.names import plain
from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import Content, open_text
from cx_intel.sources.files.formats.by_format import read_file
from cx_intel.sources.files.formats.csv import first_lines
from cx_intel.sources.files.formats.excel import first_rows, sheet_names
from cx_intel.sources.files.heads import cut, name_of_head
from cx_intel.sources.files.paths import SourceFile, format_by_ending

SAMPLE_ROWS = 1000
DEEPEST = 4
"""Folders below the one looked at."""
TITLE_ROWS = 15
"""Rows at the top of a file among which the names of the columns are sought."""
HEADER_SHARE = 0.6
"""Of the cells of the widest of them, the share that the names of the columns have at least."""
ENCODING_BYTES = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_DIGITS = re.compile(r"\d[\d._T:-]*\d|\d")


@dataclass(frozen=True)
class FoundFiles:
    """Files that belong together, of one folder and format, with names that differ in their digits alone; or a table.

    Attributes:
        pattern: Their path below the folder looked at, `*` for the digits where there are several; of a table of a database
            its schema and name.
        paths: The files, sorted; none of a table.
        layout: What a source of them has to state: delimiter, encoding, the row of the header, the sheet where there are
            several.
        columns: The names of their columns.
        rows: The first rows of the first and of the last file, as text by column.
        fault: Why they cannot be read, or are not used.
        below: The texts of lines at the end of the last file that are no rows of a table, as reports have them.
        last: The last rows of the last file, where its format lets them be read.
        is_alike: Whether the first and the last file share most of their columns; those that do not belong not together.
    """

    pattern: str
    paths: tuple[Path, ...]
    layout: dict[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    rows: tuple[dict[str, str | None], ...] = ()
    fault: str = ""
    below: tuple[str, ...] = ()
    last: tuple[dict[str, str | None], ...] = ()
    is_alike: bool = True

    @property
    def title(self) -> str:
        """The files as they are named to people: with the sheet, where it is one of several."""
        return f"{self.pattern}, sheet {self.layout['sheet']}" if "sheet" in self.layout else self.pattern

    @property
    def is_landed(self) -> bool:
        """Whether it is a table of a database."""
        return not self.paths

    @property
    def plain_name(self) -> str:
        """The name that may tell what they hold: the file's, of a workbook with several sheets the sheet's, and of files
        that are called by digits alone their folder's.
        """
        if "sheet" in self.layout:
            return plain(self.layout["sheet"])
        if self.is_landed:
            return plain(self.pattern.rsplit(".", 1)[-1])
        *folders, name = self.pattern.split("/")
        told = re.search(r"[^\W\d_]", name.split(".")[0].replace("[0-9]", ""))
        return plain(name if told or not folders else f"{folders[-1]} {name}")

    def values(self, column: str) -> list[str]:
        """What a column says in the first rows, without empty cells."""
        return _cells(self.rows, column)

    def values_to_the_end(self, column: str) -> list[str]:
        """What it says in the first rows and in the last ones."""
        return [*self.values(column), *_cells(self.last, column)]


def _cells(rows: Iterable[dict[str, str | None]], column: str) -> list[str]:
    return [cell.strip() for row in rows if (cell := row.get(column)) and cell.strip()]


def files_below(folder: Path) -> list[Path]:
    """The files of a folder and those below it that a source can read, sorted; hidden ones are left out."""
    return sorted(_walk(folder, DEEPEST))


def look_into(folder: Path, samples: Path) -> list[FoundFiles]:
    """The files of a folder that belong together, each set with its first rows.

    Args:
        folder: The folder.
        samples: Another one, which receives the first rows of the first and the last file of each set.
    """
    sets: dict[tuple[Path, str], list[Path]] = {}
    every = files_below(folder)
    for path in every:
        sets.setdefault((path.parent, _DIGITS.sub("*", path.name)), []).append(path)
    found: list[FoundFiles] = []
    for (parent, masked), paths in sorted(sets.items()):
        if any(path.match(masked) for path in every if path.parent == parent and path not in paths):
            masked = masked.replace("*", "[0-9]*")  # noqa: PLW2901 the wider name would take other files too
        together = [_found(folder, samples, paths, masked, layout) for layout in layouts_of(paths[0])]
        if len(paths) > 1 and not all(one.is_alike for one in together):
            together = [_found(folder, samples, [path], "", layout) for path in paths for layout in layouts_of(path)]
        found += together
    return found


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith((".", "~$")):
            continue
        if path.is_dir() and depth:
            yield from _walk(path, depth - 1)
        elif path.is_file() and format_by_ending(path):
            yield path


def _found(folder: Path, samples: Path, paths: list[Path], masked: str, layout: dict[str, Any]) -> FoundFiles:
    first = paths[0].relative_to(folder)
    pattern = (first.parent / masked).as_posix() if len(paths) > 1 else first.as_posix()
    rows: list[dict[str, str | None]] = []
    columns: dict[str, None] = {}
    names: list[set[str]] = []
    try:
        for path in dict.fromkeys((paths[0], paths[-1])):
            file_format = format_by_ending(path)
            assert file_format is not None
            file = SourceFile(path, path.relative_to(folder).as_posix(), file_format, "the folder")
            files = FileSet(path=str(path), **layout)
            place = samples / name_of_head(file.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():  # a workbook is looked at once for each of its sheets
                cut(file, files, place, SAMPLE_ROWS)
            content = read_file(file._replace(path=place), files)
            columns.update(dict.fromkeys(content.columns))
            names.append(set(content.columns))
            rows += _as_rows(content.columns, content.table.slice(0, SAMPLE_ROWS).to_pylist())
            below = _below(content)
        last = last_rows(paths[-1], layout, content.columns)
    except (SourceError, OSError, EOFError, pa.ArrowException) as error:
        return FoundFiles(pattern, tuple(paths), layout, fault=str(error).replace(f"{samples}/", ""))
    is_alike = 2 * len(set.intersection(*names)) >= len(columns)
    return FoundFiles(pattern, tuple(paths), layout, tuple(columns), tuple(rows), "", below, tuple(last), is_alike)


def _below(content: Content) -> tuple[str, ...]:
    """The lines after the last row that cannot be split into the columns."""
    last = max(content.table["row_number"].to_pylist(), default=0)
    rejects = content.rejects.to_pylist()
    return tuple(row["raw_row"].strip() for row in rejects if row["row_number"] > last)


def _as_rows(columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> list[dict[str, str | None]]:
    return [{name: row[f"c{n}"] for n, name in enumerate(columns)} for row in rows]


def layouts_of(path: Path) -> list[dict[str, Any]]:
    """What has to be stated of a file, for each table in it: the sheet of a workbook that has several."""
    if format_by_ending(path) != "xlsx":
        return [_layout_of_text(path)]
    try:
        sheets = sheet_names(path)
        file = SourceFile(path, path.name, "xlsx", "")
        heads = {name: first_rows(file, FileSet(path=str(path), sheet=name), TITLE_ROWS) for name in sheets}
    except SourceError:  # damaged: told when it is read
        return [{}]
    return [({"sheet": name} if len(sheets) > 1 else {}) | _below_title(rows) for name, rows in heads.items()]


def _layout_of_text(path: Path) -> dict[str, Any]:
    """An encoding other than UTF-8, a delimiter other than a comma, the line of the header below a title."""
    if format_by_ending(path) not in ("csv", "jsonl"):
        return {}
    layout: dict[str, Any] = {} if (encoding := _encoding(path)) == "utf-8" else {"encoding": encoding}
    if format_by_ending(path) == "csv":
        file = SourceFile(path, path.name, "csv", "")
        lines = {
            sign: first_lines(file, FileSet(path=str(path), encoding=encoding, delimiter=sign), TITLE_ROWS)
            for sign in _DELIMITERS
        }
        width = {sign: _width(rows) for sign, rows in lines.items()}
        best = max(_DELIMITERS, key=lambda sign: width[sign])
        layout |= {"delimiter": best} if best != "," else {}
        layout |= _below_title(lines[best])
    return layout


def _width(rows: list[list[str]]) -> int:
    """How many cells the first row has, or where that is a title, the one below it that names the columns."""
    header = _below_title(rows).get("header_row", 1)
    return len(next((row for row in rows[header - 1 :] if any(row)), []))


def _below_title(rows: list[list[str]]) -> dict[str, Any]:
    """The row that names the columns, where rows of fewer cells stand above it."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    widest = max(filled, default=0)
    first = next((n for n, cells in enumerate(filled, 1) if cells), 1)
    header = next((n for n, cells in enumerate(filled, 1) if cells >= max(2, HEADER_SHARE * widest)), first)
    return {"header_row": header} if header > first else {}


def _encoding(path: Path) -> str:
    files = FileSet(path=str(path))
    file = SourceFile(path, path.name, "csv", "")
    if not file.is_gzip:
        with path.open("rb") as opened:
            if opened.read(2) in (b"\xff\xfe", b"\xfe\xff"):
                return "utf-16"
    try:
        with open_text(file, files) as text:
            text.read(ENCODING_BYTES)
    except UnicodeError:
        return "cp1252"
    except (OSError, EOFError):  # damaged: told when it is read
        pass
    return "utf-8"
