"""What is left of the cohorts of chosen accounts, by the month of their first MRR and the months since then.

The figures are those of `revenue_cohort_analysis` for the whole book, out of the changes of its accounts
(`ledger_parts.py`); which cohorts have reached which age is read off that table.
"""

from typing import Any

import pandas as pd

from cx_intel.models.revenue.cohorts import ALL
from cx_intel.reports.data.cells import account_names, cells
from cx_intel.reports.data.cubes.cube import Condition, Cube, Made, ratio, total
from cx_intel.reports.data.report_data import ReportData, made_once

COHORTS, MEMBERS = "cohorts", "members"
AGES = (1, 3, 6, 12, 24)
_UP_TO: tuple[Condition, ...] = (("months_since_start", "<=", "@since"),)
NOW = {"accounts": "accounts_change", "mrr": "mrr_change"}
THEN = {"accounts": "initial_accounts", "mrr": "initial_mrr"}


def age_figure(what: str, age: int) -> str:
    """The name of a figure of a year's cohorts at an age: of accounts, or of their mrr."""
    return f"{what}_after_{age}"


def _at_age(what: str, age: int) -> Made:
    """Of the cohorts that have reached the age alone."""
    reached: tuple[Condition, ...] = (("months_since_start", "<=", age), ("oldest", ">=", age))
    return ratio([NOW[what]], [THEN[what]], where=reached)


FIGURES = {
    "initial_accounts": total("initial_accounts"),
    "accounts_left": total(NOW["accounts"], where=_UP_TO),
    "accounts_then": total(THEN["accounts"], where=_UP_TO),
    "mrr_left": total(NOW["mrr"], where=_UP_TO),
    "account_retention_pct": ratio([NOW["accounts"]], [THEN["accounts"]], where=_UP_TO),
    "revenue_retention_pct": ratio([NOW["mrr"]], [THEN["mrr"]], where=_UP_TO),
    **{age_figure(what, age): _at_age(what, age) for what in NOW for age in AGES},
}


@made_once
def cohort_cube(data: ReportData) -> Cube:
    """By cell, cohort_month and months_since_start: changes, to be summed up to an age; oldest: the age that it reached."""
    parts, known = data.cohort_parts, data["revenue_cohort_analysis"]
    sums = [*NOW.values(), *THEN.values()]
    if parts.empty or known.empty:
        return Cube(
            COHORTS, pd.DataFrame(columns=["cell", "cohort_month", "year", "months_since_start", *sums]), FIGURES
        )
    of = cells(data).of
    reached = known[known["segment"] == ALL].groupby("cohort_month")["months_since_start"].max()
    named = parts.assign(cell=[of[account] for account in parts["account_id"]])
    rows = named.groupby(["cell", "cohort_month", "months_since_start"], as_index=False)[sums].sum().round(6)
    rows = rows[(rows[sums] != 0).any(axis=1)]
    rows = rows.assign(
        oldest=rows["cohort_month"].map(reached).fillna(-1).astype(int),
        year=[str(month)[:4] for month in rows["cohort_month"]],
        cohort_month=rows["cohort_month"].astype(str),
    )
    return Cube(COHORTS, rows, FIGURES)


def cohorts_by_year(data: ReportData, what: str) -> pd.DataFrame:
    """By year of the first MRR: initial_accounts, and what is left of `accounts` or `mrr` at each age that a cohort reached."""
    now, then = {"accounts": ("active_accounts", "initial_accounts"), "mrr": ("cohort_mrr", "initial_mrr")}[what]
    frame = data["revenue_cohort_analysis"]
    rows = []
    if len(frame):
        total = frame[(frame["segment"] == ALL) & (frame["initial_accounts"] > 0)]
        total = total.assign(year=pd.to_datetime(total["cohort_month"]).dt.year)
        for year, group in total.groupby("year"):
            started = group.drop_duplicates("cohort_month")["initial_accounts"].sum()
            row: dict[str, Any] = {"year": str(year), "initial_accounts": int(started)}
            for age in AGES:
                at = group[group["months_since_start"] == age]
                row[age_figure(what, age)] = 100 * at[now].sum() / at[then].sum() if len(at) else None
            rows.append(row)
    return pd.DataFrame(rows)


@made_once
def members_cube(data: ReportData) -> Cube:
    """By account: its cohort, its first known MRR and its MRR in the newest month."""
    parts = data.cohort_parts
    figures = {"first_mrr": total("first_mrr"), "mrr_now": total("mrr_now")}
    if parts.empty:
        return Cube(MEMBERS, pd.DataFrame(columns=["cell", "id", "name", "cohort_month", *figures]), figures)
    sums = parts.groupby(["account_id", "cohort_month"], as_index=False)[["initial_mrr", "mrr_change"]].sum().round(2)
    of, called = cells(data).of, account_names(data)
    rows = pd.DataFrame(
        {
            "cell": [of[account] for account in sums["account_id"]],
            "id": sums["account_id"],
            "name": [called.get(account, account) for account in sums["account_id"]],
            "cohort_month": sums["cohort_month"].astype(str),
            "first_mrr": sums["initial_mrr"],
            "mrr_now": sums["mrr_change"],
        }
    )
    return Cube(MEMBERS, rows, figures)
