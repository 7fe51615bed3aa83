"""Finds the entry of the intervention list that a person means: by its id, or by its account.

Accounts are found in `accounts.py`; what is done with the entry is written down by `cx_intel.interventions.recording`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis

from cx_intel.reports.ask.accounts import find_account
from cx_intel.reports.ask.answer import NoAnswer
from cx_intel.warehouse.protocol import Warehouse

ENTRY = re.compile(r"^(?P<account>.+)@(?P<renewal>\d{4}-\d{2}-\d{2})$")
PIPELINE, LIST = "renewal_pipeline", "cs_intervention_list"


@dataclass(frozen=True)
class ListEntry:
    """An entry: the account and the renewal that it is about; whether it is on the newest list."""

    portfolio: str
    account_id: str
    name: str
    renewal_date: date
    is_listed: bool

    @property
    def id(self) -> str:
        """As `cs_intervention_list` has it."""
        return f"{self.account_id}@{self.renewal_date}"


def find_entry(text: str, warehouses: Mapping[str, Warehouse]) -> ListEntry:
    """The entry that a text means: the id of one, else the renewal that is due of the account that it means.

    Args:
        text: What a person typed.
        warehouses: Portfolio: its tables.

    Raises:
        NoAnswer: No account, or several, fit; the account has no such renewal, or none that is due.
    """
    named = ENTRY.match(text.strip())
    account = find_account(named["account"] if named else text, warehouses)
    warehouse = warehouses[account.portfolio]
    days = _renewals(warehouse, account.account_id)
    if not days:
        raise NoAnswer(f"{account} has no renewal in the pipeline: there is nothing to be done about it.")
    newest = max(days.values())
    wanted = _day(named["renewal"]) if named else min(day for day, seen in days.items() if seen == newest)
    if wanted not in days:
        known = ", ".join(f"{account.account_id}@{day}" for day in sorted(days))
        raise NoAnswer(f"There is no entry {text!r}; of {account.name} there is {known}.")
    is_listed = _is_listed(warehouse, account.account_id, wanted)
    return ListEntry(account.portfolio, account.account_id, account.name, wanted, is_listed)


def _renewals(warehouse: Warehouse, account_id: str) -> dict[date, date]:
    """Renewal date: the newest day on which the account had it in the pipeline."""
    if not warehouse.exists(PIPELINE):
        return {}
    rows = warehouse.table(PIPELINE)
    mine = rows.filter(rows.account_id == ibis.literal(account_id))
    found = warehouse.rows(mine.group_by("renewal_date").agg(seen=mine.as_of.max()))
    return {row["renewal_date"]: row["seen"] for row in found}


def _is_listed(warehouse: Warehouse, account_id: str, renewal: date) -> bool:
    if not warehouse.exists(LIST):
        return False
    rows = warehouse.table(LIST)
    mine = rows.filter((rows.account_id == ibis.literal(account_id)) & (rows.renewal_date == ibis.literal(renewal)))
    newest = warehouse.newest()
    return any(row["as_of"] == newest for row in warehouse.rows(mine.select("as_of").distinct()))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NoAnswer(f"{text!r} is no day: an entry is account@YYYY-MM-DD.") from error
