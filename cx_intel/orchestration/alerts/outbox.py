"""What is known of problems, what has been told, and the messages on their way, in a SQLite file beside the warehouse.

What a sensor decides is written in one transaction with how far it has listened, so that a restart neither repeats nor
loses anything. A message is deleted in its wording once it has arrived: its text may hold data of customers.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cx_intel.orchestration.alerts.incidents import Problem, Severity

FILE = "alerts.sqlite"
"""Its name, in CX_HOME."""
BUSY_SECONDS = 30
LEASE_SECONDS = 120
"""For so long a message belongs to whoever took it for sending."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 30, 3600
KEPT_SECONDS = 90 * 86400
"""How long it is remembered what was told."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS heard (portfolio TEXT, topic TEXT, event INTEGER, PRIMARY KEY (portfolio, topic));
CREATE TABLE IF NOT EXISTS incident (
    portfolio TEXT, key TEXT, title TEXT, run_id TEXT, opened_at REAL, PRIMARY KEY (portfolio, key));
CREATE TABLE IF NOT EXISTS told (portfolio TEXT, event TEXT, told_at REAL, PRIMARY KEY (portfolio, event));
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, portfolio TEXT, topic TEXT, audience TEXT, title TEXT, body TEXT, files TEXT,
    arrived TEXT, attempts INTEGER, next_at REAL, created_at REAL, done_at REAL, error TEXT, severity TEXT);
"""
ADDED = ("severity TEXT",)
"""Columns of `message` that a file made by an earlier version lacks."""


@dataclass(frozen=True)
class Draft:
    """A message to be sent: to everybody, or to the addresses of one owner."""

    title: str
    body: str
    audience: str = ""
    files: tuple[Path, ...] = ()
    severity: Severity = "info"


@dataclass(frozen=True)
class Message(Draft):
    """A message on its way: `arrived` are the digests of the addresses that have it."""

    id: int = 0
    arrived: frozenset[str] = frozenset()
    attempts: int = 0


class Outbox:
    """The file; every method opens and closes it, so that any process may use it at any time."""

    def __init__(self, path: Path):
        self.path = path

    def heard(self, portfolio: str, topic: str) -> int | None:
        """The last event of the log that was listened to."""
        with self._connection() as c:
            row = c.execute("SELECT event FROM heard WHERE portfolio = ? AND topic = ?", (portfolio, topic)).fetchone()
        return row[0] if row else None

    def incidents(self, portfolio: str) -> dict[str, str]:
        """The problems told and not over: key to title."""
        with self._connection() as c:
            found = c.execute("SELECT key, title FROM incident WHERE portfolio = ? ORDER BY opened_at", (portfolio,))
            return dict(found.fetchall())

    def told(self, portfolio: str) -> set[str]:
        """What is remembered of the lifecycle events that somebody was told of."""
        with self._connection() as c:
            return {e for (e,) in c.execute("SELECT event FROM told WHERE portfolio = ?", (portfolio,))}

    def record(
        self,
        portfolio: str,
        topic: str,
        *,
        now: float,
        heard: int | None = None,
        opened: Sequence[Problem] = (),
        resolved: Mapping[str, str] | None = None,
        told: Collection[str] = (),
        moved: Collection[str] = (),
        drafts: Sequence[Draft] = (),
    ) -> bool:
        """Writes all that was decided, or nothing where another process has listened so far already.

        Args:
            portfolio: Its name.
            topic: Who listens.
            now: Seconds since 1970.
            heard: The last event listened to; None for messages that follow from no event.
            opened: Problems that are new.
            resolved: Problems that are over.
            told: What is to be remembered of lifecycle events.
            moved: What is no longer to be.
            drafts: Messages to send.
        """
        with self._connection() as c:
            if heard is not None:
                changed = c.execute(
                    "INSERT INTO heard VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET event = excluded.event "
                    "WHERE event < excluded.event",
                    (portfolio, topic, heard),
                )
                if not changed.rowcount:
                    return False
            c.executemany(
                "DELETE FROM incident WHERE portfolio = ? AND key = ?", [(portfolio, k) for k in resolved or ()]
            )
            c.executemany(
                "INSERT OR IGNORE INTO incident VALUES (?, ?, ?, ?, ?)",
                [(portfolio, p.key, p.title, p.run_id, now) for p in opened],
            )
            c.executemany("DELETE FROM told WHERE portfolio = ? AND event = ?", [(portfolio, e) for e in moved])
            c.executemany("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", [(portfolio, e, now) for e in told])
            c.executemany(
                "INSERT INTO message (portfolio, topic, audience, title, body, files, severity, arrived, attempts, "
                "next_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, '[]', 0, ?, ?)",
                [(portfolio, topic, *_cells(draft), now, now) for draft in drafts],
            )
            c.execute("DELETE FROM told WHERE told_at < ?", (now - KEPT_SECONDS,))
            c.execute("DELETE FROM message WHERE done_at < ?", (now - KEPT_SECONDS,))
        return True

    def take(self, portfolio: str, topics: Collection[str], now: float) -> Message | None:
        """The next message that is due; for a while nobody else gets it."""
        marks = ", ".join("?" for _ in topics)
        with self._connection() as c:
            row = c.execute(
                "SELECT id, title, body, audience, files, severity, arrived, attempts FROM message WHERE portfolio = ? AND "
                f"topic IN ({marks}) AND done_at IS NULL AND next_at <= ? ORDER BY id LIMIT 1",
                (portfolio, *topics, now),
            ).fetchone()
            if row is None:
                return None
            c.execute("UPDATE message SET next_at = ? WHERE id = ?", (now + LEASE_SECONDS, row[0]))
        number, title, body, audience, files, severity, arrived, attempts = row
        paths = tuple(Path(f) for f in json.loads(files))
        return Message(
            title, body, audience, paths, severity or "info", number, frozenset(json.loads(arrived)), attempts
        )

    def settle(self, message: Message, arrived: Collection[str], failure: str | None, now: float) -> None:
        """Notes how sending went: done, or to be tried again after a wait that doubles.

        Args:
            message: As it was taken.
            arrived: The digests of the addresses that have it now.
            failure: Why others have not; None when all have.
            now: Seconds since 1970.
        """
        wait = min(FIRST_WAIT_SECONDS * 2**message.attempts, LONGEST_WAIT_SECONDS)
        with self._connection() as c:
            c.execute(
                "UPDATE message SET arrived = ?, attempts = attempts + 1, error = ?, next_at = ?, done_at = ? WHERE id = ?",
                (json.dumps(sorted(arrived)), failure, now + wait, None if failure else now, message.id),
            )
            if not failure:
                c.execute("UPDATE message SET body = '', files = '[]' WHERE id = ?", (message.id,))

    def waiting(self, portfolio: str) -> list[tuple[str, int, str]]:
        """The messages that have not arrived: title, attempts, and why the last one failed."""
        with self._connection() as c:
            return c.execute(
                "SELECT title, attempts, coalesce(error, '') FROM message WHERE portfolio = ? AND done_at IS NULL "
                "ORDER BY id",
                (portfolio,),
            ).fetchall()

    def forget(self, portfolio: str) -> None:
        """Removes all that there is of a portfolio, messages on their way included."""
        if self.path.exists():
            with self._connection() as c:
                for table in ("heard", "incident", "told", "message"):
                    c.execute(f"DELETE FROM {table} WHERE portfolio = ?", (portfolio,))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection within one transaction that begins with the right to write."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            connection.executescript(SCHEMA)
            there = {column for _, column, *_ in connection.execute("PRAGMA table_info(message)")}
            for column in (column for column in ADDED if column.partition(" ")[0] not in there):
                with suppress(sqlite3.OperationalError):  # another process was faster
                    connection.execute(f"ALTER TABLE message ADD COLUMN {column}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def _cells(draft: Draft) -> tuple[str, ...]:
    files = json.dumps([str(file) for file in draft.files])
    return draft.audience, draft.title, draft.body, files, draft.severity
