"""Contracts held against invoices, and who came and went within a month, on rows worked by hand."""

from datetime import date
from typing import Any

import ibis.expr.types as ir
import pytest

from cx_intel.contracts import core
from cx_intel.contracts.revenue import published as contracts
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.revenue.delivery import fct_revenue_intra_month
from cx_intel.models.revenue.published import revenue_ledger
from cx_intel.models.revenue.reconciliation import mrr_reconciliation
from cx_intel_tests.helpers.builders import portfolio, rows, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.renewal_tables import broken
from cx_intel_tests.helpers.subscription_loads import Loads, periods_of

AS_OF = date(2025, 2, 28)
JAN, FEB = date(2025, 1, 1), date(2025, 2, 1)
BILLED = portfolio(["invoices"], revenue={"basis": "invoices"})


def contract(account: str, mrr: float, start: date = JAN, **more: Any) -> dict[str, Any]:
    return {"subscription_id": f"s-{account}", "account_id": account, "mrr_amount": mrr, "start_date": start} | more


def invoice(account: str, day: date, amount: float) -> dict[str, Any]:
    row = {"invoice_id": f"{account}-{day}", "account_id": account, "invoice_date": day, "amount": amount}
    return row | {"mrr_amount": amount, "billing_period_months": 1, "status": "paid", "currency": "EUR"}


def compared(subscriptions: list[dict[str, Any]], invoices: list[dict[str, Any]]) -> ir.Table:
    """mrr_reconciliation at the end of February."""
    at = {"portfolio": BILLED, "as_of": AS_OF}
    billed = rows(STAGING["invoices"](BILLED), invoices)
    given = (periods_of(BILLED, subscriptions, AS_OF), billed, rows(STAGING["mrr_history"](BILLED), []))
    nobody = rows(core.account_history(BILLED), [])
    ledger = kept_once(revenue_ledger, nobody, *given, previous=rows(contracts.revenue_ledger(BILLED), []), **at)
    return kept_once(mrr_reconciliation, ledger, *given, **at)


def both(*pairs: tuple[float, float]) -> ir.Table:
    """Accounts A, B, ... with this MRR by contract and by the invoices of January and February."""
    named = [(chr(ord("A") + n), *pair) for n, pair in enumerate(pairs)]
    return compared(
        [contract(account, mrr) for account, mrr, _ in named],
        [invoice(account, day, mrr) for account, _, mrr in named for day in (date(2025, 1, 5), date(2025, 2, 5))],
    )


def multiple(table: ir.Table) -> tuple[float | None, list[str]]:
    """The multiple that is named, and the checks that fail."""
    found = set(values(table, "round_multiple", by=("account_id", "revenue_month")).values())
    assert len(found) == 1
    return found.pop(), broken(table, contracts.mrr_reconciliation(BILLED))


@pytest.mark.slow
def test_each_account_and_month_has_what_the_three_say() -> None:
    found = compared([contract("A", 100), contract("B", 50, FEB)], [invoice("A", JAN, 80), invoice("A", FEB, 100)])
    columns = ("contract_mrr", "invoice_mrr", "ledger_mrr", "ratio")
    assert values(found, *columns, by=("account_id", "revenue_month")) == {
        ("A", JAN): (100, 80, 80, 1.25),
        ("A", FEB): (100, 100, 100, 1),
        ("B", FEB): (50, 0, 0, None),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        (((1200, 100), (2400, 200), (600, 50)), 12),  # a year's amount is taken for a month's
        (((1, 100), (2, 200), (3.5, 350)), 100),  # invoices in cents
        (((100, 1), (250, 2.5)), 100),  # contracts in cents
        (((1217, 100), (1217, 100)), 12),  # 12.17 is within 2 % of 12
    ],
)
def test_a_round_multiple_is_named(pairs: tuple[tuple[float, float], ...], named: float) -> None:
    assert multiple(both(*pairs)) == (named, ["no_round_multiple"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "pairs",
    [
        ((100, 100), (50, 50)),
        ((100, 95), (50, 50.5)),  # they differ, by no multiple
        ((250, 100), (125, 50)),  # 2.5 is not round
        ((1200, 100), (100, 100), (50, 50)),  # one account alone does not move the median
    ],
)
def test_figures_that_agree_or_differ_otherwise_name_none(pairs: tuple[tuple[float, float], ...]) -> None:
    assert multiple(both(*pairs)) == (None, [])


@pytest.mark.slow
def test_a_quantity_is_named() -> None:
    # five seats each, of which the contract tells the price of one
    assert multiple(both((20, 100), (30, 150), (10, 50))) == (5, ["no_round_multiple"])


@pytest.mark.slow
def test_without_both_sides_there_is_no_ratio() -> None:
    assert multiple(compared([contract("A", 1200)], [invoice("B", JAN, 100), invoice("B", FEB, 100)])) == (None, [])


class TestIntraMonth:
    def within(self, *given: dict[str, Any]) -> dict[str, Any]:
        of = portfolio()
        found = kept_once(fct_revenue_intra_month, periods_of(of, given, AS_OF), portfolio=of, as_of=AS_OF)
        return values(found, "account_id", "from", "to", "mrr", by="subscription_id")

    def test_who_came_and_went_between_two_month_ends_is_listed(self) -> None:
        begin, end = date(2025, 2, 3), date(2025, 2, 20)
        assert self.within(contract("A", 99.99, begin, end_date=end)) == {"s-A": ("A", begin, end, 99.99)}

    def test_who_is_in_force_on_a_month_end_is_not(self) -> None:
        over = contract("A", 100, date(2025, 1, 31), end_date=date(2025, 2, 1))
        assert self.within(over, contract("B", 100, date(2025, 2, 3))) == {}

    def test_an_end_on_the_last_day_of_the_month_leaves_that_day_without(self) -> None:
        begin, end = date(2025, 1, 2), date(2025, 1, 31)
        assert self.within(contract("A", 100, begin, end_date=end)) == {"s-A": ("A", begin, end, 100)}

    @pytest.mark.slow
    def test_an_end_to_come_is_not_listed_yet(self) -> None:
        of, day = portfolio(), date(2025, 2, 10)
        given = contract("A", 100, date(2025, 2, 3), end_date=date(2025, 2, 20))
        assert fct_revenue_intra_month(periods_of(of, [given], day), portfolio=of, as_of=day).count().execute() == 0

    @pytest.mark.slow
    def test_a_price_that_changes_within_the_month_is_not_listed(self) -> None:
        of = portfolio()
        loads = Loads(of).load(date(2025, 2, 10), contract("A", 100, date(2025, 2, 3)))
        loads.load(date(2025, 2, 15), contract("A", 120, date(2025, 2, 3)))
        assert [amount for *_, amount in loads.counting("s-A")] == [100, 120]
        assert fct_revenue_intra_month(loads.periods, portfolio=of, as_of=AS_OF).count().execute() == 0
