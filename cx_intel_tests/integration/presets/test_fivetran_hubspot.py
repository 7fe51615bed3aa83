"""HubSpot as Fivetran lands it: made-up companies, deals and tickets as tables of a PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cx_intel_tests.helpers.landed_tables import Rows, land, landed, staged

pytestmark = pytest.mark.slow  # a PostgreSQL of its own

COUNT = 60
START = datetime(2024, 1, 10, 9, tzinfo=UTC)
DELETED = 7
PRIORITIES = {"URGENT": "p1", "HIGH": "p2", "MEDIUM": "p3", "LOW": "p4", None: None}
DEAL_KINDS = ("mrr", "arr", "neither", "lost", "deleted", "yen")


def company(n: int) -> dict[str, Any]:
    return {
        "id": 1000 + n,
        "property_name": f"Company {n}",
        "property_industry": "SOFTWARE",
        "property_country": ("Germany", "France", None)[n % 3],
        "property_numberofemployees": 10 * n,
        "property_hubspot_owner_id": (31, 32, None)[n % 3],
        "property_lifecyclestage": "customer",
        "property_customer_segment": ("Enterprise", "SMB")[n % 2],
        "property_createdate": START + timedelta(days=n),
        "property_hs_merged_object_ids": "501;502" if n == 3 else None,
        "property_hs_parent_company_id": 1000 if n == 5 else None,
        "is_deleted": n == DELETED,
    }


def deal(n: int) -> dict[str, Any]:
    """Deal `n` is of company `n`; how it is written goes round the kinds."""
    kind = DEAL_KINDS[n % len(DEAL_KINDS)]
    return {
        "deal_id": 7000 + n,
        "deal_pipeline_id": "default",
        "deal_pipeline_stage_id": "lost" if kind == "lost" else "won_here",
        "property_closedate": START + timedelta(days=n),
        "property_amount": 99999.0,
        "property_hs_mrr": {"mrr": 100.25 + n, "yen": 70000.0}.get(kind),
        "property_hs_arr": 1200.0 + 12 * n if kind in ("arr", "mrr") else None,
        "property_deal_currency_code": "JPY" if kind == "yen" else "USD",
        "property_contract_end_date": datetime(2026, 1, 10, tzinfo=UTC) if kind == "mrr" else None,
        "is_deleted": kind == "deleted",
    }


def tickets() -> Rows:
    return [
        {
            "id": 9000 + n,
            "property_createdate": START + timedelta(hours=n),
            "property_closed_date": START + timedelta(hours=2 * n + 1) if n % 2 else None,
            "property_first_agent_reply_date": START + timedelta(hours=n, minutes=20) if n % 3 else None,
            "property_hs_pipeline_stage": ("1", "4")[n % 2],
            "property_hs_ticket_priority": list(PRIORITIES)[n % 5],
            "property_hs_ticket_category": "BILLING_ISSUE",
            "is_deleted": n == 4,
        }
        for n in range(COUNT)
    ]


@pytest.fixture(scope="module")
def address(database: str) -> str:
    associations = [{"deal_id": 7000 + n, "company_id": 1000 + n, "type_id": 5} for n in range(COUNT)]
    associations += [{"deal_id": 7000 + n, "company_id": 999, "type_id": 341} for n in range(COUNT)]
    land(
        database,
        "hubspot",
        {
            "company": [company(n) for n in range(COUNT)],
            "owner": [
                {"owner_id": 31, "first_name": "Ines", "last_name": "Roth", "email": "ines@x.de"},
                {"owner_id": 32, "first_name": None, "last_name": None, "email": "jo@x.de"},
            ],
            "deal": [deal(n) for n in range(COUNT)],
            "deal_company": associations,
            "deal_pipeline": [{"pipeline_id": "default", "label": "Sales"}],
            "deal_pipeline_stage": [
                {"stage_id": "won_here", "closed_won": True},
                {"stage_id": "lost", "closed_won": False},
            ],
            "ticket": tickets(),
            "ticket_company": [{"ticket_id": 9000 + n, "company_id": 1000 + n, "type_id": 26} for n in range(COUNT)],
            "ticket_pipeline_stage": [
                {"stage_id": "1", "ticket_state": "OPEN", "is_closed": False},
                {"stage_id": "4", "ticket_state": "CLOSED", "is_closed": True},
            ],
        },
    )
    return database


def read(address: str, table: str, key: str, more: str = "") -> dict[int, dict[str, Any]]:
    found = staged(landed("fivetran_hubspot", "hubspot", more=more), table, address)
    return {int(row[key]) % 1000: row for row in found}


def test_companies(address: str) -> None:
    rows = read(address, "accounts", "account_id")
    assert sorted(rows) == [n for n in range(COUNT) if n != DELETED]
    owners = {0: "Ines Roth", 1: "jo@x.de", 2: None}
    countries = {0: "DE", 1: "FR", 2: None}
    for n, row in rows.items():
        assert (row["account_name"], row["owner"]) == (f"Company {n}", owners[n % 3])
        assert (row["employee_count"], row["segment"]) == (10 * n, ("Enterprise", "SMB")[n % 2])
        assert row["signup_date"] == (START + timedelta(days=n)).date()
        assert row["country"] == countries[n % 3]
    assert (rows[5]["parent_account_id"], rows[6]["parent_account_id"]) == ("1000", None)


def test_merged_companies(address: str) -> None:
    rows = staged(landed("fivetran_hubspot", "hubspot"), "account_aliases", address)
    assert sorted((r["old_account_id"], r["account_id"], r["_reason"]) for r in rows) == [
        ("501", "1003", None),
        ("502", "1003", None),
    ]


def test_won_deals(address: str) -> None:
    rows = read(address, "subscriptions", "subscription_id")
    kinds = {n: DEAL_KINDS[n % 6] for n in range(COUNT)}
    assert sorted(rows) == [n for n in range(COUNT) if kinds[n] not in ("lost", "deleted")]
    for n, row in rows.items():
        assert row["account_id"] == str(1000 + n)
        if kinds[n] == "neither":
            assert "the deal states neither MRR nor ARR" in row["_reason"]
        elif n != DELETED:
            expected = {"mrr": Decimal("100.25") + n, "arr": 100 + n, "yen": Decimal("469")}  # 70,000 JPY at 0.0067
            assert (row["_reason"], row["mrr_amount"]) == (None, expected[kinds[n]])
            assert (row["start_date"], row["product_name"]) == ((START + timedelta(days=n)).date(), "sales")
    assert rows[0]["end_date"] == date(2026, 1, 10)
    assert "is not among the accounts" in rows[DELETED]["_reason"]


def test_tickets(address: str) -> None:
    rows = read(address, "support_tickets", "ticket_id")
    assert sorted(rows) == list(range(COUNT))
    for n, row in rows.items():
        status = "left_out" if n == 4 else "resolved" if n % 2 else "open"
        assert (row["status"], row["priority"]) == (status, list(PRIORITIES.values())[n % 5])
        closed, replied = START + timedelta(hours=2 * n + 1), START + timedelta(hours=n, minutes=20)
        assert row["resolved_at"] == (closed.replace(tzinfo=None) if n % 2 else None)
        assert row["first_reply_at"] == (replied.replace(tzinfo=None) if n % 3 else None)
        assert row["account_id"] == str(1000 + n)


def test_contracts_and_tickets_of_other_systems_come_first() -> None:
    more = (
        "  - {kind: files, table: subscriptions, path: a.csv}\n  - {kind: files, table: support_tickets, path: a.csv}\n"
    )
    found = landed("fivetran_hubspot", "hubspot", more=more)
    assert found.presets == {"fivetran_hubspot": ["accounts", "account_aliases"]}
