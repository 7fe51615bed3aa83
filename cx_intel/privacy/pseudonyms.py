"""Turns the rows of an erased account into what stays of them: amounts and dates under a pseudonym, nothing else.

Which columns stay is told in `cx_intel.contracts.erased`. Used when an account is erased (`erase.py`) and at every load
after that (`guard.py`), so that the ledger comes out the same.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

from cx_intel.contracts.erased import KEPT, ROW_IDS
from cx_intel.privacy.register import Entry, Register

Row = dict[str, str | None]


def minimal(table: str, rows: Iterable[Mapping[str, Any]], entry: Entry, register: Register) -> list[Row]:
    """What stays of the rows, as text.

    Args:
        table: The canonical table.
        rows: The account's rows as delivered.
        entry: The erased account.
        register: Hashes the ids of rows.
    """
    return [_minimal(table, row, entry, register) for row in rows]


def _minimal(table: str, row: Mapping[str, Any], entry: Entry, register: Register) -> Row:
    kept = {name: _text(row.get(name)) for name in KEPT[table] if name in row}
    kept["account_id"] = entry.pseudonym
    if table == "accounts":
        kept |= {"segment": entry.segment, "signup_date": entry.signup_month}
    for named in ROW_IDS.get(table, ()):
        if row_id := str(row.get(named) or "").strip():
            kept[named] = row_pseudonym(row_id, entry, register)
    return kept


def row_pseudonym(row_id: str, entry: Entry, register: Register) -> str:
    """What stands in place of the id of a subscription or an invoice."""
    return f"{entry.pseudonym}-{register.hash(entry.portfolio, 'account', entry.hash + row_id)[:12]}"


def ended(table: str, rows: list[Row], gone_on: str) -> list[Row]:
    """The rows of an account that its source no longer knows: subscriptions without an end end then."""
    if table != "subscriptions":
        return rows
    return [row | {"end_date": row.get("end_date") or gone_on} for row in rows]


def _text(value: Any) -> str | None:
    if value is None or (not isinstance(value, list | dict) and pd.isna(value)):
        return None
    if isinstance(value, datetime):  # a pandas Timestamp is one too
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
