"""The small company as its systems have it: billing and help desk with ids of their own, and links between them.

Links of single loads, without a refresh, are in `identity_loads.py`.
"""

from pathlib import Path
from typing import Any

from cx_intel_tests.helpers.small_company import SmallCompany


def with_own_ids(folder: Path) -> SmallCompany:
    """Contracts name customers cus-A01 ..., tickets the domain of an organisation; A10 has no link, A11 only its domain."""
    company = SmallCompany(folder)
    company.only("accounts", "subscriptions", "support_tickets")
    company.settings["reports"] = {"exports": []}
    company.settings["sources"] = [
        *({**s, "system": "billing"} if s["table"] == "subscriptions" else s for s in company.settings["sources"]),
        {"kind": "files", "table": "identity_links", "path": "${SMALL_DATA}/identity_links.csv"},
    ]
    company.source("support_tickets", system="domain")
    for row in company.tables["subscriptions"]:
        row["account_id"] = f"cus-{row['account_id']}"
    for row in company.tables["support_tickets"]:
        row["account_id"] = f"help@{row['account_id']}.example"
    company.tables["support_tickets"].append(
        company.tables["support_tickets"][0] | {"ticket_id": "T9", "account_id": "someone@freemail.example"}
    )
    company.tables["identity_links"] = [*(customer(n) for n in range(1, 10)), by_domain(11), customer(12)]
    company.tables["identity_links"] += [
        {"system": "domain", "external_id": f"a{n:02}.EXAMPLE", "linked_system": "account", "linked_id": f"A{n:02}"}
        for n in range(1, 13)
    ]
    company.tables["identity_links"].append(
        {"system": "billing", "external_id": "cus-A10", "external_name": "Company 10 Ltd"}
    )
    return company


def customer(n: int) -> dict[str, Any]:
    return {"system": "billing", "external_id": f"cus-A{n:02}", "linked_system": "account", "linked_id": f"A{n:02}"}


def by_domain(n: int) -> dict[str, Any]:
    return customer(n) | {"linked_system": "domain", "linked_id": f"billing@A{n:02}.example"}


def files(table: str, name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "files", "table": table, "name": name, "path": f"${{SMALL_DATA}}/{table}_{name}.csv"} | more


def with_two_of_each(folder: Path) -> SmallCompany:
    """A01 to A06 are billed by `old`, the others by `new`, which has its own S01, in cents and German dates.

    The CRM knows when contracts are renewed: one of each system, one that it has for another account, and one of none.
    """
    company = SmallCompany(folder)
    company.only()
    company.settings["reports"] = {"exports": []}
    company.settings["usage"] = {}
    company.settings["sources"] = [
        files("accounts", "crm"),
        files("accounts", "billing", system="billing", owns=["country"]),
        {"kind": "files", "table": "identity_links", "path": "${SMALL_DATA}/identity_links.csv"},
        files("subscriptions", "old"),
        files("subscriptions", "new", system="billing", in_minor_units=True, date_formats=["%d.%m.%Y"]),
        files("subscriptions", "crm", owns=["renewal_date"], delivers="changes"),
    ]
    contracts = [row for row in company.tables["subscriptions"] if row["subscription_id"] != "S04b"]
    new = [
        row
        | {
            "account_id": f"cus-{row['account_id']}",
            "amount": row["amount"] * 100,
            "start_date": f"{row['start_date']:%d.%m.%Y}",
            "subscription_id": "S01" if row["subscription_id"] == "S07" else row["subscription_id"],
        }
        for row in contracts[6:]
    ]
    crm = [row | {"country": "DE", "owner": None} for row in company.tables["accounts"]]
    billing = [
        {"account_id": f"cus-A{n:02}", "country": "AT" if n == 7 else "DE", "owner": "Zoe" if n == 8 else None}
        | {"segment": "Enterprise" if n == 9 else "SMB"}
        for n in (7, 8, 9, 13)
    ]
    links = [
        {"system": "billing", "external_id": f"cus-A{n:02}", "linked_system": "account", "linked_id": f"A{n:02}"}
        for n in range(7, 13)
    ]
    company.tables = {
        "accounts_crm": crm,
        "accounts_billing": billing,
        "identity_links": links,
        "subscriptions_old": contracts[:6],
        "subscriptions_new": new,
        "subscriptions_crm": [
            {"subscription_id": contract, "account_id": account, "renewal_date": f"2025-0{n}-30", "amount": 1}
            for n, contract, account in ((6, "S02", "A02"), (7, "S03", "A05"), (8, "S08", "A08"), (9, "S99", "A09"))
        ],
    }
    return company
