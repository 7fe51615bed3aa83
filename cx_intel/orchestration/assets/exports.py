"""Makes the assets that end a refresh in files: the exports of a portfolio and its weekly brief.

When they run and what Dagster shows of them is decided here; the files come from `cx_intel.reports`. Dashboards, and the
data that all reports of a run share, have a module of their own beside this one (`reports.py`).
"""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.orchestration.assets.metadata import markdown_table
from cx_intel.orchestration.assets.partitions import mapping
from cx_intel.orchestration.assets.reports import report_data
from cx_intel.orchestration.assets.tables import asset_options, days_for, key_of
from cx_intel.orchestration.assets.unchanged import making
from cx_intel.reports.brief.weekly_brief import weekly_brief, write_brief
from cx_intel.reports.data.reading import read_tables
from cx_intel.reports.exports.tables import Export, export, exported_tables
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

EXPORTS, WEEKLY_BRIEF = "exports", "weekly_brief"


def export_assets(portfolio: Portfolio, environment: Environment) -> list[dg.AssetsDefinition]:
    """The assets of a portfolio that write its exports, if it has any, and its weekly brief.

    Args:
        portfolio: Its settings.
        environment: Where exports and brief are written, and opened.
    """
    brief = _brief_asset(portfolio, environment)
    return [_exports_asset(portfolio, environment), brief] if portfolio.reports.exports else [brief]


def _exports_asset(portfolio: Portfolio, environment: Environment) -> dg.AssetsDefinition:
    key = key_of(portfolio, EXPORTS)
    folder = environment.exports(portfolio.name)
    forms = ", ".join(form.upper() for form in portfolio.reports.exports)

    @dg.asset(
        key=key,
        deps=_deps(portfolio, (*exported_tables(portfolio), *read_tables(portfolio)), history=False),
        required_resource_keys={"warehouse"},
        description=f"The tables of the newest day as files ({forms}) in {portfolio.name}'s folder of exports, "
        "`_latest` leading to them.\n\nA snapshot table is exported as it stands at that day. In CSV, an apostrophe "
        "stands before text that a spreadsheet might run as a formula; Parquet is exact.",
        **_options(portfolio, set(portfolio.reports.exports)),
    )
    def write_exports(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        as_of = days_for(context, portfolio, warehouse)[-1]
        if kept := _of_a_later_day(context, portfolio, warehouse, as_of):
            return dg.MaterializeResult(asset_key=key, metadata=kept)
        step_made = making(context, warehouse, key, portfolio, (as_of,), folder, environment.reports_url)
        if told := step_made.told_before():
            return told.result()
        step_made.begin()
        written = export(report_data(context.run.run_id, warehouse, portfolio, as_of), warehouse, folder)
        for table in written.missing:
            context.log.warning(f"{table} was not exported: it is not in the warehouse.")
        metadata = _about(written, as_of, environment)
        files = [place / file.name for file in written.files for place in (written.folder, written.latest)]
        step_made.remember(metadata, files=files)
        return dg.MaterializeResult(asset_key=key, metadata=metadata)

    return write_exports


def _brief_asset(portfolio: Portfolio, environment: Environment) -> dg.AssetsDefinition:
    key = key_of(portfolio, WEEKLY_BRIEF)
    folder = environment.reports(portfolio.name)

    @dg.asset(
        key=key,
        deps=_deps(portfolio, read_tables(portfolio), history=True),
        required_resource_keys={"warehouse"},
        description="A page for the Monday stand-up, as Markdown and HTML: what changed in a week, whom to call, what "
        "it is worth, and whether the numbers can be trusted.",
        **_options(portfolio, {"markdown"}),
    )
    def write_weekly_brief(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        as_of = days_for(context, portfolio, warehouse)[-1]
        if kept := _of_a_later_day(context, portfolio, warehouse, as_of):
            return dg.MaterializeResult(asset_key=key, metadata=kept)
        step_made = making(context, warehouse, key, portfolio, (as_of,), folder, environment.reports_url)
        if told := step_made.told_before():
            return told.result()
        step_made.begin()
        brief = weekly_brief(report_data(context.run.run_id, warehouse, portfolio, as_of))
        files = write_brief(brief, portfolio, folder)
        metadata: dict[str, Any] = {
            "as_of": as_of.isoformat(),
            "headline": brief.headline,
            "brief": dg.MetadataValue.md(brief.markdown),
            "page": dg.MetadataValue.path(str(files[0])),
            "link": dg.MetadataValue.url(environment.link(files[0])),
        }
        step_made.remember(metadata, files=files)
        return dg.MaterializeResult(asset_key=key, metadata=metadata)

    return write_weekly_brief


def _options(portfolio: Portfolio, kinds: set[str]) -> dict[str, Any]:
    return asset_options(portfolio, "reports", "snapshot") | {"kinds": kinds}


def _deps(portfolio: Portfolio, tables: tuple[str, ...], *, history: bool) -> list[dg.AssetDep]:
    """The tables that the portfolio has of those, each once, with the partitions that a day reads."""
    known = tables_of(portfolio)
    return [
        dg.AssetDep(
            key_of(portfolio, table),
            partition_mapping=mapping("snapshot", contract_of(table, portfolio).kind, history=history),
        )
        for table in dict.fromkeys(tables)
        if table in known
    ]


def _of_a_later_day(
    context: dg.AssetExecutionContext, portfolio: Portfolio, warehouse: Warehouse, as_of: date
) -> dict[str, str]:
    """What to say when the tables stand at a later day, so that the files are left as they are; else nothing."""
    newest = warehouse.newest()
    if newest is None or as_of >= newest:
        return {}
    context.log.info(f"{portfolio.name} stands at {newest}, a later day than {as_of}; the files are left as they are.")
    return {"kept_as_of": newest.isoformat()}


def _about(written: Export, as_of: date, environment: Environment) -> dict[str, Any]:
    sizes: dict[str, dict[str, Any]] = {}
    for file in written.files:
        row = sizes.setdefault(file.table or file.name, {"rows": "" if file.rows is None else f"{file.rows:,}"})
        row[Path(file.name).suffix.lstrip(".")] = _size(file.bytes)
    frame = pd.DataFrame([{"table": table, **row} for table, row in sizes.items()])
    return {
        "as_of": as_of.isoformat(),
        "files": len(written.files),
        "rows": sum(written.rows.values()),
        "megabytes": round(written.bytes / 1e6, 3),
        "contents": dg.MetadataValue.md(markdown_table(frame)),
        "folder": dg.MetadataValue.path(str(written.folder)),
        "latest": dg.MetadataValue.path(str(written.latest)),
        "link": dg.MetadataValue.url(f"{environment.link(written.folder)}/"),
        **({"missing": ", ".join(written.missing)} if written.missing else {}),
        **({"removed": ", ".join(day.isoformat() for day in written.removed)} if written.removed else {}),
    }


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} KB"
