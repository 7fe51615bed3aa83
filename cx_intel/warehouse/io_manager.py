"""Joins the warehouse to Dagster: an asset may take and return `pandas.DataFrame` or `ibis.Table`.

A subclass of `DuckDBPandasIOManager` in which a table, or a partition, is replaced whole in one transaction, columns by
name, also when it is empty or its columns changed. The assets that the factory makes write and check their rows first
and hand over a `StagedWrite`; the open warehouse of a run is in `resource.py`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster_duckdb.io_manager import DuckDbClient
from dagster_duckdb_pandas import DuckDBPandasIOManager

from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.protocol import StagedWrite, Warehouse
from cx_intel.warehouse.tables_of import tables_of


class SharedConnection(DuckDbClient):
    """The process's one connection in place of a new one for every input and output."""

    @staticmethod
    @contextmanager
    def connect(context: Any, table_slice: TableSlice) -> Iterator[Warehouse]:  # type: ignore[override]
        path = Path(context.resource_config["database"])
        database = open_warehouse(path)
        try:
            yield tables_of(database, table_slice.schema)
        finally:
            close_warehouse(path)

    @staticmethod
    def get_table_name(table_slice: TableSlice) -> str:
        """Schema and table, without the path of the file, for Dagster's catalogue."""
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
        self, context: dg.OutputContext, table_slice: TableSlice, obj: Any, connection: Warehouse
    ) -> dict[str, Any]:
        column, days = partition_of(context, table_slice)
        connection.stage(table_slice.table, [obj])
        connection.swap(table_slice.table, column=column, days=days)
        return {}

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: Warehouse) -> ir.Table:
        return connection.table(table_slice.table)

    @property
    def supported_types(self) -> Sequence[type]:
        return [ir.Table]


class StagedWriteHandler(TableHandler):
    """Rows that are written and checked already: put in place."""

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: StagedWrite, connection: Warehouse
    ) -> dict[str, Any]:
        connection.swap(table_slice.table, column=obj.column, days=obj.days, state=obj.state, stands_at=obj.stands_at)
        return {}

    @property
    def supported_types(self) -> Sequence[type]:
        return [StagedWrite]


class FrameHandler(TableHandler):
    """pandas DataFrames: an input of a partitioned table holds the partitions of the run."""

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: Warehouse) -> pd.DataFrame:
        rows = connection.table(table_slice.table)
        column, days = partition_of(context, table_slice)
        if days:
            rows = rows.filter(rows[column].between(days[0], days[-1]))
        return connection.execute(rows)

    @property
    def supported_types(self) -> Sequence[type]:
        return [pd.DataFrame]


class TableIOManager(DbIOManager):
    """Gives whole tables as expressions, without asking Dagster for partitions: models filter by themselves."""

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
        return [TableHandler(), StagedWriteHandler(), FrameHandler()]

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
