"""The tables of one schema of a DuckDB file: staged first, then put in the old one's place in a single transaction.

A reader sees a table either as it was or as it is, never in between, however the writer ends. Which rows are written,
and whether they may be, is decided by the callers (`cx_intel.orchestration`); the methods are described in
`cx_intel.warehouse.protocol`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.files.content import FilesRead
from cx_intel.warehouse.duckdb import aside, publish
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, as_expression, escaped, quoted
from cx_intel.warehouse.duckdb.files.by_cursor import CursorTables
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel.warehouse.duckdb.landed_objects import LandedObjects
from cx_intel.warehouse.duckdb.made import LATEST_SUFFIX
from cx_intel.warehouse.duckdb.state import WHOLE
from cx_intel.warehouse.protocol import FileFormat, Publication, Rows

AS_OF = "as_of"
"""The partition column of snapshots."""
MADE = "made"
"""Stands for what a snapshot was built from where nobody says."""
FORMATS: dict[FileFormat, str] = {
    "csv": "FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NEW_LINE '\\r\\n'",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}


class DuckDBWarehouse(CursorTables, LandedObjects):
    """A `Warehouse` in one schema of an open DuckDB file."""

    rows_at_once: int | None = 2_000_000
    """Grouping so many takes less than a gigabyte, and of 10 million a quarter less of the processor than all at once."""

    def execute(self, expression: ir.Expr) -> Any:
        return self.database.backend.execute(expression)

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        return self.database.rows(self.database.sql(expression))

    def count(self, rows: ir.Table) -> int:
        return self.counts([rows])[0]

    def counts(self, several: Iterable[ir.Table]) -> list[int]:
        parts = [f"SELECT {n}, count(*) FROM ({self.database.sql(rows)})" for n, rows in enumerate(several)]
        found = self.database.connection.execute(" UNION ALL ".join(parts)).fetchall() if parts else []
        return [int(count) for _, count in sorted(found)]

    def read_files(self, source: FilesSource, *, contract: Contract, environment: Mapping[str, str]) -> FilesRead:
        return read_files(source, contract=contract, environment=environment)

    def stage(self, table: str, parts: Iterable[Rows], like: ibis.Schema | None = None) -> ir.Table:
        staged, database = STAGED_PREFIX + table, self.database
        database.ensure_schema(self.schema)
        self._prepare_state()
        self.discard(table)  # what a run that was killed has left
        # `overwrite=True` would fill a table of a passing name, which stays behind when the disk is full
        if like is not None:
            self._create(staged, like)
        for number, part in enumerate(parts):
            if like is None and number == 0:
                database.backend.create_table(staged, obj=as_expression(part, like), database=self.schema)
            else:  # Ibis' own `insert` parses the SQL that it has just written
                database.connection.execute(f"INSERT INTO {self._name(staged)} BY NAME {database.sql(part, like)}")
        return self.staged(table)

    def staged(self, table: str) -> ir.Table:
        return self.database.table(self.schema, STAGED_PREFIX + table)

    def keep_for_now(self, name: str, rows: Rows, like: ibis.Schema) -> ir.Table:
        return aside.keep_for_now(self.database, f"{self.schema}.{name}", rows, like)

    def put_aside(self, name: str, make: Callable[[date], Rows], days: Sequence[date], like: ibis.Schema) -> ir.Table:
        return aside.put_aside(self.database, f"{self.schema}.{name}", make, days, like)

    def drop_aside(self, names: str) -> None:
        aside.drop_aside(self.database, f"{self.schema}.{names}")

    def rename_staged(self, staged: str, table: str, like: ibis.Schema) -> ir.Table:
        old, database = STAGED_PREFIX + staged, self.database
        dropped = self.staged(staged).schema().keys() - like.keys()
        self.discard(table)
        for column in sorted(dropped):
            database.change(self.schema, old, f'ALTER TABLE {self._name(old)} DROP COLUMN "{column}"')
        database.change(self.schema, old, f'ALTER TABLE {self._name(old)} RENAME TO "{STAGED_PREFIX + table}"')
        database.forget(self.schema, old)
        return self.staged(table)

    def swap(
        self,
        table: str,
        *,
        column: str = "",
        days: Sequence[date] = (),
        state: Mapping[date, str] | None = None,
        stands_at: date | None = None,
    ) -> None:
        name, staged, database = self._name(table), self._name(STAGED_PREFIX + table), self.database
        columns = self.staged(table).schema()
        is_there = database.exists(self.schema, table)
        replaces_whole = not column or not is_there
        of_days = f'WHERE "{column}" IN ({listed(days)})' if column else ""
        with database.transaction():
            if not column and table.startswith("raw_"):
                self._forget_readings(table)
            if is_there and self._holds_the_same(table, of_days):
                database.connection.execute(f"DROP TABLE {staged}")
                replaces_whole = False
            elif replaces_whole:
                # never CREATE TABLE AS an empty result and fill it in one transaction: DuckDB 2.0.0 then keeps
                # statistics without a minimum, and filters on the table find nothing
                database.change(self.schema, table, f"DROP TABLE IF EXISTS {name}")
                database.change(self.schema, table, f'ALTER TABLE {staged} RENAME TO "{table}"')
            else:
                self._match_columns(table)
                database.change(self.schema, table, f"DELETE FROM {name} {of_days}")
                database.change(self.schema, table, f"INSERT INTO {name} BY NAME SELECT * FROM {staged}")
                database.connection.execute(f"DROP TABLE {staged}")
            made = dict.fromkeys(days, MADE) if column == AS_OF else {}
            self._remember(table, made | dict(state or {}))
            if stands_at is not None:
                self._forget(table)
                self._remember(table, {stands_at: WHOLE})
            if column == AS_OF:
                self._show_latest(table)
        for changed in (STAGED_PREFIX + table, table + LATEST_SUFFIX):
            database.forget(self.schema, changed)
        if replaces_whole:
            database.expect(self.schema, table, columns)

    def transaction(self) -> AbstractContextManager[None]:
        return self.database.transaction()

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
        name, staged, database = self._name(table), STAGED_PREFIX + table, self.database
        self._prepare_state()
        with database.transaction():
            database.ensure_schema(self.schema)
            if not database.exists(self.schema, table):
                self._create(table, like)
            self._add_columns(table, like)
            self.discard(table)
            self._create(staged, like)
            database.connection.execute(f"INSERT INTO {self._name(staged)} BY NAME {database.sql(rows, like)}")
            value = where[1].replace("'", "''")
            which = f"WHERE \"{where[0]}\" = '{value}'"
            which += f' AND "{column}" IN ({listed(days)})' if column else ""
            if not self._holds_the_same(table, which):
                part = where[1]
                database.change(self.schema, table, f"DELETE FROM {name} {which}", part=part)
                query = f"INSERT INTO {name} BY NAME SELECT * FROM {self._name(staged)}"
                database.change(self.schema, table, query, part=part)
            self.discard(table)

    def discard(self, table: str) -> None:
        self.database.forget(self.schema, STAGED_PREFIX + table)
        self.database.connection.execute(f"DROP TABLE IF EXISTS {self._name(STAGED_PREFIX + table)}")

    def delete_before(self, table: str, column: str, first: date) -> int:
        name, where = self._name(table), f"\"{column}\" < DATE '{first.isoformat()}'"
        if not self.database.connection.execute(f"SELECT 1 FROM {name} WHERE {where} LIMIT 1").fetchall():
            return 0
        ((count,),) = self.database.change(self.schema, table, f"DELETE FROM {name} WHERE {where}")
        return int(count)

    def day_contents(self, rows: ir.Table, column: str) -> dict[date, str]:
        self.database.backend.create_view("_cx_days", rows, overwrite=True, database="main")
        found = self.database.connection.execute(
            f"SELECT \"{column}\", count(*)::VARCHAR || ':' || bit_xor(hash(_cx_row))::VARCHAR "
            f'FROM main._cx_days AS _cx_row WHERE "{column}" IS NOT NULL GROUP BY 1'
        ).fetchall()
        self.database.connection.execute("DROP VIEW main._cx_days")
        return dict(found)

    def days_with_repeats(self, rows: ir.Table, column: str, key: Sequence[str]) -> tuple[date, ...]:
        cells = ", ".join(f'"{name}"' for name in key)
        found = self.database.connection.execute(
            f'SELECT DISTINCT day FROM (SELECT "{column}" AS day, hash({cells}) AS key '
            f"FROM ({self.database.sql(rows)}) GROUP BY 1, 2 HAVING count(*) > 1) ORDER BY day"
        )
        return tuple(day for (day,) in found.fetchall())

    def fingerprints(self, tables: Mapping[str, date | None]) -> dict[str, str]:
        for table in tables:
            self._note("rows", table)
        parts = [
            f"SELECT {n}, count(*), sum(hash(_cx_row)::HUGEINT) FROM {self._name(table)} AS _cx_row"
            + (f" WHERE {AS_OF} = DATE '{day.isoformat()}'" if day else "")
            for n, (table, day) in enumerate(tables.items())
        ]
        found = self.database.connection.execute(" UNION ALL ".join(parts)).fetchall() if parts else []
        rows = {n: figures for n, *figures in found}
        return {table: repr([*self.table(table).schema().items(), rows[n]]) for n, table in enumerate(tables)}

    def copy_to(self, rows: ir.Table, file: Path, file_format: FileFormat) -> int:
        query = f"COPY ({self.database.sql(rows)}) TO '{escaped(file)}' ({FORMATS[file_format]})"
        ((count,),) = self.database.connection.execute(query).fetchall()
        return int(count)

    def publish(self, tables: Mapping[str, str], file: Path, *, snapshot_days: int = 1) -> Publication:
        self._note("checks")
        there = {table: column for table, column in tables.items() if self.exists(table)}
        rows = publish.publish(self.database, self.schema, there, file, newest=self.newest(), days=snapshot_days)
        return Publication(file, file.stat().st_size, rows, tuple(t for t in tables if t not in there))

    def _name(self, table: str) -> str:
        return quoted(self.schema, table)

    def _columns(self, table: str) -> dict[str, str]:
        found = self.database.connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
            [self.schema, table],
        )
        return dict(found.fetchall())

    def _create(self, table: str, like: ibis.Schema) -> None:
        to_text = self.database.backend.compiler.type_mapper.to_string
        columns = ", ".join(f'"{column}" {to_text(kind)}' for column, kind in like.items())
        self.database.change(self.schema, table, f"CREATE TABLE {self._name(table)} ({columns})")
        self.database.expect(self.schema, table, like)

    def _holds_the_same(self, table: str, which: str) -> bool:
        """Whether the staged write is, in any order, what the table holds of the rows that it is to replace."""
        if self.staged(table).schema() != self.database.table(self.schema, table).schema():
            return False
        old, new = self._name(table), self._name(STAGED_PREFIX + table)

        def told(figures: str) -> list[Any]:
            query = (
                f"SELECT 1, {figures} FROM {old} AS _cx_row {which} UNION ALL SELECT 2, {figures} FROM {new} AS _cx_row"
            )
            return [row[1:] for row in sorted(self.database.connection.execute(query).fetchall())]

        before, now = told("count(*)")
        if before == now != (0,):
            before, now = told("sum(hash(_cx_row)::HUGEINT)")
        return bool(before == now)

    def _add_columns(self, table: str, like: ibis.Schema) -> None:
        """Adds the columns that a table of an earlier version lacks."""
        to_text = self.database.backend.compiler.type_mapper.to_string
        for column in like.keys() - set(self.database.table(self.schema, table).columns):
            self.database.forget(self.schema, table)
            added = f'ALTER TABLE {self._name(table)} ADD COLUMN "{column}" {to_text(like[column])}'
            self.database.change(self.schema, table, added)

    def _match_columns(self, table: str) -> None:
        """Gives the table the columns of its staged write; columns that went stay, null in new partitions.

        A type changes only to one that holds the old values too: a day of whole numbers does not cut the fractions of
        the days before.
        """
        if self.staged(table).schema() == self.table(table).schema():
            return
        self.database.forget(self.schema, table)
        connection, name, staged = self.database.connection, self._name(table), self._name(STAGED_PREFIX + table)
        new, old = self._columns(STAGED_PREFIX + table), self._columns(table)
        for column, kind in new.items():
            if column not in old:
                self.database.change(self.schema, table, f'ALTER TABLE {name} ADD COLUMN "{column}" {kind}')
            elif old[column] != kind and self._has_value(staged, column):
                described = connection.execute(
                    f'DESCRIBE SELECT "{column}" FROM {name} UNION ALL SELECT "{column}" FROM {staged}'
                ).fetchall()
                if (common := described[0][1]) != old[column]:
                    self.database.change(
                        self.schema, table, f'ALTER TABLE {name} ALTER COLUMN "{column}" TYPE {common}'
                    )

    def _has_value(self, name: str, column: str) -> bool:
        """A column without any value says nothing about its type."""
        found = self.database.connection.execute(f'SELECT 1 FROM {name} WHERE "{column}" IS NOT NULL LIMIT 1')
        return bool(found.fetchall())

    def _show_latest(self, table: str) -> None:
        """Shows the newest snapshot in a view; it names the day, because the newest may have no rows at all."""
        newest = max(self.day_state(table))
        self.database.connection.execute(
            f"CREATE OR REPLACE VIEW {self._name(table + LATEST_SUFFIX)} AS "
            f"SELECT * FROM {self._name(table)} WHERE as_of = DATE '{newest.isoformat()}'"
        )


def listed(days: Sequence[date]) -> str:
    """Days as they stand in SQL after IN, between brackets."""
    return ", ".join(f"DATE '{day.isoformat()}'" for day in days) or "NULL"
