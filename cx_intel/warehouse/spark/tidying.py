"""Lets go on a cluster what nothing shows any more: snapshots before the newest, and what killed runs have left.

A snapshot stays for as long as the warehouse or one of its back-ups has a view of it.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.spark.remembered import snapshots


def tidy(database: Database, schema: str, cluster: Cluster, backups: Iterable[Path], *, orphans: bool = False) -> None:
    """Expires the snapshots of a portfolio's tables that neither the warehouse nor a back-up shows, with their files.

    Args:
        database: The open warehouse, in no transaction.
        schema: The portfolio.
        cluster: Where its tables live.
        backups: The warehouse files of its back-ups.
        orphans: Look also for files of no snapshot, which a run may leave that is killed while it writes: a job of Spark.
    """
    shown = snapshots(database, schema)
    in_backups: dict[str, set[int]] = defaultdict(set)
    for file in backups:
        with reading(file) as backup:
            for table, snapshot in snapshots(backup, schema).items():
                in_backups[table].add(snapshot)
    iceberg = cluster.iceberg(schema)
    for table in iceberg.tables():
        if table not in shown.keys() | in_backups.keys():
            if iceberg.is_own(table):
                iceberg.drop(table)
            continue
        iceberg.drop_branch(table)
        if iceberg.snapshot(table) != (stands := shown.get(table) or max(in_backups[table])):
            iceberg.roll_back(table, stands)
        iceberg.keep_only(table, in_backups[table])
        if orphans:
            iceberg.remove_orphans(table)
