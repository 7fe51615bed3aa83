"""The first rows of files, as files of their own: a look at a source without reading all of it.

What is cut off is read like any other file (`formats.py`), so that a sample tells the same as the whole would.
"""

import csv
import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.files.content import open_text
from cx_intel.sources.files.csv import dialect
from cx_intel.sources.files.formats import errors_named
from cx_intel.sources.files.json_documents import object_lines
from cx_intel.sources.files.paths import SourceFile

SAMPLE_ROWS = 1000


def first_rows(file: SourceFile, source: FileSet, folder: Path, rows: int = SAMPLE_ROWS) -> SourceFile:
    """A file of the same name and format in another folder with the first rows of a file; a workbook stays as it is.

    Args:
        file: The file.
        source: How its text is laid out.
        folder: Where the sample is written; the file's own name below it.
        rows: How many rows at most; of a workbook, all.

    Raises:
        SourceError: The file is empty, damaged, or not of the format or encoding stated.
    """
    target = folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with errors_named(file, source):
        if file.format == "parquet":
            _first_of_parquet(file.path, target, rows)
        elif file.format == "csv":
            _written(target, file, source, _records(file, source, rows + 1))
        elif file.format == "jsonl":
            _written(target, file, source, _objects(file, source, rows))
        else:
            return file
    return file._replace(path=target)


def _first_of_parquet(path: Path, target: Path, rows: int) -> None:
    with pq.ParquetFile(path) as found:
        first = list(islice(found.iter_batches(batch_size=rows), 1))
        pq.write_table(pa.Table.from_batches(first, schema=found.schema_arrow), target)


def _records(file: SourceFile, source: FileSet, rows: int) -> Iterator[str]:
    """The lines of the first records: one may span several lines where a cell is quoted."""
    taken: list[str] = []

    def noted(lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line.replace("\0", "")

    with open_text(file, source, errors="surrogateescape") as text:
        for _ in islice(csv.reader(noted(text), **dialect(source)), rows):
            yield from taken
            taken.clear()


def _objects(file: SourceFile, source: FileSet, rows: int) -> Iterator[str]:
    with open_text(file, source, errors="surrogateescape") as text:
        lines = (line for line in object_lines(file, text) if line.strip())
        yield from (line.strip() + "\n" for line in islice(lines, rows))


def _written(target: Path, file: SourceFile, source: FileSet, lines: Iterator[str]) -> None:
    with gzip.open(target, "wb") if file.is_gzip else open(target, "wb") as out:
        for line in lines:
            out.write(line.encode(source.encoding, errors="surrogateescape"))
