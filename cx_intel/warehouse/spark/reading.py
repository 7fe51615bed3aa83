"""Files of a source read by the cluster: each task takes some of them, and reads them as the machine of the refresh would.

The reader is the same (`duckdb/files/by_file.py`), over a DuckDB within the task, so that the rows are the same too, whatever
the format. The machine of the refresh lists the files, and is told what each one gave. Where rows go: `warehouse.py`.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import DELIVERED_DAY, ROW_MARKS
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.known import KnownFile
from cx_intel.sources.files.paths import SourceFile
from cx_intel.warehouse.duckdb.access.limits import Limits
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, Database, quoted
from cx_intel.warehouse.duckdb.files.by_file import columns_read
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.spark.iceberg import spark_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MOST_BYTES, MOST_FILES = 128 << 20, 200
"""Of the files that one task reads, but for a single larger file."""
MEMORY = "1GB"
"""What the DuckDB of a task may take; more goes to the disk."""
BATCH_ROWS = 20_000
PYTHON_DIFFERS = ("ModuleNotFoundError", "Can't get attribute", "PYTHON_VERSION_MISMATCH", "Cannot run program")
"""In errors of tasks that could not begin to read."""
READ = "read"
Told = dict[int, "list[KnownFile] | str"]
"""What the tasks told, by their numbers: the files as they were then, or what is wrong with one."""


@dataclass(frozen=True)
class ClusterReader:
    """Some files of a source, for tasks of a cluster. It goes to them whole.

    Attributes:
        source: Whose files.
        files: The files.
        times: The columns of times that stay typed; None where the files are read in batches of text.
        contract: The staging contract of the source's table.
        recipe: How files are read, to be remembered.
        with_day: Gives the rows their day.
        release: Of this program, which the workers have to have too.
    """

    source: FilesSource
    files: Sequence[SourceFile]
    times: Mapping[str, str] | None
    contract: Contract
    recipe: str
    with_day: Callable[[ir.Table], ir.Table]
    release: str = version("cx-intel")

    @property
    def columns(self) -> ibis.Schema:
        """The columns and types of the rows."""
        return self.with_day(ibis.table(columns_read(self.contract, self.times), name=READ)).schema()

    @contextmanager
    def reading(self, session: SparkSession, read: list[KnownFile]) -> Iterator[DataFrame]:
        """The rows of all files, to be written within the block; the files as they were then are added to `read`.

        Raises:
            SourceError: A file cannot be read, or not by a machine of the cluster; the text says what to do.
            WarehouseError: The cluster's Python is not fit for it.
        """
        context = session.sparkContext
        parts = _parts(self.files, context.defaultParallelism)
        parameter: Any = _Merged()
        told: Any = context.accumulator({}, parameter)
        columns = ", ".join(f"`{name}` {spark_type(kind)}" for name, kind in self.columns.items())
        numbers = session.range(0, len(parts), 1, len(parts))
        try:
            yield numbers.mapInArrow(partial(self._rows, parts, told), columns)
        except Exception as error:
            if misfit := misfit_python(error, f"The {self.source.title}", self.release):
                raise misfit from error
            raise
        for _, found in sorted(told.value.items()):
            if isinstance(found, str):
                raise SourceError(found)
            read += found

    def _rows(
        self, parts: Sequence[Sequence[SourceFile]], told: Any, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        """The rows of the parts whose numbers a task is given."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                try:
                    refuse_other_release(self.release)
                    yield from self._rows_of(parts[number], number, told)
                except SourceError as error:
                    told.add({number: str(error)})
                except (FileNotFoundError, PermissionError) as error:
                    told.add(
                        {
                            number: f"{error.filename}: cannot be read on the cluster's machine {socket.gethostname()} "
                            f"({error.strerror}). Its machines need the folder by the same path; else state `files: driver` "
                            "in `warehouse`, and the machine of the refresh reads the files."
                        }
                    )

    def _rows_of(self, files: Sequence[SourceFile], number: int, told: Any) -> Iterator[pa.RecordBatch]:
        places = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")
        with (
            tempfile.TemporaryDirectory(prefix="cx_intel_", dir=places[0] or None) as spill,
            duckdb.connect() as connection,
        ):
            connection.execute("SET TimeZone = 'UTC'")
            Limits(MEMORY, 1, spill).apply(connection)
            tables = DuckDBWarehouse(Database(Path(spill), connection), READ)
            read = tables.stage_files_as(
                self.times,
                READ,
                self.source,
                files,
                contract=self.contract,
                recipe=self.recipe,
                with_day=self.with_day,
            )
            rows = connection.sql(f"FROM {quoted(READ, STAGED_PREFIX + READ)}")
            schema = pa.schema([(field.name, arrow_type(field.type)) for field in self.columns.to_pyarrow()])
            for batch in rows.to_arrow_reader(BATCH_ROWS):
                yield pa.RecordBatch.from_arrays(
                    [batch.column(name).cast(schema.field(name).type) for name in schema.names], schema=schema
                )
        told.add({number: read})


def misfit_python(error: Exception, of: str, release: str) -> WarehouseError | None:
    """What the cluster's Python lacks, where an error says that no task could begin; None of another one.

    Args:
        error: What Spark raised.
        of: What the tasks were to read, as messages say it.
        release: Of this program.
    """
    if not any(sign in str(error) for sign in PYTHON_DIFFERS):
        return None
    return WarehouseError(
        f"{of} cannot be read by the cluster's Python: it takes cx-intel {release} there, in the Python that "
        "`spark.pyspark.python` of `warehouse.settings` names (default: the path of the one that refreshes). Install it, "
        "or state `files: driver` in `warehouse`."
    )


def refuse_other_release(release: str) -> None:
    """Raises SourceError where this program, in a task, is of another release than that which refreshes."""
    if (here := version("cx-intel")) != release:
        raise SourceError(
            f"The cluster's Python has cx-intel {here}, this machine {release}: install the same on both."
        )


class _Merged:
    """How what the tasks tell comes together: of a task that ran twice, what it told last."""

    def zero(self, value: Told) -> Told:
        return {}

    def addInPlace(self, value: Told, other: Told) -> Told:
        return value | other


def day_fingerprints(rows: DataFrame, days: Sequence[date] | None) -> dict[date, str]:
    """Of each day, or of some, a fingerprint of its rows in any order, `#`, and one of where they stood."""
    from pyspark.sql import functions as f

    cells = [column for column in rows.columns if column not in ROW_MARKS]
    told = f.xxhash64(*(part for c in cells for part in (f.isnull(c), f.col(c))))
    rejected = f.when(f.isnotnull("_reject"), f.col("_raw_row"))
    stood = f.xxhash64(
        told, f.col("_source_file"), f.col("_row_number"), f.isnull("_reject"), f.col("_reject"), rejected
    )
    of_days = rows if days is None else rows.filter(f.col(DELIVERED_DAY).isin(list(days)))
    found = (
        of_days.select(f.col(DELIVERED_DAY).alias("day"), told.alias("cells"), stood.alias("stood"))
        .groupBy("day")
        .agg(f.count("*"), f.bit_xor("cells"), f.sum(f.col("cells").cast("decimal(38, 0)")), f.bit_xor("stood"))
    )
    return {day: f"{count}:{cells}:{total}#{stood}" for day, count, cells, total, stood in found.collect()}


def _parts(files: Sequence[SourceFile], parallelism: int) -> list[list[SourceFile]]:
    """The files in their order, by tasks: of about the same size, and some for each core."""
    there = [file._replace(path=file.path.absolute()) for file in files]
    sizes = [file.path.stat().st_size for file in there]
    most = min(MOST_BYTES, max(1, sum(sizes) // (2 * parallelism)))
    parts: list[list[SourceFile]] = []
    filled = most
    for file, size in zip(there, sizes, strict=True):
        if filled + size > most or len(parts[-1]) >= MOST_FILES:
            parts.append([])
            filled = 0
        parts[-1].append(file)
        filled += size
    return parts


def arrow_type(kind: pa.DataType) -> pa.DataType:
    """The type as Spark has it: times are moments."""
    return pa.timestamp("us", "UTC") if pa.types.is_timestamp(kind) else kind
