"""The movements of MRR and what is retained, by cell of accounts, month and segment; and whose MRR moved in which month.

The figures are those of `nrr_summary` and `nrr_by_segment`, out of the same sums (`ledger_parts.py`).
"""

import pandas as pd

from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.revenue.waterfall import MOVEMENTS
from cx_intel.reports.data.cells import account_names, cells
from cx_intel.reports.data.cubes.cube import Cube, level, ratio, total
from cx_intel.reports.data.ledger_parts import LEDGER_SUMS
from cx_intel.reports.data.report_data import ReportData, made_once

MONTHS = 13
"""Those that pages show and let be picked."""
MOVERS_KEPT = 1000
"""Accounts that moved, of each month: those that moved most."""
LEDGER, MOVERS = "ledger", "movers"
_BEFORE = ("starting_mrr", "restated_mrr")
_LOST = ("-contraction_mrr", "-churned_mrr")
FIGURES = {
    **{name: total(name) for name in ("restated_mrr", *MOVEMENTS, "churned_accounts", "moved_accounts")},
    "starting_mrr": level("starting_mrr", "first"),
    "ending_mrr": level("ending_mrr", "last"),
    "came_mrr": total("new_mrr", "reactivation_mrr"),
    "less_contraction_mrr": total("-contraction_mrr"),
    "less_churned_mrr": total("-churned_mrr"),
    "nrr_pct": ratio((*_BEFORE, "expansion_mrr", *_LOST), _BEFORE),
    "grr_pct": ratio((*_BEFORE, *_LOST), _BEFORE),
    "nrr_ttm_pct": ratio(["now_mrr"], ["then_mrr"]),
    "grr_ttm_pct": ratio(["kept_mrr"], ["then_mrr"]),
    "logo_churn_pct": ratio(["churned_accounts"], ["starting_accounts"]),
}


def shown_months(data: ReportData) -> list[str]:
    """The months that can be picked, the newest first."""
    return [str(month) for month in data.summary["revenue_month"].tail(MONTHS)][::-1]


@made_once
def ledger_cube(data: ReportData) -> Cube:
    """By cell, revenue_month and segment as published: the sums of `nrr_by_segment`."""
    parts, of = data.ledger_parts, cells(data).of
    parts = parts[parts["revenue_month"].astype(str).isin(shown_months(data))] if len(parts) else parts
    sums = [*LEDGER_SUMS, "moved_accounts"]
    if parts.empty:
        return Cube(LEDGER, pd.DataFrame(columns=["cell", "revenue_month", "segment", *sums]), FIGURES)
    segments = {
        code: data.language.say(NO_VALUE) if code == NO_VALUE else data.labels.of("segment", str(code))
        for code in parts["ledger_segment"].unique()
    }
    named = parts.assign(
        cell=[of[account] for account in parts["account_id"]],
        revenue_month=parts["revenue_month"].astype(str),
        segment=parts["ledger_segment"].map(segments),
        moved_accounts=(parts[list(MOVEMENTS)] != 0).any(axis=1).astype(int),
    )
    rows = named.groupby(["cell", "revenue_month", "segment"], as_index=False)[sums].sum().round(6)
    return Cube(LEDGER, rows, FIGURES)


@made_once
def movers_cube(data: ReportData) -> Cube:
    """By account and month: the movement, and MRR before and after; those that moved most, the largest first."""
    ledger, months = data["fct_revenue"], shown_months(data)
    moved = ledger[ledger["revenue_movement"] != "flat"] if len(ledger) else ledger
    moved = moved[moved["revenue_month"].astype(str).isin(months)] if len(moved) else moved
    known = data["dim_account"].reindex(columns=["account_id", "segment", "owner"])
    moved = moved.merge(known, on="account_id", how="left").assign(size=moved["net_mrr_change"].abs().tolist())
    moved = moved.sort_values(["revenue_month", "size", "account_id"], ascending=[False, False, True])
    moved = moved.groupby("revenue_month", sort=False).head(MOVERS_KEPT) if len(moved) else moved
    of, called = cells(data).of, account_names(data)
    rows = pd.DataFrame(
        {
            "cell": [of[account] for account in moved["account_id"]],
            "revenue_month": moved["revenue_month"].astype(str).tolist(),
            "id": moved["account_id"].tolist(),
            "name": [called.get(account, account) for account in moved["account_id"]],
            "movement": moved["revenue_movement"].tolist(),
            "change": moved["net_mrr_change"].tolist(),
            "before": moved["previous_mrr"].tolist(),
            "now": moved["mrr"].tolist(),
            "segment": moved["segment"].tolist(),
            "owner": moved["owner"].tolist(),
        }
    )
    return Cube(MOVERS, rows, {})
