"""Reads one canonical table from files: CSV, Parquet or JSON lines, one or many, plain or gzip.

This module joins the parts: which files (`file_paths.py`), what stands in them (`formats.py`), and under
which names it is wanted (`columns.py`). Nothing is typed here, only split, named and spelt in one way:
`cx_intel.models.staging.tables` reads the texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from cx_intel.contracts.contract import Contract
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.files.columns import canonical, used_names
from cx_intel.sources.files.formats import read_file
from cx_intel.sources.files.mapping import check_mapping
from cx_intel.sources.files.paths import source_files


@dataclass(frozen=True)
class FilesRead:
    """What was read.

    Attributes:
        table: Text columns under canonical names; `_source_file` (relative to the source's folder),
            `_row_number` (data
            row in its file, from 1) and `_raw_row` (the row as a JSON object of the file's own columns).
        rejects: Rows that could not be split into columns: source_file, row_number, reason, raw_row (as it
            stood).
        files: The files read, in order.
        ignored_columns: Columns of the files that nothing reads, sorted.
    """

    table: pa.Table
    rejects: pa.Table
    files: tuple[str, ...]
    ignored_columns: tuple[str, ...]

    def raw(self) -> pa.Table:
        """The raw table to keep: the rows, then the rejects with their reason in `_reject` and no other
        column.
        """
        rejected = self.rejects.rename_columns(["_source_file", "_row_number", "_reject", "_raw_row"])
        return pa.concat_tables([self.table, rejected], promote_options="default")


def read_files(source: FilesSource, *, contract: Contract, environment: Mapping[str, str]) -> FilesRead:
    """The rows of a source, all as text.

    Args:
        source: The files, their format, and the mapping of their columns.
        contract: The staging contract of the source's table; its delivered columns are what may be read.
        environment: Gives the values of `${NAME}` in the path.

    Several files are read in the order of their names and joined by column name; a column that a file lacks
    is null there, unless the mapping names it or the table requires it.

    Raises:
        SourceError: Files, columns or variables are missing, or a file cannot be read; the text says what to
            do.
    """
    check_mapping(source, contract)
    files = source_files(source, environment)
    used = used_names(source, contract)
    tables, rejects, ignored = [], [], set()
    with duckdb.connect() as con:
        for file in files:
            content = read_file(file, source)
            tables.append(canonical(con, content, file, source, contract))
            rejects.append(content.rejects)
            ignored.update(set(content.columns) - used)
    return FilesRead(
        table=pa.concat_tables(tables, promote_options="default"),
        rejects=pa.concat_tables(rejects),
        files=tuple(file.name for file in files),
        ignored_columns=tuple(sorted(ignored)),
    )
