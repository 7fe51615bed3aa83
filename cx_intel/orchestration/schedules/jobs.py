"""The job of a portfolio: the one refresh that the command line, the UI, the schedule and the sensors all start.

When it starts by itself is said in `schedules.py`; jobs that send reports are in `report_jobs.py`.
"""

from typing import TypeAlias

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from cx_intel.contracts.catalog import backtest_tables
from cx_intel.contracts.write_back import WRITE_BACK
from cx_intel.settings.portfolio import Portfolio

Job: TypeAlias = UnresolvedAssetJobDefinition | dg.JobDefinition


def refresh_job_name(portfolio: str) -> str:
    """The job that refreshes a portfolio for a day."""
    return f"{portfolio}_refresh"


def refresh_job(portfolio: Portfolio) -> UnresolvedAssetJobDefinition:
    """Every asset of the portfolio, for one `as_of`, but for those that write to other systems.

    The back-test is one of them unless `backtest.in_refresh` says otherwise.
    """
    left_out = (
        written_back(portfolio) if portfolio.backtest.in_refresh else written_back(portfolio) | backtested(portfolio)
    )
    return dg.define_asset_job(
        refresh_job_name(portfolio.name),
        selection=dg.AssetSelection.key_prefixes([portfolio.name]) - left_out,
        description=f"Refreshes {portfolio.name} for a day: from its sources to the intervention list.",
        tags={"portfolio": portfolio.name},
    )


def backtest_job_name(portfolio: str) -> str:
    """The job that tries the health score of a portfolio against what happened."""
    return f"{portfolio}_backtest"


def backtest_job(portfolio: Portfolio) -> UnresolvedAssetJobDefinition:
    """The back-test of the portfolio, from the tables of its last refresh."""
    return dg.define_asset_job(
        backtest_job_name(portfolio.name),
        selection=backtested(portfolio),
        description=f"Tries the health score of {portfolio.name} on past month ends against what happened.",
        tags={"portfolio": portfolio.name},
    )


def backtested(portfolio: Portfolio) -> dg.AssetSelection:
    """The assets of the back-test; none where the portfolio has no health block."""
    return dg.AssetSelection.assets(*([portfolio.name, table] for table in backtest_tables(portfolio)))


def write_back_job(portfolio: Portfolio) -> UnresolvedAssetJobDefinition:
    """The sync of the portfolio with other systems."""
    return dg.define_asset_job(
        f"{portfolio.name}_write_back",
        selection=written_back(portfolio),
        description=f"Writes health, tiers and tasks of {portfolio.name} to other systems: what differs there.",
        tags={"portfolio": portfolio.name},
    )


def written_back(portfolio: Portfolio) -> dg.AssetSelection:
    """The assets of the sync, which are no part of a refresh."""
    return dg.AssetSelection.assets(*([portfolio.name, table] for table in WRITE_BACK if portfolio.write_back))
