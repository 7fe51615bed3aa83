"""Reads one canonical table from files: CSV, Parquet or JSON lines, one or many, plain or gzip.

This module joins the parts: which files there are and what stands in them (`cx_intel.sources.files`), and under which
names it is wanted (`columns.py`). Nothing is typed here, only split, named and spelt in one way: staging reads the texts
(`cx_intel.models.staging`).
"""

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from cx_intel.contracts.contract import Contract
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.files.content import FilesRead
from cx_intel.sources.files.formats import read_file
from cx_intel.sources.files.mapping import check_mapping
from cx_intel.sources.files.paths import file_sets, source_files
from cx_intel.warehouse.duckdb.files.columns import canonical, ignored, rows_wanted, used_names


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
    ((declared, of),) = file_sets(source)
    files = source_files(declared, environment, of)
    used = used_names(source, contract)
    tables, rejects, unread, left_out = [], [], set(), 0
    with duckdb.connect() as con:
        for file in files:
            everything = read_file(file, source)
            content = rows_wanted(con, everything, file, source)
            left_out += everything.table.num_rows - content.table.num_rows
            tables.append(canonical(con, content, file, source, contract))
            rejects.append(content.rejects)
            unread |= ignored(content, used)
    return FilesRead(
        table=pa.concat_tables(tables, promote_options="default"),
        rejects=pa.concat_tables(rejects),
        files=tuple(file.name for file in files),
        ignored_columns=tuple(sorted(unread)),
        left_out=left_out,
    )
