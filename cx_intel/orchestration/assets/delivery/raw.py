"""Makes an asset of each raw table: what a source delivered, as it was delivered.

Sources are read by `cx_intel.sources`; the first thing that judges a row is staging. A source that can deliver a day
keeps its events by day, so that a refresh reads the days that are new.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Kind
from cx_intel.contracts.delivered import DELIVERED_DAY, delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.event_days import is_kept_by_row_day, is_read_by_file
from cx_intel.orchestration.assets.delivery.admission import refuse_unknown_currencies
from cx_intel.orchestration.assets.delivery.landed import landed_before
from cx_intel.orchestration.assets.delivery.raw_cursors import CursorDelivery
from cx_intel.orchestration.assets.delivery.raw_files import FilesDelivery
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
from cx_intel.sources.files.content import FilesRead
from cx_intel.sources.files.digests import digest_of_files, read_settled
from cx_intel.sources.files.known import KnownFile
from cx_intel.sources.files.paths import file_sets, source_files
from cx_intel.warehouse.protocol import Rows, Warehouse

if TYPE_CHECKING:
    from cx_intel.demo_data import World

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
        _refuse_lost_files(source, kind, variables, name, warehouse)
        extra: dict[str, Any] = {}
        guard = Guard(portfolio.name, home, variables)
        reads_all = REBUILD_TAG in context.run.tags
        by_file = None
        if is_read_by_file(table, source) and isinstance(source, FilesSource | SqlSource):
            by_file = FilesDelivery(name, source, portfolio, variables, guard, warehouse)
        delivery: FilesDelivery | CursorDelivery | None = by_file if kind == "by_day" else None
        if isinstance(source, SqlSource) and source.cursor:
            delivery = CursorDelivery(source, part, kind, portfolio, variables, guard, warehouse, reads_all)
        if delivery:
            with warehouse.transaction():
                written, extra = delivery.take(days[-1])
                metadata = shown(None, warehouse.table(name), days[-1], warehouse)
            report_other_days(context, key, written, days)
            return dg.MaterializeResult(asset_key=key, metadata=metadata | extra)
        digest = _digest(source, variables)
        step_made = making(context, warehouse, key, portfolio, days, digest, guard.fingerprint())
        if digest is not None and (told := step_made.told_before()):
            return told.result()
        files: list[KnownFile] = []
        with warehouse.transaction():
            step_made.begin()
            if isinstance(source, SyntheticSource) and kind == "by_day":
                written, state = _days_to_make(source, portfolio, warehouse, name, days)
                world = world_of(source.model_dump_json())
                admitted = (guard.admit(table, world.day(table, day), day, warehouse) for day in written)
                staged = warehouse.stage(name, _dated(admitted, written, table, portfolio))
                swapped: dict[str, Any] = {"column": DELIVERED_DAY, "days": written, "state": state}
            else:
                if by_file:
                    rows, files, extra = by_file.rows()
                else:
                    rows, extra = _whole(table, source, days[-1], portfolio, variables, warehouse)
                rows = guard.admit(table, rows, days[-1], warehouse, portfolio.system_of(table), part)
                staged = warehouse.stage(name, [rows])
                written, swapped = (), {"stands_at": days[-1]}
            refuse_unknown_currencies(table, staged, warehouse, portfolio)
            metadata = shown(None, staged, days[-1], warehouse)
            warehouse.swap(name, **swapped)
            if by_file:
                warehouse.remember_files(name, files)
                by_file.discard()
            step_made.remember(metadata | extra)
        report_other_days(context, key, written, days)
        return dg.MaterializeResult(asset_key=key, metadata=metadata | extra)

    return compute


def _refuse_lost_files(
    source: Source, kind: Kind, variables: Mapping[str, str], name: str, warehouse: Warehouse
) -> None:
    """Raises SourceError where no file of a query is there any more and its rows would go with them.

    Each of the files may be missing, or the reading of them would say so; that all are gone at once is a lost mount.
    """
    if not isinstance(source, SqlSource) or source.connection or source.landed:
        return
    if kind == "by_day" and not source.takes_gone_files_back:
        return
    sets = file_sets(source)
    if any(source_files(files, variables, of) for files, of in sets) or not warehouse.exists(name):
        return
    if count := warehouse.count(warehouse.table(name)):
        paths = ", ".join(f"`{files.path}`" for files, _ in sets)
        raise SourceError(
            f"None of the files of the {source.title} is there, {paths}, and {count:,} rows came from such files before. "
            "Mount the folder, mend the path, or put the files back; if they are meant to be gone, put a file in their "
            "place that has but the names of its columns."
        )


def _digest(source: Source, variables: Mapping[str, str]) -> str | None:
    """What the source delivers, as far as its files or its settings tell; None where only asking for it does."""
    if isinstance(source, SyntheticSource):
        return source.model_dump_json()
    if isinstance(source, SqlSource) and source.landed and not source.files and not source.connection:
        return "landed"  # which is read through the warehouse, and noted there
    return digest_of_files(source, variables)


def _dated(frames: Iterable[Rows], days: Iterable[date], table: str, portfolio: Portfolio) -> Iterator[Rows]:
    """The rows of each day with the day that delivered them; a frame without any says nothing of types: they are stated."""
    known = {column.name: column.type for column in delivered_columns(STAGING[table](portfolio))}
    for frame, day in zip(frames, days, strict=True):
        if isinstance(frame, ir.Table):
            yield frame.mutate(**{DELIVERED_DAY: ibis.literal(day)})
        elif not frame.empty:
            yield frame.assign(**{DELIVERED_DAY: day})
        else:
            types = {**{name: known.get(name, "string") for name in frame.columns}, DELIVERED_DAY: "date"}
            yield ibis.memtable(pd.DataFrame(columns=list(types)), schema=ibis.schema(types))


@lru_cache(maxsize=4)
def world_of(source: str) -> "World":
    """The world of a synthetic source (its settings as JSON): made once, it remembers its accounts' lives."""
    settings = SyntheticSource.model_validate(json.loads(source))
    from cx_intel.demo_data import build_world  # with it come names of people and companies, which few runs need

    return build_world(
        world=settings.world,
        seed=settings.seed,
        accounts=settings.accounts,
        starts_on=settings.starts_on,
        events_from=settings.events_from,
    )


def _days_to_make(
    source: SyntheticSource, portfolio: Portfolio, warehouse: Warehouse, name: str, days: tuple[date, ...]
) -> tuple[tuple[date, ...], dict[date, str]]:
    """The days of the run, and the earlier ones that are missing or of another world."""
    version = source.model_dump_json(include={"world", "seed", "accounts", "starts_on", "events_from"})
    built = warehouse.day_state(name)
    span = range((days[-1] - source.events_from).days + 1)
    all_days = (source.events_from + timedelta(days=n) for n in span)
    missing = {day for day in all_days if built.get(day) != version}
    gone = {day for day in built if day < source.events_from}
    chosen = tuple(sorted(missing | gone | set(days)))
    return chosen, dict.fromkeys(chosen, version)


def _whole(
    table: str,
    source: Source,
    as_of: date,
    portfolio: Portfolio,
    variables: Mapping[str, str],
    warehouse: Warehouse,
) -> tuple[ir.Table | pd.DataFrame, dict[str, Any]]:
    if isinstance(source, SyntheticSource):
        return world_of(source.model_dump_json()).table(table, as_of), {}
    read_source: Callable[..., FilesRead] = (
        warehouse.read_query if isinstance(source, SqlSource) else warehouse.read_files
    )
    contract = STAGING[table](portfolio)
    read = read_settled(lambda: read_source(source, contract=contract, environment=variables), source, variables)
    rows = ibis.memtable(read.raw())
    told: dict[str, Any] = {"ignored_columns": ", ".join(read.ignored_columns), "rows_left_out": read.left_out}
    return rows, {name: value for name, value in told.items() if value}


def _origin(source: Source) -> str:
    if isinstance(source, SyntheticSource):
        return f"Made by the synthetic world {source.world}, seed {source.seed}."
    if isinstance(source, SqlSource):
        if source.connection:
            return f"Given by a query at {source.connection}."
        if source.landed:
            return f"Given by a query over what {', '.join(sorted({str(t.landed) for t in source.landed.values()}))} landed."
        return f"Given by a query over {', '.join(files.path for files in source.files.values())}."
    return f"Read from {source.path}; all columns are text, with the file and row that each row came from."
