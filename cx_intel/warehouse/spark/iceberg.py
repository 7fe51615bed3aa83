"""The Iceberg tables of one portfolio: written into a branch, put in place by moving the main branch to it.

What an expression is in Spark's SQL stands in `expressions.py`; which tables are here, and what DuckDB remembers of them, in
`warehouse.py`.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.datatypes as dt

from cx_intel.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KEPT = "kept_"
"""Begins the tag of a snapshot that a back-up shows."""
BRANCH = "staged"
"""The branch of a table that holds its staged write."""
MAIN = "main"
PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # rows that go are taken out of the files: whoever reads the files alone sees what the table holds
    "write.delete.mode": "copy-on-write",
    "write.update.mode": "copy-on-write",
    "write.merge.mode": "copy-on-write",
    "write.distribution-mode": "hash",
    # no smallest and largest values beside the files: they would tell who was in a file that is gone
    "write.metadata.metrics.default": "counts",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "5",
}


class IcebergTables:
    """The tables of one namespace of a catalog."""

    def __init__(self, session: SparkSession, catalog: str, namespace: str):
        self.session, self.catalog, self.namespace = session, catalog, namespace
        session.sql(f"CREATE NAMESPACE IF NOT EXISTS `{catalog}`.`{namespace}`")

    def name(self, table: str) -> str:
        """The table's name in SQL."""
        return f"`{self.catalog}`.`{self.namespace}`.`{table}`"

    def exists(self, table: str) -> bool:
        """Whether there is such a table."""
        return bool(self.session.catalog.tableExists(self.name(table)))

    def tables(self) -> list[str]:
        """The tables that there are, sorted."""
        found = self.session.sql(f"SHOW TABLES IN `{self.catalog}`.`{self.namespace}`").collect()
        return sorted(str(row["tableName"]) for row in found)

    def ensure(self, table: str, like: ibis.Schema, column: str, *, is_empty: bool = False) -> None:
        """Makes the table, kept by the days of `column` where one is given, or gives it the columns that it lacks.

        Args:
            table: The table.
            like: Its columns and types.
            column: The day that it is kept by; empty for none.
            is_empty: It has no rows that are still wanted: it gets these columns and no others.
        """
        name = self.name(table)
        self._refuse_others(table)
        if self.exists(table) and self.kept_by(table) != column:
            self.drop(table)  # of a version that kept it otherwise
        if not self.exists(table):
            columns = ", ".join(f"`{c}` {spark_type(kind)}" for c, kind in like.items())
            by_day = f"PARTITIONED BY (`{column}`)" if column else ""
            told = ", ".join(f"'{key}' = '{value}'" for key, value in PROPERTIES.items())
            self.session.sql(f"CREATE TABLE {name} ({columns}) USING iceberg {by_day} TBLPROPERTIES ({told})")
            return
        there = {field.name: field.dataType.simpleString() for field in self.session.table(name).schema}
        if is_empty:
            for c in there.keys() - like.keys():
                self.session.sql(f"ALTER TABLE {name} DROP COLUMN `{c}`")
        for c, kind in like.items():
            new = spark_type(kind)
            if c in there and there[c] != new:
                if not is_empty:
                    self.session.sql(f"ALTER TABLE {name} ALTER COLUMN `{c}` TYPE {new}")
                    continue
                self.session.sql(f"ALTER TABLE {name} DROP COLUMN `{c}`")
            if there.get(c) != new:
                self.session.sql(f"ALTER TABLE {name} ADD COLUMN `{c}` {new}")

    def is_own(self, table: str) -> bool:
        """Whether the table was made here: others in the namespace are somebody else's, which sources may read."""
        found = self._loaded(table).properties()
        return all(found.get(name) == value for name, value in PROPERTIES.items() if name.startswith("write."))

    def kept_by(self, table: str) -> str:
        """The day that the table is kept by; empty for none."""
        fields = list(self._loaded(table).spec().fields())
        return str(fields[0].name()) if fields else ""

    def branch(self, table: str) -> None:
        """Begins a staged write: a branch of what the table holds, in place of one that was left."""
        found = self._loaded(table)
        if found.currentSnapshot() is None:  # a table without any snapshot has none to branch from
            found.newAppend().commit()
            found.refresh()
        changes, now = found.manageSnapshots(), found.currentSnapshot().snapshotId()
        if BRANCH in list(found.refs().keySet()):
            changes = changes.removeBranch(BRANCH)
        changes.createBranch(BRANCH, now).commit()

    def snapshot(self, table: str) -> int | None:
        """The snapshot that the table stands at."""
        found = self._loaded(table).currentSnapshot()
        return None if found is None else int(found.snapshotId())

    def append(self, table: str, rows: DataFrame) -> None:
        """Adds rows to the branch."""
        target = rows.writeTo(f"{self.name(table)}.branch_{BRANCH}")
        # one file after the other: of years of days, each open file takes a megabyte of an executor's memory
        target.option("fanout-enabled", "false").append()

    def replace(self, table: str, condition: str = "true") -> None:
        """Takes the rows that a condition names out of the branch, but for those that were added to it."""
        added = set(self.files(table, BRANCH)) - set(self.files(table))
        kept = [file for file in self._data_files(table, BRANCH) if str(file.location()) in added]
        self.branch(table)
        self.session.sql(f"DELETE FROM {self.name(table)}.branch_{BRANCH} WHERE {condition}")
        if kept:
            append = self._loaded(table).newAppend().toBranch(BRANCH)
            for file in kept:
                append = append.appendFile(file)
            append.commit()

    def clear(self, table: str) -> None:
        """Takes all rows out of the table; the snapshots before have them still."""
        self._refuse_others(table)
        if self.exists(table):
            self.session.sql(f"DELETE FROM {self.name(table)}")

    def files(self, table: str, ref: str = MAIN) -> list[str]:
        """The data files of a branch, sorted."""
        return sorted(str(file.location()) for file in self._data_files(table, ref))

    def _data_files(self, table: str, ref: str) -> list[Any]:
        found = self._loaded(table)
        if ref not in list(found.refs().keySet()):
            return []
        tasks = found.newScan().useRef(ref).includeColumnStats().planFiles()
        try:
            files, each = [], tasks.iterator()
            while each.hasNext():
                files.append(each.next().file())
        finally:
            tasks.close()
        return files

    def put_in_place(self, table: str) -> None:
        """Moves the main branch to the staged one, which ends."""
        self._loaded(table).manageSnapshots().fastForwardBranch(MAIN, BRANCH).removeBranch(BRANCH).commit()

    def drop_branch(self, table: str) -> None:
        """Ends a staged write."""
        found = self._loaded(table)
        if BRANCH in list(found.refs().keySet()):
            found.manageSnapshots().removeBranch(BRANCH).commit()

    def roll_back(self, table: str, snapshot: int) -> None:
        """Takes the table back to a snapshot."""
        self._loaded(table).manageSnapshots().setCurrentSnapshot(snapshot).commit()

    def keep_only(self, table: str, snapshots: Collection[int]) -> None:
        """Lets all snapshots go but these and that which the table stands at, with the files that none of them has."""
        found = self._loaded(table)
        there = {name for name in found.refs().keySet() if name.startswith(KEPT)}
        wanted = {f"{KEPT}{one}": one for one in snapshots if found.snapshot(one) is not None}
        if there != wanted.keys():
            changes = found.manageSnapshots()
            for tag in there - wanted.keys():
                changes = changes.removeTag(tag)
            for tag in wanted.keys() - there:
                changes = changes.createTag(tag, wanted[tag])
            changes.commit()
        if len(list(found.snapshots())) > 1 + len(set(wanted.values())):
            found.expireSnapshots().expireOlderThan(_now()).retainLast(1).cleanExpiredFiles(True).commit()

    def remove_orphans(self, table: str) -> None:
        """Removes the files in the table's folder that no snapshot has: those of writes that were killed."""
        actions = self.session._jvm.org.apache.iceberg.spark.actions.SparkActions.get(self.session._jsparkSession)  # type: ignore[union-attr]
        actions.deleteOrphanFiles(self._loaded(table)).olderThan(_now()).execute()

    def delete(self, table: str, condition: str) -> None:
        """Removes rows of the table."""
        self.session.sql(f"DELETE FROM {self.name(table)} WHERE {condition}")

    def drop(self, table: str) -> None:
        """Drops a table and its files."""
        self.session.sql(f"DROP TABLE IF EXISTS {self.name(table)} PURGE")

    def _refuse_others(self, table: str) -> None:
        if self.exists(table) and not self.is_own(table):
            raise WarehouseError(
                f"The catalog has a table {self.catalog}.{self.namespace}.{table} that cx_intel has not made, and needs the "
                "name. Rename that table, or the portfolio, or name another `catalog` in `warehouse`."
            )

    def _loaded(self, table: str) -> Any:
        """The table in Iceberg's own interface, as it is now: no Spark job is needed to ask of it, or to move a branch."""
        loader = self.session._jvm.org.apache.iceberg.spark.Spark3Util  # type: ignore[union-attr]
        found = loader.loadIcebergTable(self.session._jsparkSession, f"{self.catalog}.{self.namespace}.{table}")
        found.refresh()
        return found


def _now() -> int:
    """Milliseconds since 1970, one ahead: what was made in this very one is before it."""
    return int(time.time() * 1000) + 1


def spark_type(kind: dt.DataType) -> str:
    """The type in Spark's SQL."""
    if kind.is_decimal():
        return f"decimal({kind.precision or 38},{kind.scale or 0})"
    if kind.is_timestamp():
        return "timestamp"
    found = {"int64": "bigint", "int32": "int", "int16": "int", "int8": "int", "float64": "double", "float32": "float"}
    name = kind.copy(nullable=True)
    if kind.is_array():
        return f"array<{spark_type(kind.value_type)}>"
    return found.get(str(name), str(name))
