"""Queries of sources at the cluster: Spark runs them over tables of its catalogs, and leaves what they give as Parquet files.

Cells become those of the raw table within the tasks, by the expressions that any query's cells are read by
(`duckdb/files/cursor_rows.py`). Which of the rows are new, and which they replace: `new_rows.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import ibis
import pyarrow as pa
import pyarrow.dataset as ds

from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.formats.parquet import without_nested
from cx_intel.warehouse.duckdb.access.limits import Limits
from cx_intel.warehouse.duckdb.files.by_file import STREAM
from cx_intel.warehouse.servers.connections import bare_query
from cx_intel.warehouse.spark.iceberg import spark_type
from cx_intel.warehouse.spark.reading import BATCH_ROWS, MEMORY, arrow_type, misfit_python, refuse_other_release
from cx_intel.warehouse.spark.session import first_line

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_RAISED = re.compile(r"^[\w.]*(?:Error|Exception): (.+)$", re.MULTILINE)
"""The last line of what Python says of an error in a task."""
_NAMED = re.compile(r"\[(?!TASK_WRITE_FAILED)[A-Z][A-Z0-9_.]+\] [^\n]+")
"""What Spark says of an error that has a name."""


@dataclass(frozen=True)
class Answer:
    """What a query gives; no row is read yet.

    Attributes:
        frame: The rows.
        of: Whose query it is, as messages say it.
        schema: The columns.
    """

    frame: DataFrame
    of: str
    schema: pa.Schema

    def through(self, folder: Path) -> pa.RecordBatchReader:
        """The rows, by way of Parquet files that Spark writes into a folder. Raises SourceError where it fails."""
        with _errors_of(self.of):
            self.frame.write.parquet(str(folder))
        given = ds.dataset(folder, format="parquet").to_batches(batch_size=BATCH_ROWS)
        rows = (without_nested(pa.Table.from_batches([batch])).cast(self.schema) for batch in given)
        return pa.RecordBatchReader.from_batches(self.schema, (made for table in rows for made in table.to_batches()))

    def write_as(self, folder: Path, queries: Sequence[str], columns: ibis.Schema) -> None:
        """Writes the rows as DuckDB makes them of each batch, in the tasks.

        Args:
            folder: For the Parquet files.
            queries: In DuckDB's SQL: what makes a view of the rows that stream in, and the rows to be written.
            columns: The columns and types of these.

        Raises:
            SourceError: Spark fails, or a cell cannot be read.
            WarehouseError: The cluster's Python is not fit for it.
        """
        told = ", ".join(f"`{name}` {spark_type(kind)}" for name, kind in columns.items())
        schema = pa.schema([(field.name, arrow_type(field.type)) for field in columns.to_pyarrow()])
        task = partial(_made, tuple(queries), schema, version("cx-intel"))
        with _errors_of(self.of):
            self.frame.mapInArrow(task, told).write.parquet(str(folder))


def ask(session: SparkSession, query: str, of: str) -> Answer:
    """What a query would give: one SELECT, in Spark's SQL.

    Args:
        session: Spark.
        query: The query. It stands in brackets, where nothing else than a SELECT can.
        of: Whose it is, as messages say it.

    Raises:
        SourceError: It is something else, or names what is not there.
    """
    from pyspark.sql.pandas.types import to_arrow_schema

    with _errors_of(of):
        frame = session.sql(f"SELECT * FROM ({bare_query(query)}\n) AS cx_query")
        return Answer(frame, of, without_nested(to_arrow_schema(frame.schema).empty_table()).schema)


def _made(
    queries: Sequence[str], schema: pa.Schema, release: str, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The rows that the last query makes of each batch, in a task."""
    refuse_other_release(release)
    *views, rows = queries
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        Limits(MEMORY, 1).apply(connection)
        for number, batch in enumerate(batches):
            connection.register(STREAM, without_nested(pa.Table.from_batches([batch])))
            for view in views if number == 0 else ():
                connection.execute(view)
            for made in connection.sql(rows).to_arrow_reader(BATCH_ROWS):
                cells = [made.column(name).cast(schema.field(name).type) for name in schema.names]
                yield pa.RecordBatch.from_arrays(cells, schema=schema)


@contextmanager
def _errors_of(of: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if misfit := misfit_python(error, of, version("cx-intel")):
            raise misfit from error
        raise SourceError(f"{of} fails: {_said(error)}") from error


def _said(error: Exception) -> str:
    """What Spark says, or Python in one of its tasks, without the calls that led there."""
    text = str(error)
    found = _RAISED.findall(text) if "Traceback" in text else _NAMED.findall(text)
    return str(found[-1]).strip() if found else first_line(error)
