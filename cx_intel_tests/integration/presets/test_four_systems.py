"""A company with HubSpot, Stripe, Zendesk and Segment, from its exports and four presets to MRR, tickets and use.

Alder is linked by the metadata of its customer, under the id of a company that was merged into it; Birch is found by the
domain of its e-mail; nobody knows the third customer.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.vendor_files import write_lines, write_table

AS_OF = date(2025, 1, 31)
START = "2024-12-05T10:00:00Z"

pytestmark = pytest.mark.slow  # a whole refresh


def item(unit: int, quantity: int, interval: str, product: str) -> dict[str, Any]:
    recurring = {"interval": interval, "interval_count": 1, "usage_type": "licensed"}
    return {
        "quantity": quantity,
        "price": {"id": f"price_{product}", "unit_amount": unit, "product": product, "recurring": recurring},
    }


def subscription(n: int, currency: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"id": f"sub_{n}", "customer": f"cus_{n}", "status": "active", "currency": currency, "start_date": START}
    return base | {"livemode": True, "discounts": [], "items": {"data": list(items)}} | more


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    found = SmallCompany(tmp_path_factory.mktemp("four"))
    found.only()
    found.settings["currency"] = {"reporting": "EUR", "rates": {"USD": 0.9, "JPY": 0.006}}
    found.settings["revenue"] = {"basis": "subscriptions"}
    found.settings["usage"] = {}
    found.settings["sources"] = [
        {"preset": "hubspot_export", "folder": "${SMALL_DATA}/hubspot"},
        {"preset": "stripe_export", "folder": "${SMALL_DATA}/stripe"},
        {"preset": "zendesk_export", "folder": "${SMALL_DATA}/zendesk"},
        {
            "preset": "segment_events",
            "folder": "${SMALL_DATA}/segment",
            "tables": {"usage_events": {"max_quarantined_pct": 50}},
        },
    ]
    write_table(
        found.data / "hubspot" / "companies.csv",
        [
            {
                "Record ID": "100",
                "Company name": "Alder",
                "Company Domain Name": "alder.example",
                "Merged Company IDs": "90",
            },
            {
                "Record ID": "200",
                "Company name": "Birch",
                "Company Domain Name": "Birch.example",
                "Merged Company IDs": None,
            },
            {"Record ID": "300", "Company name": "Cedar", "Company Domain Name": None, "Merged Company IDs": None},
        ],
    )
    write_lines(
        found.data / "stripe" / "subscriptions.jsonl",
        [
            subscription(1, "usd", item(1999, 2, "month", "seat"), item(5000, 1, "month", "addon")),
            subscription(2, "jpy", item(240_000, 1, "year", "seat")),
            subscription(3, "usd", item(1000, 1, "month", "seat"), status="trialing", trial_end="2025-01-15T00:00:00Z"),
            subscription(4, "usd", item(99_900, 9, "month", "seat"), livemode=False),
        ],
    )
    write_lines(
        found.data / "stripe" / "customers.jsonl",
        [
            {
                "id": "cus_1",
                "name": "Alder Ltd",
                "email": "x@y.example",
                "metadata": {"hubspot_company_id": "90", "workspace_id": "ws_1"},
            },
            {"id": "cus_2", "name": "Birch Ltd", "email": "pay@BIRCH.example", "metadata": {}},
            {"id": "cus_3", "name": "Unknown Ltd", "email": "someone@gmail.com", "metadata": {}},
        ],
    )
    ticket = {"status": "open", "priority": "high", "created_at": "2025-01-20T09:00:00Z"}
    write_lines(
        found.data / "zendesk" / "tickets.jsonl",
        [ticket | {"id": n, "organization_id": organization} for n, organization in ((1, 71), (2, 72), (3, 72))],
    )
    write_table(
        found.data / "zendesk" / "organizations.csv",
        [
            {"id": 71, "external_id": "100", "domain_names": []},
            {"id": 72, "external_id": None, "domain_names": ["birch.example"]},
        ],
    )
    call = {"type": "track", "event": "Login", "userId": "u1", "timestamp": "2025-01-30T09:00:00Z"}
    write_lines(
        found.data / "segment" / "calls.jsonl",
        [
            call | {"messageId": f"m{n}", "context": {"groupId": group}}
            for n, group in enumerate(("ws_1", "ws_1", "ws_2", "ws_9"))
        ]
        + [
            {
                "messageId": "g",
                "type": "group",
                "groupId": "ws_2",
                "traits": {"domain": "birch.example"},
                "timestamp": START,
            }
        ],
    )
    found.write_settings()
    outcome = found.refresh(AS_OF, write=False)
    assert outcome.succeeded, outcome.failures
    return found


def test_mrr_of_each_account(company: SmallCompany) -> None:
    found = company.values("fct_revenue", "mrr", where="revenue_month = '2025-01-01'")
    assert found == {
        "100": Decimal("80.98"),  # (2 x 19.99 + 50.00) x 0.9
        "200": Decimal("120.00"),  # 240,000 / 12 x 0.006
        "stripe:cus_3": Decimal("9.00"),  # from the end of its trial
    }
    names = company.values("stg_accounts", "account_name")
    assert (names["100"], names["stripe:cus_3"]) == ("Alder", "Unknown Ltd")


def test_tickets_of_each_account(company: SmallCompany) -> None:
    found = company.query("SELECT account_id, count(*), min(priority) FROM fct_tickets GROUP BY 1 ORDER BY 1")
    assert found == [("100", 1, "p2"), ("200", 2, "p2")]


def test_use_of_each_account(company: SmallCompany) -> None:
    assert company.values("fct_usage", "total_events") == {"100": 2, "200": 1}


def test_what_found_no_account(company: SmallCompany) -> None:
    found = company.query("SELECT system, external_id FROM unmatched_accounts ORDER BY 1, 2")
    assert found == [("segment", "ws_9"), ("stripe", "cus_3")]
