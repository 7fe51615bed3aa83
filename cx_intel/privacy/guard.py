"""Keeps the erased from coming back: what a source delivers of them is dropped, or made a pseudonym's, before it is written.

Every id that is delivered is hashed and compared with the register. Who is in the register is decided in `erase.py`.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.erased import KEPT, MERGES
from cx_intel.privacy.kept import PAIRS
from cx_intel.privacy.pseudonyms import Row, ended, minimal
from cx_intel.privacy.register import Entry, PrivacyError, Register
from cx_intel.privacy.subject import EMAIL, USER_COLUMNS, Kind
from cx_intel.settings.identity import ACCOUNT, DOMAIN, plain_domain_of
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.database import with_known_types
from cx_intel.warehouse.duckdb.upkeep.row_edits import RowEdits
from cx_intel.warehouse.protocol import Rows, Warehouse

_WORDS = re.compile(r"[^\s,;|\t\"'{}\[\]:=]+")
MARK_OF_ROWS = "erased"
NAMING: tuple[tuple[Kind, str], ...] = (
    ("account", "account_id"),
    ("user", "user_id"),
    ("user", EMAIL),
    ("account", "old_account_id"),
)
"""The columns that name a subject, whoever it is."""


class Guard:
    """The guard of one portfolio's loads."""

    def __init__(self, portfolio: str, home: Path, variables: Mapping[str, str]):
        self.portfolio = portfolio
        self.register = Register(home, variables)

    def fingerprint(self) -> str:
        """Changes with what the register keeps of the portfolio. Raises PrivacyError as `admit` does."""
        entries = self.register.entries(self.portfolio)
        return hashlib.sha256(repr(entries).encode()).hexdigest() + self.register.check() if entries else ""

    def admit(
        self,
        table: str,
        rows: Rows,
        as_of: date,
        warehouse: Warehouse,
        system: str | None = None,
        part: str | None = None,
        *,
        is_whole: bool = True,
    ) -> Rows:
        """What may be written of the rows that a source delivered; the very same when nobody of the register is in them.

        Args:
            table: The canonical table.
            rows: As delivered.
            as_of: The day of the load.
            warehouse: Where expressions are executed.
            system: The system whose ids stand in account_id, where they are not the accounts' own.
            part: The name of what one of several sources of the table delivers; default: the table's.
            is_whole: The rows are all that there are; else what is kept of the erased stands in the table already.

        Raises:
            PrivacyError: Somebody was erased, and the key is not there: nothing is loaded.
        """
        entries = self.register.entries(self.portfolio)
        if not entries:
            return rows
        if table == "ticket_status_history":
            return self._without_tickets(rows, {ticket for entry in entries for ticket in entry.tickets}, warehouse)
        of_kind: dict[str, dict[str, Entry]] = {"account": {}, "user": {}}
        for entry in entries:
            of_kind[entry.kind][entry.hash] = entry
        if table == "account_aliases":
            return self._merges(rows, of_kind, warehouse, is_whole)
        if table == "identity_links":
            return self._links(rows, of_kind, warehouse)
        found = {
            column: self._blocked(
                rows, column, "user" if column in USER_COLUMNS else "account", of_kind, warehouse, of_system
            )
            for column, of_system in (
                ("account_id", system),
                ("user_id", None),
                (EMAIL, None),
                ("parent_account_id", None),
            )
        }
        kept_as, blocked = part or table, found["account_id"].values()
        stored = [e for e in of_kind["account"].values() if is_whole and kept_as in e.kept and e not in blocked]
        rejected = self._rejected(rows, of_kind, warehouse, system)
        if not any(found.values()) and not stored and not rejected:
            return rows
        delivered = rows if isinstance(rows, ir.Table) else ibis.memtable(with_known_types(rows))
        if table == "support_tickets":
            self._note_tickets(delivered, found["account_id"], warehouse)
        kept = self._without(delivered, found, rejected)
        if table not in KEPT:
            return kept
        if table == "accounts" and "segment" not in kept.columns:
            kept = kept.mutate(segment=ibis.null("string"))
        more = [row for e in stored for row in ended(table, e.kept[kept_as], self._gone_on(e, as_of))]
        for account, entry in found["account_id"].items():
            chosen = delivered.filter(_text(delivered, "account_id") == account)
            frame = warehouse.execute(chosen)
            more += minimal(table, frame.to_dict("records"), entry, self.register)
        return kept.union(_as_rows(more, kept)) if more else kept

    def _blocked(
        self,
        rows: Rows,
        column: str,
        kind: Kind,
        of_kind: dict[str, dict[str, Entry]],
        warehouse: Warehouse,
        system: str | None = None,
    ) -> dict[str, Entry]:
        """The ids in a column, of another system where one is named, that are in the register."""
        if column not in rows.columns or not of_kind[kind]:
            return {}
        ids = _distinct(rows, column, warehouse)
        of = str.lower if column == EMAIL else str
        hashes = {value: self._hash(kind, system, of(value)) for value in ids}
        return {value: of_kind[kind][digest] for value, digest in hashes.items() if digest in of_kind[kind]}

    def _hash(self, kind: Kind, system: str | None, value: str) -> str:
        if not system or system == ACCOUNT:
            return self.register.hash(self.portfolio, kind, value)
        return self.register.hash_of_id(self.portfolio, system, plain_domain_of(value) if system == DOMAIN else value)

    def _links(self, rows: Rows, of_kind: dict[str, dict[str, Entry]], warehouse: Warehouse) -> Rows:
        """The links between ids, without those from and to the ids of erased accounts."""
        delivered = rows if isinstance(rows, ir.Table) else ibis.memtable(with_known_types(rows))
        kept = delivered
        for system, external_id in PAIRS:
            pairs = delivered.select(_system=_text(delivered, system).lower(), _id=_text(delivered, external_id))
            found = warehouse.rows(pairs.filter(pairs["_system"].notnull() & pairs["_id"].notnull()).distinct())
            by_system: dict[str, list[str]] = {}
            for pair in found:
                if self._hash("account", pair["_system"], pair["_id"]) in of_kind["account"]:
                    by_system.setdefault(pair["_system"], []).append(pair["_id"])
            for name, ids in by_system.items():
                is_erased = (_text(kept, system).lower() == name) & _text(kept, external_id).isin(ids)
                kept = kept.filter(~ibis.coalesce(is_erased, ibis.literal(False)))
        if rejected := self._rejected(delivered, of_kind, warehouse):
            kept = kept.filter(kept["_raw_row"].isnull() | ~kept["_raw_row"].isin(rejected))
        return kept

    def _note_tickets(self, rows: ir.Table, blocked: dict[str, Entry], warehouse: Warehouse) -> None:
        """Remembers the tickets of erased accounts that were opened since, so that their history is known as theirs."""
        if "ticket_id" not in rows.columns:
            return
        for account, entry in blocked.items():
            ids = _distinct(rows.filter(_text(rows, "account_id") == account), "ticket_id", warehouse)
            hashes = {self.register.hash_of_ticket(self.portfolio, ticket) for ticket in ids}
            if hashes - set(entry.tickets):
                self.register.note_tickets(entry, hashes)

    def _merges(self, rows: Rows, of_kind: dict[str, dict[str, Entry]], warehouse: Warehouse, is_whole: bool) -> Rows:
        """The merged accounts, those of the register under their pseudonyms.

        Raises PrivacyError where an account is merged with an erased one: it is the same customer.
        """
        olds, survivors = (self._blocked(rows, column, "account", of_kind, warehouse) for column in MERGES)
        known = of_kind["account"].values()
        stored = [e for e in known if is_whole and e not in olds.values()]
        more = [row for e in stored for row in e.kept.get("account_aliases", [])]
        rejected = self._rejected(rows, of_kind, warehouse)
        if not (olds or survivors or more or rejected):
            return rows
        delivered = rows if isinstance(rows, ir.Table) else ibis.memtable(with_known_types(rows))
        pairs = delivered.select(**{column: _text(delivered, column) for column in MERGES}).distinct()
        for pair in warehouse.rows(pairs):
            old, survivor = (pair[column] for column in MERGES)
            if old in olds and survivor in survivors:
                more.append(dict(zip(MERGES, (olds[old].pseudonym, survivors[survivor].pseudonym), strict=True)))
            elif old in olds or survivor in survivors:
                other = survivor if old in olds else old
                raise PrivacyError(
                    f"account_aliases merges the account {other!r} with one that was erased; nothing was loaded. Erase "
                    f"it too: cx-intel erase {self.portfolio} --account {other}. If they are not the same customer, "
                    "take that row out of account_aliases."
                )
        is_erased = ibis.or_(
            *(_text(delivered, c).isin(list(f)) for c, f in zip(MERGES, (olds, survivors), strict=True))
        )
        kept = delivered.filter(~ibis.coalesce(is_erased, ibis.literal(False)))
        kept = self._without(kept, {"account_id": {}, "user_id": {}, "parent_account_id": {}}, rejected)
        return kept.union(_as_rows(more, kept)) if more else kept

    def _without_tickets(self, rows: Rows, erased: set[str], warehouse: Warehouse) -> Rows:
        """The history of tickets without that of the tickets of erased accounts."""
        if not erased or "ticket_id" not in rows.columns:
            return rows
        ids = _distinct(rows, "ticket_id", warehouse)
        found = [i for i in sorted(ids) if self.register.hash_of_ticket(self.portfolio, i) in erased]
        if not found:
            return rows
        delivered = rows if isinstance(rows, ir.Table) else ibis.memtable(with_known_types(rows))
        return delivered.filter(delivered["ticket_id"].isnull() | ~_text(delivered, "ticket_id").isin(found))

    def _rejected(
        self, rows: Rows, of_kind: dict[str, dict[str, Entry]], warehouse: Warehouse, system: str | None = None
    ) -> list[str]:
        """The texts of rows that could not be split into columns and name somebody of the register."""
        if isinstance(rows, pd.DataFrame) or not {"_reject", "_raw_row"} <= set(rows.columns):
            return []
        texts = warehouse.execute(rows.filter(rows["_reject"].notnull()).select("_raw_row"))["_raw_row"].dropna()
        return [t for t in texts if any(self._names(t, kind, known, system) for kind, known in of_kind.items())]

    def _names(self, text: str, kind: str, known: dict[str, Entry], system: str | None) -> bool:
        wanted: Kind = "user" if kind == "user" else "account"
        of_system = system if wanted == "account" else None
        return bool(known) and any(
            {self._hash(wanted, None, word), self._hash(wanted, of_system, word)} & known.keys()
            for word in set(_WORDS.findall(text))
        )

    def _without(self, rows: ir.Table, found: dict[str, dict[str, Entry]], rejected: list[str]) -> ir.Table:
        for column in ("account_id", *USER_COLUMNS):
            if found.get(column):
                rows = rows.filter(rows[column].isnull() | ~_text(rows, column).isin(list(found[column])))
        if parents := list(found["parent_account_id"]):
            is_blocked = _text(rows, "parent_account_id").isin(parents)
            is_blocked = ibis.coalesce(is_blocked, ibis.literal(False))
            texts = [name for name in ("parent_account_id", "_raw_row") if name in rows.columns]
            rows = rows.mutate(**{n: ibis.ifelse(is_blocked, ibis.null(rows[n].type()), rows[n]) for n in texts})
        if rejected:
            rows = rows.filter(rows["_raw_row"].isnull() | ~rows["_raw_row"].isin(rejected))
        return rows

    def _gone_on(self, entry: Entry, as_of: date) -> str:
        if entry.gone_on is None:
            entry = self.register.note_gone(entry, (as_of + timedelta(days=1)).isoformat())
        return str(entry.gone_on)


def _distinct(rows: Rows, column: str, warehouse: Warehouse) -> set[str]:
    """The values of a column, as text without blanks around it."""
    if isinstance(rows, pd.DataFrame):
        return {str(value).strip() for value in rows[column].dropna().unique()}
    return set(warehouse.execute(rows.select(id=_text(rows, column)).distinct())["id"].dropna())


def _text(rows: ir.Table, column: str) -> ir.StringValue:
    return rows[column].cast("string").strip()


def _as_rows(more: list[Row], like: ir.Table) -> ir.Table:
    """Rows of text as rows of the same columns and types."""
    names = sorted({name for row in more for name in row if name in like.columns})
    frame = pd.DataFrame([{name: row.get(name) for name in names} for row in more], columns=names, dtype="string")
    frame["_row_number"] = range(1, len(frame) + 1)
    table = ibis.memtable(with_known_types(frame))
    marks = {"_row_number": table["_row_number"], "_source_file": ibis.literal(MARK_OF_ROWS)}

    def cell(name: str) -> ir.Value:
        kind = like[name].type()
        if kind.is_null() or (name not in names and name not in marks):
            return ibis.null(kind)
        return (table[name] if name in names else marks[name]).cast(kind)

    return table.select(**{name: cell(name) for name in like.columns})


def returned(file: Path, home: Path, variables: Mapping[str, str]) -> dict[str, int]:
    """Portfolio: how many of its erased subjects stand in a warehouse file, such as one restored from an older copy."""
    register = Register(home, variables)
    found: dict[str, int] = {}
    with reading(file) as database:
        for portfolio in sorted({e.portfolio for e in register.entries()}):
            edits, hashes = RowEdits(database, portfolio), {e.hash for e in register.entries(portfolio)}
            ids: set[tuple[Kind, str]] = set()
            for table, columns in edits.columns().items():
                for kind, column in NAMING:
                    if column in columns:
                        ids |= {
                            (kind, value.lower() if column == EMAIL else value)
                            for value in edits.distinct(table, column)
                        }
            if again := hashes & {register.hash(portfolio, kind, value) for kind, value in ids}:
                found[portfolio] = len(again)
    return found
