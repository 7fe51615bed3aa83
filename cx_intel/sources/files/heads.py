"""The first rows of a source's files, as files of their own: so that a look at a source takes no longer than its first rows.

What is cut here is read by the same readers as the whole files, so that a look tells what a refresh would. Of many files
the first and the last by name are looked at.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.files.content import open_bytes, open_text
from cx_intel.sources.files.paths import SourceFile, format_by_ending, source_files

LONGEST_HEAD = 32_000_000
"""Characters of a file's head at most."""
Files = TypeVar("Files", bound=FileSet)


@dataclass(frozen=True)
class Heads:
    """Where the heads of a source's files are.

    Attributes:
        files: How many files the source has.
        looked_at: How many of them.
        is_whole: All rows of all of them.
    """

    files: int
    looked_at: int
    is_whole: bool


def with_heads(files: Files, environment: Mapping[str, str], of: str, folder: Path, rows: int) -> tuple[Files, Heads]:
    """The files with their path at the heads, which are written to an empty folder.

    Raises:
        SourceError: As `source_files`.
    """
    found = source_files(files, environment, of)
    if not found:
        return files, Heads(0, 0, True)
    chosen = [found[0], *found[1:][-1:]]
    are_whole = []
    for number, file in enumerate(chosen):
        name = f"{number}_{file.name.replace('/', '_')}" if len(found) > 1 else file.path.name
        place = folder / name_of_head(name)
        are_whole.append(cut(file, files, place, rows))
    path = folder if len(found) > 1 else place
    heads = Heads(len(found), len(chosen), all(are_whole) and len(chosen) == len(found))
    return files.model_copy(update={"path": str(path)}), heads


def name_of_head(name: str) -> str:
    """What the head of a file is called: heads of text are not compressed, and their endings tell their format too."""
    if ".parquet" in name.lower() or ".pq" in name.lower():
        return name
    plain = name.removesuffix(".gz")
    return plain if format_by_ending(Path(plain)) or not format_by_ending(Path(name)) else f"{plain}.jsonl"


def cut(file: SourceFile, files: FileSet, place: Path, rows: int) -> bool:
    """Writes the first rows of a file; whether they are all. A file that cannot be cut is looked at whole."""
    if file.format == "parquet" and not file.is_gzip:
        return _cut_parquet(file.path, place, rows)
    if file.format == "csv" or (file.format == "jsonl" and _is_by_line(file, files)):
        return _cut_lines(file, files, place, rows)
    if file.is_gzip:
        with open_bytes(file) as packed, place.open("wb") as head:
            shutil.copyfileobj(packed, head)
    else:
        place.symlink_to(file.path.absolute())
    return True


def _cut_lines(file: SourceFile, files: FileSet, place: Path, rows: int) -> bool:
    """Text up to the line after so many at which no quote is open; bytes that are no text stay as they are."""
    quote = files.quote if file.format == "csv" else ""
    encoding = "utf-8" if files.encoding == "utf-8-sig" else files.encoding
    taken, is_open, length = 0, False, 0
    with (
        open_text(file, files, errors="surrogateescape") as text,
        place.open("w", encoding=encoding, errors="surrogateescape", newline="") as head,
    ):
        for line in text:
            if (taken > rows and not is_open) or length > LONGEST_HEAD:
                return False
            head.write(line)
            taken, length = taken + 1, length + len(line)
            is_open ^= bool(quote) and line.count(quote) % 2 == 1
    return True


def _is_by_line(file: SourceFile, files: FileSet) -> bool:
    """Whether a line of the file is an object by itself; else it is one document."""
    with open_text(file, files, errors="replace") as text:
        first = next((line for line in islice(text, 100) if line.strip()), "")
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _cut_parquet(path: Path, place: Path, rows: int) -> bool:
    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(batch_size=rows), None)
        head = pa.Table.from_batches([] if batch is None else [batch], schema=file.schema_arrow)
        pq.write_table(head, place)
        return head.num_rows == file.metadata.num_rows
