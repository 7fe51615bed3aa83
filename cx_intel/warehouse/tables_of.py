"""The tables of a portfolio in an open warehouse, whatever engine keeps them.

Which engine that is stands in the portfolio's settings (`cx_intel.settings.storage`); the run that opens the file tells it of
the clusters and servers.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from cx_intel.settings.storage import PostgresStorage, SparkStorage
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.upkeep.row_edits import RowEdits
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.postgres.server import PostgresTables
from cx_intel.warehouse.postgres.warehouse import PostgresWarehouse
from cx_intel.warehouse.protocol import Warehouse
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.spark.edits import ClusterEdits
from cx_intel.warehouse.spark.remembered import snapshots
from cx_intel.warehouse.spark.warehouse import SparkWarehouse


def tables_of(database: Database, portfolio: str) -> Warehouse:
    """The tables of a portfolio."""
    if cluster := database.clusters.get(portfolio):
        return SparkWarehouse(database, portfolio, cluster)
    if server := database.servers.get(portfolio):
        return PostgresWarehouse(database, portfolio, server)
    return DuckDBWarehouse(database, portfolio)


def edits_of(database: Database, schema: str) -> RowEdits:
    """The rows of a schema one by one, for erasures; a cluster is needed only where rows on it change."""
    return (ClusterEdits if snapshots(database, schema) else RowEdits)(database, schema)


def clusters_of(described: Mapping[str, str], home: Path) -> dict[str, Cluster]:
    """The clusters of portfolios, each from its settings and tables as JSON."""
    read = {portfolio: json.loads(text) for portfolio, text in described.items()}
    return {
        portfolio: Cluster(SparkStorage(**found["storage"]), found["tables"], home) for portfolio, found in read.items()
    }


def servers_of(described: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, PostgresTables]:
    """The servers of portfolios, each from its settings and tables as JSON; none is reached yet."""
    servers = {}
    for portfolio, text in described.items():
        found = json.loads(text)
        storage = PostgresStorage(**found["storage"])
        servers[portfolio] = PostgresTables(storage.address, variables, storage.in_schema or portfolio, found["tables"])
    return servers
