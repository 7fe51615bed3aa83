"""What becomes of the renewals of chosen accounts, by scenario; and the intervention list by owner.

The figures are those of `nrr_outlook` in closed form, out of the same parts of accounts, and of the list of the day. What is
simulated does not add up over accounts and is not here.
"""

import pandas as pd

from cx_intel.models.renewals.outlook import KEPT, scenario_parts
from cx_intel.reports.data.cells import account_names, cells
from cx_intel.reports.data.cubes.cube import ROWS, Cube, Made, least, ratio, total
from cx_intel.reports.data.report_data import ReportData, is_true, made_once

OUTLOOK, CALLS, DUE = "outlook", "calls_by_owner", "due"
SUMS = ("renewals_due", "learned_renewals", "starting_mrr", "ending_mrr", "book_starting_mrr", "book_ending_mrr")
ANY = "all_renew"
"""What is the same in all scenarios is taken from this one."""


def _book_rate(scenario: str) -> Made:
    return ratio(["book_ending_mrr"], ["book_starting_mrr"], where=[("scenario", "=", scenario)])


FIGURES = {
    **{name: total(name) for name in SUMS},
    "nrr_pct": ratio(["ending_mrr"], ["starting_mrr"]),
    "book_nrr_pct": ratio(["book_ending_mrr"], ["book_starting_mrr"]),
    "due": total("renewals_due", where=[("scenario", "=", ANY)]),
    "mrr": total("starting_mrr", where=[("scenario", "=", ANY)]),
    **{scenario: _book_rate(scenario) for scenario in KEPT},
}


@made_once
def outlook_cube(data: ReportData) -> Cube:
    """By cell, segment and scenario."""
    found = scenario_parts(
        data["renewal_pipeline"],
        data["cs_intervention_list"],
        data["account_snapshot"],
        data["actions"] if len(data["actions"]) else None,
        portfolio=data.portfolio,
        as_of=data.as_of,
    )
    of = cells(data).of
    named = found.assign(cell=[of[account] for account in found["account_id"]])
    rows = named.groupby(["cell", "segment", "scenario"], as_index=False)[list(SUMS)].sum().round(6)
    return Cube(OUTLOOK, rows, FIGURES)


@made_once
def calls_cube(data: ReportData) -> Cube:
    """By account on the list that is given as work."""
    listed, of = data.to_call, cells(data).of
    rows = pd.DataFrame(
        {
            "cell": [of[account] for account in listed["account_id"]],
            "owner": listed["owner"].tolist(),
            "within": is_true(listed["is_within_capacity"]).astype(int).tolist() if len(listed) else [],
            "arr": listed["current_arr"].tolist(),
            "loss": listed["expected_arr_loss"].tolist(),
            "soonest": listed["days_to_renewal"].tolist(),
        }
    )
    figures = {"listed": total(ROWS), "soonest": least("soonest")}
    return Cube(CALLS, rows, figures | {name: total(name) for name in ("within", "arr", "loss")})


@made_once
def due_cube(data: ReportData) -> Cube:
    """By account of the pipeline: the month in which it renews, its risk, and what is at stake."""
    pipeline, of, called = data["renewal_pipeline"], cells(data).of, account_names(data)
    rows = pd.DataFrame(
        {
            "cell": [of[account] for account in pipeline["account_id"]],
            "id": pipeline["account_id"].tolist(),
            "name": [called.get(account, account) for account in pipeline["account_id"]],
            "month": [str(day.replace(day=1)) for day in pipeline["renewal_date"]],
            "risk": [data.language.say(str(risk)) for risk in pipeline["renewal_risk"]],
            "arr": pipeline["current_arr"].tolist(),
            "loss": pipeline["expected_arr_loss"].tolist(),
            "days": pipeline["days_to_renewal"].tolist(),
        }
    )
    return Cube(DUE, rows, {"arr": total("arr"), "loss": total("loss"), "days": least("days")})
