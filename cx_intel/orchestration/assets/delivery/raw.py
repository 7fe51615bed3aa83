"""Makes an asset of each raw table: what a source delivered, as it was delivered.

Sources are read by `cx_intel.sources`; the first thing that judges a row is staging. How rows come in is in
`raw_files.py` (file by file), `raw_cursors.py` (what is new at a connection) and `raw_whole.py` (all the rest).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from cx_intel.contracts.contract import Kind
from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.event_days import is_kept_by_row_day, is_read_by_file
from cx_intel.orchestration.assets.delivery.landed import landed_before
from cx_intel.orchestration.assets.delivery.raw_cursors import CursorDelivery
from cx_intel.orchestration.assets.delivery.raw_files import FilesDelivery
from cx_intel.orchestration.assets.delivery.raw_whole import WholeDelivery, digest_of, refuse_lost_files
from cx_intel.orchestration.assets.metadata import shown
from cx_intel.orchestration.assets.tables import asset_options, days_for, key_of, report_other_days
from cx_intel.orchestration.assets.unchanged import REBUILD_TAG, making
from cx_intel.orchestration.checks.check import check_results, results_table
from cx_intel.orchestration.checks.unread_files import unread_results, unread_specs
from cx_intel.orchestration.dagster_internals import evaluations, recorded
from cx_intel.privacy.guard import Guard
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sources import Source
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.sources.synthetic import SyntheticSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.protocol import Warehouse

if TYPE_CHECKING:
    pass

EVENT_TABLES = ("usage_events",)
AFTER = {"ticket_status_history": ("support_tickets",)}
"""Canonical table: those read before it. Which history is that of an erased account, its tickets tell."""


def raw_kind(table: str, portfolio: Portfolio) -> Kind:
    """How the raw table of a source is kept: by day where it delivers events by days, or they are read in parts.

    Args:
        table: The canonical table.
        portfolio: Its settings, with this source of the table alone.
    """
    source = portfolio.source_of(table)
    by_day = table in EVENT_TABLES and isinstance(source, SyntheticSource)
    return "by_day" if by_day or is_kept_by_row_day(table, source) else "whole"


def raw_assets(portfolio: Portfolio, variables: Mapping[str, str], home: Path) -> list[dg.AssetsDefinition]:
    """The assets of all raw tables, one for each source of each canonical table; the arguments are those of `raw_asset`."""
    return [
        raw_asset(part, table, portfolio, variables, home)
        for table in portfolio.tables
        for part in portfolio.parts_of(table)
    ]


def raw_asset(part: str, table: str, whole: Portfolio, variables: Mapping[str, str], home: Path) -> dg.AssetsDefinition:
    """The asset of a raw table.

    Args:
        part: The name of what one source delivers (`Portfolio.parts_of`).
        table: The canonical table.
        whole: The portfolio with all its sources.
        variables: What `${NAME}` in the source's settings is taken from.
        home: Where it is remembered who was erased.
    """
    name, source = f"raw_{part}", whole.parts_of(table)[part]
    portfolio = whole.only(table, source)
    key, kind = key_of(portfolio, name), raw_kind(table, portfolio)
    specs = unread_specs(source, key)
    metadata = {"partition_expr": DELIVERED_DAY} if kind == "by_day" else {}

    @dg.asset(
        key=key,
        deps=[
            *(key_of(portfolio, f"raw_{other}") for other in AFTER.get(table, ()) if other in portfolio.tables),
            *landed_before(portfolio, source),
        ],
        check_specs=specs,
        required_resource_keys={"warehouse"},
        description=f"What the source delivered of {table}, unchanged. {_origin(source)}",
        metadata=metadata,
        **asset_options(portfolio, "raw", kind),
    )
    def compute(context: dg.AssetExecutionContext) -> Iterator[Any]:
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        days = days_for(context, portfolio, warehouse)
        if results := unread_results(source, whole, variables):
            warehouse.record_checks(results_table(results, table=name, as_of=days[-1]))
            yield from recorded(evaluations(check_results(results, key), specs), specs)
        stays = f" {name} stays as it was." if warehouse.exists(name) else ""
        try:
            result = deliver(context, warehouse, days)
        except SourceError as error:
            raise dg.Failure(f"{error}{stays}", allow_retries=False) from error
        yield result

    def deliver(
        context: dg.AssetExecutionContext, warehouse: Warehouse, days: tuple[date, ...]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        stands_at = warehouse.stands_at(name) if kind == "whole" else None
        if stands_at and days[-1] < stands_at:
            context.log.info(f"{name} stands at {stands_at}, a later day; it is left as it is.")
            return dg.MaterializeResult(asset_key=key, metadata={"kept_as_of": stands_at.isoformat()})
        refuse_lost_files(source, kind, variables, name, warehouse)
        guard = Guard(portfolio.name, home, variables)
        by_file = None
        if is_read_by_file(table, source) and isinstance(source, FilesSource | SqlSource):
            by_file = FilesDelivery(name, source, portfolio, variables, guard, warehouse)
        delivery: FilesDelivery | CursorDelivery | None = by_file if kind == "by_day" else None
        if isinstance(source, SqlSource) and (source.cursor or (kind == "by_day" and source.is_at_cluster)):
            reads_all = REBUILD_TAG in context.run.tags
            delivery = CursorDelivery(source, part, kind, portfolio, variables, guard, warehouse, reads_all)
        if delivery:
            with warehouse.transaction():
                written, told = delivery.take(days[-1])
                metadata = shown(STAGING[table](portfolio), warehouse.table(name), days[-1], warehouse) | told
        else:
            digest = digest_of(source, variables)
            step_made = making(context, warehouse, key, portfolio, days, digest, guard.fingerprint())
            if digest is not None and (before := step_made.told_before()):
                return before.result()
            with warehouse.transaction():
                step_made.begin()
                all_rows = WholeDelivery(source, table, part, kind, portfolio, variables, guard, warehouse, by_file)
                written, metadata = all_rows.take(days)
                step_made.remember(metadata)
        report_other_days(context, key, written, days)
        return dg.MaterializeResult(asset_key=key, metadata=metadata)

    return compute


def _origin(source: Source) -> str:
    if isinstance(source, SyntheticSource):
        return f"Made by the synthetic world {source.world}, seed {source.seed}."
    if isinstance(source, SqlSource):
        if source.is_at_cluster:
            return "Given by a query over tables of the cluster's catalogs."
        if source.connection:
            return f"Given by a query at {source.connection}."
        if source.landed:
            return f"Given by a query over what {', '.join(sorted({str(t.landed) for t in source.landed.values()}))} landed."
        return f"Given by a query over {', '.join(files.path for files in source.files.values())}."
    return f"Read from {source.path}; all columns are text, with the file and row that each row came from."
