"""Erases an account or a user: blocked first, then taken out of everything that the home holds, then looked for.

Each step can be done again, and what is being erased is written down until the end, so that a killed erasure is ended by
asking for it again. What stays of an account is told in `cx_intel.contracts.erased`.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from cx_intel.contracts.erased import KEPT, MERGES
from cx_intel.privacy.ids_of_systems import belongs_to, with_ids, without_account
from cx_intel.privacy.places import Home, refuse_unnamed, tidy_cluster, tidy_server
from cx_intel.privacy.proof import remains
from cx_intel.privacy.pseudonyms import minimal
from cx_intel.privacy.register import Entry, PrivacyError, Register, today
from cx_intel.privacy.runs.run_history import blot_out
from cx_intel.privacy.runs.run_history_in_postgres import blot_out_in, mentions_in
from cx_intel.privacy.subject import Kind, Subject
from cx_intel.privacy.tables import Tables
from cx_intel.warehouse.duckdb.access.opening import reading, writing
from cx_intel.warehouse.duckdb.access.readable import COPY_SCHEMA
from cx_intel.warehouse.duckdb.upkeep.backups import FOLDER as BACKUPS
from cx_intel.warehouse.duckdb.upkeep.backups import backups
from cx_intel.warehouse.duckdb.upkeep.restoring import REPLACED
from cx_intel.warehouse.duckdb.upkeep.rewriting import forget_dump, rewrite, rewrite_backup
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel.warehouse.servers.dagster_storage import addresses
from cx_intel.warehouse.spark.cluster import EXCHANGE, Cluster

PUBLISHED = "published"
OUTPUTS = ("reports", "exports")
"""Folders of what is made anew by the next refresh: pages, pictures, workbooks. They go whole."""
LEFT_OVERS = (f"*{REPLACED}*", ".warehouse.duckdb.*", f"{PUBLISHED}/.*", f"{BACKUPS}/.*", f"{BACKUPS}/*/.*", EXCHANGE)
"""What is begun lies beside what it is to replace, under a name that begins with a dot."""
LOGS = ("storage", "logs")
"""Folders of what programs said; a file that names the subject goes whole."""
About: TypeAlias = Sequence[tuple[Subject, Entry]]
"""Whom an erasure is about: the one asked for, and the accounts merged with it."""


@dataclass(frozen=True)
class Erasure:
    """What was done.

    Attributes:
        pseudonym: What stands in the ledger in place of an account.
        was_erased_before: The register already had the subject.
        searched: How many words were looked for; 0 when ids and names were too short to mean anybody.
        remains: Where the subject can still be found; empty when nowhere.
        merged: The accounts that are one with it (account_aliases) and were erased with it.
        also_in: Other portfolios with somebody of the same id or name, whose rows stay.
    """

    pseudonym: str
    was_erased_before: bool
    searched: int
    remains: tuple[str, ...]
    merged: tuple[str, ...] = ()
    also_in: tuple[str, ...] = ()


def erase(
    home: Home, portfolio: str, kind: Kind, subject_id: str, on_step: Callable[[str], None] = lambda _: None
) -> Erasure:
    """Erases a subject, or ends an erasure that was killed. Accounts that were merged are one customer: all of them go.

    Args:
        home: Where.
        portfolio: Its portfolio.
        kind: Account or user.
        subject_id: Its id at the source.
        on_step: Told of each step before it is taken.

    Raises:
        PrivacyError: Tables live on a Spark cluster or in PostgreSQL, which the portfolio does not name, nobody has that
            id, another erasure has begun and not ended, or the key is not the register's.
        WarehouseError: A run writes, or another program has a file open.
    """
    lock = WriterLock(home.lock)
    lock.acquire("cx-intel erase", wait_seconds=home.wait_seconds)
    try:
        refuse_unnamed(home, portfolio)
        servers = _servers(home)
        register = Register(home.folder, home.variables)
        register.make_key()
        digest = register.hash(portfolio, kind, subject_id)
        before = any(e.hash == digest for e in register.entries(portfolio))
        about = _about(home, register, portfolio, kind, subject_id, digest, was_erased=before)
        subjects = [subject for subject, _ in about]
        steps: list[tuple[str, Callable[[], object]]] = [
            ("block", lambda: register.add(*(entry for _, entry in about))),
            ("left-overs", lambda: _left_overs(home.folder)),
            ("warehouse", lambda: _erase_in(home.warehouse, portfolio, about, register, home.clusters)),
            ("published", lambda: _published(home.folder, portfolio, about, register)),
            ("back-ups", lambda: _backups(home, portfolio, about, register)),
            *([("cluster", lambda: tidy_cluster(home, portfolio))] if portfolio in home.clusters else []),
            *([("PostgreSQL", lambda: tidy_server(home, portfolio))] if portfolio in home.servers else []),
            ("reports", lambda: _outputs(home.folder, subjects)),
            ("run history", lambda: _storage(home.folder, servers, subjects)),
        ]
        for name, step in steps:
            on_step(name)
            step()
        on_step("proof")
        cluster = home.clusters.get(portfolio)
        elsewhere = cluster.files(portfolio) if cluster and cluster.storage.location else None
        looked = [remains(home.folder, subject, elsewhere) for subject in subjects]
        found = tuple(place for one in looked for place in one.places)
        found += tuple(
            f"Dagster's PostgreSQL: {p}" for server in servers for s in subjects for p in mentions_in(server, s)
        )
        if tables := home.servers.get(portfolio):
            found += tuple(
                f"PostgreSQL: {place}" for s in subjects for place in mentions_in(tables.address, s, tables.schema)
            )
        if not found:
            register.end()
        words = sum(len(subject.words) for subject in subjects)
        merged = tuple(s.id for s in subjects[1:] if not s.system)
        also_in = tuple(sorted({portfolio for one in looked for portfolio in one.also_in}))
        return Erasure(subjects[0].pseudonym, before, words, found, merged, also_in)
    finally:
        lock.release()


def _servers(home: Home) -> tuple[str, ...]:
    """The databases that Dagster's events are in; that they are not known stops an erasure before it begins."""
    try:
        return addresses(home.folder, home.variables)
    except WarehouseError as error:
        raise PrivacyError(
            f"{error} Nothing was erased. Where they are out of reach, take the subject out there by hand, erase the rest with "
            "a dagster.yaml that names no storage, and put it back."
        ) from None


def _about(
    home: Home, register: Register, portfolio: str, kind: Kind, subject_id: str, digest: str, *, was_erased: bool
) -> list[tuple[Subject, Entry]]:
    """Who is meant, the one asked for first: as written down by an erasure that was killed, else as the warehouse knows."""
    begun = register.begun()
    if begun:
        noted = [(note, Entry(**note["entry"])) for note in (begun, *begun.get("merged", ()))]
        if begun["portfolio"] != portfolio or digest not in {entry.hash for _, entry in noted}:
            raise PrivacyError(
                f"The erasure of the {begun['kind']} {begun['id']} of {begun['portfolio']} has begun and not ended. "
                f"End it first: cx-intel erase {begun['portfolio']} --{begun['kind']} {begun['id']}"
            )
        return [(_noted(portfolio, kind, note, entry), entry) for note, entry in noted]
    with reading(home.warehouse) as database:
        tables = Tables(database, portfolio)
        if alone := without_account(tables, register, portfolio, subject_id) if kind == "account" else None:
            about = [alone]
        else:
            is_known = tables.holds("account_id", subject_id) if kind == "account" else tables.people.holds(subject_id)
            if not was_erased and not is_known:
                raise PrivacyError(
                    f"Nobody in {portfolio} has the {kind}_id {subject_id!r}; nothing was changed."
                    f"{belongs_to(tables, subject_id)}"
                )
            ids = tables.merged_with(subject_id) if kind == "account" else tables.people.ids(subject_id)
            about = [_known(tables, register, portfolio, kind, one, ids) for one in ids]
            if kind == "account":
                about = with_ids(tables, register, about)
    notes = [
        {"id": s.id, "names": s.names, "system": s.system, "named_in": s.named_in, "is_shared": s.is_shared}
        | {"entry": vars(e)}
        for s, e in about
    ]
    register.begin({"portfolio": portfolio, "kind": kind, **notes[0], "merged": notes[1:]})
    return about


def _noted(portfolio: str, kind: Kind, note: Mapping[str, Any], entry: Entry) -> Subject:
    """A subject as an erasure that was killed wrote it down."""
    more = {"system": note.get("system", ""), "is_shared": note.get("is_shared", False)}
    named_in = tuple(note.get("named_in", ()))
    return Subject(portfolio, kind, note["id"], tuple(note["names"]), entry.pseudonym, named_in=named_in, **more)


def _known(
    tables: Tables, register: Register, portfolio: str, kind: Kind, subject_id: str, merged: Sequence[str]
) -> tuple[Subject, Entry]:
    """A subject as the warehouse knows it; names that only accounts merged with it bear are its own."""
    digest = register.hash(portfolio, kind, subject_id)
    entry = next((e for e in register.entries(portfolio) if e.hash == digest), Entry(portfolio, kind, digest, today()))
    names: tuple[str, ...] = ()
    if kind == "account" and tables.holds("account_id", subject_id):
        names = tuple(n for n in tables.names(subject_id) if not tables.others_named(n, merged))
        names += tables.people.of_accounts(merged)
        entry = _with_ledger(entry, tables, subject_id, register)
    if kind == "user":
        names = tables.people.names(subject_id)
    return Subject(portfolio, kind, subject_id, names, entry.pseudonym), entry


def _with_ledger(entry: Entry, tables: Tables, account_id: str, register: Register) -> Entry:
    """The entry with what the ledger needs: segment, month of signing up, and the rows under the pseudonym."""
    known = [row for t in ("stg_accounts", "dim_account", "account_history") for row in tables.rows(t, account_id)]
    segment = next((str(row["segment"]) for row in known if row.get("segment")), None)
    signup = next((row["signup_date"] for row in known if isinstance(row.get("signup_date"), date)), None)
    month = signup.replace(day=1).isoformat()[:10] if signup else None
    named = replace(entry, segment=segment, signup_month=month, gone_on=None)
    kept = {
        part: minimal(table, rows, named, register)
        for part, table in tables.parts(KEPT).items()
        if (rows := tables.rows_of(part, account_id))
    }
    if survivor := tables.survivor(account_id):
        into = register.pseudonym(entry.portfolio, survivor)
        kept["account_aliases"] = [dict(zip(MERGES, (named.pseudonym, into), strict=True))]
    tickets = {register.hash_of_ticket(entry.portfolio, ticket) for ticket in tables.tickets(account_id)}
    return replace(named, kept=kept, tickets=sorted({*entry.tickets, *tickets}))


def _erase_in(
    file: Path, schema: str, about: About, register: Register, clusters: Mapping[str, Cluster] = MappingProxyType({})
) -> None:
    with writing(file) as database:
        database.clusters = dict(clusters)
        Tables(database, schema).erase(about, register)
    rewrite(file)


def _published(home: Path, portfolio: str, about: About, register: Register) -> None:
    file = home / PUBLISHED / f"{portfolio}.duckdb"
    if not file.exists():
        return
    mode = file.stat().st_mode
    file.chmod(mode | 0o200)
    try:
        _erase_in(file, COPY_SCHEMA, about, register)
    finally:
        file.chmod(mode)


def _left_overs(home: Path) -> None:
    """Copies of the data that nobody needs: replaced by a restore, or begun by a program that was killed."""
    for left_over in (path for pattern in LEFT_OVERS for path in home.glob(pattern)):
        shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()


def _backups(home: Home, portfolio: str, about: About, register: Register) -> None:
    for backup in backups(home.folder):
        with writing(backup.warehouse) as database:
            database.clusters = dict(home.clusters)
            Tables(database, portfolio).erase(about, register)
        rewrite_backup(backup)
        for dumped in backup.dumps:  # a dump cannot be changed in place: it goes whole
            content = dumped.read_bytes()
            if any(subject.byte_pattern.search(content) for subject, _ in about):
                forget_dump(backup, dumped)


def _outputs(home: Path, subjects: Sequence[Subject]) -> None:
    for folder in OUTPUTS:
        shutil.rmtree(home / folder / subjects[0].portfolio, ignore_errors=True)
    for file in (f for folder in LOGS for f in (home / folder).rglob("*") if f.is_file()):
        content = file.read_bytes()
        if any(subject.byte_pattern.search(content) for subject in subjects):
            file.unlink()


def _storage(home: Path, servers: Sequence[str], subjects: Sequence[Subject]) -> None:
    for server in servers:
        for subject in subjects:
            blot_out_in(server, subject)
    for file in sorted(path for pattern in ("*.db", "*.sqlite") for path in home.rglob(pattern)):
        if file.is_file() and file.stat().st_size:
            for subject in subjects:
                blot_out(file, subject)
