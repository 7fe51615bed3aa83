"""An open DuckDB file: its one connection, its transactions, and what an expression is in SQL.

What one schema of it holds: `warehouse.py`; who opens and closes files stands in `access/opening.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler
from ibis.common.exceptions import TableNotFound
from sqlglot import ErrorLevel

from cx_intel.warehouse.deep_calls import deep_calls
from cx_intel.warehouse.duckdb import writes
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA, Changed
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Rows

STAGED_PREFIX = "_staged_"
"""Begins the name of the table that holds a staged write."""
WORTH_KEEPING = (sge.Window, sge.Group, sge.Join, sge.Distinct, sge.SetOperation, sge.AggFunc, sge.Unnest, sge.Limit)
"""What makes a common table expression more than a view of rows that lie in a table."""


class ForDuckDB(DuckDBCompiler):
    """Ibis' compiler, but for two things.

    A joined query gets its name without a copy of all of it, at each level of joins. A text without blanks around it is not
    trimmed: to look at its ends takes a quarter of the time.
    """

    def visit_JoinReference(self, op: ops.JoinReference, *, parent: sge.Expression, identifier: int) -> sge.Expression:
        return parent.this if isinstance(parent, sge.Subquery) else parent

    def visit_Strip(self, op: ops.Strip, *, arg: sge.Expression) -> sge.Expression:
        trimmed = super().visit_Strip(op, arg=arg)
        if not isinstance(arg, sge.Column):
            return trimmed
        ends = (self.f.array_extract(arg, sge.convert(place)) for place in (1, -1))  # blanks are all up to this one
        return self.if_(sg.and_(*(sge.GT(this=end, expression=sge.convert(" ")) for end in ends)), arg, trimmed)


class SelectsAsWritten(Backend):
    """Ibis' backend, which leaves it to DuckDB to put selects together: to do so in Python takes half of compiling.

    Several parts of a query then read the same select as a common table expression. One that only picks rows and
    columns is not materialized, so that each part reads of the table what it needs: a day, and not the history.
    """

    compiler = ForDuckDB()

    def compile(
        self,
        expr: ir.Expr,
        /,
        *,
        limit: int | None = None,
        params: Mapping[ir.Expr, Any] | None = None,
        pretty: bool = False,
    ) -> str:
        fuses, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
        with deep_calls():
            try:
                query = self.compiler.to_sqlglot(expr, limit=limit, params=params)
            finally:
                ibis.options.sql.fuse_selects = fuses
            for part in query.ctes:
                if part.this.find(*WORTH_KEEPING) is None:
                    part.set("materialized", False)
            return query.sql(dialect=self.dialect, pretty=pretty, copy=False, unsupported_level=ErrorLevel.RAISE)


class Database:
    """One open DuckDB file; the warehouses of its schemas share it."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection):
        self.path = path
        self.connection = connection
        self.backend: Backend = SelectsAsWritten.from_connection(connection)
        self.clusters: dict[str, Any] = {}
        """Of each portfolio with tables on a Spark cluster, what reaches them (`warehouse/spark/`)."""
        self.servers: dict[str, Any] = {}
        """Of each portfolio with tables in PostgreSQL, what reaches them (`warehouse/postgres/`)."""
        self._known: dict[tuple[str, str], ir.Table] = {}
        self._schemas: set[str] = set()
        self._changed: set[Changed] = set()
        self._is_in_transaction = False

    def close(self) -> None:
        self.connection.close()

    def table(self, schema: str, table: str) -> ir.Table:
        """The table as an expression. Raises WarehouseError when it is not there.

        Its columns are asked for once until this process changes them; no other can, while the file is open.
        """
        if (schema, table) not in self._known:
            try:
                self._known[schema, table] = self.backend.table(table, database=schema)
            except TableNotFound:
                text = f"There is no table {schema}.{table} in {self.path}. Materialize that asset first."
                raise WarehouseError(text) from None
        return self._known[schema, table]

    def exists(self, schema: str, table: str) -> bool:
        try:
            self.table(schema, table)
        except WarehouseError:
            return False
        return True

    def expect(self, schema: str, table: str, columns: ibis.Schema) -> None:
        """Takes the table as there with these columns, without asking: it was just made so, or will be."""
        namespace = ops.Namespace(database=schema)
        self._known[schema, table] = ops.DatabaseTable(
            table, schema=columns, source=self.backend, namespace=namespace
        ).to_expr()

    def passing_table(self, name: str, columns: ibis.Schema) -> ir.Table:
        """A temporary table of this connection as an expression."""
        namespace = ops.Namespace(catalog="temp", database="main")
        return ops.DatabaseTable(name, schema=columns, source=self.backend, namespace=namespace).to_expr()

    def forget(self, schema: str, table: str) -> None:
        """Asks for the table's columns anew, when it is next wanted."""
        self._known.pop((schema, table), None)

    def ensure_schema(self, schema: str) -> None:
        if schema not in self._schemas:
            self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            self._schemas.add(schema)

    def schemas(self) -> list[str]:
        """The schemas of the file, sorted, without those that every DuckDB file has."""
        found = self.connection.execute(
            "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database() AND NOT internal ORDER BY 1"
        )
        return [name for (name,) in found.fetchall()]

    def table_count(self) -> int:
        """How many tables the file has, in all schemas."""
        return len(self.connection.execute("SELECT 1 FROM duckdb_tables() WHERE NOT internal").fetchall())

    def staged_writes(self) -> list[str]:
        """The staged writes that were neither put in place nor discarded, as schema.table; empty unless a run goes on."""
        found = self.connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE starts_with(table_name, ?) ORDER BY 1",
            [STAGED_PREFIX],
        )
        return [name for (name,) in found.fetchall()]

    @property
    def engine_version(self) -> str:
        return str(duckdb.__version__)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query, fetched to their end."""
        result = self.connection.execute(query)
        columns = [column[0] for column in result.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]

    def sql(self, rows: Rows, like: ibis.Schema | None = None) -> str:
        """The query that makes the rows, with the columns and types of `like`."""
        expression = as_expression(rows, like)
        self.backend._run_pre_execute_hooks(expression)
        return self.backend.compile(expression)

    def change(self, schema: str, table: str, query: str, values: Sequence[Any] = (), *, part: str = "") -> list[Any]:
        """Executes a statement that changes the rows or columns of a table: the one way to do so.

        With the transaction it is noted that the table, or the named part of it, is another than before, so that what was
        made from it is made again. Staged writes are nobody's input, and what is remembered beside tables is no table.
        """
        with self.transaction():
            if not table.startswith(STAGED_PREFIX) and schema != STATE_SCHEMA:
                self._changed.add((schema, table, part))
            return self.connection.execute(query, values).fetchall()

    def note_changes(self) -> None:
        """Notes at once, and not only at its end, what the transaction has changed so far."""
        changed, self._changed = self._changed, set()
        if changed and self.keeps_writes():
            writes.note(self.connection, changed)

    def keeps_writes(self) -> bool:
        """Whether ids of writes are kept in this file: not in a published one, nor where nothing was written since they are."""
        return self.exists(STATE_SCHEMA, writes.WRITES)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is executed inside; a transaction within another is part of that one."""
        if self._is_in_transaction:
            yield
            return
        self.connection.execute("BEGIN TRANSACTION")
        self._is_in_transaction = True
        try:
            yield
            self.note_changes()
        except BaseException:
            self._known.clear()
            self._schemas.clear()
            self._changed.clear()
            self.connection.execute("ROLLBACK")
            raise
        finally:
            self._is_in_transaction = False
        self.connection.execute("COMMIT")


def quoted(schema: str, table: str) -> str:
    """The table's name as it stands in SQL."""
    return f'"{schema}"."{table}"'


def escaped(path: Path) -> str:
    """The path as it stands between single quotes."""
    return str(path).replace("'", "''")


def as_expression(rows: Rows, like: ibis.Schema | None) -> ir.Table:
    """The rows with the columns and types of `like`; without one, with their own."""
    table = ibis.memtable(with_known_types(rows)) if isinstance(rows, pd.DataFrame) else rows
    if like is None or table.schema() == like:
        return table
    return table.select(**{name: table[name].cast(kind) for name, kind in like.items()})


def with_known_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns without any value become text, and times microseconds: DuckDB has types of its own for both."""
    changes: dict[str, str] = {}
    for column, kind in frame.dtypes.items():
        if str(kind) == "object" and frame[column].isna().all():
            changes[str(column)] = "string"
        elif str(kind).startswith("datetime64["):
            changes[str(column)] = "datetime64[us]"
    return frame.astype(changes)
