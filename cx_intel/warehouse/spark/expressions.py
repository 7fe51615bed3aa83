"""What an expression over tables of the DuckDB file is on Spark: the same models, compiled for it, over the same tables.

Tables that live on the cluster are read there; all others, and rows of Python, are handed over as Parquet files.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.sql.compilers import PySparkCompiler
from ibis.config import Config
from sqlglot import ErrorLevel

from cx_intel.warehouse.deep_calls import deep_calls
from cx_intel.warehouse.duckdb.database import Database, escaped
from cx_intel.warehouse.spark.iceberg import spark_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class ForSpark(PySparkCompiler):
    r"""Ibis' compiler, but for blanks around texts: its `\v` and `\f` are letters to Spark, which are trimmed too."""

    def visit_Strip(self, op: ops.Strip, *, arg: sge.Expression) -> sge.Expression:
        return self.f.trim(arg, self.f.concat(" \t\n\r", self.f.chr(11), self.f.chr(12)))


class SparkOptions(Config):
    """What the compiler reads; Ibis' own stands in a module that needs more of PySpark than this does."""

    treat_nan_as_null: bool = False


@contextmanager
def on_spark(
    rows: ir.Table,
    database: Database,
    session: SparkSession,
    exchange: Path,
    living: Callable[[str, str], DataFrame | None],
) -> Iterator[DataFrame]:
    """The rows of an expression as Spark makes them; what was handed over is gone afterwards.

    Args:
        rows: The expression.
        database: Whose tables it reads.
        session: Spark.
        exchange: A folder that the driver and the workers see.
        living: Gives a table, by schema and name, as it lies on the cluster; None of one that does not.
    """
    folder = exchange / uuid.uuid4().hex
    folder.mkdir(parents=True)
    views: list[str] = []
    try:
        with deep_calls():
            replaced: dict[ops.Node, ops.Node] = {}
            for node in rows.op().find((ops.DatabaseTable, ops.InMemoryTable)):
                view = f"cx_{uuid.uuid4().hex}"
                frame = None
                if isinstance(node, ops.DatabaseTable):
                    frame = living(str(node.namespace.database or ""), node.name)
                if frame is None:
                    file = folder / f"{view}.parquet"
                    query = database.sql(node.to_expr())
                    database.connection.execute(f"COPY ({query}) TO '{escaped(file)}' (FORMAT parquet)").fetchall()
                    frame = session.read.parquet(str(file))
                typed(frame, node.schema).createOrReplaceTempView(view)
                views.append(view)
                replaced[node] = ops.UnboundTable(view, node.schema)
            query = to_sql(rows.op().replace(replaced).to_expr() if replaced else rows)
        yield session.sql(query)
    finally:
        for view in views:
            session.catalog.dropTempView(view)
        shutil.rmtree(folder, ignore_errors=True)


def to_sql(rows: ir.Table) -> str:
    """The statement in Spark's SQL."""
    if ibis.options.pyspark is None:
        ibis.options.pyspark = SparkOptions()
    query = ForSpark().to_sqlglot(rows)
    return str(query.sql(dialect="spark", unsupported_level=ErrorLevel.RAISE))


def typed(frame: DataFrame, like: ibis.Schema) -> DataFrame:
    """The columns of the frame, of these types."""
    from pyspark.sql import functions as f

    return frame.select(*(f.col(f"`{name}`").cast(spark_type(kind)).alias(name) for name, kind in like.items()))
