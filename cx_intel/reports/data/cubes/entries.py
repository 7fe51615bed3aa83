"""What came of the entries of the intervention list, by playbook, for chosen accounts.

The figures are those of `playbook_outcomes`, out of the same entries. What compares calls with no calls
(`playbook_effects`) is no sum over accounts and is not here; nor are renewals still ahead (`renewals.py`).
"""

import pandas as pd

from cx_intel.contracts.renewals.interventions import EXPANDED, LOST, OUTCOMES, RENEWED
from cx_intel.contracts.staging.values import ACTION_STATUSES, DONE, OPEN
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.cubes.cube import ROWS, Cube, ratio, total
from cx_intel.reports.data.report_data import ReportData, made_once

ENTRIES = "entries_by_playbook"
FIGURES = {
    "entries": total(ROWS),
    **{f"{status}_entries": total(ROWS, where=[("status", "=", status)]) for status in ACTION_STATUSES},
    **{outcome: total(ROWS, where=[("outcome", "=", outcome)]) for outcome in OUTCOMES},
    "undecided": total(ROWS, where=[("outcome", "=", OPEN)]),
    "kept_done_pct": ratio(["kept"], ["decided"], where=[("is_done", "=", 1)]),
    "kept_not_done_pct": ratio(["kept"], ["decided"], where=[("is_done", "=", 0)]),
}


@made_once
def entries_cube(data: ReportData) -> Cube:
    """By entry: its playbook, what was done with it and what came of it."""
    found, of = data["intervention_entries"], cells(data).of
    found = found[found["account_id"].isin(of)]
    arr, outcome = found["current_arr"].astype(float), found["outcome"]
    rows = pd.DataFrame(
        {
            "cell": [of[account] for account in found["account_id"]],
            "playbook": found["playbook"].tolist(),
            "status": found["status"].tolist(),
            "outcome": outcome.tolist(),
            "is_done": (found["status"] == DONE).astype(int).tolist(),
            "kept": arr.where(outcome.isin((RENEWED, EXPANDED)), 0.0).tolist(),
            "decided": arr.where(outcome.isin((RENEWED, EXPANDED, LOST)), 0.0).tolist(),
        }
    )
    return Cube(ENTRIES, rows, FIGURES)
