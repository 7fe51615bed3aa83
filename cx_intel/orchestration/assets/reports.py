"""The asset of a portfolio's reports: pages and picture, made where something changed, and shown in the UI.

What the pages say and how they look is decided in `cx_intel.reports`; here is decided when they are made and what
Dagster gets to see of them. The tables that they read are made in `tables.py`, exports and brief in `exports.py`.
"""

import base64
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from cx_intel.contracts.catalog import ROLLUP_SUFFIX, tables_of
from cx_intel.orchestration.assets.metadata import short
from cx_intel.orchestration.assets.tables import asset_options, days_for, key_of
from cx_intel.orchestration.assets.unchanged import making
from cx_intel.reports.data.figures.kpis import kpis
from cx_intel.reports.data.reading import read_report_data, read_tables
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.frame.publishing import PAGES, Published, publish
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

DASHBOARD = "dashboard"
_of_run: dict[tuple[str, str, date], tuple[ReportData, Warehouse]] = {}
"""What the reports of the last run are made of, and what it was read through."""
INLINE_BYTES = 300_000
"""The largest picture that is kept in the event log."""


def report_assets(portfolio: Portfolio, environment: Environment) -> list[dg.AssetsDefinition]:
    """The report assets of a portfolio: its dashboard with all pages.

    Args:
        portfolio: Its settings.
        environment: Where the reports are put.
    """
    options = asset_options(portfolio, "reports", "snapshot") | {"kinds": {"html", "vegalite"}}
    rollups = [t for t in tables_of(portfolio) if t.endswith(ROLLUP_SUFFIX)]
    folder = environment.reports(portfolio.name)

    key = key_of(portfolio, DASHBOARD)

    @dg.asset(
        key=key,
        deps=[key_of(portfolio, table) for table in (*read_tables(portfolio), *rollups)],
        required_resource_keys={"warehouse"},
        description=_description(portfolio),
        **options,
    )
    def make_reports(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        as_of = days_for(context, portfolio, warehouse)[-1]
        newest = warehouse.newest()
        if newest is not None and as_of < newest:
            context.log.info(f"The reports show {newest}, a later day than {as_of}; they are left as they are.")
            return dg.MaterializeResult(metadata={"kept_as_of": newest.isoformat()})
        step_made = making(context, warehouse, key, portfolio, (as_of,), folder, environment.reports_url)
        if told := step_made.told_before():
            return told.result()
        step_made.begin()
        data = report_data(context.run.run_id, warehouse, portfolio, as_of)
        published = publish(data, folder)
        metadata = _metadata(data, published, environment)
        step_made.remember(metadata, files=(*published.pages.values(), published.picture))
        return dg.MaterializeResult(asset_key=key, metadata=metadata)

    return [make_reports]


def report_data(run_id: str, warehouse: Warehouse, portfolio: Portfolio, as_of: date) -> ReportData:
    """What the reports of a run are made of, read once for all of them: each waits for all tables that any of them reads."""
    key = (run_id, portfolio.name, as_of)
    if key not in _of_run:
        _of_run.clear()
        now = datetime.now(ZoneInfo(portfolio.time_zone))
        _of_run[key] = (read_report_data(warehouse, portfolio, as_of, now), warehouse)
    data, reader = _of_run[key]
    warehouse.read_too(reader)
    return data


def _description(portfolio: Portfolio) -> str:
    titles = ", ".join(title for title, _ in PAGES.values())
    return (
        f"The reports of {portfolio.name} as files that open from disk: {titles}, and the dashboard as a picture. "
        "They show the newest day; a run for an earlier day leaves them as they are. Earlier days stay as they were published, "
        "in `days`, for as long as the settings of the reports say."
    )


def _metadata(data: ReportData, published: Published, environment: Environment) -> dict[str, Any]:
    figures = {kpi.key: kpi.value for kpi in kpis(data) if kpi.value is not None}
    links = {f"page_{key}": dg.MetadataValue.url(environment.link(path)) for key, path in published.pages.items()}
    return {
        "as_of": data.as_of.isoformat(),
        **{name: short(value) for name, value in figures.items()},
        "picture": _inline(published.picture),
        **links,
        "folder": dg.MetadataValue.path(str(published.picture.parent)),
        "largest_page_bytes": max(path.stat().st_size for path in published.pages.values()),
    }


def _inline(picture: Path) -> dg.MetadataValue[Any]:
    content = picture.read_bytes()
    if len(content) > INLINE_BYTES:
        return dg.MetadataValue.path(str(picture))
    return dg.MetadataValue.md(f"![dashboard](data:image/png;base64,{base64.b64encode(content).decode()})")
