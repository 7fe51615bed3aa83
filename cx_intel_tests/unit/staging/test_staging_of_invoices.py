"""Invoices: minor units by the currency's own digits, and statuses that count nowhere, told with their amounts."""

from datetime import date

import pytest

from cx_intel.contracts.staging.billing import stg_invoices
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows, values
from cx_intel_tests.helpers.renewal_tables import broken
from cx_intel_tests.helpers.staged_rows import judged


def of(basis: str = "invoices", **source: object) -> Portfolio:
    files = [{"kind": "files", "table": t, "path": f"{t}.csv"} for t in ("accounts", "subscriptions", "invoices")]
    files[2] |= source
    rates = {"JPY": 0.01, "KWD": 3, "ISK": 0.01}
    return portfolio(sources=files, revenue={"basis": basis}, currency={"reporting": "EUR", "rates": rates})


STATED = {"ISK": 2}
UNITS = [
    (False, "1029", "EUR", 1029),
    (True, "1029", "EUR", 10.29),
    (True, "1029", "JPY", 10.29),  # no digits: 1,029 yen
    (True, "1000", "KWD", 3),  # three digits: 1 dinar
    (True, "-1029", "EUR", -10.29),
    (STATED, "102900", "ISK", 10.29),  # two digits by statement: 1,029 crowns
    (STATED, "1029", "EUR", 10.29),
]


@pytest.fixture(scope="module")
def amounts() -> list[float]:
    """The amount of each case in the reporting currency, to cents; those of one setting are staged together."""
    row = {"account_id": "A1", "invoice_date": "2025-01-05", "status": "paid"}
    found = []
    for minor_units in (False, True, STATED):
        cells = [(amount, currency) for of_units, amount, currency, _ in UNITS if of_units is minor_units]
        given = [row | {"invoice_id": str(n), "amount": a, "currency": c} for n, (a, c) in enumerate(cells)]
        found += judged("invoices", given, of(in_minor_units=minor_units))
    assert {row["_reason"] for row in found} == {None}
    return [float(row["amount"]) for row in found]


@pytest.mark.parametrize("case", range(len(UNITS)), ids=lambda n: f"{UNITS[n][1]} {UNITS[n][2]}, {UNITS[n][0]}")
def test_minor_units_follow_the_currency(case: int, amounts: list[float]) -> None:
    assert amounts[case] == UNITS[case][-1]


def invoices(*given: tuple[str, float]) -> list[dict[str, object]]:
    day = {"account_id": "A1", "invoice_date": date(2025, 1, 5), "currency": "EUR", "billing_period_months": 1}
    day |= {"invoice_month": date(2025, 1, 1), "is_paid": False}
    return [
        day | {"invoice_id": str(n), "status": status, "amount": amount, "mrr_amount": amount}
        for n, (status, amount) in enumerate(given)
    ]


def test_an_open_invoice_is_told_with_its_amount() -> None:
    contract = stg_invoices(of())
    table = rows(contract, invoices(("paid", 100), ("open", 40.5), ("open", 10), ("draft", 7), ("void", 3)))
    assert broken(table, contract) == ["statuses_are_known"]
    rule = next(rule for rule in contract.cross_invariants if rule.name == "statuses_are_known")
    assert values(rule.broken({"self": table}), "invoices", "amount", by="status") == {"open": (2, 50.5)}
    assert "revenue.recognised_statuses" in rule.recovery


def test_what_is_recognised_or_never_billed_is_not() -> None:
    for status in ("paid", "overdue", "void", "draft", "uncollectible", "refunded", "deleted"):
        assert broken(rows(stg_invoices(of()), invoices((status, 1))), stg_invoices(of())) == []


def test_where_mrr_follows_from_contracts_every_status_of_an_invoice_is_fine() -> None:
    contract = stg_invoices(of("subscriptions"))
    assert broken(rows(contract, invoices(("open", 1))), contract) == []
