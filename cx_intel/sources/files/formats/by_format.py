"""Reads one file into text columns under the file's own names, by its format, and names what is wrong with
it.

The formats themselves are read in `csv.py`, `json_lines.py`, `parquet.py` and `excel.py`; which of the
columns are wanted and what they are called is decided in `cx_intel.warehouse.duckdb.files.columns`.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import Content
from cx_intel.sources.files.formats.csv import csv_blocks, read_csv
from cx_intel.sources.files.formats.excel import read_excel
from cx_intel.sources.files.formats.json_lines import json_blocks, read_json_lines
from cx_intel.sources.files.formats.parquet import parquet_blocks, read_parquet
from cx_intel.sources.files.paths import SourceFile


def read_file(file: SourceFile, source: FileSet) -> Content:
    """The content of one file.

    Raises:
        SourceError: The file is empty, damaged, or not of the format or encoding stated.
    """
    read: dict[str, Callable[[SourceFile, FileSet], Content]] = {
        "csv": read_csv,
        "jsonl": read_json_lines,
        "parquet": read_parquet,
        "xlsx": read_excel,
    }
    with errors_named(file, source):
        return read[file.format](file, source)


def file_blocks(file: SourceFile, source: FileSet) -> Iterator[Content]:
    """The content of one file in parts, as far as its format is read so; at least one. Raises as `read_file`."""
    blocks: dict[str, Callable[[SourceFile, FileSet], Iterator[Content]]] = {
        "csv": csv_blocks,
        "jsonl": json_blocks,
        "parquet": parquet_blocks,
    }
    if file.format not in blocks:
        yield read_file(file, source)
        return
    with errors_named(file, source):
        yield from blocks[file.format](file, source)


@contextmanager
def errors_named(file: SourceFile, source: FileSet) -> Iterator[None]:
    """Turns what the readers raise into a SourceError that names the file and what to do."""
    try:
        yield
    except UnicodeError as error:
        raise SourceError(
            f"{file.path}: is not {source.encoding} text ({error}); state the `encoding` of "
            f"{file.of}, for instance latin-1."
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{file.path}: the gzip file is damaged or cut off ({error}); fetch it again.") from error
    except (pa.ArrowException, OSError, csv.Error) as error:
        found = re.search(r"column #(\d+): Row #(\d+): .*invalid UTF8", str(error))
        if found:
            raise SourceError(
                f"{file.path}: row {int(found[2]) - 1}, column {int(found[1]) + 1} is not {source.encoding} "
                f"text; state the `encoding` of {file.of}, for instance latin-1."
            ) from error
        damaged = "the gzip file is damaged or cut off" if file.is_gzip else f"cannot be read as {file.format}"
        raise SourceError(f"{file.path}: {damaged} ({_first_line(error)}); fetch it again.") from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]
