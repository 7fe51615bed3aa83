"""A home with published copies of given tables, as a refresh leaves it, for what reads only those."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cx_intel.orchestration.assets.publication import published_tables
from cx_intel.settings.environment import Environment, read_environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.report_tables import fill


def published_home(
    home: Path, of: Portfolio, tables: Mapping[str, Iterable[Mapping[str, Any]]], *, days: int = 1
) -> Environment:
    """Writes the tables into the home's warehouse, and publishes so many days of them."""
    environment = read_environment({"CX_HOME": str(home)})
    fill(environment.warehouse, of, tables)
    warehouse = DuckDBWarehouse(open_warehouse(environment.warehouse), of.name)
    try:
        warehouse.publish(published_tables(of), environment.published(of.name), snapshot_days=days)
    finally:
        close_warehouse(environment.warehouse)
    return environment
