"""Where an erasure happens: the home, and the Spark cluster or the PostgreSQL server that has tables of the portfolio too.

What is taken out of the home's own files stands in `erase.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cx_intel.privacy.register import PrivacyError
from cx_intel.warehouse.duckdb.access.opening import reading, writing
from cx_intel.warehouse.duckdb.upkeep.backups import backups
from cx_intel.warehouse.postgres.remembered import place_of_tables
from cx_intel.warehouse.postgres.server import PostgresTables
from cx_intel.warehouse.postgres.warehouse import bring_up_to_date
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.spark.remembered import cluster_files, shown_in
from cx_intel.warehouse.spark.tidying import tidy


@dataclass(frozen=True)
class Home:
    """Where an erasure happens.

    Attributes:
        folder: CX_HOME.
        warehouse: The warehouse file.
        lock: The writer's lock.
        variables: The environment.
        wait_seconds: How long a run is waited for.
        clusters: Portfolio: the cluster on which tables of it live.
        servers: Portfolio: the PostgreSQL server that has tables of it too.
    """

    folder: Path
    warehouse: Path
    lock: Path
    variables: Mapping[str, str]
    wait_seconds: float = 0
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    servers: Mapping[str, PostgresTables] = field(default_factory=dict)


def refuse_unnamed(home: Home, portfolio: str) -> None:
    """Tables on a cluster, and those in PostgreSQL, are reached by the settings of the portfolio alone."""
    if portfolio not in home.servers and home.warehouse.exists():
        with reading(home.warehouse) as database:
            place = place_of_tables(database, portfolio)
        if place:
            raise PrivacyError(
                f"Tables of {portfolio} stand in PostgreSQL too, which its YAML does not name: {place}. Nothing was changed. "
                "Name it under `warehouse` again, or drop that schema and refresh, which forgets it. Then run this again."
            )
    if portfolio in home.clusters:
        return
    for file, tables in shown_in([home.warehouse, *(b.warehouse for b in backups(home.folder))], portfolio).items():
        raise PrivacyError(
            f"{file}: {', '.join(tables)} of {portfolio} live on a Spark cluster that its YAML does not name; nothing "
            "was changed. Name it under `warehouse` again, or refresh, which brings the tables of the warehouse back, "
            "and remove the back-ups of that time. Then run this again."
        )
    if (left := cluster_files(home.folder, portfolio)).exists():
        raise PrivacyError(
            f"{left} holds tables of {portfolio} from the time when they lived on a Spark cluster; nothing was changed. "
            "Remove that folder, then run this again."
        )


def tidy_cluster(home: Home, portfolio: str) -> None:
    """The snapshots in which the subject still stands go, with their files, and so does what killed runs have left."""
    with writing(home.warehouse) as database:
        files = [backup.warehouse for backup in backups(home.folder)]
        tidy(database, portfolio, home.clusters[portfolio], files, orphans=True)


def tidy_server(home: Home, portfolio: str) -> None:
    """The tables at the server get the rows that are left, in files that have no others."""
    server = home.servers[portfolio]
    try:
        with writing(home.warehouse) as database:
            for table in bring_up_to_date(database, portfolio, server):
                server.write_anew(table)
    finally:
        server.close()
