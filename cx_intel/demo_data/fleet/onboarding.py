"""When a fleet customer completes each step of its onboarding, if ever.

Customers from before the usage events begin were onboarded anew on the merged platform in the weeks after.
The day's events, these steps among them, are put together in `fleet_events`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.timeline import FAR, Ints
from cx_intel.demo_data.trajectories import Stints, Trajectories

STEPS = (
    "onboarding_account_setup",
    "onboarding_vehicles_imported",
    "onboarding_devices_installed",
    "onboarding_drivers_invited",
    "onboarding_logbook_configured",
    "onboarding_report_scheduled",
    "onboarding_admin_training",
    "onboarding_integration_connected",
)
LOGBOOK_STEP = STEPS.index("onboarding_logbook_configured")
_DIFFICULTY = np.array([0.0, 0.05, 0.15, 0.30, 0.25, 0.45, 0.50, 0.70])
_TYPICAL_DAYS = np.array([1.0, 3.0, 9.0, 12.0, 14.0, 18.0, 16.0, 25.0])
_MIGRATION_DAYS = 21


def step_days(seed: int, stints: Stints, paths: Trajectories, accounts: int, events_from: int) -> NDArray[np.int64]:
    """`[account, step]`: the day of each step, FAR for one left undone; none lies before `events_from`.

    Content customers finish sooner and more of the steps.
    """
    days = np.full((accounts, len(STEPS)), FAR)
    later = np.flatnonzero(stints.end > events_from)
    account, first = np.unique(stints.account[later], return_index=True)
    start = stints.start[later[first]]
    draws = generator(seed, "fleet.onboarding").random((accounts, 2 * len(STEPS) + 1))[account]
    begin: Ints = np.where(
        start < events_from, events_from + np.floor(_MIGRATION_DAYS * draws[:, -1]).astype(np.int64), start
    )
    content = paths.on(begin, account)[:, None]
    undone = draws[:, : len(STEPS)] < _DIFFICULTY * (1.25 - content) * 1.1
    pace = (1.9 - content) * (0.4 + 1.2 * draws[:, len(STEPS) : -1])
    days[account] = np.where(undone, FAR, begin[:, None] + np.floor(_TYPICAL_DAYS * pace).astype(np.int64))
    return days
