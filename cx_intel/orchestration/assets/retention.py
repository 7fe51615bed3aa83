"""Makes the step that ends a refresh by letting old days go, where a portfolio states retention periods.

Which days of tables go is decided by `cx_intel.privacy.retention`; the periods stand in the `retention` block of the YAML.
What Dagster recorded of old runs goes by `cx_intel.orchestration.history`.
"""

from typing import Any

import dagster as dg
import pandas as pd

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.contracts.contract import Kind
from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.orchestration.assets.metadata import markdown_table
from cx_intel.orchestration.assets.partitions import mapping
from cx_intel.orchestration.assets.tables import asset_options, key_of
from cx_intel.privacy.retention import Forgotten, forget_old_days
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

RETENTION = "retention"


def dated_tables(portfolio: Portfolio, kinds: dict[str, Kind]) -> dict[str, str]:
    """The tables that are kept by days, raw ones included, each with its date column."""
    raw = {table: DELIVERED_DAY for table, kind in kinds.items() if table.startswith("raw_") and kind == "by_day"}
    contracts = (contract_of(table, portfolio) for table in tables_of(portfolio))
    return raw | {c.table: c.partition_column for c in contracts if c.partition_column}


def retention_assets(portfolio: Portfolio, kinds: dict[str, Kind]) -> list[dg.AssetsDefinition]:
    """The asset that lets old days go; none where everything is kept.

    Args:
        portfolio: Its settings.
        kinds: How each table of the portfolio is kept, raw ones included.
    """
    if not portfolio.retention.is_on:
        return []
    key = key_of(portfolio, RETENTION)

    @dg.asset(
        key=key,
        deps=[
            dg.AssetDep(key_of(portfolio, table), partition_mapping=mapping("snapshot", kind, history=False))
            for table, kind in kinds.items()
        ],
        required_resource_keys={"warehouse"},
        description="Old days go, as the retention block of the portfolio says. It runs when all tables are made.",
        **(asset_options(portfolio, "operations", "snapshot") | {"kinds": {"duckdb"}}),
    )
    def retention(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        tables = dated_tables(portfolio, kinds)
        gone = forget_old_days(warehouse, tables, portfolio.retention)
        return dg.MaterializeResult(asset_key=key, metadata=_about(gone))

    return [retention]


def _about(gone: list[Forgotten]) -> dict[str, Any]:
    frame = pd.DataFrame([{"table": g.table, "first day kept": g.first_kept, "rows removed": g.rows} for g in gone])
    return {
        "rows_removed": sum(g.rows for g in gone),
        "tables": dg.MetadataValue.md(markdown_table(frame.astype(object))),
    }
