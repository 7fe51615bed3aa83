"""fleet: renewal pipeline, interventions, roll-ups and the closed-form outlook, in exact fractions.

READING: expected_renewal_arr and expected_arr_loss are amounts, hence each rounded half up to cents on its
own; where both end on half a cent their sum exceeds the ARR by one cent. The outlook sums unrounded
products and rounds the sum.
READING: not_healthy_pct, averages and exposed ARR treat `unknown` as the specification says; no account is
unknown in the files at hand. avg_health_score is the mean of the published (rounded) scores.
READING: expansion potential of a roll-up sums all its customers, not only those in the pipeline.
READING: "the signal that loses most points" breaks ties by the order of the model (dimensions, then
signals).
READING: capacity is per owner over all segments; these files have no owner, so there is one queue.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd

from .fleet_health import as_float, round_half_up

F = Fraction
PIPELINE_DAYS, WINDOW_DAYS, CAPACITY = 270, 90, 15
PROBABILITY = {"Critical": F("0.30"), "High": F("0.55"), "Medium": F("0.75"), "Low": F("0.92")}
SAVE_RATE = {"Critical": F("0.35"), "High": F("0.30"), "Medium": F("0.20"), "Low": F(0)}
DUE_IN_DAYS = {"Critical": 3, "High": 7, "Medium": 21, "Low": 60}
SCENARIOS = ("all_renew", "expected_no_action", "expected_with_playbooks", "worst_case")


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def months_until(as_of: date, day: date) -> int:
    """READING: the smallest number of calendar months that, added to as_of, reaches the day."""
    n = 0
    while add_months(as_of, n) < day:
        n += 1
    return n


def roll_forward(given: date, as_of: date, term_months: int = 12) -> tuple[date, bool]:
    """A date already past rolls forward by its term.

    READING: its term is renewals.term_months, counted from the given date.
    """
    k, day = 0, given
    while day < as_of:
        k += 1
        day = add_months(given, k * term_months)
    return day, k > 0


def risk_of(tier: str, days: int) -> str:
    if tier == "Red":
        return "Critical" if days <= 90 else "High"
    if tier == "Amber":
        return "High" if days <= 90 else "Medium"
    return "Low" if tier == "Green" else "Medium"  # unknown: Medium


def playbook_of(account: dict[str, Any], risk: str, days: int) -> str:
    """First match wins. READING: an unmeasured QBR, GPS or login meets no condition."""
    values = account["values"]
    if risk == "Critical":
        large = account["current_arr"] > 5000
        return "Executive escalation + emergency EBR" if large else "CSM-led emergency review"
    if risk == "High":
        gps, qbr = values["gps_adoption_pct"], values["qbr_completed_this_quarter"]
        if account["segment"] == "Enterprise" and qbr == 0:
            return "CSM-led QBR + executive sponsor outreach"
        if account["segment"] in ("SMB", "Mid-Market") and gps is not None and gps < 55:
            return "CSM check-in + product training session"
        return "CSM-led health review"
    if risk == "Medium":
        login = values["days_since_last_login"]
        if days <= 180 and login is not None and login > 30:
            return "Automated check-in sequence + feature nudge"
        return "CSM check-in"
    return "Automated renewal + expansion play"


def add_renewal(account: dict[str, Any], as_of: date) -> None:
    """Everything about an account's renewal, put under 'renewal'."""
    day, overdue = roll_forward(account["given_renewal_date"], as_of)
    days, tier, arr = (day - as_of).days, account["health"]["health_tier"], account["current_arr"]
    risk = risk_of(tier, days)
    not_healthy = tier in ("Amber", "Red")
    in_window = 0 <= days <= WINDOW_DAYS
    p = PROBABILITY[risk]
    account["renewal"] = {
        "renewal_date": day,
        "is_overdue": overdue,
        "days_to_renewal": days,
        "months_to_renewal": months_until(as_of, day),
        "renewal_risk": risk,
        "renewal_probability": p,
        "expected_renewal_arr": round_half_up(arr * p, 2),
        "expected_arr_loss": round_half_up(arr * (1 - p), 2),
        "exposed_arr": arr if not_healthy and in_window else F(0),
        "recommended_playbook": playbook_of(account, risk, days),
        "is_not_healthy": not_healthy,
        "is_in_window": in_window,
        "within_capacity": False,
        "rank": None,
    }


def primary_signal(account: dict[str, Any]) -> str | None:
    measured = [d for d in account["health"]["drivers"] if d["is_measured"]]
    return max(measured, key=lambda d: d["points_lost"])["signal"] if measured else None


def rank_interventions(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    listed = [
        a for a in accounts if a["renewal"]["renewal_risk"] in ("Critical", "High") and a["renewal"]["is_in_window"]
    ]
    listed.sort(key=lambda a: (-a["renewal"]["expected_arr_loss"], a["renewal"]["days_to_renewal"], a["account_id"]))
    for rank, a in enumerate(listed, start=1):
        a["renewal"]["rank"], a["renewal"]["within_capacity"] = rank, rank <= CAPACITY
    return listed


def pipeline(accounts: list[dict[str, Any]], as_of: date) -> pd.DataFrame:
    """renewal_pipeline, by account."""
    rows = []
    for a in accounts:
        r = a["renewal"]
        if 0 <= r["days_to_renewal"] <= PIPELINE_DAYS:
            rows.append(
                {
                    "as_of": as_of,
                    "account_id": a["account_id"],
                    "segment": a["segment"],
                    "country": a["country"],
                    "current_arr": float(a["current_arr"]),
                    "health_score": as_float(a["health"]["health_score"]),
                    "health_tier": a["health"]["health_tier"],
                    **{
                        k: r[k]
                        for k in (
                            "renewal_date",
                            "is_overdue",
                            "days_to_renewal",
                            "months_to_renewal",
                            "renewal_risk",
                        )
                    },
                    **{
                        k: float(r[k])
                        for k in (
                            "renewal_probability",
                            "expected_renewal_arr",
                            "expected_arr_loss",
                            "exposed_arr",
                        )
                    },
                    "expansion_potential_arr": float(a["expansion_potential_arr"]),
                    "recommended_playbook": r["recommended_playbook"],
                }
            )
    return pd.DataFrame(rows)


def interventions(listed: list[dict[str, Any]], as_of: date) -> pd.DataFrame:
    """cs_intervention_list in its order; `primary_signal` is the one behind primary_risk_signal's words."""
    return pd.DataFrame(
        [
            {
                "as_of": as_of,
                "priority_rank": a["renewal"]["rank"],
                "account_id": a["account_id"],
                "segment": a["segment"],
                "country": a["country"],
                "current_arr": float(a["current_arr"]),
                "expected_arr_loss": float(a["renewal"]["expected_arr_loss"]),
                "health_score": as_float(a["health"]["health_score"]),
                "health_tier": a["health"]["health_tier"],
                "renewal_risk": a["renewal"]["renewal_risk"],
                "days_to_renewal": a["renewal"]["days_to_renewal"],
                "primary_signal": primary_signal(a),
                "recommended_playbook": a["renewal"]["recommended_playbook"],
                "due_date": max(
                    as_of + timedelta(days=1),
                    min(
                        as_of + timedelta(days=DUE_IN_DAYS[a["renewal"]["renewal_risk"]]),
                        a["renewal"]["renewal_date"] - timedelta(days=1),
                    ),
                ),
                "is_within_capacity": a["renewal"]["within_capacity"],
            }
            for a in listed
        ]
    )


def rollup(accounts: list[dict[str, Any]], attribute: str, as_of: date) -> pd.DataFrame:
    """<attribute>_health_summary."""
    rows = []
    for value in sorted({a[attribute] for a in accounts}):
        group = [a for a in accounts if a[attribute] == value]
        known = [a for a in group if a["health"]["health_tier"] != "unknown"]
        arr = sum((a["current_arr"] for a in group), F(0))
        exposed = sum((a["renewal"]["exposed_arr"] for a in group), F(0))
        bad = [a for a in known if a["renewal"]["is_not_healthy"]]
        scores = [a["health"]["health_score"] for a in known]
        rows.append(
            {
                "as_of": as_of,
                attribute: value,
                "customers": len(group),
                "total_arr": float(arr),
                "avg_health_score": float(sum(scores, F(0)) / len(scores)) if scores else None,
                **{
                    f"{t.lower()}_count": sum(a["health"]["health_tier"] == t for a in group)
                    for t in ("Green", "Amber", "Red", "unknown")
                },
                "not_healthy_pct": float(F(100 * len(bad), len(known))) if known else None,
                "exposed_arr": float(exposed),
                "exposed_arr_pct": float(100 * exposed / arr) if arr else None,
                "at_risk_customers": sum(a["renewal"]["is_in_window"] for a in bad),
                "expansion_potential_arr": float(sum((a["expansion_potential_arr"] for a in group), F(0))),
            }
        )
    return pd.DataFrame(rows)


def _kept(account: dict[str, Any], scenario: str) -> Fraction:
    """Share of a due renewal's MRR that stays."""
    r = account["renewal"]
    p = r["renewal_probability"]
    if scenario == "all_renew":
        return F(1)
    if scenario == "worst_case":
        return F(0) if r["is_not_healthy"] else p
    if scenario == "expected_with_playbooks" and r["within_capacity"]:
        return p + (1 - p) * SAVE_RATE[r["renewal_risk"]]
    return p


def outlook(accounts: list[dict[str, Any]], as_of: date) -> pd.DataFrame:
    """nrr_outlook without the simulation.

    READING: a segment without due renewals has rows with nrr_pct null.
    """
    rows = []
    for segment in ["all", *sorted({a["segment"] for a in accounts})]:
        book = [a for a in accounts if segment in ("all", a["segment"])]
        due = [a for a in book if a["renewal"]["is_in_window"]]
        start = sum((a["current_mrr"] for a in due), F(0))
        total = sum((a["current_mrr"] for a in book), F(0))
        for scenario in SCENARIOS:
            end = sum((a["current_mrr"] * _kept(a, scenario) for a in due), F(0))
            rows.append(
                {
                    "as_of": as_of,
                    "segment": segment,
                    "scenario": scenario,
                    "renewals_due": len(due),
                    "starting_mrr": float(start),
                    "ending_mrr": float(round_half_up(end, 2)),
                    "nrr_pct": float(100 * end / start) if start else None,
                    "book_starting_mrr": float(total),
                    "book_nrr_pct": float(100 * (total - start + end) / total) if total else None,
                }
            )
    return pd.DataFrame(rows)
