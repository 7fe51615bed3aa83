"""A warehouse whose models run in PostgreSQL: the server computes and keeps the tables, and the DuckDB file has the same rows.

The DuckDB file stays the one place that tells what the portfolio holds, and what checks, reports, exports and publication
read. A table at the server bears the id of the write whose rows it has. Where that is not the file's (a run was killed in
between, a back-up was brought back, somebody was erased), it is not read, and is filled from the file before the run ends.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from cx_intel.warehouse.duckdb import writes
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, Database, as_expression
from cx_intel.warehouse.duckdb.made import digest
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.postgres.expressions import BATCH_ROWS, cells, on_postgres, without_zeros
from cx_intel.warehouse.postgres.remembered import remember_place
from cx_intel.warehouse.postgres.server import PostgresTables
from cx_intel.warehouse.protocol import Rows

FETCHED = "_cx_fetched"


class PostgresWarehouse(DuckDBWarehouse):
    """A `Warehouse` in one schema of an open DuckDB file and one of a PostgreSQL server."""

    def __init__(self, database: Database, schema: str, server: PostgresTables):
        super().__init__(database, schema)
        self.server = server

    def stage(self, table: str, parts: Iterable[Rows], like: ibis.Schema | None = None) -> ir.Table:
        if table not in self.server.kept or like is None:
            return super().stage(table, parts, like)
        found = super().stage(table, self._computed(table, parts, like), like)
        self.server.execute(f"ANALYZE {self.server.name(STAGED_PREFIX + table)}")
        return found

    def discard(self, table: str) -> None:
        super().discard(table)
        if table in self.server.kept:
            self.server.drop(STAGED_PREFIX + table)

    def rename_staged(self, staged: str, table: str, like: ibis.Schema) -> ir.Table:
        without = sorted(self.staged(staged).schema().keys() - like.keys())
        found = super().rename_staged(staged, table, like)
        if staged in self.server.kept:
            self.server.rename(STAGED_PREFIX + staged, STAGED_PREFIX + table, without)
        return found

    def swap(
        self,
        table: str,
        *,
        column: str = "",
        days: Sequence[date] = (),
        state: Mapping[date, str] | None = None,
        stands_at: date | None = None,
    ) -> None:
        before = self._is_current(table)
        super().swap(table, column=column, days=days, state=state, stands_at=stands_at)
        if table not in self.server.kept:
            return
        # where a transaction goes on that then fails, the server's mark is none of the file's
        if self._is_current(table):  # the rows were the same
            self.server.drop(STAGED_PREFIX + table)
        elif not column or (before and self.server.fits(table, is_part=True)):
            self.server.put_in_place(table, write_of(self.database, self.schema, table), column=column, days=days)
        else:
            self.server.drop(STAGED_PREFIX + table)
            fill(self.database, self.schema, self.server, table)

    def delete_before(self, table: str, column: str, first: date) -> int:
        before = self._is_current(table)
        count = super().delete_before(table, column, first)
        if count and before:
            condition = f"\"{column}\" < DATE '{first.isoformat()}'"
            self.server.delete(table, condition, write_of(self.database, self.schema, table))
        return count

    def _computed(self, table: str, parts: Iterable[Rows], like: ibis.Schema) -> Iterator[ir.Table]:
        """The parts as the server makes them; they stand beside its table too."""
        server, staged = self.server, self.server.name(STAGED_PREFIX + table)
        fetched = ibis.schema({name: dt.string if kind.is_decimal() else kind for name, kind in like.items()})
        columns = ", ".join(f'"{name}"' for name in like)
        server.create(STAGED_PREFIX + table, like)
        for part in parts:
            with on_postgres(as_expression(part, like), self.database, server, self._living) as query:
                server.execute(f"CREATE TEMPORARY TABLE {FETCHED} AS {query}")
            server.execute(f"INSERT INTO {staged} ({columns}) SELECT {columns} FROM {FETCHED}")
            with server.fetched(f"SELECT {cells(like)} FROM {FETCHED}") as reader:
                self.database.connection.register(FETCHED, reader)
                yield self.database.passing_table(FETCHED, fetched)
                self.database.connection.unregister(FETCHED)
            server.execute(f"DROP TABLE {FETCHED}")

    def _living(self, schema: str, table: str) -> str:
        """The name of a table at the server, where it holds the file's rows; empty where not."""
        of = table.removeprefix(STAGED_PREFIX)
        if schema != self.schema or of not in self.server.kept:
            return ""
        if of != table:
            return table if self.server.columns(table) else ""
        return table if self._is_current(table) else ""

    def _is_current(self, table: str) -> bool:
        return is_current(self.database, self.schema, self.server, table)


def is_current(database: Database, schema: str, server: PostgresTables, table: str) -> bool:
    """Whether the server's table has the rows of the file's."""
    mark = server.mark(table) if table in server.kept else None
    return bool(mark) and mark == write_of(database, schema, table)


def write_of(database: Database, schema: str, table: str) -> str:
    """Which write of a table of the file is the last, of a transaction that goes on too; empty where that is not known."""
    if not database.keeps_writes():
        return ""
    database.note_changes()
    ids = sorted((part, one) for (name, part), one in writes.ids(database.connection, schema).items() if name == table)
    return digest(ids) if ids else ""


def fill(database: Database, schema: str, server: PostgresTables, table: str) -> None:
    """Gives the server's table the rows of the file's."""
    staged, rows = STAGED_PREFIX + table, without_zeros(database.table(schema, table))
    server.drop(staged)
    server.create(staged, rows.schema())
    server.add(staged, database.connection.sql(database.sql(rows)).to_arrow_reader(BATCH_ROWS))
    server.put_in_place(table, write_of(database, schema, table))


def bring_up_to_date(database: Database, schema: str, server: PostgresTables) -> list[str]:
    """Fills the tables of the server that have other rows than the file's, and drops those that the file has not.

    Returns:
        Which were filled.
    """
    there = {
        table
        for (table,) in database.connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?",
            [schema],
        ).fetchall()
        if table in server.kept
    }
    remember_place(database, schema, server.place)
    for table in server.tables():
        if table not in there:
            server.drop(table)
    stale = sorted(table for table in there if not is_current(database, schema, server, table))
    for table in stale:
        fill(database, schema, server, table)
    return stale
