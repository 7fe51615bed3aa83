"""What was done with the intervention list and what came of it, in words: for the brief, the renewals page and accounts.

The rows are those of `actions`; which entries are off the list because of them is decided by the model
(`cx_intel.models.renewals.actions`).
"""

from datetime import timedelta
from typing import Any

import pandas as pd

from cx_intel.contracts.renewals.interventions import EXPANDED, LOST, RENEWED
from cx_intel.contracts.staging.values import DISMISSED, DONE, OPEN, SNOOZED
from cx_intel.reports.data.report_data import WEEK, ReportData, is_true, records, total
from cx_intel.reports.data.terms import fitting
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rounding import is_missing

NAMED = 5
"""How many accounts are named; the rest is counted."""
STATUSES = {DONE: term("done"), SNOOZED: term("snoozed"), DISMISSED: term("dismissed"), OPEN: term("open")}
CAME = {RENEWED: term("renewed"), EXPANDED: term("expanded"), LOST: term("lost"), OPEN: term("open")}
"""Outcomes, in words."""


def newest_actions(data: ReportData) -> pd.DataFrame:
    """The newest action of each entry with the name of its account, the newest first."""
    acted = data["actions"]
    if acted.empty:
        return acted.assign(account_name=pd.Series(dtype="object"))
    acted = acted[is_true(acted["is_newest"]) & acted["entry_id"].notna()]
    names = data["account_snapshot"].reindex(columns=["account_id", "account_name"])
    named = acted.merge(names, on="account_id", how="left")
    return named.sort_values(["acted_on", "account_id"], ascending=[False, True], ignore_index=True)


def action_words(f: Language, row: dict[str, Any]) -> str:
    """An action in words: done on 31 Oct 2026 by Kim: QBR agreed."""
    gaps = {"day": f.day(row["acted_on"]), "by": "" if is_missing(row["acted_by"]) else row["acted_by"]}
    status = str(row["status"])
    if status == SNOOZED:
        told = f.say("snoozed until {until}", until=f.day(row["snoozed_until"]))
    else:
        told = f.say(STATUSES[status])
    when = f.say("on {day} by {by}", **gaps) if gaps["by"] else f.say("on {day}", day=gaps["day"])
    why = "" if is_missing(row["reason"]) else f": {row['reason']}"
    return f"{told} {when}{why}"


def action_notes(data: ReportData) -> list[str]:
    """What was done in the week, by account, and what came of everything that is done; nothing where nothing was done."""
    acted = newest_actions(data)
    if acted.empty:
        return []
    week = acted[(acted["acted_on"] > data.as_of - timedelta(days=WEEK)) & (acted["status"] != OPEN)]
    return [*_week(data, records(week)), *_outcomes(data, acted[acted["status"] == DONE])]


def _week(data: ReportData, rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    f = data.language
    names = [
        f"{r['account_id'] if is_missing(r['account_name']) else r['account_name']} ({action_words(f, r)})"
        for r in rows
    ]
    shown, left = fitting(names, NAMED)
    more = [f.say("and {n} more", n=f.number(left))] if left else []
    return [f.say("Acted on in the week: {accounts}.", accounts="; ".join([*shown, *more]))]


def _outcomes(data: ReportData, done: pd.DataFrame) -> list[str]:
    if done.empty:
        return []
    f, counts = data.language, done["outcome"].value_counts()
    told = ", ".join(f"{f.number(counts[o])} {f.say(word)}" for o, word in CAME.items() if o in counts)
    found = [f.say("What came of the calls that are done: {outcomes}.", outcomes=told)]
    decided = done[done["outcome"] != OPEN]
    if len(decided):
        kept = decided[decided["outcome"].isin((RENEWED, EXPANDED))]
        arr, of = (f.money(total(rows["current_arr"].dropna())) for rows in (kept, decided))
        found.append(f.say("{arr} of the {of} ARR whose renewal is decided was kept.", arr=arr, of=of))
    return found
