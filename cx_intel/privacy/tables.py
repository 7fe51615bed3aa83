"""Takes a subject out of the tables of a DuckDB file: rows go, the ledger's get a pseudonym, mentions are blotted out.

Run a second time it changes nothing. The old rows leave the file when it is written anew (`erase.py`, which also knows
the files); the statements themselves are in `cx_intel.warehouse.duckdb.upkeep.row_edits`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from cx_intel.contracts.erased import GONE_FROM_PERIODS, ROW_IDS
from cx_intel.privacy.kept import (
    ALIASES,
    AMOUNTS,
    DERIVED,
    FAMILIES,
    IDENTITY,
    IDS_OF,
    LEDGER,
    OLD_ID,
    PAIRS,
    PERIODS,
    STATUS_HISTORY,
    TICKETS,
    canonical,
)
from cx_intel.privacy.landed import landed_of, without_customer
from cx_intel.privacy.people import People
from cx_intel.privacy.pseudonyms import row_pseudonym
from cx_intel.privacy.register import Entry, Register
from cx_intel.privacy.subject import REDACTED, Subject, pattern_of_words
from cx_intel.settings.identity import ACCOUNT, DOMAIN, plain_domain_of
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.upkeep.row_edits import TEXT_TYPES, RowEdits
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA
from cx_intel.warehouse.tables_of import edits_of


class Tables:
    """The tables of one portfolio in an open DuckDB file, and what is remembered of them.

    Attributes:
        edits: The rows of the portfolio's schema.
        people: Users, and the people at accounts.
        state: Those of the schema that remembers days and checks, of all portfolios.
    """

    def __init__(self, database: Database, schema: str):
        self.database = database
        self.edits = edits_of(database, schema)
        self.state = RowEdits(database, STATE_SCHEMA)
        self.people = People(self.edits)

    def rows(self, table: str, account_id: str) -> list[dict[str, Any]]:
        """The rows of an account in a table, as delivered; none where there is no such table."""
        if "account_id" not in self.edits.columns().get(table, {}):
            return []
        return self.edits.rows(table, "account_id", account_id)

    def rows_of(self, table: str, account_id: str) -> list[dict[str, Any]]:
        """The rows of an account in a canonical table, as delivered; of an account that is no longer, as staged."""
        if f"raw_{table}" in self.borrowed:
            return []
        rows = self.rows(f"raw_{table}", account_id)
        return rows or (self.rows("stg_accounts", account_id) if table == "accounts" else [])

    def parts(self, tables: Iterable[str]) -> dict[str, str]:
        """What each source delivers of these canonical tables, by its name: the canonical table."""
        found = {table: table for table in tables}
        raw = (table.removeprefix("raw_") for table in self.edits.columns() if table.startswith("raw_"))
        return found | {part: canonical(part) for part in raw if canonical(part) in found}

    def names(self, account_id: str) -> tuple[str, ...]:
        """What an account was called in any table."""
        named = (row["account_name"] for table in self._named() for row in self.rows(table, account_id))
        return tuple(sorted({str(name) for name in named if name}))

    def others_named(self, name: str, account_ids: Sequence[str]) -> bool:
        """Whether an account beyond these bears the name too, or has it in its own."""
        pattern, own = pattern_of_words((name,)), ("account_id", account_ids)
        return any(self.edits.has_match(table, "account_name", pattern, unless=own) for table in self._named())

    def merged_with(self, account_id: str) -> tuple[str, ...]:
        """An account, the one that it was merged into, and all others merged into that one."""
        table = ALIASES[1]
        if table not in self.edits.columns():
            return (account_id,)
        survivor = next((row["account_id"] for row in self.edits.rows(table, OLD_ID, account_id)), account_id)
        olds = (row[OLD_ID] for row in self.edits.rows(table, "account_id", survivor))
        return tuple(dict.fromkeys((account_id, str(survivor), *sorted(map(str, olds)))))

    def external_ids(self, account_id: str) -> list[dict[str, Any]]:
        """The ids of other systems that belong to an account: system, external_id, named_in, is_shared."""
        if IDENTITY not in self.edits.columns():
            return []
        rows = [row for row in self.edits.rows(IDENTITY, "account_id", account_id) if row["valid_to"] is None]
        found = [row for row in rows if row["system"] != ACCOUNT]
        return [row | {"is_shared": self.is_shared(row)} for row in found]

    def ids_of_systems(self, external_id: str) -> list[dict[str, Any]]:
        """The rows of identity_map that an id of another system has now."""
        if IDENTITY not in self.edits.columns():
            return []
        rows = self.edits.rows(IDENTITY, "external_id", external_id)
        return [row for row in rows if row["valid_to"] is None and row["system"] != ACCOUNT]

    def is_shared(self, of: Mapping[str, Any]) -> bool:
        """Whether another account has the same text as an id, in whatever system."""
        rows = self.edits.rows(IDENTITY, "external_id", of["external_id"])
        return any(row["account_id"] != of["account_id"] for row in rows)

    def named_by(self, subject: Subject) -> Iterator[tuple[str, str]]:
        """The raw tables whose rows name an id of another system, each with the id as its rows write it."""
        of_systems = self.edits.rows(IDENTITY, "external_id", subject.id) if IDENTITY in self.edits.columns() else []
        known = (row["named_in"] or "" for row in of_systems if row["system"] == subject.system)
        names = [*subject.named_in, *(name for text in known for name in text.split())]
        names += [part for part in self.parts(["accounts"]) if part != "accounts"]
        for table in dict.fromkeys(f"raw_{name}" for name in names):
            if "account_id" not in self.edits.columns().get(table, {}):
                continue
            if subject.system != DOMAIN:
                yield table, subject.id
            else:
                values = sorted(self.edits.distinct(table, "account_id"))
                yield from ((table, value) for value in values if plain_domain_of(value) == subject.id)

    def survivor(self, account_id: str) -> str | None:
        """The account that another was merged into; None where it was not."""
        if ALIASES[1] not in self.edits.columns():
            return None
        return next((str(row["account_id"]) for row in self.edits.rows(ALIASES[1], OLD_ID, account_id)), None)

    def tickets(self, account_id: str) -> set[str]:
        """The ids of an account's tickets."""
        tables = [table for table in self.edits.columns() if canonical(table) in TICKETS and table not in self.borrowed]
        ids = (row["ticket_id"] for table in tables for row in self.rows(table, account_id))
        return {str(found).strip() for found in ids if found}

    def holds(self, subject_column: str, subject: str) -> bool:
        """Whether any table has rows of the id; of an account also as one that was merged."""
        wanted = (subject_column, OLD_ID) if subject_column == "account_id" else (subject_column,)
        return any(
            self.edits.has(table, column, subject)
            for table, columns in self.edits.columns().items()
            for column in wanted
            if column in columns and (column != "account_id" or table not in self.borrowed)
        ) or (subject_column == "account_id" and any(landed_of(self.edits, subject)))

    def erase(self, subjects: Sequence[tuple[Subject, Entry]], register: Register) -> None:
        """Takes the subjects out, in one transaction: accounts that were merged go together."""
        with self.database.transaction():
            delivered = self._delivered_rows(subjects)
            assert self.borrowed is not None  # read before the rows that tell it go
            for subject, entry in sorted(subjects, key=lambda one: not one[0].system):
                for table, column in list(landed_of(self.edits, subject.id)) if subject.kind == "account" else ():
                    self.edits.delete(table, column, subject.id)
                if subject.system:
                    self._erase_id(subject, entry, delivered, register)
                else:
                    self._erase_one(subject, entry, delivered, register)
            for subject, _ in subjects:  # an id may be part of an account's, which had to be found whole
                for edits, table, column in self._mentions(subject):
                    _blot_out(edits, table, column, subject)

    def _delivered_rows(self, subjects: Sequence[tuple[Subject, Entry]]) -> dict[str, Entry]:
        """Id of a subscription or invoice: the account that its source has it under, merged or not."""
        return {
            str(row[column]).strip(): entry
            for subject, entry in subjects
            if subject.kind == "account"
            for part, table in self.parts(ROW_IDS).items()
            for row in self.delivered(f"raw_{part}", subject)
            for column in ROW_IDS[table]
            if row.get(column)
        }

    def delivered(self, table: str, subject: Subject) -> list[dict[str, Any]]:
        """The rows of a raw table that name an account, or an id of another system."""
        if not subject.system:
            return [] if table in self.borrowed else self.rows(table, subject.id)
        return [row for name, value in self.named_by(subject) if name == table for row in self.rows(table, value)]

    def holds_any(self, subject: Subject) -> bool:
        """Whether any table has rows of a subject, whatever system its id is of."""
        if subject.kind == "user":
            return self.people.holds(subject.id)
        if not subject.system:
            return self.holds(subject.column, subject.id)
        tables = self.edits.columns()
        if any(self._pairs(table, names, subject.system, subject.id) for table in tables for names in PAIRS):
            return True
        if any(landed_of(self.edits, subject.id)):
            return True
        return any(self.rows(table, value) for table, value in self.named_by(subject))

    def _pairs(self, table: str, names: tuple[str, str], system: str, external_id: str) -> list[dict[str, str]]:
        """An id and its system as rows of a table write them: the system in any case, a domain also as e-mail address."""
        if not set(names) <= set(self.edits.columns()[table]):
            return []
        pairs = sorted(pair for pair in self.edits.pairs(table, names) if pair[0].lower() == system)
        compared = plain_domain_of if system == DOMAIN else str
        return [dict(zip(names, pair, strict=True)) for pair in pairs if compared(pair[1]) == external_id]

    @cached_property
    def borrowed(self) -> frozenset[str]:
        """The raw tables whose account_id holds ids of other systems."""
        if IDENTITY not in self.edits.columns():
            return frozenset()
        return frozenset(f"raw_{name}" for text in self.edits.distinct(IDENTITY, "named_in") for name in text.split())

    def _erase_id(self, subject: Subject, entry: Entry, delivered: Mapping[str, Entry], register: Register) -> None:
        """Takes an id of another system out: its links, and rows of the tables that name it."""
        for table, value in list(self.named_by(subject)):
            columns = self.edits.columns()[table]
            self._erase_rows(table, columns, replace(subject, id=value), entry, delivered, register)
        for table in self.edits.columns():
            for names in PAIRS:
                for pair in self._pairs(table, names, subject.system, subject.id):
                    self.edits.delete_pairs(table, pair)

    def _erase_one(self, subject: Subject, entry: Entry, delivered: Mapping[str, Entry], register: Register) -> None:
        tickets = self.tickets(subject.id) if subject.kind == "account" else set()
        for table, ticket in list(without_customer(self.edits, tickets)):
            self.edits.delete(table, "id", ticket)
        for ticket in tickets:
            for table in set(STATUS_HISTORY) & set(self.edits.columns()):
                self.edits.delete(table, "ticket_id", ticket)
        for table, columns in self.edits.columns().items():
            if subject.kind == "user":
                self.people.erase(table, columns, subject.id)
            elif subject.column in columns and table not in self.borrowed:
                self._erase_rows(table, columns, subject, entry, delivered, register)
            if subject.kind == "account" and table in ALIASES:
                gone = {column: None for column in columns if column not in LEDGER[table]}
                self.edits.update(table, OLD_ID, subject.id, {**gone, OLD_ID: subject.pseudonym})
            for pair in self._pairs(table, PAIRS[1], ACCOUNT, subject.id) if subject.kind == "account" else ():
                self.edits.delete_pairs(table, pair)
            if subject.kind == "account" and table == FAMILIES:
                self.edits.delete(table, "parent_account_id", subject.id)
            elif subject.kind == "account" and "parent_account_id" in columns:
                self.edits.update(table, "parent_account_id", subject.id, {"parent_account_id": None})

    def mentions(self, subject: Subject) -> list[str]:
        """The columns of text in which a word of the subject still stands, as schema.table.column."""
        return [f"{edits.schema}.{table}.{column}" for edits, table, column in self._mentions(subject)]

    def mentions_in_rows(self, subject: Subject) -> bool:
        """Whether a word of the subject stands in the tables, apart from what is remembered of them."""
        return next(self._mentions(subject, (self.edits,)), None) is not None

    def _mentions(
        self, subject: Subject, places: Sequence[RowEdits] | None = None
    ) -> Iterator[tuple[RowEdits, str, str]]:
        if not subject.words:
            return
        pattern = pattern_of_words(subject.spellings)
        for edits in places or (self.edits, self.state):
            for table, columns in edits.columns().items():
                is_shared = edits is self.state and "schema_name" in columns
                own = {"schema_name": subject.portfolio} if is_shared else {}
                for column, kind in columns.items():
                    if kind in TEXT_TYPES and edits.has_match(table, column, pattern, equal=own):
                        yield edits, table, column

    def _named(self) -> list[str]:
        return [t for t, columns in self.edits.columns().items() if {"account_id", "account_name"} <= set(columns)]

    def _erase_rows(
        self,
        table: str,
        columns: dict[str, str],
        subject: Subject,
        entry: Entry,
        delivered: Mapping[str, Entry],
        register: Register,
    ) -> None:
        edits, mine = self.edits, (table, subject.column, subject.id)
        table = canonical(table)
        if table not in (*LEDGER, *AMOUNTS, PERIODS):
            edits.delete(*mine)
            return
        if table == "account_history":
            edits.keep_newest(*mine, by="valid_from")
        for row_id in IDS_OF.get(table, ()):
            if row_id not in columns:
                continue
            ids = {row[row_id]: str(row[row_id]).strip() for row in edits.rows(*mine) if row[row_id] is not None}
            pseudonyms = {
                found: row_pseudonym(text, delivered.get(text, entry), register) for found, text in ids.items()
            }
            edits.replace_values(*mine, row_id, pseudonyms)
        kept = {*LEDGER.get(table, tuple(columns)), *DERIVED.get(table, ())}
        if table == PERIODS:
            kept -= set(GONE_FROM_PERIODS)
        changes: dict[str, str | None] = {column: None for column in columns if column not in kept}
        if "signup_date" in columns:
            changes["signup_date"] = entry.signup_month
        edits.update(*mine, changes | {"account_id": subject.pseudonym})


def _blot_out(edits: RowEdits, table: str, column: str, subject: Subject) -> None:
    """Quarantined rows go whole; in other tables the text goes and the row stays."""
    pattern = pattern_of_words(subject.spellings)
    if table in ("quarantine", "rejected_rows"):
        edits.delete_matches(table, column, pattern)
    else:
        edits.replace_matches(table, column, pattern, REDACTED)
