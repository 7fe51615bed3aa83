"""Joins the warehouse to Dagster: an asset may take and return `pandas.DataFrame` or `ibis.Table`.

A subclass of `DuckDBPandasIOManager` in which a table, or a partition, is replaced whole in one transaction, columns by
name, also when it is empty or its columns changed. The assets that the factory makes stage and check their rows first
and hand over a `Staged`; anything else is staged here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster_duckdb.io_manager import DuckDbClient
from dagster_duckdb_pandas import DuckDBPandasIOManager
from pydantic import Field, PrivateAttr

from cx_intel.warehouse.duckdb.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.upgrades import back_up_if_due
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.lock import WriterLock
from cx_intel.warehouse.running import FOLDER, RunMark

LOCK_FILE = "warehouse.lock"
READERS_SECONDS = 30
"""How long a run waits for whoever only looks into the file, as the summary of the run before it does."""


@dataclass(frozen=True)
class Staged:
    """Rows that are staged, checked, and ready to be put in the place of the old ones.

    Attributes:
        table: The staged rows.
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


class SharedConnection(DuckDbClient):
    """The process's one connection in place of a new one for every input and output."""

    @staticmethod
    @contextmanager
    def connect(context: Any, _: TableSlice) -> Iterator[DuckDBWarehouse]:  # type: ignore[override]
        path = Path(context.resource_config["database"])
        warehouse = open_warehouse(path)
        try:
            yield warehouse
        finally:
            close_warehouse(path)

    @staticmethod
    def get_table_name(table_slice: TableSlice) -> str:
        """Schema and table: where the file lies is nobody's business in the catalogue."""
        return f"{table_slice.schema}.{table_slice.table}"

    @staticmethod
    def ensure_schema_exists(context: Any, table_slice: TableSlice, connection: Any) -> None:
        """Staging does that."""

    @staticmethod
    def delete_table_slice(context: Any, table_slice: TableSlice, connection: Any) -> None:
        """Old rows go in the transaction that brings the new ones, not before."""


def partition_of(context: dg.OutputContext | dg.InputContext, table_slice: TableSlice) -> tuple[str, tuple[date, ...]]:
    """The partition column and days that an output or input is about; nothing for a whole table."""
    if not table_slice.partition_dimensions:
        return "", ()
    window = context.asset_partitions_time_window
    count = (window.end.date() - window.start.date()).days
    days = tuple(window.start.date() + timedelta(days=n) for n in range(count))
    return table_slice.partition_dimensions[0].partition_expr, days


class TableHandler(DbTypeHandler[ir.Table]):
    """Ibis tables: executed where the data lie on the way in, an expression without any reading on the way out."""

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: Any, connection: DuckDBWarehouse
    ) -> dict[str, Any]:
        column, days = partition_of(context, table_slice)
        connection.stage(table_slice.schema, table_slice.table, [obj])
        connection.swap(table_slice.schema, table_slice.table, column=column, days=days)
        return {}

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: DuckDBWarehouse) -> ir.Table:
        return connection.table(table_slice.schema, table_slice.table)

    @property
    def supported_types(self) -> Sequence[type]:
        return [ir.Table]


class StagedHandler(TableHandler):
    """Rows staged already: put in place."""

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: Staged, connection: DuckDBWarehouse
    ) -> dict[str, Any]:
        connection.swap(
            table_slice.schema,
            table_slice.table,
            column=obj.column,
            days=obj.days,
            state=obj.state,
            stands_at=obj.stands_at,
        )
        return {}

    @property
    def supported_types(self) -> Sequence[type]:
        return [Staged]


class FrameHandler(TableHandler):
    """pandas DataFrames: an input of a partitioned table holds the partitions of the run."""

    def load_input(
        self, context: dg.InputContext, table_slice: TableSlice, connection: DuckDBWarehouse
    ) -> pd.DataFrame:
        rows = connection.table(table_slice.schema, table_slice.table)
        column, days = partition_of(context, table_slice)
        if days:
            rows = rows.filter(rows[column].between(days[0], days[-1]))
        return connection.backend.execute(rows)

    @property
    def supported_types(self) -> Sequence[type]:
        return [pd.DataFrame]


class TableIOManager(DbIOManager):
    """Resolves an expression without asking Dagster which partitions it covers: models cut by themselves."""

    def load_input(self, context: dg.InputContext) -> object:
        if context.dagster_type.typing_type in (Any, ir.Table):
            slice_ = self._place_of(context)
            with self._db_client.connect(context, slice_) as connection:
                return self._handlers_by_type[ir.Table].load_input(context, slice_, connection)
        return super().load_input(context)

    def _place_of(self, context: dg.InputContext) -> TableSlice:
        """Schema and table in the order of precedence that Dagster has for outputs."""
        *prefix, table = context.asset_key.path
        stated = (context.upstream_output.definition_metadata if context.upstream_output else None) or {}
        schema = stated.get("schema") or self._schema or (prefix[-1] if prefix else "public")
        return TableSlice(table=table, schema=str(schema))


class WarehouseIOManager(DuckDBPandasIOManager):
    """The I/O manager of every asset; `database` is the warehouse file."""

    @staticmethod
    def type_handlers() -> Sequence[DbTypeHandler]:
        return [TableHandler(), StagedHandler(), FrameHandler()]

    @staticmethod
    def default_load_type() -> type:
        return ir.Table

    def create_io_manager(self, context: Any) -> DbIOManager:
        return TableIOManager(
            db_client=SharedConnection(),
            database=self.database,
            schema=self.schema_,
            type_handlers=self.type_handlers(),
            default_load_type=self.default_load_type(),
            io_manager_name="WarehouseIOManager",
        )


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The open warehouse of a run: locked for this run alone, from its first to its last step."""

    database: str = Field(description="Path of the DuckDB file.")
    wait_seconds: float = Field(default=3600, description="How long to wait for another run to end.")
    backups_of: str = Field(default="", description="The home that a run backs up by itself; empty: it does not.")
    schema_versions: dict[str, str] = Field(default={}, description="Portfolio: the fingerprint of its tables.")
    keep_backups: int = Field(default=7, description="How many back-ups are kept.")
    daily_backup: bool = Field(default=False, description="Back up with the first run of each day.")

    _fitting: set[tuple[str, str]] = PrivateAttr(default_factory=set)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        path = Path(self.database)
        self._fitting = set()
        lock = WriterLock(path.with_name(LOCK_FILE))
        run = context.run.run_id[:8] if context.run else "a test"
        job = context.run.job_name if context.run else ""
        log = context.log
        mark = RunMark(path.parent / FOLDER, context.run.run_id if context.run else "a-test")
        mark.hold()
        try:
            lock.acquire(
                f"run {run} of {job}",
                wait_seconds=self.wait_seconds,
                on_wait=lambda other: log.info(f"Waiting for {other} to finish writing.") if log else None,
            )
            self._warehouse = open_warehouse(path, wait_seconds=min(self.wait_seconds, READERS_SECONDS))
            try:
                self._back_up(log)
            except BaseException:
                close_warehouse(path)
                raise
        except BaseException:
            lock.release()
            mark.release()
            raise
        self._lock, self._mark = lock, mark

    def _back_up(self, log: Any) -> None:
        if self.backups_of:
            home, keep, daily = Path(self.backups_of), self.keep_backups, self.daily_backup
            made = back_up_if_due(self._warehouse, home, self.schema_versions, keep=keep, daily=daily)
            if made and log:
                log.info(f"Backed up to {made.folder}: {made.manifest['reason']}.")

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        close_warehouse(Path(self.database))
        self._lock.release()
        self._mark.release()

    @property
    def open(self) -> DuckDBWarehouse:
        """The warehouse; only during a run."""
        return self._warehouse

    @property
    def fitting(self) -> set[tuple[str, str]]:
        """Portfolio and canonical table of which this run, in this process, has seen that every delivered row fits."""
        return self._fitting
