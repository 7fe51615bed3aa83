"""Intercom's objects: made-up conversations are tickets of the company of their contact."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.vendor_files import judged, taking, write_lines

SUBSCRIPTIONS = "  - {kind: files, table: subscriptions, path: a.csv}\n"
COUNT = 60
STATES = ("open", "closed", "snoozed")
PRIORITIES = {"priority": "p2", "not_priority": None, "urgent": "p1", "none": None, "low": "p4"}
OPENED = datetime(2025, 4, 1, 8, tzinfo=UTC)
AUTOMATED, ANSWERED, OF_NOBODY = 6, 12, 18


def seconds(at: datetime | None) -> int | None:
    return at and int(at.timestamp())  # type: ignore[return-value]


def opened(n: int) -> datetime:
    return OPENED + timedelta(hours=5 * n)


def replied(n: int) -> datetime | None:
    return opened(n) + timedelta(minutes=10 + n) if n % 4 else None


def closed(n: int) -> datetime | None:
    """One that was closed and opened again has a time of closing too."""
    return opened(n) + timedelta(hours=3 + n) if n % 3 == 1 or n % 5 == 0 else None


def conversation(n: int) -> dict[str, Any]:
    state = STATES[n % 3]
    return {
        "type": "conversation",
        "id": str(500 + n),
        "created_at": seconds(opened(n)),
        "updated_at": seconds(opened(n) + timedelta(days=30)),
        "state": state,
        "open": state == "open",
        "priority": list(PRIORITIES)[n % 5],
        "source": {
            "type": "email",
            "delivered_as": "automated" if n in (AUTOMATED, ANSWERED) else "customer_initiated",
        },
        "contacts": {
            "type": "contact.list",
            "contacts": [{"type": "contact", "id": f"con_{n % 8}"}] if n != OF_NOBODY else [],
        },
        "statistics": {
            "first_contact_reply_at": seconds(opened(n)) if n != AUTOMATED else None,
            "first_admin_reply_at": seconds(replied(n)),
            "last_close_at": seconds(closed(n)),
        },
        "conversation_rating": {"rating": n % 5 + 1} if n % 2 else None,
    }


def company(n: int) -> dict[str, Any]:
    times = {"created_at": seconds(OPENED), "remote_created_at": seconds(OPENED - timedelta(days=n))}
    plan = {"type": "plan", "name": "Pro"} if n % 2 else {}
    return {
        "type": "company",
        "id": f"in_{n}",
        "company_id": f"acc_{n}",
        "name": f"Company {n}",
        "plan": plan,
        "size": 7 * n,
    } | times


def contact(n: int) -> dict[str, Any]:
    return {
        "id": f"con_{n}",
        "role": "user",
        "companies": {"type": "list", "data": [{"type": "company", "id": f"in_{n % 4}"}]},
    }


OBJECTS: dict[str, list[dict[str, Any]]] = {
    "conversations": [conversation(n) for n in range(COUNT)],
    "contacts": [contact(n) for n in range(COUNT)],
    "companies": [company(n) for n in range(COUNT)],
}


def as_lines(folder: Path) -> None:
    for name, objects in OBJECTS.items():
        write_lines(folder / f"{name}.jsonl", objects)


def as_answers(folder: Path) -> None:
    """Pages of the API's lists, as they came."""
    for name, objects in OBJECTS.items():
        key = "conversations" if name == "conversations" else "data"
        for page in range(3):
            answer = {
                "type": "list",
                key: objects[20 * page : 20 * page + 20],
                "total_count": COUNT,
                "pages": {"page": page},
            }
            (folder / f"{name}-{page}.json").write_text(json.dumps(answer))


@pytest.fixture(scope="module", params=[as_lines, pytest.param(as_answers, marks=pytest.mark.slow)])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("intercom")
    write: Callable[[Path], None] = request.param
    write(found)
    return found


def test_companies(folder: Path) -> None:
    rows = {
        r["account_id"]: r
        for r in judged(taking("intercom_export", more=SUBSCRIPTIONS, folder=str(folder)), "accounts")
    }
    assert set(rows) == {f"acc_{n}" for n in range(COUNT)}
    row = rows["acc_3"]
    assert (row["account_name"], row["plan_tier"], row["employee_count"]) == ("Company 3", "pro", 21)
    assert (row["signup_date"], rows["acc_2"]["plan_tier"]) == ((OPENED - timedelta(days=3)).date(), None)


def test_conversations(folder: Path) -> None:
    book = taking("intercom_export", more=SUBSCRIPTIONS, folder=str(folder))
    rows = {int(r["ticket_id"]) - 500: r for r in judged(book, "support_tickets")}
    assert sorted(rows) == [n for n in range(COUNT) if n != AUTOMATED]  # a message that nobody answered is no ticket
    for n, row in rows.items():
        if n == OF_NOBODY:
            assert row["_reason"] == "account_id is missing"
            continue
        assert (row["_reason"], row["account_id"]) == (None, f"acc_{n % 8 % 4}")
        assert (row["status"], row["priority"]) == (
            "resolved" if n % 3 == 1 else "open",
            list(PRIORITIES.values())[n % 5],
        )
        assert row["satisfaction_score"] == (n % 5 + 1 if n % 2 else None)
        assert seconds(row["created_at"].replace(tzinfo=UTC)) == seconds(opened(n))
        times = [(row["first_reply_at"], replied(n)), (row["resolved_at"], closed(n) if n % 3 == 1 else None)]
        for found, expected in times:
            assert found == (expected and expected.replace(tzinfo=None))
        assert (row["category"], row["unknown_status"]) == ("email", None)
