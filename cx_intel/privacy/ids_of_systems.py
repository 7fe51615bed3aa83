"""Ids of billing, help desk and product in an erasure: those of an erased account go with it.

Which account an id belongs to is told by `identity_map`. How rows are taken out is in `tables.py`; what keeps the ids
from coming back, in `guard.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cx_intel.contracts.erased import KEPT
from cx_intel.privacy.pseudonyms import minimal
from cx_intel.privacy.register import Entry, Register, today
from cx_intel.privacy.subject import Subject
from cx_intel.privacy.tables import Tables


def with_ids(tables: Tables, register: Register, about: Sequence[tuple[Subject, Entry]]) -> list[tuple[Subject, Entry]]:
    """The accounts of an erasure, each with the ids of other systems that belong to it, under its pseudonym."""
    found: list[tuple[Subject, Entry]] = []
    for account, entry in about:
        ids = [_of(tables, register, account.portfolio, row, entry) for row in tables.external_ids(account.id)]
        own = [e for _, e in ids if e.hash == entry.hash]  # an id that is the account itself
        found.append((account, replace(entry, kept=entry.kept | own[0].kept) if own else entry))
        found += [(s, found[-1][1] if e.hash == entry.hash else e) for s, e in ids]
    return found


def without_account(
    tables: Tables, register: Register, portfolio: str, subject_id: str
) -> tuple[Subject, Entry] | None:
    """An id that belongs to no account, asked for as `<system>:<id>`; None where it is not one."""
    system, _, external_id = subject_id.partition(":")
    for row in tables.ids_of_systems(external_id):
        if row["system"] == system and row["account_id"] is None:
            return _of(tables, register, portfolio, row | {"is_shared": tables.is_shared(row)}, None)
    return None


def belongs_to(tables: Tables, external_id: str) -> str:
    """What to ask for instead of an id of another system; empty where it is none."""
    hints = [
        f" It is an id of {row['system']}: erase "
        + (f"the account {row['account_id']}." if row["account_id"] else f"{row['system']}:{external_id}.")
        for row in tables.ids_of_systems(external_id)
    ]
    return "".join(hints)


def _of(
    tables: Tables, register: Register, portfolio: str, row: Mapping[str, Any], account: Entry | None
) -> tuple[Subject, Entry]:
    system, external_id = str(row["system"]), str(row["external_id"])
    digest = register.hash_of_id(portfolio, system, external_id)
    known = next((e for e in register.entries(portfolio) if e.hash == digest), None)
    entry = known or Entry(portfolio, "account", digest, today())
    if account and digest != account.hash:
        entry = replace(entry, account_hash=account.hash)
    elif account:
        entry = replace(account, kept={})
    named_in = tuple(str(row["named_in"] or "").split())
    subject = Subject(
        portfolio, "account", external_id, (), entry.pseudonym, system, named_in, is_shared=row["is_shared"]
    )
    named = replace(entry, gone_on=None)
    kept = {
        part: minimal(table, rows, named, register)
        for part, table in tables.parts(KEPT).items()
        if (rows := tables.delivered(f"raw_{part}", subject))
    }
    return subject, replace(named, kept=kept)
