"""The people at an account as reports show them: who is called first and why, and all that are known.

The order of calls is that of `dim_contact` (`cx_intel.models.core.contacts`); here it is put into words alone. A portfolio
without contacts has nothing of this in any report.
"""

from collections import defaultdict
from typing import Any

import pandas as pd

from cx_intel.contracts.contacts import BILLING, CHAMPION, DECISION_MAKER, LATEST_ACTIVITY, NOTHING_KNOWN
from cx_intel.reports.data.report_data import ReportData, made_once, records
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rounding import is_missing

CONTACTS = "dim_contact"
REASONS = {
    CHAMPION: term("champion"),
    DECISION_MAKER: term("decision maker"),
    LATEST_ACTIVITY: term("role unknown, active most recently"),
    NOTHING_KNOWN: term("role and activity unknown"),
    BILLING: term("for billing alone"),
}
"""Why somebody is called first, in words."""
ROLES = {
    "is_champion": term("Champion"),
    "is_decision_maker": term("Decision maker"),
    "is_billing_contact": term("Billing"),
}
SHOWN = 12
"""People of an account that are shown."""


@made_once
def first_contacts(data: ReportData) -> dict[str, str]:
    """Account: who is called first, with what to reach them by, and why it is them."""
    people = data[CONTACTS]
    first = people[people["call_order"].eq(1).fillna(False)] if len(people) else people
    return {str(row["account_id"]): _in_words(row, data.language) for row in records(first)}


def with_first_contact(data: ReportData, accounts: pd.Series) -> pd.Series:
    """Who is called first at each of these accounts; missing where nobody is known."""
    return accounts.map(first_contacts(data)).astype(object)


def contacts_of(data: ReportData) -> tuple[str, dict[str, Any]]:
    """All people of each account, those to call first in front, those who left last: name, title, reach, role, activity."""
    found: dict[str, Any] = defaultdict(list)
    people, f = data[CONTACTS], data.language
    if len(people):
        people = people.sort_values(["call_order", "contact_name", "contact_id"], na_position="last")
    for row in records(people):
        rows = found[str(row["account_id"])]
        if len(rows) < SHOWN:
            roles = [f.say(label) for flag, label in ROLES.items() if row[flag]]
            role = ", ".join(roles) or ("" if is_missing(row["contact_role"]) else str(row["contact_role"]))
            state = role if row["is_active"] else ", ".join(filter(None, [role, f.say("no longer there")]))
            at = row["last_activity_at"]
            day = "" if is_missing(at) else f.day(pd.Timestamp(at).date())
            texts = (row[name] for name in ("contact_name", "job_title", "email", "phone"))
            rows.append([*("" if is_missing(text) else str(text) for text in texts), state, day])
    return "contacts", found


def _in_words(row: dict[str, Any], f: Language) -> str:
    parts = [str(row[name]) for name in ("contact_name", "phone", "email") if not is_missing(row[name])]
    reason = REASONS[row["call_reason"]]
    return f"{', '.join(dict.fromkeys(parts))} ({f.say(reason)})"
