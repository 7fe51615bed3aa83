"""Zendesk's exports: the same made-up tickets as the API gives them and as tables, with ratings, times and changes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.vendor_files import delivered, judged, taking, write_lines, write_table

COUNT = 60
STATUSES = {
    "new": "open",
    "open": "open",
    "pending": "open",
    "hold": "open",
    "solved": "resolved",
    "closed": "resolved",
}
STATUSES["deleted"] = "left_out"
PRIORITIES = {"urgent": "p1", "high": "p2", "normal": "p3", "low": "p4", None: None}
RATINGS = {"good": 5, "bad": 1, "offered": None, "unoffered": None}
OPENED = datetime(2025, 3, 1, 8, tzinfo=UTC)


def ticket(n: int) -> dict[str, Any]:
    """What is so of the ticket `n`."""
    status = list(STATUSES)[n % 7]
    opened = OPENED + timedelta(hours=7 * n)
    return {
        "id": str(100 + n),
        "status": status,
        "priority": list(PRIORITIES)[n % 5],
        "organization": f"O{n % 4}",
        "rating": list(RATINGS)[n % 4],
        "opened": opened,
        "replied": opened + timedelta(minutes=30 + n) if n % 3 else None,
        "solved": opened + timedelta(hours=n + 1) if status in ("solved", "closed") and n % 11 else None,
        "type": ("problem", "question", None)[n % 3],
    }


def iso(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None


def minutes(t: dict[str, Any]) -> int | None:
    return int((t["replied"] - t["opened"]).total_seconds() // 60) if t["replied"] else None


def as_objects(folder: Path) -> None:
    write_lines(
        folder / "tickets.jsonl",
        [
            {
                "id": int(t["id"]),
                "type": t["type"],
                "status": t["status"],
                "priority": t["priority"],
                "organization_id": t["organization"],
                "created_at": iso(t["opened"]),
                "satisfaction_rating": {"score": t["rating"]},
                "metric_set": {
                    "solved_at": iso(t["solved"]),
                    "reply_time_in_minutes": {"calendar": minutes(t), "business": 1},
                },
            }
            for t in map(ticket, range(COUNT))
        ],
    )


def as_tables(folder: Path) -> None:
    tickets = [ticket(n) for n in range(COUNT)]
    write_table(
        folder / "tickets.csv",
        [
            {"ID": t["id"], "Type": t["type"], "Status": t["status"].title(), "Priority": (t["priority"] or "").upper()}
            | {"Organization ID": t["organization"], "Created at": iso(t["opened"])}
            for t in tickets
        ],
    )
    write_table(
        folder / "ticket_metrics.csv",
        [
            {"ticket_id": t["id"], "solved_at": iso(t["solved"]), "reply_time_in_minutes_calendar": minutes(t)}
            for t in tickets
        ],
    )
    ratings = [{"ticket_id": t["id"], "score": "offered", "updated_at": "2025-01-01T00:00:00Z"} for t in tickets]
    ratings += [{"ticket_id": t["id"], "score": t["rating"], "updated_at": "2025-06-01T00:00:00Z"} for t in tickets]
    write_table(folder / "satisfaction_ratings.csv", ratings)


SHAPES: dict[str, Callable[[Path], None]] = {"objects": as_objects, "tables": as_tables}
ORGANIZATIONS = ("O0", "O1", "O2", "O3")


def book(folder: Path, tables: str = "{}") -> Portfolio:
    files = "".join(f"  - {{kind: files, table: {t}, path: {t}.csv}}\n" for t in ("accounts", "subscriptions"))
    return taking("zendesk_export", tables=tables, more=files, folder=str(folder))


@pytest.mark.parametrize("shape", SHAPES)
def test_tickets(tmp_path: Path, shape: str) -> None:
    SHAPES[shape](tmp_path)
    found = {row["ticket_id"]: row for row in judged(book(tmp_path), "support_tickets", ORGANIZATIONS)}
    assert len(found) == COUNT
    for t in map(ticket, range(COUNT)):
        row = found[t["id"]]
        assert row["_reason"] is None
        assert (row["account_id"], row["priority"]) == (t["organization"], PRIORITIES[t["priority"]])
        assert (row["status"], row["source_status"]) == (STATUSES[t["status"]], t["status"])
        assert (row["satisfaction_score"], row["unread_rating"]) == (RATINGS[t["rating"]], None)
        assert (iso(row["created_at"]), iso(row["resolved_at"])) == (iso(t["opened"]), iso(t["solved"]))
        assert iso(row["first_reply_at"]) == iso(t["replied"])
        assert row["category"] == t["type"]


def test_an_answer_of_the_api_that_was_saved(tmp_path: Path) -> None:
    (tmp_path / "tickets.json").write_text(
        '{"tickets": [{"id": 1, "created_at": "2025-03-01T08:00:00Z", "organization_id": "O1", "status": "open"}], "count": 1}'
    )
    (row,) = judged(book(tmp_path), "support_tickets", ORGANIZATIONS)
    assert (row["ticket_id"], row["status"], row["priority"], row["satisfaction_score"]) == ("1", "open", None, None)


def test_of_a_ticket_that_comes_several_times_the_newest_counts(tmp_path: Path) -> None:
    """An export of what changed gives it once for each change, in files whose names need not say in which order."""
    common = {"created_at": "2025-03-01T08:00:00Z", "organization_id": "O1"}
    at = ("2025-03-02T09:00:00Z", "2025-03-04T09:00:00+02:00", "2025-03-04T08:00:00Z", "2025-03-01T09:00:00Z")
    words = ("solved", "open", "solved", "new")  # 9:00 two hours east is 7:00
    changed = [{"id": 1, "status": word, "updated_at": time, **common} for word, time in zip(words, at, strict=True)]
    write_lines(tmp_path / "tickets_1.jsonl", [*changed[1:], {"id": 2, "status": "open", **common}])
    write_lines(tmp_path / "tickets_2.jsonl", changed[:1])
    rows = judged(book(tmp_path), "support_tickets", ORGANIZATIONS)
    found = {row["ticket_id"]: (row["source_status"], row["_reason"]) for row in rows}
    assert (len(rows), found) == (2, {"1": ("solved", None), "2": ("open", None)})


@pytest.mark.parametrize("at", ["01.03.2025 9:00", "2025-03-02T09:00:00Z"])
def test_versions_of_a_ticket_that_no_time_tells_apart_are_left_to_staging(tmp_path: Path, at: str) -> None:
    """Of rows with one id the last one counts, and the others are named."""
    common = {"created_at": "2025-03-01T08:00:00Z", "organization_id": "O1", "updated_at": at}
    write_lines(tmp_path / "tickets.jsonl", [{"id": 1, "status": word, **common} for word in ("open", "solved")])
    rows = judged(book(tmp_path), "support_tickets", ORGANIZATIONS)
    assert sorted((row["source_status"], row["_reason"] is None) for row in rows) == [("open", False), ("solved", True)]


def test_of_what_else_comes_several_times_the_newest_counts(tmp_path: Path) -> None:
    """Exports of what changed have users, times and ratings again as well."""
    write_lines(
        tmp_path / "tickets.jsonl",
        [{"id": 1, "created_at": "2025-03-01T08:00:00Z", "requester_id": 5, "status": "solved"}],
    )
    at = ("2025-03-03T09:00:00Z", "2025-03-03T10:00:00+02:00")  # the second is 8:00
    of_user = zip(at, ("O1", "O2"), strict=True)
    write_lines(tmp_path / "users.jsonl", [{"id": 5, "organization_id": o, "updated_at": a} for a, o in of_user])
    write_lines(tmp_path / "ticket_metrics.jsonl", [{"ticket_id": 1, "solved_at": a, "updated_at": a} for a in at])
    of_ticket = zip(at, ("bad", "good"), strict=True)
    write_lines(tmp_path / "satisfaction.jsonl", [{"ticket_id": 1, "score": s, "updated_at": a} for a, s in of_ticket])
    (row,) = judged(book(tmp_path), "support_tickets", ORGANIZATIONS)
    assert (row["account_id"], iso(row["resolved_at"]), row["satisfaction_score"]) == ("O1", at[0], 1)


def test_tickets_that_were_merged_into_others(tmp_path: Path) -> None:
    """Zendesk closes them and leaves a tag."""
    tickets = [
        {"id": n, "created_at": "2025-03-01T08:00:00Z", "organization_id": "O1", "status": "closed", "tags": tags}
        for n, tags in enumerate((["vip", "closed_by_merge"], ["vip"], [], None))
    ]
    write_lines(tmp_path / "tickets.jsonl", tickets)
    found = {r["ticket_id"]: r["source_status"] for r in judged(book(tmp_path), "support_tickets", ORGANIZATIONS)}
    assert found == {"0": "merged", "1": "closed", "2": "closed", "3": "closed"}


def test_changes_of_status_and_priority(tmp_path: Path) -> None:
    changes = [("1", "status", "new"), ("1", "priority", "urgent"), ("1", "subject", "x"), ("1", "priority", None)]
    write_table(
        tmp_path / "ticket_field_history.csv",
        [
            {"ticket_id": ticket, "field_name": name, "updated": f"2025-03-01T0{n}:00:00Z", "value": value}
            for n, (ticket, name, value) in enumerate(changes)
        ],
    )
    asked = book(tmp_path, "{ticket_status_history: {}}")
    assert "ticket_status_history" in STAGING
    rows = delivered(asked, "ticket_status_history").table.select(["field", "value"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [("status", "new"), ("priority", "p1"), ("priority", None)]


def test_the_organization_of_who_asked(tmp_path: Path) -> None:
    head = {"created_at": "2025-03-01T08:00:00Z", "status": "open", "organization_id": None}
    write_lines(tmp_path / "tickets.jsonl", [head | {"id": n, "requester_id": 70 + n} for n in (1, 2)])
    write_lines(tmp_path / "users.jsonl", [{"id": 71, "organization_id": "O1"}, {"id": 72, "organization_id": None}])
    found = {
        r["ticket_id"]: (r["account_id"], r["_reason"])
        for r in judged(book(tmp_path), "support_tickets", ORGANIZATIONS)
    }
    assert found == {"1": ("O1", None), "2": (None, "account_id is missing")}


def test_the_first_reply_is_in_the_zone_of_the_ticket(tmp_path: Path) -> None:
    replied = {
        "2025-03-01 08:00:00": "2025-03-01T07:30:00Z",  # of Berlin, as the portfolio says
        "2025-03-01T08:00:00Z": "2025-03-01T08:30:00Z",
        "2025-03-01T08:00:00-05:00": "2025-03-01T13:30:00Z",
    }
    ticket = {"organization_id": "O1", "status": "open"}
    write_table(tmp_path / "tickets.csv", [ticket | {"id": n, "created_at": at} for n, at in enumerate(replied)])
    metrics = [{"ticket_id": n, "reply_time_in_minutes_calendar": 30} for n in range(len(replied))]
    write_table(tmp_path / "ticket_metrics.csv", metrics)
    zoned = book(tmp_path, "{support_tickets: {time_zone: Europe/Berlin}}")
    found = {row["ticket_id"]: iso(row["first_reply_at"]) for row in judged(zoned, "support_tickets", ORGANIZATIONS)}
    assert [found[str(n)] for n in range(len(replied))] == list(replied.values())
