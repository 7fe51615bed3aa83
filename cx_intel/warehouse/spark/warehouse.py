"""A warehouse whose larger tables live on a Spark cluster: models run there, and DuckDB reads the files that they leave.

The DuckDB file stays the one place that tells what the portfolio holds. A table on the cluster is a view in it, over the
Parquet files of one Iceberg snapshot; view and state change in one transaction, after the snapshot was made. A run that is
killed in between leaves the view on the snapshot before: its days are built again, and the cluster's table is rolled back
to where the view stands before it is written next. Checks, reports, exports and publication read the view.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from sqlglot import parse_one

from cx_intel.contracts.contract import Contract
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.files.known import KnownFile
from cx_intel.sources.files.paths import SourceFile
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, as_expression, escaped
from cx_intel.warehouse.duckdb.made import LATEST_SUFFIX
from cx_intel.warehouse.duckdb.state import WHOLE
from cx_intel.warehouse.duckdb.warehouse import AS_OF, MADE, listed
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Rows
from cx_intel.warehouse.spark.expressions import on_spark, typed
from cx_intel.warehouse.spark.fetching import FetchedFromCatalogs
from cx_intel.warehouse.spark.iceberg import BRANCH
from cx_intel.warehouse.spark.reading import ClusterReader, day_fingerprints
from cx_intel.warehouse.spark.remembered import remember_snapshot, snapshots

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class SparkWarehouse(FetchedFromCatalogs):
    """A `Warehouse` in one schema of an open DuckDB file and one namespace of an Iceberg catalog."""

    rows_at_once: int | None = None

    def stage(self, table: str, parts: Iterable[Rows], like: ibis.Schema | None = None) -> ir.Table:
        if table not in self.cluster.tables:
            return super().stage(table, parts, like)
        self.database.ensure_schema(self.schema)
        self._prepare_state()
        self.discard(table)
        number = 0
        for number, part in enumerate(parts, 1):
            rows = as_expression(part, like)
            like = rows.schema()
            if number == 1:
                self._begin(table, like)
            self._write(table, rows)
            self._show_staged(table, like)
        if number == 0:
            if like is None:
                raise WarehouseError(f"Nothing was given to be written as {self.schema}.{table}.")
            self._begin(table, like)
            self._show_staged(table, like)
        return self.staged(table)

    def stage_files(
        self,
        table: str,
        source: FilesSource | SqlSource,
        files: Sequence[SourceFile],
        *,
        contract: Contract,
        recipe: str,
        with_day: Callable[[ir.Table], ir.Table],
    ) -> list[KnownFile]:
        if table not in self.cluster.tables or not isinstance(source, FilesSource):
            return super().stage_files(table, source, files, contract=contract, recipe=recipe, with_day=with_day)
        self.database.ensure_schema(self.schema)
        self._prepare_state()
        self.discard(table)
        times = self.times_kept(table, source, files, contract)
        reader, read = ClusterReader(source, files, times, contract, recipe, with_day), list[KnownFile]()
        self._begin(table, reader.columns)
        try:
            with reader.reading(self.iceberg.session, read) as rows:
                self.iceberg.append(table, rows)
        except BaseException:
            self.iceberg.drop_branch(table)
            raise
        self._show_staged(table, reader.columns)
        return read

    def discard(self, table: str) -> None:
        if table not in self.cluster.tables:
            super().discard(table)
            return
        if self.database.exists(self.schema, STAGED_PREFIX + table):
            self._drop_staged(table)
            self.iceberg.drop_branch(table)

    def rename_staged(self, staged: str, table: str, like: ibis.Schema) -> ir.Table:
        if staged not in self.cluster.tables and table not in self.cluster.tables:
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
        which = f'"{column}" IN ({listed(days)})' if column else "true"
        is_there = self.database.exists(self.schema, table)
        is_same = is_there and self._holds_the_same(table, f"WHERE {which}")
        if is_there and not is_same and self._has_any(table, which):
            self.iceberg.replace(table, which.replace('"', "`"))
        if is_same:
            self.iceberg.drop_branch(table)
        else:
            self.iceberg.put_in_place(table)
        with self.database.transaction():  # the snapshot is made: a crash before this leaves the view where it was
            if not column and table.startswith("raw_"):
                self._forget_readings(table)
            if not is_same:
                self._show_as_it_is(table, self._whole_schema(table, like) if column else like)
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
        if table not in self.cluster.tables or self._snapshot(table) is None:
            return super().delete_before(table, column, first)
        rows = self.table(table)
        if not (count := self.count(rows.filter(rows[column] < ibis.literal(first)))):
            return 0
        self._roll_back(table)
        self.iceberg.delete(table, f"`{column}` < DATE '{first.isoformat()}'")
        with self.database.transaction():
            self._show_as_it_is(table, rows.schema())
        return count

    def _has_any(self, table: str, which: str) -> bool:
        found = self.database.connection.execute(f"SELECT 1 FROM {self._name(table)} WHERE {which} LIMIT 1")
        return bool(found.fetchall())

    def _tables(self) -> list[str]:
        found = self.database.connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND schema_name = ?",
            [self.schema],
        )
        shown = {name for (name,) in found.fetchall()}
        return sorted({*super()._tables(), *(shown & self.cluster.tables.keys())})

    def _put_rows(self, table: str, replaced: str) -> None:
        if table not in self.cluster.tables:
            super()._put_rows(table, replaced)
            return
        like, column = self.staged(table).schema(), self.cluster.tables[table]
        found = (
            self.database.connection.execute(f'SELECT DISTINCT "{column}" FROM {self._name(table)} WHERE {replaced}')
            if replaced
            else None
        )
        if days := sorted(day for (day,) in found.fetchall()) if found else []:
            which = parse_one(f'"{column}" IN ({listed(days)}) AND ({replaced})', dialect="duckdb")
            self.iceberg.replace(table, which.sql("spark"))
        self.iceberg.put_in_place(table)
        with self.database.transaction():
            self._show_as_it_is(table, self._whole_schema(table, like))
            self._drop_staged(table)
        self.database.forget(self.schema, table)

    def _file_contents(self, table: str, days: Sequence[date] | None) -> dict[date, str]:
        rows = self._living(self.schema, table)
        return super()._file_contents(table, days) if rows is None else day_fingerprints(rows, days)

    def _begin(self, table: str, like: ibis.Schema) -> None:
        column, is_there = self.cluster.tables[table], self.database.exists(self.schema, table)
        if is_there and self._snapshot(table) is None:
            rows = self.database.table(self.schema, table)
            if column and column not in rows.columns:  # kept otherwise then: all of it comes anew
                self.database.change(self.schema, table, f"DROP TABLE {self._name(table)}")
                self.database.forget(self.schema, table)
                is_there = False
            else:
                self._move(table, rows)
        if not is_there:
            self.iceberg.clear(table)  # what a run that was killed has left, or of a back-up's time
        self.iceberg.ensure(table, like, column, is_empty=not is_there or not column)
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
        if not self.database.exists(self.schema, table):
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

    def _move(self, table: str, rows: ir.Table) -> None:
        """Moves a table from the DuckDB file to the cluster: the portfolio's YAML names one since it was written."""
        like = rows.schema()
        self.iceberg.clear(table)  # the snapshots that back-ups of an earlier time on the cluster show stay
        self.iceberg.ensure(table, like, self.cluster.tables[table], is_empty=True)
        self.iceberg.branch(table)
        self._write(table, rows)
        self.iceberg.put_in_place(table)
        with self.database.transaction():
            self.database.connection.execute(f"DROP TABLE {self._name(table)}")
            self._show_as_it_is(table, like)

    def _write(self, table: str, rows: ir.Table) -> None:
        session, exchange = self.iceberg.session, self.cluster.exchange(self.schema)
        with on_spark(rows, self.database, session, exchange, self._living) as made:
            self.iceberg.append(table, typed(made, rows.schema()))

    def _roll_back(self, table: str) -> None:
        """Takes back what a run that was killed has put in place on the cluster and not in the view."""
        known = self._snapshot(table)
        if known is not None and self.iceberg.snapshot(table) != known:
            self.iceberg.roll_back(table, known)


def _cell(column: str, kind: dt.DataType) -> str:
    """Times stand in the files as moments; the warehouse has them without a zone, in UTC."""
    return f"CAST(\"{column}\" AS TIMESTAMPTZ) AT TIME ZONE 'UTC'" if kind.is_timestamp() else f'"{column}"'
