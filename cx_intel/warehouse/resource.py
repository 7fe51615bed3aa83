"""The open warehouse of a run as a Dagster resource: locked for this run alone, from its first to its last step.

What it can do is the protocol (`protocol.py`); the lock is in `processes/lock.py`, back-ups before a run in
`duckdb/upkeep/upgrades.py`.
"""

import os
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from cx_intel.warehouse.duckdb.access.limits import Limits, of_run
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.upkeep.backups import backups
from cx_intel.warehouse.duckdb.upkeep.upgrades import back_up_if_due
from cx_intel.warehouse.postgres.remembered import forget_place
from cx_intel.warehouse.postgres.warehouse import bring_up_to_date
from cx_intel.warehouse.processes.lock import LOCK_FILE, WriterLock
from cx_intel.warehouse.processes.running import FOLDER, RunMark
from cx_intel.warehouse.protocol import Warehouse
from cx_intel.warehouse.spark.remembered import bring_home
from cx_intel.warehouse.spark.session import first_line
from cx_intel.warehouse.spark.tidying import tidy
from cx_intel.warehouse.tables_of import clusters_of, servers_of, tables_of

WAITING = "Waiting for "
"""Begins what a run says when another one, or a command, writes the warehouse; who that is follows."""
READERS_SECONDS = 30
"""How long a run waits for whoever only looks into the file, as the summary of the run before it does."""


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the warehouse for a run; `of` gives the tables of a portfolio."""

    database: str = Field(description="Path of the DuckDB file.")
    wait_seconds: float = Field(default=3600, description="How long to wait for another run to end.")
    backups_of: str = Field(default="", description="The home that a run backs up by itself; empty: it does not.")
    schema_versions: dict[str, str] = Field(default={}, description="Portfolio: the fingerprint of its tables.")
    keep_backups: int = Field(default=7, description="How many back-ups are kept.")
    daily_backup: bool = Field(default=False, description="Back up with the first run of each day.")

    clusters: dict[str, str] = Field(default={}, description="Portfolio: its Spark cluster and what lives there.")
    servers: dict[str, str] = Field(default={}, description="Portfolio: its PostgreSQL server and what lives there.")
    memory_limit: str = Field(
        default="", description="Memory that a run may take, such as 4GB; empty: 60 % of all, for DuckDB."
    )
    threads: int = Field(default=0, description="Threads of DuckDB; 0: one a core.")
    spill_folder: str = Field(default="", description="Where DuckDB puts what does not fit; empty: beside the file.")

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        path = Path(self.database)
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
                on_wait=lambda other: log.info(f"{WAITING}{other} to finish writing.") if log else None,
            )
            limits = Limits(of_run(self.memory_limit), self.threads, self.spill_folder)
            wait_seconds = min(self.wait_seconds, READERS_SECONDS)
            self._database = open_warehouse(path, wait_seconds=wait_seconds, limits=limits)
            self._database.clusters = clusters_of(self.clusters, path.parent)
            self._database.servers = dict(servers_of(self.servers, os.environ))
            self._asked = set[str]()
            try:
                self._back_up(log)
                for portfolio in self.schema_versions:
                    cluster = self._database.clusters.get(portfolio)
                    bring_home(self._database, portfolio, cluster.tables if cluster else ())
                    left = forget_place(self._database, portfolio) if portfolio not in self.servers else ""
                    if left and log:
                        log.warning(f"Tables of {portfolio} stay in PostgreSQL as they were last: drop {left}.")
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
            variables = os.environ  # those from which Dagster itself has the address of its storage
            made = back_up_if_due(
                self._database, home, self.schema_versions, keep=keep, daily=daily, variables=variables
            )
            if made and log:
                log.info(f"Backed up to {made.folder}: {made.manifest['reason']}.")
                for reason in made.manifest["not_held"]:
                    log.warning(f"The back-up does not hold Dagster's runs and schedules: {reason}")

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        try:
            self._tidy_clusters()
        except Exception as error:
            if context.log:
                context.log.warning(f"Old snapshots stay on the cluster until the next run: {first_line(error)}")
        for portfolio, server in self._database.servers.items():
            try:
                if portfolio in self._asked:
                    bring_up_to_date(self._database, portfolio, server)
            except Exception as error:
                if context.log:
                    context.log.warning(f"Tables in PostgreSQL stay behind the file until the next run: {error}")
            server.close()
        close_warehouse(Path(self.database))
        self._lock.release()
        self._mark.release()

    def _tidy_clusters(self) -> None:
        files = [backup.warehouse for backup in backups(Path(self.database).parent)]
        for cluster in self._database.clusters.values():
            for portfolio in cluster.in_use:
                tidy(self._database, portfolio, cluster, files)

    def of(self, portfolio: str) -> Warehouse:
        """The tables of a portfolio; only during a run."""
        self._asked.add(portfolio)
        return tables_of(self._database, portfolio)
