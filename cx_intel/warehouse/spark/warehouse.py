"""A warehouse whose larger tables live on a Spark cluster: models run there, and DuckDB reads the files that they leave.

The DuckDB file stays the one place that tells what the portfolio holds. A table on the cluster is a view in it, over the
Parquet files of one Iceberg snapshot; view and state change in one transaction, after the snapshot was made. A run that is
killed in between leaves the view on the snapshot before: its days are built again, and the cluster's table is rolled back
to where the view stands before it is written next. Checks, reports, exports and publication read the view.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from cx_intel.settings.storage import SparkStorage
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, Database, as_expression, escaped
from cx_intel.warehouse.duckdb.made import LATEST_SUFFIX
from cx_intel.warehouse.duckdb.state import WHOLE
from cx_intel.warehouse.duckdb.warehouse import AS_OF, MADE, DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Rows
from cx_intel.warehouse.spark.expressions import on_spark, typed
from cx_intel.warehouse.spark.iceberg import BRANCH, IcebergTables
from cx_intel.warehouse.spark.remembered import cluster_files, remember_snapshot, snapshots
from cx_intel.warehouse.spark.session import session_for

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

EXCHANGE = "spark_exchange"
"""The folder in the home for what goes from the file to the cluster, where the settings name no other place."""


@dataclass
class Cluster:
    """What a run needs of a cluster for one portfolio.

    Attributes:
        storage: The portfolio's settings of it.
        tables: The tables that live there: table, the date column that they are kept by; empty for one kept whole.
        home: The folder of the warehouse, for what the settings leave out.
    """

    storage: SparkStorage
    tables: Mapping[str, str]
    home: Path
    _iceberg: dict[str, IcebergTables] = field(default_factory=dict)

    def files(self, schema: str) -> Path:
        """The folder of a portfolio's tables."""
        return Path(self.storage.location) / schema if self.storage.location else cluster_files(self.home, schema)

    def exchange(self, schema: str) -> Path:
        """The folder in which tables of a portfolio go to the cluster."""
        return (Path(self.storage.exchange) if self.storage.exchange else self.home / EXCHANGE) / schema

    @property
    def in_use(self) -> list[str]:
        """The portfolios of which tables were written, or cleared up, since the program began."""
        return list(self._iceberg)

    def iceberg(self, schema: str) -> IcebergTables:
        """The tables of a portfolio on the cluster; the session begins with the first question."""
        if schema not in self._iceberg:
            storage = self.storage
            if not storage.location and storage.catalog_type == "hadoop":
                storage = storage.model_copy(update={"location": str(self.files(schema).parent)})
            shutil.rmtree(self.exchange(schema), ignore_errors=True)  # what a run that was killed has left
            self._iceberg[schema] = IcebergTables(session_for(storage), storage.catalog, schema)
        return self._iceberg[schema]


class SparkWarehouse(DuckDBWarehouse):
    """A `Warehouse` in one schema of an open DuckDB file and one namespace of an Iceberg catalog."""

    def __init__(self, database: Database, schema: str, cluster: Cluster):
        super().__init__(database, schema)
        self.cluster = cluster

    @property
    def iceberg(self) -> IcebergTables:
        return self.cluster.iceberg(self.schema)

    def stage(self, table: str, parts: Iterable[Rows], like: ibis.Schema | None = None) -> ir.Table:
        if table not in self.cluster.tables:
            return super().stage(table, parts, like)
        self.database.ensure_schema(self.schema)
        self._prepare_state()
        self.discard(table)
        column, number = self.cluster.tables[table], 0
        for number, part in enumerate(parts, 1):
            rows = as_expression(part, like)
            like = rows.schema()
            if number == 1:
                self._begin(table, like)
            self._write(table, rows, is_first=number == 1)
            self._show_staged(table, like)
        if number == 0:
            if like is None:
                raise WarehouseError(f"Nothing was given to be written as {self.schema}.{table}.")
            self._begin(table, like)
            if not column:
                self.iceberg.empty(table)
            self._show_staged(table, like)
        return self.staged(table)

    def discard(self, table: str) -> None:
        if table not in self.cluster.tables:
            super().discard(table)
            return
        if self.database.exists(self.schema, STAGED_PREFIX + table):
            self._drop_staged(table)
            if self.database.exists(self.schema, table):
                self.iceberg.drop_branch(table)
            else:
                self.iceberg.drop(table)

    def rename_staged(self, staged: str, table: str, like: ibis.Schema) -> ir.Table:
        if staged not in self.cluster.tables:
            return super().rename_staged(staged, table, like)
        found = self.stage(table, [self.staged(staged).select(*like)], like)
        self.discard(staged)
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
        if table not in self.cluster.tables:
            super().swap(table, column=column, days=days, state=state, stands_at=stands_at)
            return
        staged = self.staged(table)
        like = staged.schema()
        listed = ", ".join(f"DATE '{day.isoformat()}'" for day in days) or "NULL"
        which = f'WHERE "{column}" IN ({listed})' if column else ""
        is_there = self.database.exists(self.schema, table)
        is_same = is_there and self._holds_the_same(table, which)
        if is_same:
            self.iceberg.drop_branch(table)
        else:
            if column:
                of_rows = self.rows(staged.select(column).distinct())
                self.iceberg.remove_days(table, column, sorted({*days} - {row[column] for row in of_rows}))
            self.iceberg.put_in_place(table)
        with self.database.transaction():  # the snapshot is made: a crash before this leaves the view where it was
            if not column and table.startswith("raw_"):
                self._forget_readings(table)
            if not is_same:
                self._show_as_it_is(table, self._whole_schema(table, like))
            self._drop_staged(table)
            made = dict.fromkeys(days, MADE) if column == AS_OF else {}
            self._remember(table, made | dict(state or {}))
            if stands_at is not None:
                self._forget(table)
                self._remember(table, {stands_at: WHOLE})
            if column == AS_OF:
                self._show_latest(table)
        self.database.forget(self.schema, table)
        self.database.forget(self.schema, table + LATEST_SUFFIX)

    def delete_before(self, table: str, column: str, first: date) -> int:
        if table not in self.cluster.tables:
            return super().delete_before(table, column, first)
        rows = self.table(table)
        if not (count := self.count(rows.filter(rows[column] < ibis.literal(first)))):
            return 0
        self._roll_back(table)
        self.iceberg.delete(table, f"`{column}` < DATE '{first.isoformat()}'")
        with self.database.transaction():
            self._show_as_it_is(table, rows.schema())
        return count

    def _tables(self) -> list[str]:
        found = self.database.connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND schema_name = ?",
            [self.schema],
        )
        shown = {name for (name,) in found.fetchall()}
        return sorted({*super()._tables(), *(shown & self.cluster.tables.keys())})

    def _begin(self, table: str, like: ibis.Schema) -> None:
        if not self.database.exists(self.schema, table):
            self.iceberg.drop(table)  # what a run that was killed has left
        elif self._snapshot(table) is None:
            self.iceberg.drop(table)  # of the time before the YAML last named no cluster
            self._move(table)
        self.iceberg.ensure(table, like, self.cluster.tables[table])
        self._roll_back(table)
        self.iceberg.branch(table)

    def _living(self, schema: str, table: str) -> DataFrame | None:
        """A table that lies on the cluster; None of another."""
        if schema != self.schema or table.removeprefix(STAGED_PREFIX) not in self.cluster.tables:
            return None
        session, name = self.iceberg.session, table.removeprefix(STAGED_PREFIX)
        if name == table:
            snapshot = self._snapshot(table)
            where = session.read.option("snapshot-id", str(snapshot))
            return None if snapshot is None else where.table(self.iceberg.name(table))
        files = self._staged_files(name)
        return session.read.parquet(*files) if files else session.table(self.iceberg.name(name)).limit(0)

    def _staged_files(self, table: str) -> list[str]:
        before = set(self.iceberg.files(table))
        return [file for file in self.iceberg.files(table, BRANCH) if file not in before]

    def _show_staged(self, table: str, like: ibis.Schema) -> None:
        self._show(STAGED_PREFIX + table, like, self._staged_files(table))

    def _show(self, name: str, like: ibis.Schema, files: Collection[str]) -> None:
        """Makes the view of some files, with the columns and types of `like`."""
        to_text = self.database.backend.compiler.type_mapper.to_string
        if files:
            listed = ", ".join(f"'{escaped(Path(file.removeprefix('file:')))}'" for file in files)
            source = f"FROM read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
            there = {row[0] for row in self.database.connection.execute(f"DESCRIBE {source}").fetchall()}
        else:
            source, there = "WHERE false", set()
        cells = ", ".join(
            f'CAST({_cell(c, kind) if c in there else "NULL"} AS {to_text(kind)}) AS "{c}"' for c, kind in like.items()
        )
        query = f"CREATE OR REPLACE VIEW {self._name(name)} AS SELECT {cells} {source}"
        self.database.change(self.schema, name, query)
        self.database.expect(self.schema, name, like)

    def _drop_staged(self, table: str) -> None:
        self.database.forget(self.schema, STAGED_PREFIX + table)
        self.database.connection.execute(f"DROP VIEW IF EXISTS {self._name(STAGED_PREFIX + table)}")

    def _whole_schema(self, table: str, like: ibis.Schema) -> ibis.Schema:
        """The columns of the staged write, and after them those that only older rows have."""
        if not self.cluster.tables[table] or not self.database.exists(self.schema, table):
            return like
        return ibis.schema({**self.database.table(self.schema, table).schema(), **like})

    def _snapshot(self, table: str) -> int | None:
        return snapshots(self.database, self.schema).get(table)

    def _show_as_it_is(self, table: str, like: ibis.Schema) -> None:
        """Shows the table as it stands on the cluster now; with the transaction, that is what the portfolio holds."""
        self._show(table, like, self.iceberg.files(table))
        snapshot = self.iceberg.snapshot(table)
        assert snapshot is not None
        remember_snapshot(self.database, self.schema, table, snapshot)

    def _move(self, table: str) -> None:
        """Moves a table from the DuckDB file to the cluster: the portfolio's YAML names one since it was written."""
        rows = self.database.table(self.schema, table)
        like = rows.schema()
        self.iceberg.ensure(table, like, self.cluster.tables[table])
        self.iceberg.branch(table)
        self._write(table, rows, is_first=True)
        self.iceberg.put_in_place(table)
        with self.database.transaction():
            self.database.connection.execute(f"DROP TABLE {self._name(table)}")
            self._show_as_it_is(table, like)

    def _write(self, table: str, rows: ir.Table, *, is_first: bool) -> None:
        session, exchange = self.iceberg.session, self.cluster.exchange(self.schema)
        with on_spark(rows, self.database, session, exchange, self._living) as made:
            frame = typed(made, rows.schema())
            self.iceberg.write(table, frame, column=self.cluster.tables[table], is_first=is_first)

    def _roll_back(self, table: str) -> None:
        """Takes back what a run that was killed has put in place on the cluster and not in the view."""
        known = self._snapshot(table)
        if known is not None and self.iceberg.snapshot(table) != known:
            self.iceberg.roll_back(table, known)


def _cell(column: str, kind: dt.DataType) -> str:
    """Times stand in the files as moments; the warehouse has them without a zone, in UTC."""
    return f"CAST(\"{column}\" AS TIMESTAMPTZ) AT TIME ZONE 'UTC'" if kind.is_timestamp() else f'"{column}"'
