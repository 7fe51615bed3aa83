"""What may be asked of the warehouse about raw tables that are read by a cursor: a part of its protocol.

The protocol alone, with the values that it gives; how DuckDB does it stands in `duckdb/files/by_cursor.py`. How far a table
was read is described in `cx_intel.sources.cursors`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.cursors import KnownCursor


@dataclass(frozen=True)
class Fetch:
    """What was fetched of a source that is read by a cursor.

    Attributes:
        cursor: How far the table is read now; None while no row had a cursor.
        is_whole: All rows were read, and those of the table go.
        rows: How many were fetched.
        without_cursor: How many of them have no cursor, and are fetched each time.
        ahead: How many have a cursor beyond the day of the refresh, and are fetched each time too.
        ignored_columns: Columns that nothing reads.
    """

    cursor: KnownCursor | None
    is_whole: bool
    rows: int
    without_cursor: int
    ahead: int
    ignored_columns: tuple[str, ...]


@dataclass(frozen=True)
class TableChange:
    """What became of a raw table when fetched rows were put into it.

    Attributes:
        days: The days that changed, of a table kept by day.
        is_changed: Whether any row came, went or is another than before.
    """

    days: tuple[date, ...]
    is_changed: bool


class FetchedTables(Protocol):
    """The raw tables of one portfolio that are read by a cursor."""

    def known_cursor(self, table: str) -> KnownCursor | None:
        """How far a raw table was read by a cursor; None of one that was read otherwise since."""
        ...

    def fetch(
        self,
        table: str,
        source: SqlSource,
        *,
        contract: Contract,
        environment: Mapping[str, str],
        zone: str,
        as_of: date,
        with_day: Callable[[ir.Table], ir.Table] | None,
        reads_all: bool = False,
    ) -> Fetch:
        """Writes the rows of a query that are new by its cursor beside the raw table, in bounded memory, all as text.

        Of several rows of one key the one with the newest cursor counts; rows that are in the table as they are, and
        those that are deleted, are not among them. Everything is read where it was never read or read otherwise.

        Args:
            table: The raw table.
            source: The query, its connection and its cursor.
            contract: The staging contract of the source's table.
            environment: Gives the address of the connection.
            zone: Of the portfolio, whose days the rows are kept by.
            as_of: The day of the run: a cursor far beyond it is not taken for how far the table is read.
            with_day: Gives the rows their day, null where it cannot be told; None of a table that is not kept by day.
            reads_all: Everything is read, whatever is remembered.

        Raises:
            SourceError: As `read_query`; or the cursor is no column of the result, or nothing that grows.
        """
        ...

    def merge(self, table: str, key: Sequence[str], fetch: Fetch, as_of: date) -> TableChange:
        """Puts the fetched rows in the place of those with their keys, and remembers how far the table is read; one transaction.

        Args:
            table: The raw table.
            key: The columns that tell its rows apart.
            fetch: What was fetched.
            as_of: Of a table that is not kept by day: what it stands at.
        """
        ...
