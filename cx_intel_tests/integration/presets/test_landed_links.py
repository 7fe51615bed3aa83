"""The links of landed tables: Stripe, Zendesk, HubSpot, Salesforce and Intercom say which id belongs to which account."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.landed_tables import Rows, land, landed
from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.vendor_files import Link, links_of, taking, write_lines, write_table

pytestmark = pytest.mark.slow  # a PostgreSQL of its own

START = datetime(2024, 3, 1, tzinfo=UTC)
HUBSPOT: dict[str, Rows] = {
    "company": [
        {"id": 1, "property_name": "Alder", "property_domain": "alder.example", "property_hs_additional_domains": None},
        {
            "id": 2,
            "property_name": "Birch",
            "property_domain": None,
            "property_hs_additional_domains": "b.example;c.example",
        },
        {"id": 3, "property_name": "Gone", "property_domain": "gone.example", "is_deleted": True},
    ],
    "deal": [{"deal_id": 9, "property_closedate": START}],
    "deal_company": [{"deal_id": 9, "company_id": 1}],
}
STRIPE: dict[str, Rows] = {
    "customer": [
        {"id": "cus_1", "name": "Alder GmbH", "email": "x@elsewhere.example", "metadata": '{"crm_id": "1"}'},
        {"id": "cus_2", "name": None, "email": "pay@B.example", "metadata": '{"workspace_id": "ws_2"}'},
        {"id": "cus_3", "name": "Nobody", "email": None, "metadata": None},
    ],
    "subscription_history": [
        {"id": f"sub_{n}", "customer_id": f"cus_{n}", "status": "active", "created": START, "_fivetran_active": True}
        for n in (1, 2, 3)
    ],
    "subscription_item": [
        {"id": f"si_{n}", "subscription_id": f"sub_{n}", "plan_id": "p", "quantity": n} for n in (1, 2, 3)
    ],
    "price": [{"id": "p", "product_id": "x", "currency": "eur", "unit_amount": 10050, "recurring_interval": "month"}],
}
ZENDESK: dict[str, Rows] = {
    "ticket": [{"id": 5, "organization_id": 71, "status": "open", "created_at": START}],
    "organization": [{"id": 71, "name": "Alder", "external_id": "1"}, {"id": 72, "name": "Birch", "external_id": None}],
    "domain_name": [{"organization_id": 72, "index": 0, "domain_name": "c.example"}],
}
SALESFORCE = [("Id1", "https://www.Alder.example/de"), ("Id2", "birch.example"), ("Id3", None)]


@pytest.fixture(scope="module")
def address(database: str) -> str:
    for schema, tables in {"links_hubspot": HUBSPOT, "links_stripe": STRIPE, "links_zendesk": ZENDESK}.items():
        land(database, schema, tables)
    accounts = [{"id": i, "name": i, "website": site, "is_deleted": False} for i, site in SALESFORCE]
    land(database, "links_salesforce", {"account": accounts})
    return database


def entry(preset: str, schema: str, more: str = "") -> str:
    return f"  - {{preset: {preset}, connection: '${{LANDED_AT}}', schema: {schema}{more}}}\n"


def links(book: Portfolio, address: str) -> dict[str, list[Link]]:
    return links_of(book, {"LANDED_AT": address, "ELSEWHERE": address})


def test_of_several_systems_at_once(address: str) -> None:
    more = entry("fivetran_stripe", "links_stripe", ", options: {account_key: crm_id}")
    more += entry("fivetran_zendesk", "links_zendesk")
    found = links(landed("fivetran_hubspot", "links_hubspot", more=more), address)
    assert found == {
        "domain": [
            ("alder.example", "account", "1", None),
            ("b.example", "account", "2", None),
            ("c.example", "account", "2", None),
        ],
        "stripe": [
            ("cus_1", "account", "1", "Alder GmbH"),
            ("cus_1", "domain", "x@elsewhere.example", None),
            ("cus_2", "domain", "pay@B.example", None),
        ],
        "segment": [("ws_2", "stripe", "cus_2", None)],
        "zendesk": [("71", "account", "1", "Alder"), ("72", "domain", "c.example", None)],
    }


def test_of_websites_of_salesforce(address: str, tmp_path: Path) -> None:
    more = entry("fivetran_stripe", "links_stripe")
    expected = [("alder.example", "account", "Id1", None), ("birch.example", "account", "Id2", None)]
    assert links(landed("fivetran_salesforce", "links_salesforce", more=more), address)["domain"] == expected
    write_table(tmp_path / "Account.csv", [{"Id": i, "Name": i, "Website": site} for i, site in SALESFORCE])
    exported = taking("salesforce_export", more=more, folder=str(tmp_path))  # files and landed tables in one query
    assert links(exported, address)["domain"] == expected
    assert len(links(exported, address)["stripe"]) == 2


def test_of_companies_of_intercom(address: str, tmp_path: Path) -> None:
    companies = [
        {"id": "in_1", "company_id": "1", "name": "Alder"},
        {"id": "in_2", "name": "B", "website": "http://b.example"},
    ]
    write_lines(tmp_path / "companies.jsonl", companies)
    more = f"  - {{preset: intercom_export, folder: '{tmp_path}'}}\n" + entry("fivetran_stripe", "links_stripe")
    found = links(landed("fivetran_hubspot", "links_hubspot", more=more), address)
    assert found["intercom"] == [("1", "account", "1", "Alder"), ("in_2", "domain", "b.example", None)]


def test_of_two_connections(address: str) -> None:
    more = "  - {preset: fivetran_zendesk, connection: '${ELSEWHERE}', schema: links_zendesk}\n"
    book = landed("fivetran_hubspot", "links_hubspot", more=more + entry("fivetran_stripe", "links_stripe"))
    assert {system: len(rows) for system, rows in links(book, address).items()} == {
        "domain": 3,
        "stripe": 2,
        "segment": 1,
        "zendesk": 2,
    }


def test_a_refresh_from_landed_tables(address: str, tmp_path: Path) -> None:
    """Two customers are companies, by their metadata and by their domain; the third one is an account of its own."""
    company = SmallCompany(tmp_path)
    company.variables["LANDED_AT"] = address
    company.only("accounts")
    at = {"connection": "${LANDED_AT}"}
    company.settings["sources"] = [
        {"preset": "fivetran_hubspot", **at, "schema": "links_hubspot"},
        {"preset": "fivetran_stripe", **at, "schema": "links_stripe", "options": {"account_key": "crm_id"}},
        {"preset": "fivetran_zendesk", **at, "schema": "links_zendesk"},
    ]
    company.settings["revenue"] = {"basis": "subscriptions"}
    company.tables = {}
    assert company.refresh().succeeded
    month = "revenue_month = DATE '2025-01-01'"
    found = {a: m for a, m in company.values("fct_revenue", "mrr", by="account_id", where=month).items() if m}
    assert found == {"1": Decimal("100.50"), "2": Decimal("201.00"), "stripe:cus_3": Decimal("301.50")}
    assert company.values("stg_support_tickets", "account_id", by="ticket_id") == {"5": "1"}
    assert company.values("stg_subscriptions", "start_date", by="account_id")["1"] == date(2024, 3, 1)
