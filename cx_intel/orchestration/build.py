"""Turns the settings of a portfolio into Dagster definitions: the factory that everything goes through.

What an asset does stands in `cx_intel.orchestration.assets`; here they are only put together.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import dagster as dg

from cx_intel.contracts.backtest.past import REPLAYED
from cx_intel.orchestration.assets.backtest.assets import backtest_assets
from cx_intel.orchestration.assets.delivery.landed import landed_assets
from cx_intel.orchestration.assets.delivery.raw import raw_assets, raw_kind
from cx_intel.orchestration.assets.engines import clusters, servers
from cx_intel.orchestration.assets.exports import export_assets
from cx_intel.orchestration.assets.graph import steps_of
from cx_intel.orchestration.assets.publication import publish_assets
from cx_intel.orchestration.assets.reports import report_assets
from cx_intel.orchestration.assets.retention import retention_assets
from cx_intel.orchestration.assets.tables import kinds_of, table_asset
from cx_intel.orchestration.assets.write_back import write_back_assets
from cx_intel.orchestration.schedules.automation import automation
from cx_intel.orchestration.schedules.jobs import refresh_job
from cx_intel.orchestration.unusable import unusable_definitions
from cx_intel.reports.exports.tables import check_exports
from cx_intel.settings.base import Problem, SettingsError
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.sources.files.mapping import check_sources
from cx_intel.warehouse.duckdb.upkeep.upgrades import schema_version
from cx_intel.warehouse.io_manager import WarehouseIOManager
from cx_intel.warehouse.resource import WarehouseResource


def portfolio_files(folder: Path) -> dict[str, Path]:
    """The files of the portfolios of a folder by name; raises SettingsError where there is none."""
    found = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    if not found:
        raise SettingsError(folder, [Problem(None, "", "no portfolio here: a portfolio is a .yaml file")])
    return found


def load_portfolios(folder: Path, only: Collection[str] = ()) -> dict[str, Portfolio]:
    """The portfolios of a folder by name, or some of them; raises SettingsErrors with the problems of all their files."""
    found, problems = usable_portfolios(folder, only)
    if problems:
        raise SettingsErrors(list(problems.values()))
    return found


def usable_portfolios(folder: Path, only: Collection[str] = ()) -> tuple[dict[str, Portfolio], dict[str, str]]:
    """The portfolios of a folder, or some of them, that can be used; and by name what is wrong with the others.

    Raises:
        SettingsError: There is no portfolio at all.
    """
    found: dict[str, Portfolio] = {}
    problems: dict[str, str] = {}
    for name, file in portfolio_files(folder).items():
        if only and name not in only:
            continue
        try:
            found[name] = load_portfolio(file, also=(check_exports, check_sources))
        except SettingsError as error:
            problems[name] = str(error)
    return found, problems


class SettingsErrors(ValueError):
    """Several portfolio files that cannot be used, each problem on a line."""

    def __init__(self, texts: list[str]):
        super().__init__("\n".join(texts))


def portfolio_definitions(portfolio: Portfolio, environment: Environment) -> dg.Definitions:
    """The assets, checks, jobs, schedules and sensors of one portfolio."""
    steps = steps_of(portfolio)
    raw_kinds = {
        f"raw_{part}": raw_kind(table, portfolio.only(table, source))
        for table in portfolio.tables
        for part, source in portfolio.parts_of(table).items()
    }
    kinds = kinds_of(portfolio, tuple(s.table for s in steps), raw_kinds)
    assets = landed_assets(portfolio, environment.variables, environment.home)
    assets += raw_assets(portfolio, environment.variables, environment.home)
    assets += [table_asset(step, portfolio, kinds) for step in steps if step.table not in REPLAYED]
    assets += backtest_assets(portfolio, kinds)
    if portfolio.reports.enabled:
        assets += report_assets(portfolio, environment)
        assets += export_assets(portfolio, environment)
    assets += retention_assets(portfolio, kinds)
    assets += publish_assets(portfolio, environment.published(portfolio.name))
    assets += write_back_assets(portfolio, environment.variables, environment.home)
    return dg.Definitions(assets=assets, **automation(portfolio, environment, refresh_job(portfolio)))


def build_definitions(environment: Environment, only: Sequence[str] = ()) -> dg.Definitions:
    """The definitions of all portfolios, or of some by name, with the warehouse of the environment.

    One whose YAML cannot be used stops no other: in its place stands what tells of it (`unusable.py`).

    Raises:
        SettingsErrors: None can be used.
    """
    found, problems = usable_portfolios(environment.portfolios, only)
    if not found:
        raise SettingsErrors(list(problems.values()))
    unusable = [unusable_definitions(name, text, environment) for name, text in problems.items()]
    return dg.Definitions.merge(definitions_of(list(found.values()), environment), *unusable)


def definitions_of(portfolios: Sequence[Portfolio], environment: Environment) -> dg.Definitions:
    """The definitions of these portfolios, with the warehouse of the environment."""
    database = str(environment.warehouse)
    shared = dg.Definitions(
        resources={
            "io_manager": WarehouseIOManager(database=database),
            "warehouse": WarehouseResource(
                database=database,
                wait_seconds=environment.lock_wait_seconds,
                backups_of=str(environment.home),
                schema_versions={p.name: schema_version(p) for p in portfolios},
                clusters=clusters(portfolios),
                servers=servers(portfolios),
                keep_backups=environment.keep_backups,
                daily_backup=environment.daily_backup,
                memory_limit=environment.memory_limit,
                threads=environment.threads,
                spill_folder=str(environment.spill_folder or ""),
            ),
        },
        executor=dg.in_process_executor,
    )
    parts = [portfolio_definitions(p, environment) for p in portfolios]
    return dg.Definitions.merge(shared, *parts)
