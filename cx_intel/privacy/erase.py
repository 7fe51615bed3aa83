"""Erases an account or a user: blocked first, then taken out of everything that the home holds, then looked for.

Each step can be done again, and what is being erased is written down until the end, so that a killed erasure is ended by
asking for it again. What stays of an account is told in `cx_intel.contracts.erased`.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cx_intel.contracts.erased import KEPT
from cx_intel.privacy.proof import remains
from cx_intel.privacy.pseudonyms import minimal
from cx_intel.privacy.register import Entry, PrivacyError, Register, today
from cx_intel.privacy.run_history import blot_out
from cx_intel.privacy.subject import Kind, Subject
from cx_intel.privacy.tables import Tables
from cx_intel.warehouse.duckdb.backups import FOLDER as BACKUPS
from cx_intel.warehouse.duckdb.backups import backups
from cx_intel.warehouse.duckdb.opening import reading, writing
from cx_intel.warehouse.duckdb.readable import COPY_SCHEMA
from cx_intel.warehouse.duckdb.restoring import REPLACED
from cx_intel.warehouse.duckdb.rewriting import rewrite, rewrite_backup
from cx_intel.warehouse.lock import WriterLock

PUBLISHED = "published"
OUTPUTS = ("reports", "exports")
"""Folders of what is made anew by the next refresh: pages, pictures, workbooks. They go whole."""
LEFT_OVERS = (f"*{REPLACED}*", ".warehouse.duckdb.*", f"{PUBLISHED}/.*", f"{BACKUPS}/.*", f"{BACKUPS}/*/.*")
"""What is begun lies beside what it is to replace, under a name that begins with a dot."""
LOGS = ("storage", "logs")
"""Folders of what programs said; a file that names the subject goes whole."""


@dataclass(frozen=True)
class Erasure:
    """What was done.

    Attributes:
        pseudonym: What stands in the ledger in place of an account.
        was_erased_before: The register already had the subject.
        searched: How many words were looked for; 0 when ids and names were too short to mean anybody.
        remains: Where the subject can still be found; empty when nowhere.
    """

    pseudonym: str
    was_erased_before: bool
    searched: int
    remains: tuple[str, ...]


@dataclass(frozen=True)
class Home:
    """Where an erasure happens.

    Attributes:
        folder: CX_HOME.
        warehouse: The warehouse file.
        lock: The writer's lock.
        variables: The environment.
        wait_seconds: How long a run is waited for.
    """

    folder: Path
    warehouse: Path
    lock: Path
    variables: Mapping[str, str]
    wait_seconds: float = 0


def erase(
    home: Home, portfolio: str, kind: Kind, subject_id: str, on_step: Callable[[str], None] = lambda _: None
) -> Erasure:
    """Erases a subject, or ends an erasure that was killed.

    Args:
        home: Where.
        portfolio: Its portfolio.
        kind: Account or user.
        subject_id: Its id at the source.
        on_step: Told of each step before it is taken.

    Raises:
        PrivacyError: Nobody has that id, another erasure has begun and not ended, or the key is not the register's.
        WarehouseError: A run writes, or another program has a file open.
    """
    lock = WriterLock(home.lock)
    lock.acquire("cx-intel erase", wait_seconds=home.wait_seconds)
    try:
        register = Register(home.folder, home.variables)
        register.make_key()
        digest = register.hash(portfolio, kind, subject_id)
        before = any(e.hash == digest for e in register.entries(portfolio))
        subject, entry = _about(home, register, portfolio, kind, subject_id, digest, was_erased=before)
        steps: list[tuple[str, Callable[[], object]]] = [
            ("block", lambda: register.add(entry)),
            ("left-overs", lambda: _left_overs(home.folder)),
            ("warehouse", lambda: _erase_in(home.warehouse, portfolio, subject, entry, register)),
            ("published", lambda: _published(home.folder, subject, entry, register)),
            ("back-ups", lambda: _backups(home.folder, subject, entry, register)),
            ("reports", lambda: _outputs(home.folder, subject)),
            ("run history", lambda: _storage(home.folder, subject)),
        ]
        for name, step in steps:
            on_step(name)
            step()
        on_step("proof")
        found = tuple(remains(home.folder, subject))
        if not found:
            register.end()
        return Erasure(subject.pseudonym, before, len(subject.words), found)
    finally:
        lock.release()


def _about(
    home: Home, register: Register, portfolio: str, kind: Kind, subject_id: str, digest: str, *, was_erased: bool
) -> tuple[Subject, Entry]:
    """Who is meant: as written down by an erasure that was killed, else as the warehouse knows them."""
    begun = register.begun()
    if begun:
        entry = Entry(**begun["entry"])
        if (entry.portfolio, entry.hash) != (portfolio, digest):
            raise PrivacyError(
                f"The erasure of the {begun['kind']} {begun['id']} of {begun['portfolio']} has begun and not ended. "
                f"End it first: cx-intel erase {begun['portfolio']} --{begun['kind']} {begun['id']}"
            )
        return Subject(portfolio, kind, subject_id, tuple(begun["names"]), entry.pseudonym), entry
    entry = next((e for e in register.entries(portfolio) if e.hash == digest), Entry(portfolio, kind, digest, today()))
    names: tuple[str, ...] = ()
    with reading(home.warehouse) as database:
        tables = Tables(database, portfolio)
        is_there = tables.holds(f"{kind}_id", subject_id)
        if not is_there and not was_erased:
            raise PrivacyError(f"Nobody in {portfolio} has the {kind}_id {subject_id!r}; nothing was changed.")
        if is_there and kind == "account":
            names = tuple(n for n in tables.names(subject_id) if not tables.others_named(n, subject_id))
            entry = _with_ledger(entry, tables, subject_id, register)
    subject = Subject(portfolio, kind, subject_id, names, entry.pseudonym)
    note: dict[str, Any] = {"portfolio": portfolio, "kind": kind, "id": subject_id, "names": names}
    register.begin(note | {"entry": vars(entry)})
    return subject, entry


def _with_ledger(entry: Entry, tables: Tables, account_id: str, register: Register) -> Entry:
    """The entry with what the ledger needs: segment, month of signing up, and the rows under the pseudonym."""
    known = [row for t in ("stg_accounts", "dim_account", "account_history") for row in tables.rows(t, account_id)]
    segment = next((str(row["segment"]) for row in known if row.get("segment")), None)
    signup = next((row["signup_date"] for row in known if isinstance(row.get("signup_date"), date)), None)
    month = signup.replace(day=1).isoformat()[:10] if signup else None
    named = replace(entry, segment=segment, signup_month=month, gone_on=None)
    kept = {t: minimal(t, rows, named, register) for t in KEPT if (rows := tables.rows(f"raw_{t}", account_id))}
    tickets = {register.hash_of_ticket(entry.portfolio, ticket) for ticket in tables.tickets(account_id)}
    return replace(named, kept=kept, tickets=sorted({*entry.tickets, *tickets}))


def _erase_in(file: Path, schema: str, subject: Subject, entry: Entry, register: Register) -> None:
    with writing(file) as database:
        Tables(database, schema).erase(subject, entry, register)
    rewrite(file)


def _published(home: Path, subject: Subject, entry: Entry, register: Register) -> None:
    file = home / PUBLISHED / f"{subject.portfolio}.duckdb"
    if not file.exists():
        return
    mode = file.stat().st_mode
    file.chmod(mode | 0o200)
    try:
        _erase_in(file, COPY_SCHEMA, subject, entry, register)
    finally:
        file.chmod(mode)


def _left_overs(home: Path) -> None:
    """Copies of the data that nobody needs: replaced by a restore, or begun by a program that was killed."""
    for left_over in (path for pattern in LEFT_OVERS for path in home.glob(pattern)):
        shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()


def _backups(home: Path, subject: Subject, entry: Entry, register: Register) -> None:
    for backup in backups(home):
        with writing(backup.warehouse) as database:
            Tables(database, subject.portfolio).erase(subject, entry, register)
        rewrite_backup(backup)


def _outputs(home: Path, subject: Subject) -> None:
    for folder in OUTPUTS:
        shutil.rmtree(home / folder / subject.portfolio, ignore_errors=True)
    for file in (f for folder in LOGS for f in (home / folder).rglob("*") if f.is_file()):
        if subject.byte_pattern.search(file.read_bytes()):
            file.unlink()


def _storage(home: Path, subject: Subject) -> None:
    for file in sorted(path for pattern in ("*.db", "*.sqlite") for path in home.rglob(pattern)):
        if file.is_file() and file.stat().st_size:
            blot_out(file, subject)
