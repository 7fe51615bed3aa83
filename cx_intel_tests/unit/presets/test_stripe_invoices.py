"""Stripe's invoices: the same made-up lines as objects of two versions of its API and as tables, with credit notes."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.vendor_files import judged, taking, write_lines, write_table

pytestmark = pytest.mark.slow

SETTINGS = "revenue: {basis: invoices}"
COUNT = 50


def invoice(n: int, **changes: Any) -> dict[str, Any]:
    """A monthly invoice of one line, and what is so of it."""
    line = {
        "id": f"il_{n}",
        "amount": 10_000 + n,
        "discount": 1000 if n % 5 == 0 else 0,
        "type": "subscription",
        "proration": False,
    }
    base = {"id": f"in_{n}", "customer": f"cus_{n % 7}", "status": "paid", "currency": "usd", "tax": 0, "live": True}
    return base | {"day": date(2025, 1 + n % 6, 5), "lines": [line]} | changes


def further(of: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A further line of an invoice."""
    return {"id": of["id"].replace("in", "il") + "_2", "discount": 0, "type": "subscription", "proration": False} | more


ALL = [invoice(n) for n in range(COUNT)]
ALL.append(invoice(100, status="open", currency="jpy", tax=1000))  # 10,100 JPY and 1,000 of tax
ALL.append(invoice(101, status="void"))
ALL.append(invoice(102, live=False))
ALL[3]["lines"].append(further(ALL[3], amount=150_000, type="invoiceitem"))
ALL[4]["lines"].append(further(ALL[4], amount=-2000, proration=True))
PRICE = {"id": "price_1", "product": "prod_1", "recurring": {"interval": "month", "usage_type": "licensed"}}
CREDITS = [
    {
        "id": "cn_1",
        "invoice": "in_3",
        "amount": 16_000,
        "status": "issued",
    },  # 10 % of its two lines: 10,003 and 150,000
    {"id": "cn_2", "invoice": "in_6", "amount": 10_006, "status": "void"},
]


def after(day: date) -> date:
    return date(day.year, day.month + 1, day.day)


def as_objects(folder: Path, version: int) -> None:
    def line(of: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        end = of["day"] if given["type"] == "invoiceitem" else after(of["day"])
        found = {"id": given["id"], "amount": given["amount"], "discount_amounts": [{"amount": given["discount"]}]}
        found["period"] = {"start": f"{of['day']}T10:00:00Z", "end": f"{end}T10:00:00Z"}
        if version == 2024:
            return found | {"type": given["type"], "proration": given["proration"], "price": PRICE}
        kind = {"subscription": "subscription_item_details", "invoiceitem": "invoice_item_details"}[given["type"]]
        parent = {"type": kind, kind: {"proration": given["proration"]}}
        return found | {"parent": parent, "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}}}

    write_lines(
        folder / "invoices.jsonl",
        [
            {
                "id": i["id"],
                "customer": i["customer"],
                "status": i["status"],
                "currency": i["currency"],
                "livemode": i["live"],
            }
            | {
                "created": f"{i['day']}T10:00:00Z",
                "lines": {"has_more": False, "data": [line(i, g) for g in i["lines"]]},
            }
            for i in ALL
        ],
    )
    write_lines(folder / "prices.jsonl", [PRICE])
    write_lines(folder / "credit_notes.jsonl", [c | {"created": "2025-06-20T10:00:00Z"} for c in CREDITS])


def as_tables(folder: Path) -> None:
    write_table(
        folder / "invoices.csv",
        [
            {
                "id": i["id"],
                "customer_id": i["customer"],
                "status": i["status"],
                "currency": i["currency"],
                "tax": i["tax"],
            }
            | {
                "total": sum(g["amount"] - g["discount"] for g in i["lines"]) + i["tax"],
                "created": f"{i['day']} 10:00:00",
            }
            | {"livemode": i["live"]}
            for i in ALL
        ],
    )
    write_table(
        folder / "invoice_line_items.csv",
        [
            {
                "id": g["id"],
                "invoice_id": i["id"],
                "amount": g["amount"],
                "discount_amount": g["discount"],
                "type": g["type"],
            }
            | {"proration": g["proration"], "price_id": "price_1", "period_start": f"{i['day']} 10:00:00"}
            | {"period_end": f"{i['day'] if g['type'] == 'invoiceitem' else after(i['day'])} 10:00:00"}
            for i in ALL
            for g in i["lines"]
        ],
    )
    write_table(folder / "prices.csv", [{"id": "price_1", "product_id": "prod_1", "recurring_usage_type": "licensed"}])
    credits = [{"invoice_id" if k == "invoice" else k: v for k, v in c.items()} for c in CREDITS]
    write_table(folder / "credit_notes.csv", [c | {"created": "2025-06-20"} for c in credits])


SHAPES: dict[str, Callable[[Path], None]] = {
    "objects of 2024": lambda folder: as_objects(folder, 2024),
    "objects of 2025": lambda folder: as_objects(folder, 2025),
    "tables": as_tables,
}
CUSTOMERS = [f"cus_{n}" for n in range(7)]


@pytest.fixture(scope="module", params=SHAPES)
def staged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("stripe")
    SHAPES[request.param](folder)
    book = taking("stripe_export", SETTINGS, tables="{invoices: {}}", folder=str(folder))
    return {row["invoice_id"]: row for row in judged(book, "invoices", CUSTOMERS)}


def test_every_line_of_live_mode(staged: dict[str, dict[str, Any]]) -> None:
    lines = {line["id"] for i in ALL if i["live"] for line in i["lines"]}
    assert set(staged) == {*lines, "cn_1/il_3", "cn_1/il_3_2", "cn_2/il_6"}
    assert {row["_reason"] for row in staged.values()} == {None}


def test_amounts_are_less_the_discount(staged: dict[str, dict[str, Any]]) -> None:
    for n in range(COUNT):
        assert staged[f"il_{n}"]["amount"] == Decimal(10_000 + n - (1000 if n % 5 == 0 else 0)) / 100
        assert (staged[f"il_{n}"]["account_id"], staged[f"il_{n}"]["product_name"]) == (f"cus_{n % 7}", "prod_1")
    assert staged["il_100"]["amount"] == Decimal("60.97")  # 10,100 - 1,000 JPY at 0.0067, without tax


def test_periods_and_months(staged: dict[str, dict[str, Any]]) -> None:
    row = staged["il_1"]
    assert (row["period_start"], row["period_end"]) == (date(2025, 2, 5), date(2025, 3, 5))
    assert (row["mrr_amount"], row["invoice_date"]) == (Decimal("100.01"), date(2025, 2, 5))


def test_what_does_not_recur(staged: dict[str, dict[str, Any]]) -> None:
    assert (staged["il_1"]["non_recurring"], staged["il_1"]["line_type"]) == (None, "subscription")
    assert staged["il_3_2"]["non_recurring"]
    assert staged["il_3_2"]["period_start"] is None
    assert staged["il_4_2"]["non_recurring"]
    assert staged["il_4_2"]["amount"] == -20


def test_statuses(staged: dict[str, dict[str, Any]]) -> None:
    assert [staged[n]["status"] for n in ("il_1", "il_100", "il_101")] == ["paid", "open", "void"]


def test_a_credit_note_is_shared_by_the_lines_of_its_invoice(staged: dict[str, dict[str, Any]]) -> None:
    first, second = staged["cn_1/il_3"], staged["cn_1/il_3_2"]
    assert (first["amount"], second["amount"]) == (Decimal("-10.00"), Decimal("-150.00"))
    assert (first["credited_invoice_id"], first["invoice_type"]) == ("il_3", "credit_note")
    assert (first["non_recurring"], bool(second["non_recurring"])) == (None, True)
    assert staged["cn_2/il_6"]["status"] == "void"


def test_lines_that_the_api_cut_off_are_quarantined(tmp_path: Path) -> None:
    lines = {"has_more": True, "data": [{"id": "il_1", "amount": 100, "type": "subscription"}]}
    head = {"id": "in_1", "customer": "cus_1", "status": "paid", "currency": "usd", "created": "2025-01-05"}
    write_lines(tmp_path / "invoices.jsonl", [head | {"lines": lines}])
    book = taking("stripe_export", SETTINGS, tables="{invoices: {}}", folder=str(tmp_path))
    (row,) = judged(book, "invoices", CUSTOMERS)
    assert "only its first lines are delivered" in row["_reason"]
    whole = [{"id": f"il_{n}", "invoice_id": "in_1", "amount": 100, "type": "subscription"} for n in (1, 2)]
    write_table(tmp_path / "invoice_line_items.csv", whole)
    assert {row["invoice_id"]: row["_reason"] for row in judged(book, "invoices", CUSTOMERS)} == {
        "il_1": None,
        "il_2": None,
    }


def test_an_invoice_that_was_paid_between_two_exports(tmp_path: Path) -> None:
    """Its credit note is worth what it is, however often the invoice is there."""
    as_objects(tmp_path, 2025)
    text = (tmp_path / "invoices.jsonl").read_text(encoding="utf-8")
    (tmp_path / "invoices_before.jsonl").write_text(text.replace('"paid"', '"open"'), encoding="utf-8")
    write_lines(tmp_path / "prices_before.jsonl", [PRICE])
    book = taking("stripe_export", SETTINGS, tables="{invoices: {}}", folder=str(tmp_path))
    found = {row["invoice_id"]: row["amount"] for row in judged(book, "invoices", CUSTOMERS) if not row["_reason"]}
    assert (found["cn_1/il_3"], found["cn_1/il_3_2"]) == (Decimal("-10.00"), Decimal("-150.00"))
    assert found["il_1"] == Decimal("100.01")
