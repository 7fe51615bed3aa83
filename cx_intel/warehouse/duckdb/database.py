"""An open DuckDB file that is asked: which tables there are, their rows, and what an expression is in SQL.

What is remembered of tables stands in `state.py`, how they are replaced in `duckdb_warehouse.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend
from ibis.common.exceptions import TableNotFound

from cx_intel.warehouse.errors import WarehouseError

STAGED_PREFIX = "_staged_"


Rows: TypeAlias = ir.Table | pd.DataFrame


class Database:
    """One open DuckDB file."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection):
        self.path = path
        self._connection = connection
        self.backend: Backend = ibis.duckdb.from_connection(connection)
        self._seen: dict[tuple[str, str], ir.Table] = {}
        self._prepared: set[str] = set()

    def close(self) -> None:
        self._connection.close()

    def exists(self, schema: str, table: str) -> bool:
        try:
            self.table(schema, table)
        except WarehouseError:
            return False
        return True

    def tables(self, schema: str) -> list[str]:
        """The names of the schema's tables, staged ones left out."""
        found = self._connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE' "
            "AND NOT starts_with(table_name, ?) ORDER BY 1",
            [schema, STAGED_PREFIX],
        )
        return [name for (name,) in found.fetchall()]

    def table(self, schema: str, table: str) -> ir.Table:
        """The table as an expression; nothing is read yet. Raises WarehouseError when it is not there.

        Its columns are asked for once until this warehouse changes them; no other process can, while it is open.
        """
        if (schema, table) not in self._seen:
            try:
                self._seen[schema, table] = self.backend.table(table, database=schema)
            except TableNotFound:
                text = f"There is no table {schema}.{table} in {self.path}. Materialize that asset first."
                raise WarehouseError(text) from None
        return self._seen[schema, table]

    def expect(self, schema: str, table: str, columns: ibis.Schema) -> None:
        """Takes the table as there with these columns, without asking: it was just made so, or will be."""
        namespace = ops.Namespace(database=schema)
        known = ops.DatabaseTable(table, schema=columns, source=self.backend, namespace=namespace)
        self._seen[schema, table] = known.to_expr()

    def rows(self, asked: ir.Table) -> list[dict[str, Any]]:
        """The rows of an expression as Python values: for a few of them cheaper than a frame."""
        answer = self._connection.execute(self.sql(asked))
        columns = [column[0] for column in answer.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]

    def count(self, rows: ir.Table) -> int:
        """How many rows an expression has."""
        return int(self.rows(rows.agg(count=rows.count()))[0]["count"])

    def sql(self, rows: Rows, like: ibis.Schema | None = None) -> str:
        """The query that makes the rows, with the columns and types of `like`."""
        expression = as_expression(rows, like)
        self.backend._run_pre_execute_hooks(expression)
        return self.backend.compile(expression)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is executed inside."""
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self._seen.clear()
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _ensure_schema(self, schema: str) -> None:
        if schema not in self._prepared:
            self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            self._prepared.add(schema)


def quoted(schema: str, table: str) -> str:
    """The table's name as it stands in SQL."""
    return f'"{schema}"."{table}"'


def as_expression(rows: Rows, like: ibis.Schema | None) -> ir.Table:
    """The rows with the columns and types of `like`; without one, with their own."""
    table = ibis.memtable(with_known_types(rows)) if isinstance(rows, pd.DataFrame) else rows
    if like is None:
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
