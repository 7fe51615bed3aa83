"""What the rest of the package may ask of the tables of one portfolio, whatever keeps them.

The protocol alone, with the values that it takes and gives; its part about sources is `source_files.py`, and how a DuckDB
file does it stands in `duckdb/warehouse.py`. What is about a whole deployment (opening, locks, back-ups) is beside it:
`resource.py`, `processes/`, `duckdb/`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.warehouse.fetched import FetchedTables
from cx_intel.warehouse.landed import LandedTables
from cx_intel.warehouse.source_files import SourceFiles

Rows: TypeAlias = ir.Table | pd.DataFrame
"""Rows to be written: an expression, or a frame."""

ASIDE_DAY = "_day"
"""The column of rows that were put aside which tells their day."""

FileFormat = Literal["csv", "parquet"]


@dataclass(frozen=True)
class StagedWrite:
    """Rows that are written beside their table, checked, and ready to be put in the place of the old ones.

    Attributes:
        table: The rows.
        column: The partition column; empty for a whole table.
        days: The partitions that are replaced.
        state: What each day was built from, to be remembered.
        stands_at: The as_of of a whole table, to be remembered.
    """

    table: ir.Table
    column: str = ""
    days: tuple[date, ...] = ()
    state: dict[date, str] = field(default_factory=dict)
    stands_at: date | None = None


@dataclass(frozen=True)
class Publication:
    """What was published: the file, its size, the rows of each table, and tables that the warehouse has not."""

    file: Path
    bytes: int
    rows: dict[str, int]
    missing: tuple[str, ...]


class Warehouse(SourceFiles, FetchedTables, LandedTables, Protocol):
    """The tables of one portfolio: its schema in the warehouse.

    What is read through it is noted for `remember_made`, so that one is used for one step and no longer.
    """

    @property
    def schema(self) -> str:
        """The name of the schema: the portfolio's."""
        ...

    @property
    def rows_at_once(self) -> int | None:
        """How many rows of events a query that groups them had best read; None: all, since a cluster parts them itself."""
        ...

    def tables(self) -> list[str]:
        """The names of the tables, sorted; writes in progress are none."""
        ...

    def exists(self, table: str) -> bool:
        """Whether there is such a table or view."""
        ...

    def table(self, table: str) -> ir.Table:
        """The table as an expression; nothing is read yet. Raises WarehouseError when it is not there."""
        ...

    def part(self, table: str, column: str, value: str) -> ir.Table:
        """The rows of a table that `replace_rows` puts there by this column and value; noted as all that was read of it."""
        ...

    def execute(self, expression: ir.Expr) -> Any:
        """What an expression is: a pandas frame of a table, a series of a column, else a value."""
        ...

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of a table expression as Python values: for a few of them cheaper than a frame."""
        ...

    def count(self, rows: ir.Table) -> int:
        """How many rows an expression has."""
        ...

    def counts(self, several: Iterable[ir.Table]) -> list[int]:
        """How many rows each of several expressions has, found in one query."""
        ...

    def stage(self, table: str, parts: Iterable[Rows], like: ibis.Schema | None = None) -> ir.Table:
        """Writes the parts, one after the other, beside the table that they are to replace; returns what was written.

        The parts are made lazily, so that a later one may read the earlier ones by `staged`.

        Args:
            table: The table to be replaced.
            parts: Rows of the same columns.
            like: The columns and types; default: those of the first part.
        """
        ...

    def staged(self, table: str) -> ir.Table:
        """What is written beside the table so far."""
        ...

    def keep_for_now(self, name: str, rows: Rows, like: ibis.Schema) -> ir.Table:
        """Puts rows aside for as long as the warehouse is open: no table of the portfolio, and gone with the program.

        Args:
            name: What they are called; rows that were put aside under the name before are replaced.
            rows: The rows.
            like: Their columns and types.
        """
        ...

    def put_aside(self, name: str, make: Callable[[date], Rows], days: Sequence[date], like: ibis.Schema) -> ir.Table:
        """As `keep_for_now`, the rows of several days together.

        Args:
            name: As there.
            make: Gives the rows of a day. All days are made in one query where its expressions differ in literals only.
            days: The days.
            like: The columns and types of the rows.

        Returns:
            The rows of all days, with the day of each as `ASIDE_DAY`.
        """
        ...

    def drop_aside(self, names: str) -> None:
        """Drops what was put aside under names that begin so: it is held in memory."""
        ...

    def rename_staged(self, staged: str, table: str, like: ibis.Schema) -> ir.Table:
        """Makes what was staged under one name the staged write of another table, without writing a row again.

        Args:
            staged: The name that it was staged under.
            table: The table that it is to replace.
            like: The columns that stay, of the types that they have.
        """
        ...

    def swap(
        self,
        table: str,
        *,
        column: str = "",
        days: Sequence[date] = (),
        state: Mapping[date, str] | None = None,
        stands_at: date | None = None,
    ) -> None:
        """Puts the staged write in the place of the table, or of the partitions of the given days; one transaction.

        Where it holds the same rows the table stays as it is, and so does what was made from it.

        Args:
            table: The table.
            column: The date column of the partitions; empty for the whole table.
            days: The partitions; their old rows go, whether or not there are new ones.
            state: For each day, what it was built from; remembered in the same transaction.
            stands_at: The as_of of a whole table; remembered likewise.
        """
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing of what is written inside; one within another is part of it. Each one is synced to the disk."""
        ...

    def replace_rows(
        self,
        table: str,
        rows: ir.Table,
        *,
        like: ibis.Schema,
        where: tuple[str, str],
        column: str = "",
        days: Sequence[date] = (),
    ) -> None:
        """Replaces some rows of a table, which is made when it is not there; one transaction.

        Args:
            table: The table.
            rows: The new rows.
            like: The columns and types of the table.
            where: A column and its value in the rows that go.
            column: A date column; with it, only the rows of these days go.
            days: Those days.
        """
        ...

    def discard(self, table: str) -> None:
        """Drops the staged write of the table; the table stays as it was."""
        ...

    def delete_before(self, table: str, column: str, first: date) -> int:
        """Removes the rows of days before `first`; what those days were built from stays remembered. How many."""
        ...

    def day_state(self, table: str, *, apart_from: Collection[date] = ()) -> dict[date, str]:
        """What each day of the table was built from; days that are left out are not noted as read."""
        ...

    def remember(self, table: str, state: Mapping[date, str]) -> None:
        """Remembers what each day was built from, without a write."""
        ...

    def stands_at(self, table: str) -> date | None:
        """The as_of that a whole table was last built for."""
        ...

    def newest(self) -> date | None:
        """The newest as_of that any whole table of the portfolio stands at."""
        ...

    def day_contents(self, rows: ir.Table, column: str) -> dict[date, str]:
        """A fingerprint of the rows of each day, whatever their order: equal rows, equal fingerprint."""
        ...

    def days_with_repeats(self, rows: ir.Table, column: str, key: Sequence[str]) -> tuple[date, ...]:
        """The days on which two rows have the same key, perhaps: a cheap look, which may name a day too many."""
        ...

    def fingerprints(self, tables: Mapping[str, date | None]) -> dict[str, str]:
        """Of each table, what tells whether its rows or columns changed, whatever the order of the rows.

        Args:
            tables: Table: the `as_of` whose rows are looked at; None for all of them.
        """
        ...

    def record_checks(self, rows: pd.DataFrame) -> None:
        """Remembers what the checks of a table found, in place of what they found before.

        Args:
            rows: One a check: table_name, check_name, passed, severity, failed_rows, total_rows, rule,
                what_to_do, as_of, checked_at.
        """
        ...

    def check_results(self) -> ir.Table | None:
        """What the checks of the portfolio's tables found last, in the columns of `record_checks`; None: nothing yet."""
        ...

    def made_before(self, name: str, recipe: str) -> str | None:
        """What was told of the last making of a table, or of files made of tables; None where it might come out otherwise.

        It comes out the same when it was made by the same recipe, nothing that was read for it has changed since, and
        nobody else has written the table.
        """
        ...

    def remember_made(self, name: str, recipe: str, told: str) -> None:
        """Remembers how a table, or files made of tables, was made: to be said in the transaction that writes it.

        Args:
            name: The table, or what stands for the files.
            recipe: Tells everything that decides about the outcome beyond what was read through this object.
            told: What to give back when it would come out the same.
        """
        ...

    def read_too(self, other: "Warehouse") -> None:
        """Counts what was read through another object as read through this one."""
        ...

    def forget_made(self, name: str) -> None:
        """Forgets it, so that it is made again."""
        ...

    def copy_to(self, rows: ir.Table, file: Path, file_format: FileFormat) -> int:
        """Writes rows to a file in one pass and bounded memory; their order is kept. How many.

        CSV is that of RFC 4180 (UTF-8, CRLF, a header): null is empty, an empty text is `""`. Parquet keeps types and
        values, compressed with Zstandard.
        """
        ...

    def publish(self, tables: Mapping[str, str], file: Path, *, snapshot_days: int = 1) -> Publication:
        """Copies tables into a file for readers, which changes from the old contents to the new at once.

        The tables stand in the file's main schema; with them `<table>_latest` of each snapshot, the portfolio's
        `check_results`, and `publication`, one row with the newest day and the time of publishing.

        Args:
            tables: Table: the date column that tells its snapshots; empty for a table copied whole.
            file: What to replace.
            snapshot_days: Days of each snapshot table, up to the newest.
        """
        ...
