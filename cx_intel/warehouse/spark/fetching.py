"""Raw events that a query at the cluster gives: from a table of a catalog into the raw table, without the driver.

What is remembered of a cursor, and when everything is read, is as of any query (`duckdb/files/by_cursor.py`); the driver
looks at the cursors of the rows that came, by DuckDB. Tables that are kept in its file are handed over as Parquet files.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.settings.sources.sql import CLUSTER, SqlSource
from cx_intel.sources.cursors import KnownCursor
from cx_intel.warehouse.duckdb.database import Database, escaped
from cx_intel.warehouse.duckdb.files.cursor_rows import FETCHED, CursorRows
from cx_intel.warehouse.duckdb.files.reading import MARKS
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse, listed
from cx_intel.warehouse.fetched import Fetch, TableChange
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.spark.iceberg import IcebergTables
from cx_intel.warehouse.spark.new_rows import keys_of, newest, not_there, raw_rows, with_keys
from cx_intel.warehouse.spark.queries import Answer, ask

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NO_DAY = date(1970, 1, 1)
"""The day of rows without a readable time."""


class FetchedFromCatalogs(DuckDBWarehouse):
    """The tables of a schema of which some are queries for at the cluster."""

    def __init__(self, database: Database, schema: str, cluster: Cluster):
        super().__init__(database, schema)
        self.cluster = cluster

    @property
    def iceberg(self) -> IcebergTables:
        """The portfolio's tables on the cluster."""
        return self.cluster.iceberg(self.schema)

    def fetch(self, table: str, source: SqlSource, **how: Any) -> Fetch:
        try:
            return super().fetch(table, source, **how)
        except BaseException:
            if source.is_at_cluster:
                self._forget_fetched(table)
            raise

    @contextmanager
    def answered(self, address: str, query: str, of: str) -> Iterator[pa.RecordBatchReader]:
        if address != CLUSTER:
            with super().answered(address, query, of) as reader:
                yield reader
            return
        answer = ask(self.iceberg.session, query, of)
        folder = self._fetched("passing")
        try:
            yield answer.through(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _asked(self, table: str, address: str, query: str, of: str) -> AbstractContextManager[Any]:
        if address != CLUSTER or table not in self.cluster.tables:
            return super()._asked(table, address, query, of)
        shutil.rmtree(self._fetched(table), ignore_errors=True)
        return nullcontext(ask(self.iceberg.session, query, of))

    def _take(
        self,
        table: str,
        rows: CursorRows,
        reader: Any,
        cells: Mapping[str, str],
        with_day: Callable[[ir.Table], ir.Table] | None,
    ) -> None:
        if not isinstance(reader, Answer):
            super()._take(table, rows, reader, cells, with_day)
            return
        assert with_day  # as of all that is kept there
        columns = dict.fromkeys(cells, "string") | {"_cursor": rows.cursor_type, "_is_deleted": "boolean"}
        like = ibis.schema(columns | {"_raw_row": "string"})
        node = ops.DatabaseTable(FETCHED, schema=like, source=self.database.backend, namespace=ops.Namespace())
        dated = with_day(node.to_expr())
        dated = dated.mutate(**{DELIVERED_DAY: ibis.coalesce(dated[DELIVERED_DAY], ibis.literal(NO_DAY))})
        view = f"CREATE OR REPLACE TEMP VIEW {FETCHED} AS {rows.selected(cells)}"
        reader.write_as(self._fetched(table) / "rows", [view, self.database.sql(dated)], dated.schema())
        self._drop_view()
        files = escaped(self._fetched(table) / "rows" / "*.parquet")
        cursor = rows.as_it_was("_cursor")
        self.database.connection.execute(
            f"CREATE TEMP VIEW {FETCHED} AS SELECT * REPLACE ({cursor} AS _cursor) FROM read_parquet('{files}')"
        )

    def _stage_new_rows(
        self,
        table: str,
        source: SqlSource,
        cells: Sequence[str],
        known: KnownCursor | None,
        with_day: Callable[[ir.Table], ir.Table] | None,
    ) -> None:
        if not (source.is_at_cluster and table in self.cluster.tables):
            super()._stage_new_rows(table, source, cells, known, with_day)
            return
        self._drop_view()
        columns = dict.fromkeys(cells, "string") | dict(ibis.Schema.from_pyarrow(pa.schema(MARKS)).items())
        like = ibis.schema(columns | {DELIVERED_DAY: "date"})
        self.database.ensure_schema(self.schema)
        self._prepare_state()
        self.discard(table)
        try:
            self._begin(table, like)  # type: ignore[attr-defined]
            self.iceberg.append(table, self._new_rows(table, source, cells, known).select(*like))
        except BaseException:
            self.iceberg.drop_branch(table)
            raise
        self._show_staged(table, like)  # type: ignore[attr-defined]

    def _new_rows(self, table: str, source: SqlSource, cells: Sequence[str], known: KnownCursor | None) -> DataFrame:
        """The rows that the raw table is to get; the keys whose earlier rows go are put down beside them."""
        folder, session = self._fetched(table), self.iceberg.session
        rows = session.read.parquet(str(folder / "rows"))
        if not source.cursor:
            return raw_rows(rows, None, cells)
        key = source.cursor.key_of(source.table)
        rows = newest(rows, key)
        given = rows.filter("NOT _is_deleted")
        if not known:
            return raw_rows(given, None, cells)
        days = [day for (day,) in given.select(DELIVERED_DAY).distinct().collect()]
        old = self._living(self.schema, table)  # type: ignore[attr-defined]
        of_days = old.filter(old[DELIVERED_DAY].isin(days))
        new = not_there(given, of_days, cells, key)
        deleted = keys_of(rows.filter("_is_deleted"), key)
        deleted.union(keys_of(new, key)).distinct().write.parquet(str(folder / "replaced"))
        return raw_rows(new, of_days, cells)

    def merge(self, table: str, key: Sequence[str], fetch: Fetch, as_of: date) -> TableChange:
        try:
            return super().merge(table, key, fetch, as_of)
        finally:
            if table in self.cluster.tables:
                self._forget_fetched(table)

    def _replaced(self, table: str, key: Sequence[str]) -> str:
        if table not in self.cluster.tables:
            return super()._replaced(table, key)
        keys = self.iceberg.session.read.parquet(str(self._fetched(table) / "replaced"))
        old = self._living(self.schema, table)  # type: ignore[attr-defined]
        found = with_keys(old, keys, key, "left_semi").select(DELIVERED_DAY).distinct().collect()
        if not (days := sorted(day for (day,) in found)):
            return ""
        like = self.staged(table).schema()  # the days come anew, of the old rows with those that stay
        of_days = old.filter(old[DELIVERED_DAY].isin(days))
        self.iceberg.append(table, with_keys(of_days, keys, key, "left_anti").select(*like))
        self._show_staged(table, like)  # type: ignore[attr-defined]
        return f'"{DELIVERED_DAY}" IN ({listed(days)})'

    def _fetched(self, table: str) -> Path:
        return self.cluster.exchange(self.schema) / "fetched" / table

    def _forget_fetched(self, table: str) -> None:
        self._drop_view()
        shutil.rmtree(self._fetched(table), ignore_errors=True)

    def _drop_view(self) -> None:
        """Of the rows that came, whether the cluster's or another's: their names are the same."""
        found = self.database.connection.execute(
            f"SELECT view_name FROM duckdb_views() WHERE view_name = '{FETCHED}' AND temporary"
        ).fetchall()
        self.database.connection.execute(f"DROP {'VIEW' if found else 'TABLE'} IF EXISTS {FETCHED}")
