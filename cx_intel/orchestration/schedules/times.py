"""When things happen by themselves, on the clock of the portfolio's zone: refresh, revenue report, renewal review.

The times are settings (`automation` in the portfolio's YAML). What the jobs do stands in `jobs.py` and
`report_jobs.py`; what happens when something else happens, in the sensors.
"""

from collections.abc import Mapping
from typing import TypeAlias

import dagster as dg
from dagster._core.definitions.partitions.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition

from cx_intel.orchestration.schedules.jobs import Job
from cx_intel.settings.automation import WEEKDAYS, Weekly
from cx_intel.settings.outputs.write_back import WriteBackSettings
from cx_intel.settings.portfolio import Portfolio

Schedule: TypeAlias = dg.ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition


def schedules(portfolio: Portfolio, refresh: Job, reports: Mapping[str, dg.JobDefinition]) -> list[Schedule]:
    """The schedules of a portfolio. One whose `as_of.default` is a fixed day is not refreshed by the clock.

    Args:
        portfolio: Its settings.
        refresh: Its refresh.
        reports: The jobs `revenue_report` and `renewal_review`, where it has them.
    """
    weekly = {
        "revenue_report": portfolio.automation.revenue_report,
        "renewal_review": portfolio.automation.renewal_review,
    }
    daily = [_daily(portfolio, refresh)] if portfolio.as_of.default == "yesterday" else []
    return [*daily, *(_weekly(portfolio, job, weekly[name]) for name, job in reports.items())]


def weekly_cron(weekly: Weekly) -> str:
    """The cron expression of a weekly time."""
    hour, minute = weekly.at.split(":")
    return f"{int(minute)} {int(hour)} * * {WEEKDAYS.index(weekly.on)}"


def _daily(portfolio: Portfolio, refresh: Job) -> Schedule:
    daily = portfolio.automation.daily_refresh
    hour, minute = daily.at.split(":")
    return dg.build_schedule_from_partitioned_job(
        refresh,
        name=f"{portfolio.name}_daily",
        hour_of_day=int(hour),
        minute_of_hour=int(minute),
        default_status=_status(daily.enabled),
        description=f"Refreshes {portfolio.name} at {daily.at} {portfolio.time_zone} for the day before.",
    )


def _weekly(portfolio: Portfolio, job: dg.JobDefinition, weekly: Weekly) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=job.name,
        job=job,
        cron_schedule=weekly_cron(weekly),
        execution_timezone=portfolio.time_zone,
        default_status=_status(weekly.enabled),
        description=f"{job.description} On {weekly.on.capitalize()} at {weekly.at} {portfolio.time_zone}.",
    )


def backtest_schedule(portfolio: Portfolio, job: Job) -> dg.ScheduleDefinition:
    """When the score is tried against what happened by itself: once a month."""
    monthly = portfolio.backtest.schedule
    hour, minute = monthly.at.split(":")
    return dg.ScheduleDefinition(
        name=f"{portfolio.name}_backtest_monthly",
        job=job,
        cron_schedule=f"{int(minute)} {int(hour)} {monthly.on_day} * *",
        execution_timezone=portfolio.time_zone,
        default_status=_status(monthly.enabled),
        description=f"Tries the score of {portfolio.name} on day {monthly.on_day} of each month at {monthly.at}"
        f" {portfolio.time_zone}; what is there already of the newest month end stays.",
    )


def write_back_schedule(portfolio: Portfolio, write_back: WriteBackSettings, job: Job) -> dg.ScheduleDefinition:
    """When the portfolio is synced with other systems by itself; off unless its settings switch it on."""
    daily = write_back.schedule
    hour, minute = daily.at.split(":")
    return dg.ScheduleDefinition(
        name=f"{portfolio.name}_write_back_daily",
        job=job,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=portfolio.time_zone,
        default_status=_status(daily.enabled and write_back.enabled),
        description=f"Writes {portfolio.name} to other systems at {daily.at} {portfolio.time_zone}, after the refresh.",
    )


def _status(enabled: bool) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if enabled else dg.DefaultScheduleStatus.STOPPED
