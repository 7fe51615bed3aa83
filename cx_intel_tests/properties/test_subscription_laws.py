"""Laws of subscription periods: a day read twice, rows in any order, prices changed in place, and what is published of it.

Each law is held by a few examples, and by more among the slow tests. The laws of given figures are in
`test_ledger_laws.py`.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import ibis.expr.types as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.contracts import core
from cx_intel.contracts.revenue import published as contracts
from cx_intel.contracts.revenue.published import ALL_ACCOUNTS
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.expressions.months import first_day
from cx_intel.models.revenue.account_mrr import account_months
from cx_intel.models.revenue.published import restatements, revenue_ledger
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.renewal_tables import kept
from cx_intel_tests.helpers.subscription_loads import Loads

FIRST, SECOND = date(2025, 4, 30), date(2025, 5, 20)
"""Both publish January to April."""
MONTHS = tuple(date(2025, month, 1) for month in (1, 2, 3, 4))
CLOSED = date(2025, 2, 28)
FEW, MANY = settings(max_examples=2, deadline=None), settings(max_examples=8, deadline=None)

prices = st.integers(1, 10**6).map(lambda n: Decimal(n) / 100)
days = st.dates(date(2025, 1, 1), date(2025, 4, 29))
statuses = st.sampled_from(["active", "past_due", "paused", "trialing", "canceled"])
subscriptions = st.fixed_dictionaries(
    {"mrr_amount": prices, "start_date": days},
    optional={
        "end_date": days,
        "status": statuses,
        "trial_end": days,
        "changed_at": days,
        "quantity": st.integers(1, 9),
        "product_name": st.sampled_from(["suite", "seats"]),
    },
)
deliveries = st.dictionaries(st.sampled_from(["s1", "s2", "s3", "s4"]), subscriptions, min_size=1)


def delivered(by_id: dict[str, dict[str, Any]], *, backwards: bool = False) -> list[dict[str, Any]]:
    """The rows of a delivery, two subscriptions to an account."""
    listed = [
        {"subscription_id": name, "account_id": "A" if name in ("s1", "s2") else "B"} | row
        for name, row in by_id.items()
    ]
    return listed[::-1] if backwards else listed


def periods(loads: Loads) -> list[dict[str, Any]]:
    found = loads.periods.to_pyarrow().to_pylist()
    return sorted(found, key=lambda row: (row["subscription_id"], row["valid_from"]))


def by_contract(of: Portfolio, loads: Loads, before: date) -> dict[tuple[str, date], Decimal]:
    """MRR of each account and month that was over on the day."""
    months = account_months(loads.periods, *empty(of, "invoices", "mrr_history"), portfolio=of, as_of=before)
    listed = months.mutate(revenue_month=first_day(months.month)).to_pyarrow().to_pylist()
    return {(row["account_id"], row["revenue_month"]): row["mrr"] for row in listed if row["mrr"]}


def empty(of: Portfolio, *tables: str) -> list[ir.Table]:
    return [rows(STAGING[table](of), []) for table in tables]


def reading_again_and_order(first: dict[str, Any], second: dict[str, Any]) -> None:
    loads = Loads().load(FIRST, *delivered(first)).load(SECOND, *delivered(second))
    found = periods(loads)
    assert periods(loads.load(SECOND, *delivered(second))) == found, "the same day twice"
    turned = Loads().load(FIRST, *delivered(first, backwards=True)).load(SECOND, *delivered(second, backwards=True))
    assert periods(turned) == found, "in another order"


def price_in_place(first: dict[str, Any], changed: list[Decimal]) -> None:
    of = portfolio()
    undated = {name: {k: v for k, v in row.items() if k != "changed_at"} for name, row in first.items()}
    loads = Loads(of).load(FIRST, *delivered(undated))
    before = by_contract(of, loads, FIRST)
    raised = {name: row | {"mrr_amount": price} for (name, row), price in zip(undated.items(), changed, strict=False)}
    loads.load(SECOND, *delivered(undated | raised))
    assert by_contract(of, loads, FIRST) == before


Published = Callable[[date, ir.Table, int, bool], ir.Table]


def publication(published: Published) -> None:
    """Of two refreshes that publish the same months: what is told, what a repetition tells, what a close keeps."""
    of = portfolio()
    no_rows = contracts.restatements(of).no_rows()
    one = published(FIRST, contracts.revenue_ledger(of).no_rows(), 0, False)
    two = published(SECOND, one, 1, False)
    told = kept(restatements(two, portfolio=of, as_of=SECOND, previous=no_rows))
    before, now = mrr(one), mrr(two)
    changed = {key: now.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in before.keys() | now.keys()}
    totals = {(ALL_ACCOUNTS, m): sum(x for (_, month), x in changed.items() if month == m) for m in MONTHS}
    assert differences(told) == {key: difference for key, difference in (changed | totals).items() if difference}
    again = published(SECOND, two, 1, False)
    assert mrr(again) == now
    repeated = restatements(again, portfolio=of, as_of=SECOND, previous=told)
    assert differences(repeated) == differences(told), "the same day twice"
    closed = mrr(published(SECOND, one, 1, True))
    shut = [month for month in MONTHS if month <= CLOSED]
    assert {k: x for k, x in closed.items() if k[1] in shut} == {k: x for k, x in before.items() if k[1] in shut}
    assert {k: x for k, x in closed.items() if k[1] not in shut} == {k: x for k, x in now.items() if k[1] not in shut}


def mrr(ledger: ir.Table) -> dict[tuple[str, date], Decimal]:
    listed = ledger.select("account_id", "revenue_month", "mrr").to_pyarrow().to_pylist()
    return {(row["account_id"], row["revenue_month"]): row["mrr"] for row in listed if row["mrr"]}


def differences(told: ir.Table) -> dict[tuple[str, date], Decimal]:
    return {
        (row["account_id"], row["revenue_month"]): row["difference"]
        for row in told.to_pyarrow().to_pylist()
        if row["figure"] in ("mrr", "ending_mrr")
    }


def publication_of_contracts(first: dict[str, Any], second: dict[str, Any]) -> None:
    always = {"s9": {"mrr_amount": Decimal(1), "start_date": MONTHS[0]}}  # both publish the same months
    first, second = first | always, second | always
    loads = Loads().load(FIRST, *delivered(first))
    given = [loads.periods, Loads().load(FIRST, *delivered(first)).load(SECOND, *delivered(second)).periods]

    def published(as_of: date, before: ir.Table, which: int, closes: bool) -> ir.Table:
        of = portfolio(revenue={"basis": "subscriptions", "closed_through": CLOSED if closes else None})
        history, others = rows(core.account_history(of), []), empty(of, "invoices", "mrr_history")
        return kept(revenue_ledger(history, given[which], *others, portfolio=of, as_of=as_of, previous=before))

    publication(published)


invoices = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.sampled_from("AB"),
            "invoice_date": days,
            "amount": st.integers(-(10**4), 10**6).map(lambda n: Decimal(n) / 100),
            "status": st.sampled_from(["paid", "overdue", "void"]),
        },
        optional={"invoice_type": st.just("credit_note"), "period_start": days, "period_end": days},
    ),
    max_size=6,
)


def publication_of_invoices(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    always = [
        {"account_id": "Z", "invoice_date": month, "amount": Decimal(1), "status": "paid"} for month in MONTHS
    ]  # both publish the same months

    def table(given: list[dict[str, Any]], of: Portfolio, *, backwards: bool) -> ir.Table:
        filled = [
            row | {"invoice_id": f"i{n}", "mrr_amount": row["amount"], "billing_period_months": 1, "currency": "EUR"}
            for n, row in enumerate([*always, *given])
        ]
        return rows(STAGING["invoices"](of), filled[::-1] if backwards else filled)

    def of_day(as_of: date, before: ir.Table, which: int, closes: bool, *, backwards: bool = False) -> ir.Table:
        stated = {"delivered_through": MONTHS[-1], "closed_through": CLOSED if closes else None}
        of = portfolio(["invoices"], revenue={"basis": "invoices", **stated})
        history, (of_months,) = rows(core.account_history(of), []), empty(of, "mrr_history")
        tables = rows(subscription_periods(of), []), table([first, second][which], of, backwards=backwards), of_months
        return kept(revenue_ledger(history, *tables, portfolio=of, as_of=as_of, previous=before))

    publication(of_day)
    nothing = contracts.revenue_ledger(portfolio()).no_rows()
    assert mrr(of_day(SECOND, nothing, 1, False, backwards=True)) == mrr(of_day(SECOND, nothing, 1, False))


@pytest.mark.slow
@FEW
@given(first=deliveries, second=deliveries)
def test_reading_a_day_twice_or_in_another_order_changes_nothing(first: Any, second: Any) -> None:
    reading_again_and_order(first, second)


@pytest.mark.slow
@MANY
@given(first=deliveries, second=deliveries)
def test_reading_a_day_twice_or_in_another_order_changes_nothing_often(first: Any, second: Any) -> None:
    reading_again_and_order(first, second)


@FEW
@given(first=deliveries, changed=st.lists(prices, min_size=4, max_size=4))
def test_a_price_changed_in_place_moves_no_earlier_month(first: Any, changed: Any) -> None:
    price_in_place(first, changed)


@pytest.mark.slow
@MANY
@given(first=deliveries, changed=st.lists(prices, min_size=4, max_size=4))
def test_a_price_changed_in_place_moves_no_earlier_month_often(first: Any, changed: Any) -> None:
    price_in_place(first, changed)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(first=deliveries, second=deliveries)
def test_what_is_published_of_contracts_is_restated_in_full_or_closed(first: Any, second: Any) -> None:
    publication_of_contracts(first, second)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(first=invoices, second=invoices)
def test_what_is_published_of_invoices_is_restated_in_full_or_closed(first: Any, second: Any) -> None:
    publication_of_invoices(first, second)
