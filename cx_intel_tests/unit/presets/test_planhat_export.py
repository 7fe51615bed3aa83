"""Planhat's objects as the API gives them: licences by month and by period, answers, reviews, owners and links."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.vendor_files import judged, links_of, taking, write_lines

C1, C2, C3 = "60228884d40bd001fb4b6e51", "60228884d40bd001fb4b6e52", "60228884d40bd001fb4b6e53"
COMPANIES = [
    {"_id": C1, "name": "Tenet", "externalId": "001A", "sourceId": "SF-1", "owner": "58e2", "status": "customer",
     "country": "SE", "customerFrom": "2024-05-01T00:00:00.000Z", "domains": ["tenet.example"], "custom": {"Segment": "SMB"}},
    {"_id": C2, "name": "Yolo", "externalId": "001B", "owner": {"_id": "58e3", "nickName": "Bo"}, "status": "canceled",
     "createDate": 1714521600000, "web": "https://www.yolo.example/home", "custom": {}},
    {"_id": C3, "name": "Maybe", "status": "prospect", "custom": {}},
]  # fmt: skip
USERS = [{"_id": "58e2", "firstName": "Ann", "lastName": "Lee", "nickName": "annie"}]
LICENSES = [
    # 12,000 for a year; 300 a month; a month for 90; lost, with its end; neither value nor MRR; by milliseconds
    {"_id": "L1", "companyId": C1, "product": "Suite", "_currency": "USD", "fixedPeriod": True, "value": 12000, "mrr": 986.3,
     "fromDate": "2025-01-01T00:00:00.000Z", "toDate": "2025-12-31T00:00:00.000Z", "renewalStatus": "ongoing",
     "renewalDate": "2025-12-31T00:00:00.000Z"},
    {"_id": "L2", "companyId": C1, "product": "Support", "_currency": "EUR", "fixedPeriod": False, "mrr": 300, "value": 300,
     "fromDate": "2025-02-01T00:00:00.000Z", "status": "ongoing"},
    {"_id": "L3", "companyId": C1, "_currency": "USD", "fixedPeriod": True, "value": 90,
     "fromDate": "2025-06-01", "toDate": "2025-06-30", "status": "renewed"},
    {"_id": "L4", "companyId": C2, "_currency": "USD", "fixedPeriod": False, "mrr": 50,
     "fromDate": "2024-05-01T00:00:00.000Z", "toDate": "2025-07-31T00:00:00.000Z", "renewalStatus": "lost"},
    {"_id": "L5", "companyId": C1, "_currency": "USD", "fixedPeriod": False, "fromDate": "2025-01-01"},
    {"_id": "L6", "companyId": C1, "_currency": "USD", "fixedPeriod": False, "mrr": 0, "fromDate": 1735689600000},
]  # fmt: skip
NPS = [
    {"_id": "N1", "cId": C1, "email": "a@tenet.example", "score": 9, "dateSent": "2025-06-07T04:36:44Z",
     "dateAnswered": "2025-06-08T15:25:44Z"},
    {"_id": "N2", "companyId": C1, "score": 0, "created": 1749396344000},
    {"_id": "N3", "cId": C1, "dateSent": "2025-06-07T04:36:44Z"},  # not answered
    {"_id": "N4", "email": "Bo@Yolo.example", "score": 7, "dateAnswered": "2025-06-08T15:25:44Z"},
    {"_id": "N5", "euId": "E2", "score": 8, "dateAnswered": "2025-06-08T15:25:44Z"},
]  # fmt: skip
ENDUSERS = [
    {"_id": "E1", "companyId": C2, "email": "bo@yolo.example"},
    {"_id": "E2", "companyId": C1, "email": "x@tenet.example"},
]
TASKS = [
    {"_id": "T1", "companyId": C1, "mainType": "event", "type": "QBR", "action": "Q2", "isArchived": True,
     "dateDone": "2025-05-20T10:00:00.000Z"},
    {"_id": "T2", "companyId": C1, "mainType": "task", "action": "Quarterly business review", "status": "In-progress"},
    {"_id": "T3", "companyId": C1, "mainType": "task", "type": "Training", "isArchived": True, "endTime": "2025-05-21T00:00:00Z"},
    {"_id": "T4", "mainType": "task", "action": "of nobody"},
    {"_id": "T5", "companyId": C1, "mainType": "task", "action": "QBR held fell", "isArchived": True,
     "sourceId": "0123456789abcdef-A1"},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    listed = {
        "companies": COMPANIES,
        "users": USERS,
        "licenses": LICENSES,
        "nps": NPS,
        "endusers": ENDUSERS,
        "tasks": TASKS,
    }
    for name, objects in listed.items():
        write_lines(tmp_path / f"{name}.jsonl", objects)
    return tmp_path


def rows(folder: Path, table: str, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in judged(taking("planhat_export", folder=str(folder)), table)}


def test_companies_but_not_prospects(folder: Path) -> None:
    found = rows(folder, "accounts", "account_id")
    told = {
        id_: (r["account_name"], r["owner"], r["status"], r["segment"], r["signup_date"]) for id_, r in found.items()
    }
    assert told == {
        C1: ("Tenet", "Ann Lee", "customer", "SMB", date(2024, 5, 1)),
        C2: ("Yolo", "Bo", "canceled", None, date(2024, 5, 1)),
    }


@pytest.mark.slow
def test_licences(folder: Path) -> None:
    found = rows(folder, "subscriptions", "subscription_id")
    assert found["L5"]["_reason"] is not None
    valid = {id_: row for id_, row in found.items() if id_ != "L5"}
    assert {id_: row["_reason"] for id_, row in valid.items()} == dict.fromkeys(valid)
    mrr = {id_: row["mrr_amount"] for id_, row in valid.items()}
    assert mrr == {  # 12,000 / 12; 300 EUR at 1.1
        "L1": Decimal(1000), "L2": Decimal(330), "L3": Decimal(90), "L4": Decimal(50), "L6": Decimal(0)
    }  # fmt: skip
    ends = {id_: row["end_date"] for id_, row in valid.items()}
    assert ends["L1"] == date(2026, 1, 1)
    assert (ends["L2"], ends["L3"]) == (None, date(2025, 7, 1))
    assert (valid["L1"]["renewal_date"], valid["L1"]["term_months"]) == (date(2025, 12, 31), 12)
    assert (valid["L4"]["status"], valid["L4"]["cancel_at"]) == ("non_renewing", date(2025, 8, 1))
    assert valid["L6"]["start_date"] == date(2025, 1, 1)


def test_answers(folder: Path) -> None:
    found = rows(folder, "nps_responses", "response_id")
    told = {id_: (r["account_id"], r["score"], r["responded_at"]) for id_, r in found.items()}
    answered = datetime(2025, 6, 8, 15, 25, 44)
    assert told == {
        "N1": (C1, 9, answered),
        "N2": (C1, 0, answered),
        "N4": (C2, 7, answered),
        "N5": (C1, 8, answered),
    }


def test_reviews_and_other_tasks(folder: Path) -> None:
    found = rows(folder, "csm_activities", "activity_id")
    told = {id_: (r["activity_type"], r["status"], r["completed_at"]) for id_, r in found.items()}
    assert told == {
        "T1": ("qbr", "done", datetime(2025, 5, 20, 10)),
        "T2": ("qbr", "in-progress", None),
        "T3": ("training", "done", datetime(2025, 5, 21)),
    }


def test_beside_a_crm_companies_are_led_to_its_accounts(folder: Path) -> None:
    more = (
        "  - {kind: files, table: accounts, path: accounts.csv}\n  - {kind: files, table: subscriptions, path: s.csv}\n"
    )
    book = taking("planhat_export", more=more, folder=str(folder))
    assert "accounts" not in [source.table for source in book.sources if source.preset]  # type: ignore[union-attr]
    assert links_of(book)["planhat"] == [
        (C1, "account", "001A", "Tenet"),
        (C1, "account", "SF-1", "Tenet"),
        (C1, "domain", "tenet.example", None),
        (C2, "account", "001B", "Yolo"),
        (C2, "domain", "https://www.yolo.example/home", None),
    ]
