"""The jobs and schedules of a portfolio: the one refresh that the command line, the UI and the schedule all start."""

from typing import TypeAlias

import dagster as dg
from dagster._core.definitions.partitions.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from cx_intel.settings.portfolio import Portfolio

REFRESH_HOUR = 6

ScheduleLike: TypeAlias = dg.ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition


def refresh_job_name(portfolio: str) -> str:
    """The job that refreshes a portfolio for a day."""
    return f"{portfolio}_refresh"


def refresh_job(portfolio: Portfolio) -> UnresolvedAssetJobDefinition:
    """Every asset of the portfolio, for one `as_of`."""
    return dg.define_asset_job(
        refresh_job_name(portfolio.name),
        selection=dg.AssetSelection.key_prefixes([portfolio.name]),
        description=f"Refreshes {portfolio.name} for a day: from its sources to the intervention list.",
        tags={"portfolio": portfolio.name},
    )


def refresh_schedule(portfolio: Portfolio, job: UnresolvedAssetJobDefinition) -> ScheduleLike:
    """Every morning in the portfolio's zone, for the day before."""
    return dg.build_schedule_from_partitioned_job(
        job,
        name=f"{portfolio.name}_daily",
        hour_of_day=REFRESH_HOUR,
        minute_of_hour=0,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Refreshes {portfolio.name} at {REFRESH_HOUR}:00 {portfolio.time_zone} for the day before.",
    )
