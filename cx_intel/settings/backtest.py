"""The `backtest` block: how far back the health score is tried against what happened, and when that is made.

How it is made stands in `cx_intel.orchestration.assets.backtest`, what it says in `cx_intel.models.backtest`.
"""

from pydantic import Field

from cx_intel.settings.automation import Monthly
from cx_intel.settings.base import Settings


class BacktestSettings(Settings):
    """How the score of past days is replayed; only portfolios with a `health` block have one."""

    months: int = Field(default=36, ge=1, le=120)
    """Past month ends that are scored once more, up to the newest; fewer where the ledger begins later."""
    in_refresh: bool = True
    """Whether a refresh makes the back-test where there is none yet of the newest month end, or settings of health have
    changed. False: only `cx-intel backtest` and the monthly schedule do."""
    schedule: Monthly = Monthly()
    """When it is made by itself; what is there already of the newest month end costs nothing."""
