"""Takes single rows out of tables on a cluster, for erasures: the days that have them are written anew there.

Tables of account grain come home instead, into the DuckDB file, until the next run. Which rows are meant is found through the
views, by DuckDB; older snapshots, which still have them, go in `tidying.py`.
"""

from dataclasses import replace
from typing import Any

import ibis

from cx_intel.warehouse.duckdb import writes
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.upkeep.row_edits import RowEdits, is_cell, matches
from cx_intel.warehouse.duckdb.warehouse import AS_OF
from cx_intel.warehouse.spark.remembered import copy_home, snapshots
from cx_intel.warehouse.spark.warehouse import SparkWarehouse


class ClusterEdits(RowEdits):
    """The rows of one schema, of which some tables live on a cluster."""

    def __init__(self, database: Database, schema: str):
        super().__init__(database, schema)
        self._on_cluster = sorted(snapshots(database, schema))

    def views(self) -> list[str]:
        return self._on_cluster

    def delete(self, table: str, column: str, value: str) -> None:
        if self._is_written_anew(table):
            self._write_anew(table, column, is_cell(column), value)
        elif table not in self._on_cluster or self.has(table, column, value):
            super().delete(table, column, value)

    def replace_matches(self, table: str, column: str, pattern: str, text: str) -> None:
        if self._is_written_anew(table):
            self._write_anew(table, column, matches(column), pattern, text)
        else:
            super().replace_matches(table, column, pattern, text)

    def _is_written_anew(self, table: str) -> bool:
        """Whether the table has events: its days are written anew on the cluster; smaller tables come home."""
        return table in self._on_cluster and self._warehouse(table).cluster.tables[table] not in ("", AS_OF)

    def _warehouse(self, table: str) -> SparkWarehouse:
        cluster = self.database.clusters[self.schema]
        warehouse = SparkWarehouse(self.database, self.schema, cluster)
        if (
            table not in cluster.tables
        ):  # a back-up shows it, of the time before the YAML said that it lives in the file
            known = {**cluster.tables, table: warehouse.iceberg.kept_by(table)}
            warehouse.cluster = replace(cluster, tables=known)
        return warehouse

    def _write_anew(self, table: str, column: str, condition: str, value: str, text: str | None = None) -> None:
        """Writes the days of the rows that meet a condition without them, or with a text in the column's place."""
        warehouse, name = self._warehouse(table), self._name(table)
        by = warehouse.cluster.tables[table]
        found = self._all(f'SELECT DISTINCT "{by}", "{column}"::VARCHAR FROM {name} WHERE {condition}', [value])
        if not found:
            return
        days, meant = sorted({day for day, _ in found}), ibis.memtable({"_cell": sorted({cell for _, cell in found})})
        rows = warehouse.table(table)
        like = rows.schema()
        of_days = rows.filter(rows[by].isin(days))
        kept = of_days.anti_join(meant, of_days[column] == meant["_cell"]).select(*like)
        if text is not None:
            changed = of_days.semi_join(meant, of_days[column] == meant["_cell"]).mutate(**{column: ibis.literal(text)})
            kept = kept.union(changed.select(*like))
        warehouse.stage(table, [kept], like)
        warehouse.swap(table, column=by, days=days)
        writes.forget_made(self.database.connection, self.schema)

    def _run(self, table: str, query: str, values: list[Any]) -> None:
        if table in self._on_cluster:  # and with the next run back on the cluster
            copy_home(self.database, self.schema, [table])
            self._on_cluster.remove(table)
        super()._run(table, query, values)
