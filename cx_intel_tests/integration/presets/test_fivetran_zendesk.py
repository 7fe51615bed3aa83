"""Zendesk as Fivetran lands it: made-up tickets with their changes and comments as tables of a PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cx_intel_tests.helpers.landed_tables import Rows, land, landed, staged
from cx_intel_tests.helpers.vendor_files import delivered

pytestmark = pytest.mark.slow  # a PostgreSQL of its own

COUNT = 70
MEANING = {"new": "open", "open": "open", "pending": "open", "hold": "open", "solved": "resolved", "closed": "resolved"}
PRIORITIES = {"urgent": "p1", "high": "p2", "normal": "p3", "low": "p4", None: None}
RATINGS = {"good": 5, "bad": 1, "offered": None, None: None}
OPENED = datetime(2025, 3, 1, 8, tzinfo=UTC)
ACCOUNTS = [f"O{n}" for n in range(4)]
MORE = "  - {kind: files, table: accounts, path: a.csv}\n  - {kind: files, table: subscriptions, path: a.csv}\n"
GONE, MERGED, OF_REQUESTER = 13, 14, 15


def ticket(n: int) -> dict[str, Any]:
    """What is so of the ticket `n`."""
    status = list(MEANING)[n % 6]
    opened = OPENED + timedelta(hours=7 * n)
    return {
        "id": 100 + n,
        "status": status,
        "priority": list(PRIORITIES)[n % 5],
        "organization": ACCOUNTS[n % 4],
        "rating": list(RATINGS)[n % 4],
        "opened": opened,
        "replied": opened + timedelta(minutes=30 + n) if n % 3 else None,
        "solved": opened + timedelta(hours=n + 1) if status in ("solved", "closed") else None,
        "was_reopened": n % 4 == 1,
    }


TICKETS = [ticket(n) for n in range(COUNT)]


def changes(t: dict[str, Any]) -> Rows:
    """What ticket_field_history has: a ticket that was reopened was solved twice; a closed one is closed four days later."""
    found: list[tuple[str, datetime, str | None]] = [("status", t["opened"], "new")]
    if t["was_reopened"]:
        found += [
            ("status", t["opened"] + timedelta(minutes=9), "solved"),
            ("status", t["opened"] + timedelta(minutes=19), "open"),
        ]
    if t["solved"]:
        found.append(("status", t["solved"], "solved"))
        if t["status"] == "closed":
            found.append(("status", t["solved"] + timedelta(days=4), "closed"))
    if t["priority"]:
        found += [("priority", t["opened"], "low"), ("priority", t["opened"] + timedelta(minutes=5), t["priority"])]
    if t["rating"]:
        found += [
            ("satisfaction_score", t["opened"], "offered"),
            ("satisfaction_score", t["opened"] + timedelta(days=9), t["rating"]),
        ]
    found.append(("assignee_id", t["opened"], "7"))
    return [{"ticket_id": t["id"], "field_name": f, "updated": at, "value": v} for f, at, v in found]


def comments(t: dict[str, Any]) -> Rows:
    """The customer's words, a note that nobody outside sees, a further customer's comment, and perhaps a reply."""
    found = [
        (900, t["opened"], True),
        (1, t["opened"] + timedelta(minutes=1), False),
        (900, t["opened"] + timedelta(minutes=2), True),
    ]
    if t["replied"]:
        found += [(2, t["replied"] + timedelta(hours=1), True), (1, t["replied"], True)]
    return [{"ticket_id": t["id"], "user_id": user, "created": at, "public": public} for user, at, public in found]


@pytest.fixture(scope="module")
def address(database: str) -> str:
    tickets = [
        {
            "id": t["id"],
            "status": t["status"],
            "priority": t["priority"],
            "type": "question",
            "organization_id": None if n == OF_REQUESTER else t["organization"],
            "requester_id": 901 if n == OF_REQUESTER else 900,
            "created_at": t["opened"],
            "merged_ticket_ids": f"[{100 + MERGED}]" if n == 0 else "[]",
            "_fivetran_deleted": n == GONE,
        }
        for n, t in enumerate(TICKETS)
    ]
    roles = {1: "agent", 2: "admin", 900: "end-user", 901: "end-user"}
    tables = {
        "ticket": tickets,
        "user": [{"id": n, "role": role, "organization_id": "O3" if n == 901 else None} for n, role in roles.items()],
        "ticket_field_history": [row for t in TICKETS for row in changes(t)],
        "ticket_comment": [row for t in TICKETS for row in comments(t)],
    }
    land(database, "zendesk", tables)
    land(database, "zendesk_bare", {"ticket": tickets})
    return database


@pytest.fixture(scope="module")
def rows(address: str) -> dict[int, dict[str, Any]]:
    found = staged(landed("fivetran_zendesk", "zendesk", more=MORE), "support_tickets", address, ACCOUNTS)
    return {int(row["ticket_id"]) - 100: row for row in found}


def test_every_ticket_is_kept(rows: dict[int, dict[str, Any]]) -> None:
    assert {row["_reason"] for row in rows.values()} == {None}
    assert sorted(rows) == list(range(COUNT))


def test_words(rows: dict[int, dict[str, Any]]) -> None:
    meaning = {n: MEANING[t["status"]] for n, t in enumerate(TICKETS)} | {GONE: "left_out", MERGED: "left_out"}
    assert {n: row["status"] for n, row in rows.items()} == meaning
    assert {n: row["priority"] for n, row in rows.items()} == {
        n: PRIORITIES[t["priority"]] for n, t in enumerate(TICKETS)
    }
    assert {n: row["satisfaction_score"] for n, row in rows.items()} == {
        n: RATINGS[t["rating"]] for n, t in enumerate(TICKETS)
    }
    assert {row["unread_rating"] for row in rows.values()} == {None}
    assert (rows[GONE]["source_status"], rows[MERGED]["source_status"]) == ("deleted", "merged")


def test_times(rows: dict[int, dict[str, Any]]) -> None:
    def naive(at: datetime | None) -> datetime | None:
        return at and at.replace(tzinfo=None)

    assert {n: row["created_at"] for n, row in rows.items()} == {n: naive(t["opened"]) for n, t in enumerate(TICKETS)}
    assert {n: row["resolved_at"] for n, row in rows.items()} == {n: naive(t["solved"]) for n, t in enumerate(TICKETS)}
    assert {n: row["first_reply_at"] for n, row in rows.items()} == {
        n: naive(t["replied"]) for n, t in enumerate(TICKETS)
    }


def test_whose_they_are(rows: dict[int, dict[str, Any]]) -> None:
    organizations = {n: t["organization"] for n, t in enumerate(TICKETS)} | {OF_REQUESTER: "O3"}
    assert {n: row["account_id"] for n, row in rows.items()} == organizations


def test_changes_of_status_and_priority(address: str) -> None:
    book = landed("fivetran_zendesk", "zendesk", more=MORE)
    found = delivered(book, "ticket_status_history", {"LANDED_AT": address}).table.to_pylist()
    expected = [c for t in TICKETS for c in changes(t) if c["field_name"] in ("status", "priority")]
    assert len(found) == len(expected)
    assert {row["field"] for row in found} == {"status", "priority"}
    of_first = sorted((row["changed_at"], row["field"], row["value"]) for row in found if row["ticket_id"] == "100")
    assert of_first == [
        ("2025-03-01T08:00:00.000000Z", "priority", "p4"),
        ("2025-03-01T08:00:00.000000Z", "status", "new"),
        ("2025-03-01T08:05:00.000000Z", "priority", "p1"),
    ]


def test_tickets_alone(address: str) -> None:
    found = staged(landed("fivetran_zendesk", "zendesk_bare", more=MORE), "support_tickets", address, ACCOUNTS)
    assert len(found) == COUNT
    assert {row["resolved_at"] for row in found} == {row["first_reply_at"] for row in found} == {None}
    assert [row["_reason"] for row in found if row["_reason"]] == [
        "account_id is missing"
    ]  # known by its requester only
