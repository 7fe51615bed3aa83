"""Which tables of a portfolio live on its Spark cluster or in its PostgreSQL server, in the words of the warehouse's resource.

How they are kept there is in `cx_intel.warehouse`, `spark` and `postgres`; where that is, in the portfolio's YAML.
"""

import json
from collections.abc import Sequence

from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.models.staging.event_days import TIMES
from cx_intel.orchestration.assets.delivery.admission import AGAIN_PREFIX
from cx_intel.orchestration.assets.graph import CONFLICTING_VALUES, REJECTED_ROWS, steps_of
from cx_intel.orchestration.assets.staging.judged_sources import OF_SOURCE
from cx_intel.orchestration.assets.steps import COMPARED_PREFIX, JUDGED_PREFIX
from cx_intel.settings.base import SettingsError
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.storage import PostgresStorage, SparkStorage
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.postgres.server import PostgresTables
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.tables_of import clusters_of, servers_of


def named_engines(environment: Environment, name: str) -> tuple[dict[str, Cluster], dict[str, PostgresTables]]:
    """The cluster and the server that a portfolio's YAML names, by its name: nothing where it cannot be read or names none."""
    try:
        found = load_portfolio(environment.portfolios / f"{name}.yaml")
    except SettingsError:
        return {}, {}
    return clusters_of(clusters([found]), environment.home), servers_of(servers([found]), environment.variables)


def clusters(portfolios: Sequence[Portfolio]) -> dict[str, str]:
    """Portfolio: its cluster and the tables there, as JSON; those that stay in the DuckDB file are left out."""
    return {
        p.name: json.dumps({"storage": p.warehouse.model_dump(), "tables": tables_on_cluster(p, p.warehouse)})
        for p in portfolios
        if isinstance(p.warehouse, SparkStorage)
    }


def servers(portfolios: Sequence[Portfolio]) -> dict[str, str]:
    """Portfolio: its PostgreSQL server and the tables there, as JSON."""
    return {
        p.name: json.dumps({"storage": p.warehouse.model_dump(), "tables": tables_on_server(p)})
        for p in portfolios
        if isinstance(p.warehouse, PostgresStorage)
    }


def tables_on_server(portfolio: Portfolio) -> list[str]:
    """The tables that live there, with what is written on the way to them: all layers but the first, whose rows are sources'."""
    found = [REJECTED_ROWS, CONFLICTING_VALUES]
    for contract in (step.contract for step in steps_of(portfolio)):
        found.append(contract.table)
        if contract.layer == "staging":
            table = contract.table.removeprefix("stg_")
            found += [JUDGED_PREFIX + table, COMPARED_PREFIX + contract.table]
            found += [OF_SOURCE + part for part in portfolio.parts_of(table)] if portfolio.has_several(table) else []
    return found


def tables_on_cluster(portfolio: Portfolio, storage: SparkStorage) -> dict[str, str]:
    """The tables that live there, with what is written on the way to them: table, the day that it is kept by, empty for none."""
    found: dict[str, str] = {}
    if storage.files == "cluster":
        for table in TIMES:
            for part, source in portfolio.parts_of(table).items() if table in portfolio.tables else ():
                if isinstance(source, FilesSource) or (isinstance(source, SqlSource) and source.is_at_cluster):
                    found[f"raw_{part}"] = DELIVERED_DAY
                    found[AGAIN_PREFIX + f"raw_{part}"] = ""
    for step in steps_of(portfolio):
        contract = step.contract
        if contract.kind != "by_day" and storage.tables != "all":
            continue
        found[contract.table] = contract.partition_column
        if contract.layer == "staging" and contract.kind == "by_day":  # others are judged where their raw rows lie
            found[JUDGED_PREFIX + contract.table.removeprefix("stg_")] = ""
            found[COMPARED_PREFIX + contract.table] = ""
    return found
