"""The tables of a graph in PostgreSQL, and what models compiled for it make of them there.

The graph in DuckDB gives the inputs and the expected rows (`whole_graph.py`); a server of one's own, `postgres.py`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge
from adbc_driver_postgresql import dbapi
from ibis.backends.sql.compilers import PostgresCompiler
from sqlglot import ErrorLevel

from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel_tests.helpers.whole_graph import WholeGraph

Row = tuple[Any, ...]
TRY_CAST = """
CREATE OR REPLACE FUNCTION public."try_{name}"(cell text) RETURNS {name} LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN cell::{name}; EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$
"""
"""What PostgreSQL lacks: a cast that gives null where the text is no such value."""
TRIED = {"int64": "bigint", "float64": "float8", "decimal": "numeric", "timestamp": "timestamp"}
TOLERANCE = 1e-9
"""Of what is no exact number in either engine: of the value, or of one where it is smaller."""


class TryingCompiler(PostgresCompiler):
    """Ibis' compiler, whose casts that may fail end the statement."""

    def visit_TryCast(self, op: ops.TryCast, *, arg: sge.Expression, to: Any) -> sge.Expression:
        name = TRIED[type(to).__name__.lower()]
        return self.cast(self.f.anon[f"try_{name}"](arg), to)


class OnPostgres:
    """The tables of a graph as they stand, copied into a schema of the same name.

    Attributes:
        graph: Makes the tables in DuckDB.
        connection: To the server.
    """

    def __init__(self, graph: WholeGraph, address: str):
        self.graph = graph
        self.connection = dbapi.connect(address, autocommit=True)
        self._execute(f'DROP SCHEMA IF EXISTS "{self._schema}" CASCADE')
        self._execute(f'CREATE SCHEMA "{self._schema}"')
        self._execute("SET TimeZone = 'UTC'")
        for name in TRIED.values():
            self._execute(TRY_CAST.format(name=name))
        for table in graph.warehouse.tables():
            self._copy(table, graph.warehouse.table(table).to_pyarrow(), self._schema)

    def close(self) -> None:
        self.connection.close()

    def differences(self, table: str) -> list[str]:
        """Where the rows of a model differ between the two, by key; empty: they are equal."""
        step = self.graph.step(table)
        rows = StepRunner(step, self.graph.portfolio, self.graph.warehouse).model(self.graph.as_of)
        if not isinstance(rows, ir.Table):
            return []  # made of frames in Python, whatever the engine
        return self._compared(
            rows.select([rows[c.name].cast(c.type) for c in step.contract.columns]), step.contract.grain
        )

    def rejected(self, table: str) -> list[str]:
        """Where the rejected rows of a staged table differ."""
        return self._compared(self.graph.rejected(self.graph.step(table)), ("source_file", "row_number"))

    def rules(self, table: str) -> list[str]:
        """The rules of a table's contract that as many rows of it break in one as in the other, or are refused."""
        contract = self.graph.step(table).contract
        return [
            told
            for counts in self.graph.broken(contract, warnings=True).values()
            for told in self._compared(counts, ())
        ]

    def _compared(self, rows: ir.Table, key: Sequence[str]) -> list[str]:
        try:
            found = self.rows(rows)
        except dbapi.Error as error:
            return [f"refused: {error}"]
        return differences(key, self.expected(rows), found)

    def expected(self, rows: ir.Table) -> list[dict[str, Any]]:
        """What DuckDB gives."""
        found: pa.Table = self.graph.warehouse.database.backend.to_pyarrow(rows)
        return found.to_pylist()

    def rows(self, rows: ir.Table) -> list[dict[str, Any]]:
        """What PostgreSQL gives, in the same types."""
        for node in rows.op().find(ops.InMemoryTable):
            self._copy(node.name, node.data.to_pyarrow(node.schema), "public")
        sql = self.sql(rows)
        columns = ", ".join(f'"{name}"::text' for name in rows.columns)
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM ({sql}) AS found")
            text = cursor.fetch_arrow_table().rename_columns(list(rows.columns))
        typed = ibis.memtable(text)
        cells = {name: typed[name].cast(kind) for name, kind in rows.schema().items()}
        return self.expected(typed.select(**cells))

    def sql(self, rows: ir.Table) -> str:
        """The statement; each level is computed once, where the planner would write it out at each mention."""
        query = TryingCompiler().to_sqlglot(rows.unbind())
        for select in list(query.find_all(sge.Select)):
            if isinstance(select.parent, sge.Subquery | sge.CTE) and not select.args.get("offset"):
                select.set("offset", sge.Offset(expression=sge.Literal.number(0)))
        for table in query.find_all(sge.Table):
            table.set("catalog", None)
        return str(query.sql(dialect="postgres", unsupported_level=ErrorLevel.RAISE))

    @property
    def _schema(self) -> str:
        return self.graph.portfolio.name

    def _copy(self, table: str, rows: pa.Table, schema: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="replace", db_schema_name=schema)

    def _execute(self, sql: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)


def differences(key: Sequence[str], expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """Rows that only one has, and cells that differ: equal to the last digit, but for binary floats."""
    first, second = _by_key(key, expected), _by_key(key, found)
    told = [f"only one has {k}" for k in first.keys() ^ second.keys()]
    for row_key in first.keys() & second.keys():
        for one, other in zip(first[row_key], second[row_key], strict=True):
            told += [
                f"{row_key} {name}: {value!r} against {other[name]!r}"
                for name, value in one.items()
                if not _equal(value, other[name])
            ]
    return sorted(told)


def _by_key(key: Sequence[str], rows: list[dict[str, Any]]) -> Mapping[Row, list[dict[str, Any]]]:
    found: dict[Row, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in key), []).append(row)
    return {k: sorted(rows, key=str) if len(rows) > 1 else rows for k, rows in found.items()}


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)
