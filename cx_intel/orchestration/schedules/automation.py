"""Puts together what happens by itself in a portfolio: its schedules, its sensors, and the jobs that send reports.

Nothing is decided here. Times are in `schedules.py`, what came late in `late_sensor.py`, who is told in `alerts`.
"""

from typing import Any

from cx_intel.orchestration.alerts.sensors import alert_sensors
from cx_intel.orchestration.history import history_sensor
from cx_intel.orchestration.schedules.backfill_job import backfill_job, backfill_sensor
from cx_intel.orchestration.schedules.jobs import Job, backtest_job, write_back_job
from cx_intel.orchestration.schedules.report_jobs import report_jobs
from cx_intel.orchestration.schedules.times import backtest_schedule, schedules, write_back_schedule
from cx_intel.orchestration.sensors.killed_runs import killed_runs_sensor
from cx_intel.orchestration.sensors.landing import landing_sensors
from cx_intel.orchestration.sensors.late_events import late_sensor
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio


def automation(portfolio: Portfolio, environment: Environment, refresh: Job) -> dict[str, Any]:
    """The jobs, schedules and sensors of a portfolio, named as `dagster.Definitions` takes them.

    Args:
        portfolio: Its settings.
        environment: Where its files are, and the addresses of its alerts.
        refresh: Its refresh.
    """
    reports = report_jobs(portfolio, environment)
    backfill = backfill_job(portfolio)
    syncs = [write_back_job(portfolio)] if portfolio.write_back else []
    backtests = [backtest_job(portfolio)] if portfolio.health else []
    return {
        "jobs": [refresh, backfill, *reports.values(), *backtests, *syncs],
        "schedules": [
            *schedules(portfolio, refresh, reports),
            *(backtest_schedule(portfolio, job) for job in backtests if portfolio.as_of.default == "yesterday"),
            *(write_back_schedule(portfolio, portfolio.write_back, job) for job in syncs if portfolio.write_back),
        ],
        "sensors": [
            backfill_sensor(portfolio, backfill, refresh),
            late_sensor(portfolio, refresh),
            *alert_sensors(portfolio, environment),
            *landing_sensors(portfolio, environment, refresh),
            killed_runs_sensor(portfolio, environment.home),
            history_sensor(portfolio),
        ],
    }
