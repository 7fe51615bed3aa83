"""What an expression over tables of the DuckDB file is in PostgreSQL: the same models, compiled for it, over the same rows.

Tables that the server holds as they are are read there; all others, and rows of Python, are handed over for as long as
the query takes.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.sql.compilers import PostgresCompiler
from sqlglot import ErrorLevel

from cx_intel.warehouse.deep_calls import deep_calls
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.postgres.server import TRIED, PostgresTables

BATCH_ROWS = 50_000
NO_TEXT = "\N{REPLACEMENT CHARACTER}"
"""Stands for the character of code 0, which the server's texts cannot have."""


class ForPostgres(PostgresCompiler):
    """Ibis' compiler, but for casts that may fail, which end the statement there: functions give null in their place."""

    def visit_TryCast(self, op: ops.TryCast, *, arg: sge.Expression, to: Any) -> sge.Expression:
        name = TRIED[type(to).__name__.lower()]
        return self.cast(self.f.anon[f"try_{name}"](arg), to)


@contextmanager
def on_postgres(
    rows: ir.Table, database: Database, server: PostgresTables, living: Callable[[str, str], str]
) -> Iterator[str]:
    """The statement that makes the rows; what was handed over for it is gone afterwards.

    Args:
        rows: The expression.
        database: Whose tables it reads.
        server: Where it is to be executed.
        living: Gives the table's name at the server, by schema and name; empty for one that is not there as it is.
    """
    handed: list[str] = []

    def hand_over(node: ops.Relation) -> ops.Node:
        name = f"cx_{uuid.uuid4().hex}"
        query = database.sql(without_zeros(node.to_expr()))
        server.hand_over(name, database.connection.sql(query).to_arrow_reader(BATCH_ROWS))
        handed.append(name)
        return ops.UnboundTable(name, node.schema)

    def living_name(node: ops.Node) -> str:
        is_table = isinstance(node, ops.DatabaseTable)
        return living(str(node.namespace.database or ""), node.name) if is_table else ""

    try:
        with deep_calls():
            expression = rows.op()
            # of a table of the file that is filtered first, as events are by day, no other rows go over
            filtered = [
                f
                for f in expression.find(ops.Filter)
                if isinstance(f.parent, ops.DatabaseTable) and not living_name(f.parent)
            ]
            if filtered:
                expression = expression.replace({one: hand_over(one) for one in filtered})
            there: dict[ops.Node, ops.Node] = {}
            for node in expression.find((ops.DatabaseTable, ops.InMemoryTable)):
                if name := living_name(node):
                    namespace = ops.Namespace(database=server.schema)
                    there[node] = ops.UnboundTable(name, node.schema, namespace=namespace)
                else:
                    there[node] = hand_over(node)
            query = to_sql((expression.replace(there) if there else expression).to_expr())
        yield query
    finally:
        for name in handed:
            server.execute(f'DROP TABLE IF EXISTS "{name}"')


def to_sql(rows: ir.Table) -> str:
    """The statement in the server's SQL; each level is computed once, where the planner would write it out at each mention."""
    fuses, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
    try:
        query = ForPostgres().to_sqlglot(rows)
    finally:
        ibis.options.sql.fuse_selects = fuses
    for select in list(query.find_all(sge.Select)):
        if isinstance(select.parent, sge.Subquery | sge.CTE) and not select.args.get("offset"):
            select.set("offset", sge.Offset(expression=sge.Literal.number(0)))
    for table in query.find_all(sge.Table):
        table.set("catalog", None)
    return str(query.sql(dialect="postgres", unsupported_level=ErrorLevel.RAISE))


def cells(rows: ibis.Schema) -> str:
    """The columns as they are fetched: exact numbers as text, which Arrow has no type for at the server."""
    return ", ".join(f'"{name}"::text AS "{name}"' if kind.is_decimal() else f'"{name}"' for name, kind in rows.items())


def without_zeros(rows: ir.Table) -> ir.Table:
    """The rows with `NO_TEXT` for what the server's texts cannot have."""
    texts = [name for name, kind in rows.schema().items() if kind.is_string()]
    return rows.mutate(**{name: rows[name].replace("\0", NO_TEXT) for name in texts}) if texts else rows
