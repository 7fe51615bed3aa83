"""Makes the asset that ends a run with a copy for readers: marts, dimensions and facts in a DuckDB file of their own.

Which tables and when is decided here; the copy is made by `cx_intel.warehouse.duckdb.publish`. Files for people are made by
`export_assets.py` and `report_assets.py` beside this module.
"""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from cx_intel.contracts.catalog import contract_of, has_all_days, tables_of
from cx_intel.orchestration.assets.metadata import markdown_table
from cx_intel.orchestration.assets.partitions import mapping
from cx_intel.orchestration.assets.retention import RETENTION
from cx_intel.orchestration.assets.tables import asset_options, key_of
from cx_intel.orchestration.assets.unchanged import making
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Publication, Warehouse

PUBLISHED = "published"
UNPUBLISHED_LAYERS = ("raw", "staging", "operations")


def published_tables(portfolio: Portfolio) -> dict[str, str]:
    """The tables that are published, each with the column that tells its snapshots; empty for one copied whole."""
    contracts = (contract_of(table, portfolio) for table in tables_of(portfolio))
    return {
        c.table: "as_of" if c.kind == "snapshot" else ""
        for c in contracts
        if c.layer not in UNPUBLISHED_LAYERS
        and (portfolio.publish.events or not has_all_days(c))
        and (portfolio.publish.contacts or not c.personal_columns)
    }


def publish_assets(portfolio: Portfolio, file: Path) -> list[dg.AssetsDefinition]:
    """The asset that publishes a portfolio; none where it is switched off.

    Args:
        portfolio: Its settings.
        file: The published copy.
    """
    if not portfolio.publish.enabled:
        return []
    key = key_of(portfolio, PUBLISHED)

    @dg.asset(
        key=key,
        deps=[
            dg.AssetDep(
                key_of(portfolio, table),
                partition_mapping=mapping("snapshot", contract_of(table, portfolio).kind, history=False),
            )
            for table in published_tables(portfolio)
        ]
        + ([dg.AssetDep(key_of(portfolio, RETENTION))] if portfolio.retention.is_on else []),
        required_resource_keys={"warehouse"},
        description="The copy for BI tools, notebooks and other readers: a DuckDB file that can be read at any time, "
        "also while a run writes. It is replaced at once, and whoever has it open keeps the old one.",
        **(asset_options(portfolio, "reports", "snapshot") | {"kinds": {"duckdb"}}),
    )
    def published(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        tables, days = published_tables(portfolio), portfolio.publish.snapshot_days
        step_made = making(context, warehouse, key, portfolio, (), file)
        if told := step_made.told_before():
            return told.result()
        step_made.begin()
        made = warehouse.publish(tables, file, snapshot_days=days)
        for table in made.missing:
            context.log.warning(f"{table} was not published: it is not in the warehouse.")
        metadata = _about(made, warehouse.newest())
        step_made.remember(metadata, files=[file])
        return dg.MaterializeResult(asset_key=key, metadata=metadata)

    return [published]


def _about(made: Publication, as_of: date | None) -> dict[str, Any]:
    frame = pd.DataFrame({"table": list(made.rows), "rows": list(made.rows.values())}).astype(object)
    return {
        "as_of": as_of.isoformat() if as_of else "never",
        "tables": len(made.rows),
        "rows": sum(made.rows.values()),
        "megabytes": round(made.bytes / 1e6, 3),
        "file": dg.MetadataValue.path(str(made.file)),
        "contents": dg.MetadataValue.md(markdown_table(frame)),
        **({"missing": ", ".join(made.missing)} if made.missing else {}),
    }
