"""From a folder of exports of four vendors to a right MRR: what `cx-intel init` drafts, and one changed line."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from cx_intel_tests.helpers.vendor_files import write_lines, write_table

pytestmark = pytest.mark.slow

CALLS = ("2025-06-27", "2025-06-28", "2025-06-30")


def seconds(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def company(record: int, name: str, domain: str) -> dict[str, object]:
    return {
        "Record ID": record,
        "Company name": name,
        "Company Domain Name": domain,
        "Additional Domains": "",
        "Country/Region": "Germany",
        "Industry": "RETAIL",
        "Number of Employees": 50,
        "Company owner": "Ines",
        "Customer Segment": "Mid-Market",
        "Lifecycle Stage": "customer",
        "Parent Company ID": "",
        "Merged Company IDs": "",
        "Create Date": "2024-01-10 09:00",
    }


def customer(id: str, email: str, **metadata: str) -> dict[str, object]:
    stated = {"id": id, "object": "customer", "email": email, "name": f"Firm of {id}", "currency": "usd"}
    return stated | {"created": seconds("2024-01-10"), "livemode": True, "discount": None, "metadata": metadata}


def item(unit: int, quantity: int, interval: str, product: str) -> dict[str, object]:
    recurring = {"interval": interval, "interval_count": 1, "usage_type": "licensed"}
    price = {"id": f"price_{unit}", "product": product, "unit_amount": unit, "unit_amount_decimal": str(unit)}
    return {"id": f"si_{unit}", "quantity": quantity, "price": price | {"recurring": recurring}}


def subscription(n: int, currency: str, *items: dict[str, object], **more: object) -> dict[str, object]:
    dates = dict.fromkeys(("cancel_at", "canceled_at", "ended_at", "trial_end", "pause_collection", "discount"))
    stated = {
        "id": f"sub_{n}",
        "object": "subscription",
        "customer": f"cus_{n}",
        "currency": currency,
        "livemode": True,
    }
    stated |= {"status": "active", "start_date": seconds("2024-03-01"), "created": seconds("2024-03-01"), **dates}
    stated |= {"cancel_at_period_end": False, "current_period_end": seconds("2026-03-01")}
    return stated | {"items": {"object": "list", "data": list(items)}} | more


def write_exports(folder: Path) -> None:
    """Alder pays 2 x 50.00 and 20.00 less a tenth, Birch 360,000 yen a year, a private buyer 50.00 EUR; Dogwood is on trial."""
    write_table(
        folder / "crm" / "companies.csv",
        [
            company(101, "Alder Foods", "alder.example"),
            company(102, "Birch Logistics", "birch.example"),
            company(104, "Dogwood Design", "dogwood.example"),
        ],
    )
    write_lines(
        folder / "stripe" / "customers.jsonl",
        [
            customer("cus_1", "pay@bank.example", hubspot_company_id="101", workspace_id="ws_1"),
            customer("cus_2", "office@Birch.example", workspace_id="ws_2"),
            customer("cus_3", "someone@mail.example"),
            customer("cus_4", "a@dogwood.example"),
        ],
    )
    coupon = {"id": "TEN", "percent_off": 10, "amount_off": None, "duration": "forever"}
    write_lines(
        folder / "stripe" / "subscriptions.jsonl",
        [
            subscription(
                1,
                "usd",
                item(5000, 2, "month", "Suite"),
                item(2000, 1, "month", "Reports"),
                discount={"coupon": coupon},
            ),
            subscription(2, "jpy", item(360_000, 1, "year", "Suite")),
            subscription(3, "eur", item(5000, 1, "month", "Suite")),
            subscription(4, "usd", item(9900, 1, "month", "Suite"), status="trialing", trial_end=seconds("2025-07-15")),
        ],
    )
    for day in CALLS:
        calls = [
            {
                "messageId": f"m-{day}-{n}",
                "type": "track",
                "event": "Report Created",
                "userId": f"u{n}",
                "properties": {},
                "context": {"groupId": f"ws_{n}"},
                "timestamp": f"{day}T08:00:00.000Z",
            }
            for n in (1, 2)
        ]
        write_lines(folder / "segment" / f"events-{day}.jsonl", calls)
    write_lines(
        folder / "intercom" / "companies.jsonl",
        [{"id": "ic_1", "company_id": "101", "name": "Alder", "website": "https://alder.example", "created_at": 1}],
    )
    write_lines(
        folder / "intercom" / "contacts.jsonl", [{"id": "c_1", "companies": {"type": "list", "data": [{"id": "ic_1"}]}}]
    )
    talk = {"id": "900", "created_at": seconds("2025-06-20"), "state": "open", "open": True, "priority": "priority"}
    talk |= {"source": {"type": "email", "delivered_as": "customer_initiated"}, "statistics": {}}
    talk |= {"contacts": {"contacts": [{"id": "c_1"}]}, "conversation_rating": None}
    write_lines(folder / "intercom" / "conversations.jsonl", [talk])


def cx_intel(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("CX_", "DAGSTER_"))}
    own |= {"CX_HOME": str(folder / "home"), "CX_PORTFOLIOS": str(folder / "portfolios"), "COLUMNS": "200"}
    command = [str(Path(sys.executable).with_name("cx-intel")), *words]
    return subprocess.run(command, env=own | variables, capture_output=True, text=True, timeout=300, check=False)


def test_exports_of_four_vendors_give_their_mrr(tmp_path: Path) -> None:
    exports, draft = tmp_path / "exports", tmp_path / "portfolios" / "firm.yaml"
    write_exports(exports)
    draft.parent.mkdir()

    made = cx_intel(tmp_path, "init", str(exports), "--name", "firm", "--output", str(draft))
    assert made.returncode == 0, made.stderr
    text = draft.read_text()
    assert "# Amounts in EUR, JPY need a rate" in text or "# Amounts in JPY, EUR need a rate" in text
    before = "currency: {reporting: USD}"
    assert before in text
    draft.write_text(text.replace(before, "currency: {reporting: USD, rates: {EUR: 1.08, JPY: 0.0067}}"))
    done = cx_intel(tmp_path, "refresh", "firm", FIRM_DATA=str(exports))

    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(tmp_path / "home" / "warehouse.duckdb", read_only=True) as con:
        con.execute("USE firm")
        paid = con.execute("SELECT account_id, mrr FROM fct_revenue WHERE revenue_month = DATE '2025-06-01'").fetchall()
        used = con.execute("SELECT account_id, count(*) FROM stg_usage_events GROUP BY ALL ORDER BY 1").fetchall()
        asked = con.execute("SELECT account_id, ticket_id, priority FROM stg_support_tickets").fetchall()
        lost = con.execute("SELECT external_id, mrr FROM unmatched_accounts").fetchall()
    assert dict(paid) == {  # 0.9 x 120.00; 360,000 / 12 x 0.0067; 50.00 x 1.08
        "101": Decimal("108.00"),
        "102": Decimal("201.00"),
        "stripe:cus_3": Decimal("54.00"),
    }
    assert used == [("101", 3), ("102", 3)]
    assert asked == [("101", "900", "p2")]
    assert lost == [("cus_3", Decimal("54.00"))]
