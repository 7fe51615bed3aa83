"""Invoices of Stripe as Fivetran lands them: made-up lines with discounts, tax and credit notes in a PostgreSQL.

What each line is worth is reckoned here in fractions, from what was charged, taken off and taxed.
"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from cx_intel_tests.helpers.landed_tables import Rows, land, landed, staged

pytestmark = pytest.mark.slow  # a PostgreSQL of its own

COUNT = 60
RATE = {"usd": Fraction(1, 100), "jpy": Fraction(67, 10000)}
START = datetime(2024, 1, 1, tzinfo=UTC)
STATUSES = ("paid", "open", "paid", "void", "draft", "uncollectible")
BY_DAY_30, TEST_MODE, DELETED = 30, 17, 23
MORE = "  - {kind: files, table: subscriptions, path: s.csv}\n"


def facts(n: int) -> dict[str, Any]:
    """Invoice `n` has a subscription's line and, each third one, a fee; a fifth off each fourth; tax of 19 % on each other."""
    lines = [10000 + 100 * n, 2500] if n % 3 == 0 else [10000 + 100 * n]
    discount = sum(lines) // 5 if n % 4 == 0 else 0
    net = sum(lines) - discount
    tax = net * 19 // 100 if n % 2 else 0
    return {"lines": lines, "subtotal": sum(lines), "net": net, "tax": tax, "currency": "jpy" if n % 10 == 5 else "usd"}


def tables() -> dict[str, Rows]:
    invoices, lines, credits = [], [], []
    for n in range(COUNT):
        of, at = facts(n), START + timedelta(days=n)
        invoices.append(
            {
                "id": f"in_{n}",
                "customer_id": f"cus_{n % 5}",
                "created": at,
                "status": STATUSES[n % 6],
                "currency": of["currency"],
                "subtotal": of["subtotal"],
                "tax": of["tax"] or None,
                "total": of["net"] + of["tax"],
                "livemode": n != TEST_MODE,
                "is_deleted": n == DELETED,
            }
        )
        for place, amount in enumerate(of["lines"]):
            is_fee = place == 1
            lines.append(
                {
                    "id": f"line_{place}",  # unique within an invoice only, as older lines are
                    "unique_id": f"il_{n}_{place}",
                    "invoice_id": f"in_{n}",
                    "amount": amount,
                    "currency": of["currency"],
                    "type": "invoiceitem" if is_fee else "subscription",
                    "plan_id": None if is_fee else "price_seat",
                    "proration": False,
                    "period_start": at,
                    "period_end": at if is_fee else at + timedelta(days=31),
                    "_fivetran_deleted": False,
                }
            )
        if n in (BY_DAY_30, BY_DAY_30 + 1):
            note = {"id": f"cn_{n}", "invoice_id": f"in_{n}", "created": at + timedelta(days=3), "status": "issued"}
            credits.append(note | {"amount": 1190, "subtotal": 1000, "discount_amount": 0, "livemode": True})
    lines.append(lines[0] | {"unique_id": "il_gone", "_fivetran_deleted": True})
    return {
        "customer": [{"id": f"cus_{n}", "name": f"C{n}"} for n in range(5)],
        "invoice": invoices,
        "invoice_line_item": lines,
        "price": [{"id": "price_seat", "product_id": "prod_seat", "recurring_usage_type": "licensed"}],
        "product": [{"id": "prod_seat", "name": "Seat"}],
        "credit_note": credits,
    }


@pytest.fixture(scope="module")
def rows(database: str) -> dict[str, dict[str, Any]]:
    land(database, "stripe_invoices", tables())
    book = landed("fivetran_stripe", "stripe_invoices", tables="{subscriptions: null, invoices: {}}", more=MORE)
    return {row["invoice_id"]: row for row in staged(book, "invoices", database)}


def test_each_line_less_discount_and_tax(rows: dict[str, dict[str, Any]]) -> None:
    expected = {
        f"il_{n}_{place}": amount * Fraction(facts(n)["net"], facts(n)["subtotal"]) * RATE[facts(n)["currency"]]
        for n in range(COUNT)
        for place, amount in enumerate(facts(n)["lines"])
        if n != TEST_MODE
    }
    lines = {i: row for i, row in rows.items() if row["invoice_type"] == "invoice"}
    assert set(lines) == set(expected)
    assert {row["_reason"] for row in rows.values()} == {None}
    assert [i for i, row in lines.items() if abs(Fraction(row["amount"]) - expected[i]) > Fraction(1, 100)] == []


def test_by_hand(rows: dict[str, dict[str, Any]]) -> None:
    first = rows["il_0_0"]  # 100.00 of 125.00, of which a fifth is off
    assert (first["amount"], first["product_name"], first["usage_type"]) == (80, "seat", "licensed")
    assert (first["period_start"], first["period_end"]) == (date(2024, 1, 1), date(2024, 2, 1))
    fee = rows["il_0_1"]
    assert (fee["line_type"], fee["period_start"], fee["account_id"], fee["status"]) == (
        "invoiceitem",
        None,
        "cus_0",
        "paid",
    )
    assert rows["il_23_0"]["status"] == "deleted"
    assert rows["il_5_0"]["amount"] == Fraction("70.35")  # 10,500 JPY at 0.0067


def test_a_credit_note_takes_from_each_line(rows: dict[str, dict[str, Any]]) -> None:
    credits = {i: row for i, row in rows.items() if row["invoice_type"] == "credit_note"}
    # 10.00 of 130.00 and 25.00: 8.39 and 1.61
    assert {i: (row["amount"], row["credited_invoice_id"]) for i, row in credits.items()} == {
        "cn_30/il_30_0": (Fraction("-8.39"), "il_30_0"),
        "cn_30/il_30_1": (Fraction("-1.61"), "il_30_1"),
        "cn_31/il_31_0": (Fraction("-10"), "il_31_0"),
    }
    assert credits["cn_31/il_31_0"]["invoice_date"] == date(2024, 2, 4)
