"""People at customers: how their rows are read, which are one person, and who is called first and why."""

from datetime import date, datetime
from typing import Any

import pytest

from cx_intel.contracts.contacts import stg_contacts
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.core.contacts import dim_contact
from cx_intel.models.staging.tables import rejected_rows
from cx_intel_tests.helpers import staged_rows
from cx_intel_tests.helpers.builders import fetched, kept, portfolio, rows

BOOK = portfolio(["contacts", "usage_events"])
AS_OF = date(2025, 1, 31)
READ = [
    {
        "account_id": "A1",
        "email": "Ada@Acme.example",
        "first_name": "Ada",
        "contact_role": "Executive Sponsor; End User",
    },
    {"account_id": "A1", "contact_name": "Bo Li", "contact_role": "Economic Buyer", "status": "Left"},
    {"account_id": "A2", "email": "pay@b.example", "contact_role": "billing,legal", "status": "on holiday"},
    {"account_id": "A2", "email": "c@b.example", "contact_role": "not a champion yet"},
    {"account_id": "A2", "email": "c at b"},
    {"account_id": "A2", "phone": "123"},
    {"account_id": "A9", "email": "d@d.example"},
    {"account_id": "A2", "email": "PAY@b.example"},
]


@pytest.fixture(scope="module")
def read() -> dict[int, dict[str, Any]]:
    """What staging makes of the rows, by their number from 1."""
    judged = staged_rows.rows.judged(
        staged_rows.raw(READ), table="contacts", portfolio=BOOK, as_of=AS_OF, accounts=staged_rows.accounts()
    )
    found = {row["_row_number"]: row for row in fetched(judged)}
    assert [r["raw_row"] for r in fetched(rejected_rows(judged, table="contacts", portfolio=BOOK))] == [None] * 4
    return found


def test_words_of_role_and_status_are_read_whole(read: dict[int, dict[str, Any]]) -> None:
    flags = ("is_champion", "is_decision_maker", "is_billing_contact", "is_active")
    assert {n: tuple(read[n][flag] for flag in flags) for n in (1, 2, 3, 4)} == {
        1: (True, False, False, True),
        2: (False, True, False, False),
        3: (False, False, True, True),
        4: (False, False, False, True),
    }


def test_a_person_without_an_id_has_one_of_account_and_address_else_name(read: dict[int, dict[str, Any]]) -> None:
    assert [read[n]["contact_id"] for n in (1, 2)] == ["A1/ada@acme.example", "A1/Bo Li"]
    assert (read[1]["email"], read[1]["contact_name"]) == ("ada@acme.example", "Ada")


def test_a_row_that_names_nobody_is_quarantined_without_its_text(read: dict[int, dict[str, Any]]) -> None:
    assert {n: row["_reason"] for n, row in read.items() if row["_reason"]} == {
        3: "duplicate of row 8 of x.csv: the same contact_id",
        5: "email is no address (write name@company.com)",
        6: "the row names nobody (write contact_name or email)",
        7: "account_id 'A9' is not among the accounts",
    }


def person(contact_id: str, **more: Any) -> dict[str, Any]:
    unknown = dict.fromkeys(("is_champion", "is_decision_maker", "is_billing_contact"), False)
    reach = {"email": f"{contact_id}@acme.example".lower()}
    return (
        {"contact_id": contact_id, "account_id": "A1", "contact_name": contact_id, "is_active": True}
        | unknown
        | reach
        | more
    )


PEOPLE = [
    person("Pay", is_billing_contact=True, last_activity_at=datetime(2025, 1, 30)),
    person("Quiet"),
    person("Late", last_activity_at=datetime(2025, 2, 3)),
    person("Used", user_id="U1", last_activity_at=datetime(2024, 12, 1)),
    person("Mailed", last_activity_at=datetime(2025, 1, 5)),
    person("Boss", is_decision_maker=True),
    person("Fan", is_champion=True),
    person("Fan2", is_champion=True, last_activity_at=datetime(2025, 1, 2)),
    person("Mute", is_champion=True, email=None),
    person("Gone", is_champion=True, is_active=False),
    person("2", account_id="A2", email="x@b.example", phone="1", updated_at=datetime(2025, 1, 1), is_champion=True),
    person("1", account_id="A2", email="x@b.example", job_title="CEO", updated_at=datetime(2025, 1, 2)),
]
EVENTS = [
    ("A1", "u1", datetime(2025, 1, 20, 8)),
    ("A1", "u1", datetime(2025, 1, 9, 8)),
    ("A2", "U1", datetime(2025, 1, 30, 8)),
    ("A1", "quiet@acme.example", datetime(2024, 11, 1, 8)),
    ("A2", "X@b.example", datetime(2025, 1, 3, 8)),
]


@pytest.fixture(scope="module")
def people() -> dict[str, dict[str, Any]]:
    events = [
        {"event_id": str(n), "account_id": a, "user_id": u, "event_name": "login", "event_timestamp": at}
        | {"event_date": at.date(), "event_hour": 8, "event_category": "other"}
        for n, (a, u, at) in enumerate(EVENTS)
    ]
    used = kept(rows(STAGING["usage_events"](BOOK), events))
    found = dim_contact(kept(rows(stg_contacts(BOOK), PEOPLE)), used, portfolio=BOOK, as_of=AS_OF)
    return {row["contact_id"]: row for row in fetched(found)}


def test_who_is_called_first_is_told_by_role_else_by_activity(people: dict[str, dict[str, Any]]) -> None:
    ordered = sorted((p for p in people.values() if p["account_id"] == "A1"), key=lambda p: p["call_order"] or 99)
    assert [(p["contact_id"], p["call_order"], p["call_reason"]) for p in ordered] == [
        ("Fan2", 1, "champion"),
        ("Fan", 2, "champion"),
        ("Boss", 3, "decision_maker"),
        ("Used", 4, "latest_activity"),
        ("Mailed", 5, "latest_activity"),
        ("Late", 6, "nothing_known"),
        ("Quiet", 7, "nothing_known"),
        ("Pay", 8, "billing_contact"),
        ("Mute", 9, "champion"),
        ("Gone", None, None),
    ]


def test_use_counts_within_90_days_of_the_account_itself(people: dict[str, dict[str, Any]]) -> None:
    assert people["Used"]["last_used_at"] == people["Used"]["last_activity_at"] == datetime(2025, 1, 20, 8)
    assert people["Quiet"]["last_used_at"] is None
    assert people["1"]["last_used_at"] == datetime(2025, 1, 3, 8)


def test_rows_of_one_address_are_one_person(people: dict[str, dict[str, Any]]) -> None:
    assert "2" not in people
    merged = people["1"]
    assert (merged["contact_name"], merged["job_title"], merged["phone"]) == ("1", "CEO", "1")
    assert (merged["is_champion"], merged["call_reason"]) == (True, "champion")
