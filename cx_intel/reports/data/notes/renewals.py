"""What must be known beside the renewals: who has cancelled, what is overdue, which terms lapsed, what is given up in part.

Sentences for the renewals page and the brief, and the word that marks a row of the pipeline. The figures and flags are
those of `renewal_pipeline`; how they come about is in `cx_intel.models.renewals`.
"""

from typing import Any

from cx_intel.reports.data.report_data import ReportData, is_true, total
from cx_intel.reports.data.terms import fitting
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing

NAMED = 5
"""How many cancelled accounts are named; the rest is counted."""
CANCELLED, LAPSED, OVERDUE = term("cancelled"), term("lapsed, outside the book"), term("overdue")
CONTRACTION = term("ends in part")


def renewal_notes(data: ReportData) -> list[str]:
    """Cancelled accounts by name, then overdue renewals, lapsed terms and announced contractions, where there are any."""
    if data["renewal_pipeline"].empty:
        return []
    return [*cancelled(data), *_overdue(data), *_lapsed(data), *_contraction(data)]


def cancelled(data: ReportData) -> list[str]:
    """Who has cancelled, the most ARR first."""
    f, due = data.language, data["renewal_pipeline"]
    if due.empty:
        return []
    due = due[is_true(due["is_cancelled"])].sort_values(["current_arr", "account_id"], ascending=[False, True])
    if due.empty:
        return []
    names = [
        f.say(
            "{name} ({arr} ARR, ends {day})",
            name=account if is_missing(name) else name,
            arr=f.money(arr),
            day=f.day(day),
        )
        for account, name, arr, day in zip(
            due["account_id"], due["account_name"], due["current_arr"], due["renewal_date"], strict=True
        )
    ]
    shown, left = fitting(names, NAMED)
    more = [f.say("and {n} more", n=f.number(left))] if left else []
    return [f.say("Cancelled, and lost in every scenario: {names}.", names=", ".join([*shown, *more]))]


def mark_of(row: dict[str, Any]) -> str:
    """What sets a row of the pipeline apart, in English, to be said; empty where nothing does."""
    for flag, word in (("is_cancelled", CANCELLED), ("is_lapsed", LAPSED), ("is_overdue", OVERDUE)):
        if row[flag] is True or (not is_missing(row[flag]) and bool(row[flag])):
            return word
    contraction = row["announced_contraction_mrr"]
    return CONTRACTION if not is_missing(contraction) and contraction > 0 else ""


def _overdue(data: ReportData) -> list[str]:
    f, due = data.language, data["renewal_pipeline"]
    due = due[is_true(due["is_overdue"]) & ~is_true(due["is_lapsed"])]
    if due.empty:
        return []
    return [
        f.count(
            "{n} renewal with {arr} ARR is overdue: its date has passed, and no contract began since.",
            "{n} renewals with {arr} ARR are overdue: their dates have passed, and no contract began since.",
            len(due),
            arr=f.money(total(due["current_arr"])),
        )
    ]


def _lapsed(data: ReportData) -> list[str]:
    f, due = data.language, data["renewal_pipeline"]
    due = due[is_true(due["is_lapsed"])]
    if due.empty:
        return []
    return [
        f.count(
            "The term of {n} account ended without a successor: its last ARR of {arr} is among the renewals and outside "
            "the book.",
            "The terms of {n} accounts ended without a successor: their last ARR of {arr} is among the renewals and outside "
            "the book.",
            len(due),
            arr=f.money(total(due["current_arr"])),
        )
    ]


def _contraction(data: ReportData) -> list[str]:
    f, due = data.language, data["renewal_pipeline"]
    due = due[due["announced_contraction_mrr"].fillna(0) > 0]
    if due.empty:
        return []
    return [
        f.count(
            "{n} account that stays has announced to give up {mrr} MRR, {soon} of it within 90 days, off every scenario.",
            "{n} accounts that stay have announced to give up {mrr} MRR, {soon} of it within 90 days, off every scenario.",
            len(due),
            mrr=f.money(total(due["announced_contraction_mrr"])),
            soon=f.money(total(due["announced_contraction_90d_mrr"].fillna(0))),
        )
    ]
