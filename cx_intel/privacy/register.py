"""Remembers who was erased without remembering who: keyed hashes, pseudonyms, and what the ledger needs of them.

The key comes from the environment (`CX_ERASURE_KEY`) or from a file in the home that only its owner may read. Without
the very key nobody can tell, or test, whom an entry is about; so nothing is loaded with a wrong one.
"""

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cx_intel.contracts.erased import ERASED_PREFIX
from cx_intel.privacy.subject import Kind
from cx_intel.warehouse.errors import WarehouseError

FOLDER = "privacy"
REGISTER, KEY_FILE, PENDING = "erased.json", "erasure.key", "pending.json"
KEY_VARIABLE = "CX_ERASURE_KEY"
SHORTEST_KEY = 16


class PrivacyError(WarehouseError):
    """An erasure, or a load that it guards, that cannot be done as things are."""


@dataclass(frozen=True)
class Entry:
    """One erased subject.

    Attributes:
        portfolio: Its portfolio.
        kind: Account or user.
        hash: The keyed hash of its id.
        erased_on: The day.
        segment: Of an account: what nrr_by_segment needs.
        signup_month: Of an account: what its cohort needs; ISO date.
        kept: Of an account: canonical table: its rows under the pseudonym, for when the source no longer delivers it.
        gone_on: The day after the first load without it at its source; ISO date.
        tickets: Of an account: the keyed hashes of its tickets, whose history names no account.
        account_hash: Of an id of another system: the hash of the account that it belongs to, whose pseudonym it bears.
    """

    portfolio: str
    kind: Kind
    hash: str
    erased_on: str
    segment: str | None = None
    signup_month: str | None = None
    kept: dict[str, list[dict[str, str | None]]] = field(default_factory=dict)
    gone_on: str | None = None
    tickets: list[str] = field(default_factory=list)
    account_hash: str | None = None

    @property
    def pseudonym(self) -> str:
        return ERASED_PREFIX + (self.account_hash or self.hash)[:8]


class Register:
    """The register of a home."""

    def __init__(self, home: Path, variables: Mapping[str, str]):
        self.folder = home / FOLDER
        self._variables = variables
        self._key: bytes | None = None

    @property
    def file(self) -> Path:
        return self.folder / REGISTER

    @property
    def pending(self) -> Path:
        """What an erasure that has begun is about; there until it is done."""
        return self.folder / PENDING

    def hash(self, portfolio: str, kind: Kind, subject: str) -> str:
        """The keyed hash of an id. Raises PrivacyError without the key that the register was made with."""
        return self._digest(f"{portfolio}\0{kind}\0{subject}")

    def pseudonym(self, portfolio: str, account_id: str) -> str:
        """What stands in place of an account once it is erased. Raises PrivacyError as `hash` does."""
        return Entry(portfolio, "account", self.hash(portfolio, "account", account_id), "").pseudonym

    def hash_of_id(self, portfolio: str, system: str, external_id: str) -> str:
        """The keyed hash of an id of another system. Raises PrivacyError as `hash` does."""
        return self.hash(portfolio, "account", f"{system}:{external_id}")

    def hash_of_ticket(self, portfolio: str, ticket_id: str) -> str:
        """The keyed hash of a ticket's id. Raises PrivacyError as `hash` does."""
        return self._digest(f"{portfolio}\0ticket\0{ticket_id}")

    def check(self) -> str:
        """Tells one key from another. Raises PrivacyError as `hash` does."""
        return self._digest("key")

    def entries(self, portfolio: str | None = None) -> list[Entry]:
        """The erased of a portfolio; default: of all."""
        return [Entry(**e) for e in self._read()["erased"] if portfolio in (None, e["portfolio"])]

    def add(self, *entries: Entry) -> None:
        """Enters subjects, all at once, each in place of an earlier entry about it."""
        content, named = self._read(), {(entry.portfolio, entry.hash) for entry in entries}
        others = [e for e in content["erased"] if (e["portfolio"], e["hash"]) not in named]
        erased = [*others, *(asdict(entry) for entry in entries)]
        self._write(self.file, {"key_check": self.check(), "erased": erased})

    def note_gone(self, entry: Entry, day: str) -> Entry:
        """Remembers the first load in which the source no longer delivered a subject."""
        noted = replace(entry, gone_on=day)
        self.add(noted)
        return noted

    def note_tickets(self, entry: Entry, hashes: Iterable[str]) -> Entry:
        """Remembers further tickets of an erased account, by `hash_of_ticket`."""
        noted = replace(entry, tickets=sorted({*entry.tickets, *hashes}))
        self.add(noted)
        return noted

    def begin(self, note: dict[str, Any]) -> None:
        """Writes down what is about to be erased, so that a killed erasure can be ended."""
        self._write(self.pending, note)

    def begun(self) -> dict[str, Any] | None:
        """What an erasure was about that did not end; it has ended when only the blanks of `end` are left."""
        text = self.pending.read_text(encoding="utf-8").strip() if self.pending.exists() else ""
        return json.loads(text) if text else None

    def end(self) -> None:
        """Forgets whom it was about."""
        if self.pending.exists():
            self.pending.write_bytes(b" " * self.pending.stat().st_size)
            self.pending.unlink()

    def make_key(self) -> None:
        """Makes a key, unless there is one or the register was made with one that is not here."""
        if self._find_key() is None and not self.file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_private(self.folder / KEY_FILE, secrets.token_hex(32).encode())

    def _digest(self, text: str) -> str:
        if self._key is None:
            self._key = self._checked_key()
        return hmac.digest(self._key, text.encode(), "sha256").hex()

    def _checked_key(self) -> bytes:
        key = self._find_key()
        where = f"Set {KEY_VARIABLE}, or bring {self.folder / KEY_FILE} back."
        if key is None:
            raise PrivacyError(f"The key of erasures is not there, so the erased could come back unseen. {where}")
        if len(key) < SHORTEST_KEY:
            raise PrivacyError(f"{KEY_VARIABLE} is too short: {SHORTEST_KEY} characters at least.")
        known = self._read()["key_check"]
        if known and not hmac.compare_digest(known, hmac.digest(key, b"key", "sha256").hex()):
            raise PrivacyError(f"The key of erasures is not the one that {self.file} was made with. {where}")
        return key

    def _find_key(self) -> bytes | None:
        if given := self._variables.get(KEY_VARIABLE):
            return given.encode()
        file = self.folder / KEY_FILE
        return file.read_bytes().strip() if file.exists() else None

    def _read(self) -> dict[str, Any]:
        if not self.file.exists():
            return {"key_check": "", "erased": []}
        return dict(json.loads(self.file.read_text(encoding="utf-8")))

    def _write(self, file: Path, content: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_private(file, json.dumps(content, indent=1).encode())


def _write_private(file: Path, content: bytes) -> None:
    """Writes a file that its owner alone may read, all of it or nothing."""
    new = file.with_name(f".{file.name}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(new, file)


def today() -> str:
    """The day in UTC, as the register writes it."""
    return datetime.now(UTC).date().isoformat()
