"""Which signals cost which account how many points: what a click on a signal lists."""

from cx_intel.reports.data.cells import account_names, cells
from cx_intel.reports.data.cubes.cube import Cube, total
from cx_intel.reports.data.report_data import ReportData, made_once
from cx_intel.reports.data.signals import LEAST_POINTS

DRIVERS = "drivers"


@made_once
def drivers_cube(data: ReportData) -> Cube:
    """By account and signal that costs it points: how many."""
    drivers, of, called = data["health_score_drivers"], cells(data).of, account_names(data)
    rows = drivers[drivers["points_lost"] >= LEAST_POINTS] if len(drivers) else drivers
    rows = rows.reindex(columns=["account_id", "label", "points_lost"]).sort_values(["account_id", "label"])
    named = rows.assign(
        cell=[of[account] for account in rows["account_id"]],
        name=[called.get(account, account) for account in rows["account_id"]],
        points_lost=rows["points_lost"].astype(float).round(2),
    )
    named = named.rename(columns={"account_id": "id"})[["cell", "id", "name", "label", "points_lost"]]
    return Cube(DRIVERS, named, {"points_lost": total("points_lost")})
