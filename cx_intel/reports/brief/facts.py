"""The facts of the weekly brief, picked from the data of the reports: what changed, whom to call, what is due.

A week back is the snapshot 7 days before, or the newest within 3 days before that; without one, nothing is said to have
changed. How the facts are put into words stands in `view.py`; how far they can be trusted in `cx_intel.reports.data.trust`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from cx_intel.contracts.renewals.lifecycle import SIGNAL_DROP, TIER_CHANGE
from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.contracts.staging.values import DISMISSED, DONE, SNOOZED
from cx_intel.reports.data.notes.interventions import newest_actions
from cx_intel.reports.data.report_data import WEEK, ReportData, as_work, newest_within, records
from cx_intel.reports.data.signals import LEAST_CHANGE, main_changes, moved_by
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing

FALLS, RISES = 5, 3
CHURNED, RENEWED, SAFER = term("churned"), term("renewed"), term("at lower risk now")
MOVED = term("renews later than in 90 days, or is outside the pipeline")
ACTED = {DONE: term("done"), SNOOZED: term("snoozed"), DISMISSED: term("dismissed")}
"""What became of an account that is off the list."""
Record = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the brief tells.

    Attributes:
        compared_as_of: The day that it is compared with; None when there is no snapshot of a week before.
        money: MRR and paying customers of the days that matter: day -> (MRR, customers).
        month_base: The day of `money` that the month so far is counted from; None when none is known.
        closed_month: The row of the last closed month in `nrr_summary`.
        has_score_changes: Whether the day's scores were compared with those of that day.
        moved_by: What moved scores beside the accounts themselves, in words; empty where nothing did.
        falls, rises: Accounts whose score moved most, with `health_score_change`, scores, tiers and `why` in words.
        tier_changes: Account, first and last confirmed tier of the week, where they differ.
        drops: Watched signals that dropped.
        listed: The intervention list of the day, in its order.
        joined, left: Accounts new in the list; accounts off it, each with what became of it.
        outlook: Scenario: the row of the whole book.
    """

    compared_as_of: date | None
    money: Mapping[date, tuple[float, int]]
    month_base: date | None
    closed_month: Record | None
    has_score_changes: bool
    moved_by: str
    falls: tuple[Record, ...]
    rises: tuple[Record, ...]
    tier_changes: tuple[Record, ...]
    drops: tuple[Record, ...]
    listed: tuple[Record, ...]
    joined: tuple[Record, ...]
    left: tuple[Record, ...]
    outlook: Mapping[str, Record]


def facts_of(data: ReportData, compared: date | None = None, *, falls: int = FALLS, rises: int = RISES) -> Facts:
    """The facts of a day; what the portfolio has no table for is left out.

    Args:
        data: What was read of the day.
        compared: The day that it is compared with, which the list and the events before are of; default: a week before.
        falls: How many accounts are told whose score fell.
        rises: How many are told whose score rose.
    """
    compared, base = compared or data.compared_day(WEEK), _month_base(data)
    accounts = {row["account_id"]: row for row in records(data["account_snapshot"])}
    changes = data["health_score_changes"]
    changes = changes[changes["compared_as_of"] == compared] if len(changes) and compared else changes.head(0)
    moved = _movers(data, changes, accounts)
    listed = records(data.to_call.sort_values("priority_rank")) if data.portfolio.renewals else []
    before = records(as_work(data.listed_before).sort_values("priority_rank")) if len(data.listed_before) else []
    was, now = ({row["account_id"] for row in rows} for rows in (before, listed))
    still = now | set(data.held_out.get("account_id", ()))
    outlook = data["nrr_outlook"]
    book = outlook[outlook["segment"] == ALL_SEGMENTS] if len(outlook) else outlook
    return Facts(
        compared,
        {day: _money(data, day) for day in {data.as_of, compared, base} if day is not None},
        base,
        records(data.summary)[-1] if len(data.summary) else None,
        bool(len(changes)),
        moved_by(data, changes),
        tuple(row for row in moved if row["health_score_change"] < 0)[:falls],
        tuple(row for row in moved if row["health_score_change"] > 0)[:rises],
        _tier_changes(data, accounts),
        tuple(_events(data, accounts, SIGNAL_DROP)),
        tuple(listed),
        tuple(row for row in listed if compared and row["account_id"] not in was),
        _left(data, [row for row in before if row["account_id"] not in still]),
        {row["scenario"]: row for row in records(book)},
    )


def _month_base(data: ReportData) -> date | None:
    """The last snapshot before the month began, up to a week old; else the first of the month."""
    first, days = data.as_of.replace(day=1), data.snapshot_days
    before = newest_within(days, first - timedelta(days=1), WEEK - 1)
    return before or min((day for day in days if first <= day < data.as_of), default=None)


def _money(data: ReportData, day: date) -> tuple[float, int]:
    sums = data.history["account_snapshot"]
    for row in records(sums[sums["as_of"] == day]):
        return float(row["mrr"]), int(row["customers"])
    return 0.0, 0


def _movers(data: ReportData, changes: pd.DataFrame, accounts: Mapping[str, Record]) -> list[Record]:
    """The changes that are news, the largest first, each with its account and why."""
    why = main_changes(data, changes)
    moved = [
        row | accounts[row["account_id"]] | {"why": why.get((row["account_id"], row["compared_as_of"]), "")}
        for row in records(changes)
        if abs(row["health_score_change"]) >= LEAST_CHANGE and row["account_id"] in accounts
    ]
    size = lambda row: -round(abs(row["health_score_change"]), 1)
    return sorted(moved, key=lambda row: (size(row), -row["current_arr"], row["account_id"]))


def _events(data: ReportData, accounts: Mapping[str, Record], kind: str) -> list[Record]:
    """The lifecycle events of the week of one kind, each with its account, in order."""
    about = ("account_name", "owner", "current_arr")
    found = [
        row | {name: accounts.get(row["account_id"], {}).get(name) for name in about}
        for row in records(data.week_events)
        if row["event_type"] == kind
    ]
    return sorted(found, key=lambda row: (row["as_of"], row["account_id"]))


def _tier_changes(data: ReportData, accounts: Mapping[str, Record]) -> tuple[Record, ...]:
    """From the first tier of the week to the last, the largest accounts first."""
    by_account: dict[str, Record] = {}
    for event in _events(data, accounts, TIER_CHANGE):
        first = by_account.get(event["account_id"], event)
        by_account[event["account_id"]] = event | {"from_value": first["from_value"]}
    changed = [row for row in by_account.values() if row["from_value"] != row["to_value"]]
    return tuple(sorted(changed, key=lambda row: (-(row["current_arr"] or 0), row["account_id"])))


def _left(data: ReportData, gone: list[Record]) -> tuple[Record, ...]:
    """Accounts that are off the list, each with what became of it: churned, renewed, safer, acted on, or out of the window."""
    done = {(row["account_id"], row["renewal_date"]): row["status"] for row in records(newest_actions(data))}
    book, due = set(data.book["account_id"]), data["renewal_pipeline"]
    risks = dict(zip(due["account_id"], due["renewal_risk"], strict=True)) if len(due) else {}

    def became(row: Record) -> str:
        if row["account_id"] not in book:
            return CHURNED
        if not is_missing(row["renewal_date"]) and row["renewal_date"] <= data.as_of:
            return RENEWED
        if risks.get(row["account_id"]) in ("Medium", "Low"):
            return SAFER
        return ACTED.get(done.get((row["account_id"], row["renewal_date"]), ""), MOVED)

    return tuple(row | {"became": became(row)} for row in gone)


def name_of(row: Record) -> str:
    """Of an account."""
    return str(row["account_id"] if is_missing(row["account_name"]) else row["account_name"])


def savable(row: Record) -> float:
    """What the playbook is assumed to save of the expected loss."""
    return float(row["expected_arr_loss"]) * float(row["save_rate"])
