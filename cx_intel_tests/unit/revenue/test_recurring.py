"""What recurs and what does not: rules over lines as billing systems export them, on rows worked by hand."""

from datetime import date
from typing import Any

import pytest

from cx_intel.contracts.revenue.ledger import fct_revenue
from cx_intel.contracts.staging.billing import stg_invoices, stg_subscriptions
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.expressions.months import first_day
from cx_intel.models.revenue.account_mrr import account_months
from cx_intel.models.revenue.recurring import non_recurring
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows, values
from cx_intel_tests.helpers.renewal_tables import broken
from cx_intel_tests.helpers.staged_rows import judged
from cx_intel_tests.helpers.subscription_loads import Loads

AS_OF = date(2025, 3, 31)
STRIPE = {"column": "line_type", "values": ["subscription"]}
PRORATION = {"column": "proration", "values": [True]}
CHARGEBEE = {"column": "line_type", "values": ["plan*", "addon*"]}
SETUP = {"column": "product_name", "except": ["Setup*", "*tax"]}
METERED = {"column": "usage_type", "except": ["metered"]}
PERIOD = {"period_start": "2025-02-01", "period_end": "2025-03-01"}


def of(*rules: Any, basis: str = "invoices") -> Portfolio:
    return portfolio(["invoices"], revenue={"basis": basis, "recurring_only": list(rules)})


def line(number: int, amount: float, **more: str) -> dict[str, str]:
    row = {"invoice_id": f"i{number}", "account_id": "A1", "invoice_date": "2025-02-01", "amount": str(amount)}
    return row | {"status": "paid", "currency": "EUR"} | more


def why(book: Portfolio, *given: dict[str, str], table: str = "invoices") -> list[str | None]:
    return [row["non_recurring"] for row in judged(table, list(given), book)]


def staged(book: Portfolio, *given: dict[str, str]) -> Any:
    contract = stg_invoices(book)
    found = judged("invoices", list(given), book)
    return rows(contract, [{name: row[name] for name in contract.column_names} for row in found])


class TestRules:
    @pytest.mark.slow
    def test_lines_of_stripe(self) -> None:
        given = (
            line(1, 100, line_type="Subscription"),
            line(2, 500, line_type="invoiceitem", proration="false"),
            line(3, 40, line_type="invoiceitem", proration="true"),
            line(4, 9, line_type="subscription", usage_type="metered"),
        )
        assert why(of(STRIPE), *given) == [None, "line_type 'invoiceitem'", "line_type 'invoiceitem'", None]
        assert why(of(STRIPE, PRORATION, METERED), *given) == [
            None,
            "line_type 'invoiceitem', proration 'false'",
            None,
            "usage_type 'metered'",
        ]

    @pytest.mark.slow
    def test_lines_of_chargebee(self) -> None:
        kinds = ("plan_item_price", "addon_item_price", "charge_item_price", "plan", "addon", "tax")
        given = [line(n, 10, line_type=kind) for n, kind in enumerate(kinds)]
        assert why(of(CHARGEBEE), *given) == [
            None,
            None,
            "line_type 'charge_item_price'",
            None,
            None,
            "line_type 'tax'",
        ]

    def test_products_by_name(self) -> None:
        names = ("Suite", "Setup fee", "setup", "Sales Tax", "Tax return suite")
        given = [line(n, 10, product_name=name) for n, name in enumerate(names)]
        told = [None, "product_name 'setup fee'", "product_name 'setup'", "product_name 'sales tax'", None]
        assert why(of(SETUP), *given) == told

    @pytest.mark.slow
    def test_everything_recurs_without_a_rule(self) -> None:
        assert why(of(), line(1, 100, line_type="charge")) == [None]

    def test_a_line_without_a_value_does_not_recur_where_others_have_one(self) -> None:
        assert why(of(STRIPE), line(1, 100, line_type="subscription"), line(2, 7)) == [None, "line_type (none)"]

    @pytest.mark.slow
    def test_a_table_without_the_column_is_not_judged_by_it(self) -> None:
        assert why(of(STRIPE), line(1, 100)) == [None]
        assert why(of({"column": "invoice_type", "values": ["renewal"]}), SUBSCRIPTION, table="subscriptions") == [None]

    @pytest.mark.slow
    def test_subscriptions_by_the_type_of_their_price(self) -> None:
        rules = of({"column": "line_type", "values": ["recurring"]}, basis="subscriptions")
        given = (
            SUBSCRIPTION | {"line_type": "recurring"},
            SUBSCRIPTION | {"subscription_id": "s2", "line_type": "one_time"},
        )
        assert why(rules, *given, table="subscriptions") == [None, "line_type 'one_time'"]

    @pytest.mark.parametrize(
        ("rule", "message"),
        [
            ({"column": "line_type"}, "one of them"),
            ({"column": "line_type", "values": ["a"], "except": ["b"]}, "one of them"),
            ({"column": "line_type", "values": ["a*b"]}, "with \\* at its beginning or end"),
            ({"column": "line_type", "values": ["*"]}, "with \\* at its beginning or end"),
            ({"column": "status", "values": ["a"]}, "line_type"),
        ],
    )
    def test_what_is_no_rule_is_refused(self, rule: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            of(rule)


SUBSCRIPTION = {
    "subscription_id": "s1",
    "account_id": "A1",
    "amount": "100",
    "currency": "EUR",
    "start_date": "2025-01-01",
}


class TestInvoices:
    def mrr(self, book: Portfolio, *given: dict[str, str]) -> dict[date, float]:
        tables = (rows(subscription_periods(book), []), staged(book, *given), None)
        months = account_months(*tables, portfolio=book, as_of=AS_OF)
        months = months.mutate(revenue_month=first_day(months.month))
        return values(months.filter(months.mrr > 0), "mrr", by="revenue_month")

    @pytest.mark.slow
    def test_a_setup_fee_is_no_mrr_and_stands_beside_it(self) -> None:
        given = (
            line(1, 100, line_type="subscription", product_name="Suite", **PERIOD),
            line(2, 500, line_type="charge", product_name="Setup fee", invoice_date="2025-02-03"),
            line(3, 70, line_type="charge", status="void"),
            line(4, 70, line_type="charge", invoice_date="2025-04-01"),  # after as_of
        )
        february = date(2025, 2, 1)
        assert self.mrr(of(), *given) == {february: 600}
        book = of(STRIPE)
        assert self.mrr(book, *given) == {february: 100}
        beside = non_recurring(rows(stg_subscriptions(book), []), staged(book, *given), portfolio=book, as_of=AS_OF)
        columns = ("account_id", "revenue_month", "billed_on", "source_table", "product_name", "amount", "why")
        fee = ("A1", february, date(2025, 2, 3), "invoices", "setup fee", 500, "line_type 'charge'")
        assert values(beside, *columns, by="id") == {"i2": fee}

    @pytest.mark.slow
    def test_a_credit_note_follows_the_line_that_it_takes_from(self) -> None:
        credit = {"invoice_type": "credit_note", "invoice_date": "2025-02-20"}
        given = (
            line(1, 100, line_type="subscription", **PERIOD),
            line(2, 500, line_type="charge"),
            line(3, -500, credited_invoice_id="i2", **credit),
            line(4, -30, credited_invoice_id="i1", **credit),
            line(5, -20, **credit),  # says nothing of itself: taken from MRR
        )
        book = of(STRIPE)
        assert self.mrr(book, *given) == {date(2025, 2, 1): 50}  # 100 - 30 - 20
        tables = (rows(subscription_periods(book), []), staged(book, *given), None)
        months = account_months(*tables, portfolio=book, as_of=AS_OF)
        assert values(months, "unapplied_credit", by="account_id") == {"A1": 0}
        beside = non_recurring(rows(stg_subscriptions(book), []), tables[1], portfolio=book, as_of=AS_OF)
        told = {"i2": (500, "line_type 'charge'"), "i3": (-500, "credits i2, line_type 'charge'")}
        assert values(beside, "amount", "why", by="id") == told


class TestSubscriptions:
    def test_a_one_off_never_counts_and_stands_beside(self) -> None:
        book = of(SETUP, basis="subscriptions")
        given = [
            {"subscription_id": "s1", "product_name": "suite", "mrr_amount": 100},
            {"subscription_id": "s2", "product_name": "setup fee", "mrr_amount": 900, "non_recurring": "product_name"},
        ]
        loads = Loads(book).load(AS_OF, *given)
        assert [loads.counting(name) for name in ("s1", "s2")] == [[(date(2024, 1, 1), None, 100)], []]
        more = {"amount": 900, "currency": "EUR", "occurrence": 1, "account_id": "A", "non_recurring": "product_name"}
        started = [
            more | {"subscription_id": name, "start_date": start, "status": status}
            for name, start, status in (
                ("s2", date(2024, 1, 1), None),
                ("s3", date(2025, 4, 1), "active"),
                ("s4", date(2025, 1, 1), "draft"),
                ("s5", date(2025, 1, 1), "canceled"),
            )
        ]
        tables = rows(stg_subscriptions(book), started), rows(stg_invoices(book), [])
        found = non_recurring(*tables, portfolio=book, as_of=AS_OF)
        assert values(found, "source_table", by="id") == {"s2": "subscriptions", "s5": "subscriptions"}

    @pytest.mark.slow
    def test_it_is_remembered_of_one_that_is_gone(self) -> None:
        book = of(SETUP, basis="subscriptions")
        gone = {"subscription_id": "s2", "mrr_amount": 5, "non_recurring": "product_name 'setup'"}
        loads = Loads(book).load(date(2025, 2, 28), {"subscription_id": "s1"}, gone)
        loads.load(AS_OF, {"subscription_id": "s1"})
        assert [row["non_recurring"] for row in loads["s2"]] == ["product_name 'setup'"] * 2
        assert loads.counting("s2") == []


class TestChecks:
    @pytest.mark.slow
    def test_a_column_that_nobody_delivers_is_told(self) -> None:
        book = of(STRIPE)
        filled, empty = line(1, 100, line_type="subscription"), line(1, 100)
        assert broken(staged(book, filled), stg_invoices(book)) == []
        assert broken(staged(book, empty), stg_invoices(book)) == ["recurring_columns_are_delivered"]
        of_contracts = of(STRIPE, basis="subscriptions")
        assert broken(staged(of_contracts, empty), stg_invoices(of_contracts)) == []  # MRR is not computed from them

    def test_a_word_that_nothing_has_stops_the_step(self) -> None:
        book = of({"column": "line_type", "values": ["subscripton"]})
        found = line(1, 100, line_type="subscription")
        assert broken(staged(book, found), stg_invoices(book)) == ["something_recurs"]
        (rule,) = [c for c in stg_invoices(book).cross_invariants if c.name == "something_recurs"]
        assert rule.severity == "block"

    @pytest.mark.parametrize(
        ("amounts", "is_told"),
        [
            ((100, 100, 100, 1000), True),  # the median is 100
            ((100, 100, 100, 999.99), False),
            ((100, 1000, 100), True),
            ((100, 1000), False),  # two months tell nothing of what is usual
            ((100, 0, 0, 1000), False),
            ((100, 300, 2000, 100), True),  # the median is (100 + 300) / 2 = 200
            ((100, 300, 1999, 100), False),
            ((100, 100, 1000, 1000, 1000), False),  # a price that was raised and stays
        ],
    )
    def test_a_month_ten_times_the_usual_is_told(self, amounts: tuple[float, ...], is_told: bool) -> None:
        book = of()
        months = [
            {"account_id": "A", "revenue_month": date(2025, n + 1, 1), "mrr": amount}
            for n, amount in enumerate(amounts)
        ]
        other = [{"account_id": "B", "revenue_month": date(2025, n + 1, 1), "mrr": 5} for n in range(3)]
        (rule,) = fct_revenue(book).cross_invariants
        found = rule.broken({"self": rows(fct_revenue(book), [*months, *other])})
        told = values(found, "revenue_month", by="account_id")
        assert (list(told) == ["A"]) is is_told
        assert rule.severity == "warn"
