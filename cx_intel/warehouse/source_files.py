"""What a warehouse does with sources: reads their files and queries, and keeps the rows of a raw table by the file.

A part of the protocol of a warehouse (`protocol.py`), apart for its length. Which files a source means and what they hold
is in `cx_intel.sources.files`; how DuckDB reads and keeps them, in `duckdb/files/`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.files.content import FilesRead
from cx_intel.sources.files.known import KnownFile
from cx_intel.sources.files.paths import SourceFile


class SourceFiles(Protocol):
    """Files and queries of sources, and the raw tables whose unit is the file."""

    def read_files(self, source: FilesSource, *, contract: Contract, environment: Mapping[str, str]) -> FilesRead:
        """The rows of a source of files, all as text under their canonical names.

        Several files are read in the order of their names and joined by column name; a column that a file lacks is
        null there, unless the mapping names it or the table requires it.

        Args:
            source: The files, their format, and the mapping of their columns.
            contract: The staging contract of the source's table; its delivered columns are what may be read.
            environment: Gives the values of `${NAME}` in the path.

        Raises:
            SourceError: Files, columns or variables are missing, or a file cannot be read; the text says what to do.
        """
        ...

    def stage_query(
        self, table: str, source: SqlSource, *, contract: Contract, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Stages the rows that the query of a source gives, over its declared files or at its connection, typed or as text.

        They are never all in memory. What is returned are the columns of the result that nothing reads.

        Args:
            table: Under whose name they stand (`staged`).
            source: The query, and its files or its connection.
            contract: The staging contract of the source's table; its delivered columns are what may be given.
            environment: Gives the values of `${NAME}` in paths, and the address of the connection.

        Raises:
            SourceError: Files or variables are missing, a file cannot be read, no server is reached, the query is not
                one SELECT, fails, or lacks a column that the table requires; the text says what to do.
        """
        ...

    def known_files(self, table: str) -> dict[str, KnownFile]:
        """The files that a raw table was read from, as they were then, by name; none of a table that is kept otherwise."""
        ...

    def remember_files(self, table: str, files: Iterable[KnownFile]) -> None:
        """Remembers the files of a raw table, in place of those remembered before."""
        ...

    def stage_files(
        self,
        table: str,
        source: FilesSource | SqlSource,
        files: Sequence[SourceFile],
        *,
        contract: Contract,
        recipe: str,
        with_day: Callable[[ir.Table], ir.Table],
    ) -> list[KnownFile]:
        """Writes the rows of some files beside the raw table, in bounded memory; what is to be remembered of each.

        Args:
            table: The raw table.
            source: Whose files; a query is run for each of them.
            files: Those to be read.
            contract: The staging contract of the source's table.
            recipe: How they are read, to be remembered.
            with_day: Gives the rows of events their day in `DELIVERED_DAY`, null where it cannot be told; others none.

        Raises:
            SourceError: A file cannot be read, or is written all the while; the text says what to do.
        """
        ...

    def swap_files(self, table: str, files: Sequence[str], *, is_whole: bool) -> tuple[date, ...]:
        """Puts the staged rows in the place of those that some files gave before; the days that changed.

        What each of these days holds is remembered in the same transaction: a fingerprint of its rows in any order,
        `#`, and one of the files and lines that they stand in.

        Args:
            table: The raw table.
            files: The files whose earlier rows go.
            is_whole: All earlier rows go, and all that was remembered of the table's days.
        """
        ...
