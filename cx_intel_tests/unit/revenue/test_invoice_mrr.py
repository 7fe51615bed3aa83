"""Invoices: from when to when each line counts, what credit notes take, and what is a refund, on rows worked by hand."""

from datetime import date, timedelta

import ibis.expr.types as ir

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.expressions.months import first_day
from cx_intel.models.revenue.account_mrr import account_months
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows, values
from cx_intel_tests.helpers.made_once import kept_once

AS_OF = date(2025, 12, 31)


def invoice(day: date, amount: float = 100, months: int = 1, **more: object) -> dict:
    number = more.pop("invoice_id", f"{day}-{amount}")
    mrr = round(amount / months, 6)
    row = {"invoice_id": number, "account_id": "A", "invoice_date": day, "amount": amount, "mrr_amount": mrr}
    return row | {"billing_period_months": months, "status": "paid", "currency": "EUR"} | more


def stated(start: date, end: date, mrr: float, amount: float, **more: object) -> dict:
    return invoice(start, amount, period_start=start, period_end=end, mrr_amount=mrr, **more)


def of_invoices(**revenue: object) -> Portfolio:
    return portfolio(["invoices"], revenue={"basis": "invoices", **revenue})


def found(*given: dict, as_of: date = AS_OF) -> ir.Table:
    of = of_invoices()
    of_contracts = rows(subscription_periods(of), [])
    tables = (of_contracts, rows(STAGING["invoices"](of), given), rows(STAGING["mrr_history"](of), []))
    months = kept_once(account_months, *tables, portfolio=of, as_of=as_of)
    return months.mutate(revenue_month=first_day(months.month))


def mrr(*given: dict, as_of: date = AS_OF) -> dict[str, float]:
    """Month as 2025-01: MRR, where there is any."""
    by_month = values(found(*given, as_of=as_of), "mrr", by="revenue_month")
    return {f"{month:%Y-%m}": amount for month, amount in sorted(by_month.items()) if amount}


def months(first: str, count: int, amount: float = 100) -> dict[str, float]:
    year, month = map(int, first.split("-"))
    return {f"{year + (month - 1 + n) // 12}-{(month - 1 + n) % 12 + 1:02}": amount for n in range(count)}


class TestChains:
    def test_a_plan_of_thirty_days_is_flat_over_two_years(self):
        days = [date(2024, 1, 1) + timedelta(days=30 * n) for n in range(24)]  # the last on 21 November 2025
        assert mrr(*map(invoice, days)) == months("2024-01", 23)

    def test_an_annual_renewal_some_days_early_is_no_expansion(self):
        given = (invoice(date(2024, 3, 1), 1200, 12), invoice(date(2025, 2, 26), 1200, 12))
        assert mrr(*given) == months("2024-03", 22)  # until as_of

    def test_an_annual_renewal_up_to_31_days_late_is_no_churn(self):
        in_time = (invoice(date(2024, 1, 15), 1200, 12), invoice(date(2025, 2, 15), 1200, 12))
        assert mrr(*in_time) == months("2024-01", 24)

    def test_beyond_31_days_it_is(self):
        late = (invoice(date(2024, 1, 15), 1200, 12), invoice(date(2025, 2, 16), 1200, 12))
        assert mrr(*late) == {**months("2024-01", 12), **months("2025-02", 11)}

    def test_quarterly_invoices_late_by_five_days_are_flat(self):
        days = (date(2025, 3, 31), date(2025, 7, 5), date(2025, 10, 10))
        assert mrr(*(invoice(day, 300, 3) for day in days)) == months("2025-03", 10)

    def test_a_month_that_is_not_billed_is_not_bridged(self):
        assert mrr(invoice(date(2025, 1, 10)), invoice(date(2025, 3, 10))) == {"2025-01": 100, "2025-03": 100}

    def test_lines_that_run_beside_each_other_each_find_their_own_successor(self):
        first, second = date(2024, 3, 1), date(2024, 3, 10)
        given = [invoice(day, 1200, 12) for day in (first, second, date(2025, 2, 26), date(2025, 3, 5))]
        assert mrr(*given) == {**months("2024-03", 22, 200)}

    def test_two_lines_of_one_day_both_count_and_both_are_followed(self):
        given = [
            invoice(day, 1200, 12, invoice_id=f"{day}{n}")
            for day in (date(2024, 3, 1), date(2025, 2, 26))
            for n in "ab"
        ]
        assert mrr(*given) == months("2024-03", 22, 200)

    def test_products_and_periods_are_chains_of_their_own(self):
        given = (
            invoice(date(2025, 1, 31), product_name="seats"),
            invoice(date(2025, 3, 2), product_name="seats"),
            invoice(date(2025, 2, 27), 7, product_name="extra"),
        )
        assert mrr(*given) == {"2025-01": 100, "2025-02": 107, "2025-03": 100}

    def test_what_is_dated_after_as_of_cuts_nothing(self):
        given = (invoice(date(2024, 3, 1), 1200, 12), invoice(date(2025, 2, 26), 1200, 12))
        assert mrr(*given, as_of=date(2025, 2, 20)) == months("2024-03", 11)


class TestStatedPeriods:
    def test_a_line_counts_on_the_month_ends_of_its_period(self):
        assert mrr(stated(date(2025, 1, 15), date(2025, 4, 15), 100, 300)) == months("2025-01", 3)
        assert mrr(stated(date(2025, 1, 15), date(2025, 3, 31), 100, 250)) == months("2025-01", 2)
        assert mrr(stated(date(2025, 1, 15), date(2025, 4, 1), 100, 250)) == months("2025-01", 3)

    def test_periods_that_overlap_a_little_are_cut(self):
        given = (
            stated(date(2024, 3, 1), date(2025, 3, 1), 100, 1200),
            stated(date(2025, 2, 20), date(2026, 2, 20), 150, 1800),
        )
        assert mrr(*given) == {**months("2024-03", 11), **months("2025-02", 11, 150)}

    def test_periods_that_overlap_for_long_add_up(self):
        given = (
            stated(date(2024, 3, 1), date(2025, 3, 1), 100, 1200),
            stated(date(2025, 1, 20), date(2026, 1, 20), 100, 1200),
        )
        assert mrr(*given) == {**months("2024-03", 22), "2025-01": 200, "2025-02": 200}

    def test_a_gap_between_stated_periods_stays_a_gap(self):
        given = (
            stated(date(2025, 1, 1), date(2025, 2, 28), 100, 200),
            stated(date(2025, 3, 2), date(2025, 5, 1), 100, 200),
        )
        assert mrr(*given) == {"2025-01": 100, "2025-03": 100, "2025-04": 100}


class TestGivenBack:
    YEAR = invoice(date(2025, 1, 1), 1200, 12, invoice_id="Y")

    def credited(self, *given: dict) -> dict[str, float]:
        table = found(self.YEAR, *given)
        kept = values(table, "unapplied_credit", by="revenue_month")
        return {f"{month:%Y-%m}": amount for month, amount in kept.items() if amount}

    def test_a_credit_note_takes_from_the_months_of_the_invoice_that_it_names(self):
        note = invoice(date(2025, 6, 3), -300, credited_invoice_id="Y")
        assert mrr(self.YEAR, note) == months("2025-01", 12, 75)
        assert self.credited(note) == {}

    def test_it_takes_no_more_than_that_invoice_gives(self):
        note = invoice(date(2025, 6, 3), -1500, credited_invoice_id="Y")
        other = invoice(date(2025, 6, 4), 10, product_name="extra")
        assert mrr(self.YEAR, note, other) == {"2025-06": 10}
        assert self.credited(note) == {"2025-06": 300}

    def test_of_an_invoice_that_does_not_count_it_takes_nothing(self):
        void = invoice(date(2025, 1, 2), 50, status="void", invoice_id="V")
        note = invoice(date(2025, 6, 3), -50, credited_invoice_id="V")
        assert mrr(self.YEAR, void, note) == months("2025-01", 12)
        assert self.credited(void, note) == {"2025-06": 50}

    def test_with_a_period_it_takes_from_those_months(self):
        note = stated(date(2025, 10, 1), date(2026, 1, 1), -30, -90, credited_invoice_id="Y")
        assert mrr(self.YEAR, note) == {**months("2025-01", 9), **months("2025-10", 3, 70)}

    def test_by_its_type_alone_it_takes_from_its_month_whatever_its_sign(self):
        for amount in (-40, 40):
            note = invoice(date(2025, 6, 3), amount, invoice_type="credit_note")
            assert mrr(self.YEAR, note) == {**months("2025-01", 12), "2025-06": 60}

    def test_anything_else_below_0_is_a_refund_and_takes_no_mrr(self):
        refund = invoice(date(2025, 6, 3), -100)
        assert mrr(self.YEAR, refund) == months("2025-01", 12)
        assert self.credited(refund) == {"2025-06": 100}


def test_an_account_is_rounded_once_a_month():
    # three lines of 0.335: one by one they would be 1.02
    given = [invoice(date(2025, 12, 1), 0.335, invoice_id=n, product_name=n, mrr_amount=0.335) for n in "abc"]
    table = found(*[row | {"amount": 0.34} for row in given])
    assert values(table, "mrr", "arr") == {"A": (1.01, 12.06)}
