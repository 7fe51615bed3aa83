"""Reads one canonical table from files: CSV, Parquet or JSON lines, one or many, plain or gzip.

This module joins the parts: which files there are and what stands in them (`cx_intel.sources.files`), and under which
names it is wanted (`columns.py`). Nothing is typed here, only split, named and spelt in one way: staging reads the texts
(`cx_intel.models.staging`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import delivered_columns
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.files.content import FilesRead, in_columns, raw_rejects
from cx_intel.sources.files.formats.by_format import file_blocks, read_file
from cx_intel.sources.files.formats.json_documents import refuse_first_pages
from cx_intel.sources.files.known import KnownFile, digest_of, size_and_time
from cx_intel.sources.files.mapping import check_mapping
from cx_intel.sources.files.paths import SourceFile, file_sets, source_files
from cx_intel.warehouse.duckdb.access.limits import Limits
from cx_intel.warehouse.duckdb.files.columns import canonical, ignored, rows_wanted, used_names
from cx_intel.warehouse.duckdb.queries.queries import query_rows_of_file

MARKS = {"_source_file": pa.string(), "_row_number": pa.int64(), "_raw_row": pa.string(), "_reject": pa.string()}


def read_files(
    source: FilesSource, *, contract: Contract, environment: Mapping[str, str], is_sample: bool = False
) -> FilesRead:
    """The rows of a source, all as text.

    Args:
        source: The files, their format, and the mapping of their columns.
        contract: The staging contract of the source's table; its delivered columns are what may be read.
        environment: Gives the values of `${NAME}` in the path.
        is_sample: There are more files than these.

    Several files are read in the order of their names and joined by column name; a column that a file lacks
    is null there, unless the mapping names it or the table requires it.

    Raises:
        SourceError: Files, columns or variables are missing, or a file cannot be read; the text says what to
            do.
    """
    check_mapping(source, contract)
    ((declared, of),) = file_sets(source)
    files = source_files(declared, environment, of)
    if not is_sample:
        refuse_first_pages(files, declared)
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


def stream_schema(contract: Contract) -> pa.Schema:
    """The columns of a table that is read file by file: all that may be delivered, as text, and the marks of rows."""
    cells = {column.name: pa.string() for column in delivered_columns(contract)}
    return pa.schema(list((cells | MARKS).items()))


class Reading:
    """One reading of files, one after the other.

    Attributes:
        read: The files that are done.
        changed: Those that were written meanwhile: what was read of them is not to be kept.
    """

    def __init__(self, recipe: str):
        self.recipe = recipe
        self.read: list[KnownFile] = []
        self.changed: list[SourceFile] = []

    def note(self, file: SourceFile, before: tuple[int, int], **counted: Any) -> None:
        """Notes a file as done, or as changed: it looked otherwise `before`."""
        digest = digest_of(file.path)
        if size_and_time(file.path) == before:
            self.read.append(KnownFile(file.name, *before, digest, self.recipe, **counted))
        else:
            self.changed.append(file)


class FileReading(Reading):
    """One reading of files in batches of the same columns."""

    def __init__(self, source: FilesSource, contract: Contract, recipe: str):
        super().__init__(recipe)
        check_mapping(source, contract)
        self.source, self.contract = source, contract

    def batches(self, files: Sequence[SourceFile]) -> Iterator[pa.RecordBatch]:
        """The rows of the files as text, in order.

        Raises:
            SourceError: A file cannot be read; the text says what to do.
        """
        schema, used = stream_schema(self.contract), used_names(self.source, self.contract)
        with duckdb.connect() as con:
            for file in files:
                before, unread = size_and_time(file.path), set[str]()
                counted = Counter[str]()
                for everything in file_blocks(file, self.source):
                    content = rows_wanted(con, everything, file, self.source)
                    table = canonical(con, content, file, self.source, self.contract, as_given=True)
                    rejects = raw_rejects(content.rejects)
                    for part in (table, rejects):
                        yield from in_columns(part, schema).to_batches()
                    counted["rows"] += table.num_rows
                    counted["rejects"] += rejects.num_rows
                    counted["left_out"] += everything.table.num_rows - content.table.num_rows
                    unread |= ignored(content, used)
                self.note(file, before, ignored_columns=tuple(sorted(unread)), **counted)


class QueryReading(Reading):
    """One reading of files by a query that is run for each of them, in batches of the same columns, all as text."""

    def __init__(self, source: SqlSource, contract: Contract, recipe: str, limits: Limits):
        super().__init__(recipe)
        self.source, self.contract, self.limits = source, contract, limits

    def batches(self, files: Sequence[SourceFile]) -> Iterator[pa.RecordBatch]:
        """What the query gives of each file, in order. Raises as `query_rows_of_file`."""
        schema = stream_schema(self.contract)
        for file in files:
            before = size_and_time(file.path)
            counted = Counter[str]()
            with query_rows_of_file(self.source, file, self.contract, self.limits) as read:
                for batch in read.raw():
                    yield from in_columns(pa.Table.from_batches([batch]), schema).to_batches()
                    counted["rows"] += batch.num_rows
            counted["rejects"] = read.rejects.num_rows
            counted["rows"] -= read.rejects.num_rows
            self.note(file, before, ignored_columns=read.ignored_columns, **counted)
