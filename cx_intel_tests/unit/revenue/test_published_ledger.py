"""What is published of the ledger: months held back, months closed, and what was restated, over several refreshes."""

from datetime import date

import pytest

from cx_intel.contracts import core
from cx_intel.contracts.revenue import published as contracts
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.revenue.delivery import mrr_delivery
from cx_intel.models.revenue.ledger import fct_revenue
from cx_intel.models.revenue.published import restatements, revenue_ledger
from cx_intel.models.revenue.waterfall import nrr_by_segment, nrr_summary
from cx_intel_tests.helpers.builders import portfolio, rows, values
from cx_intel_tests.helpers.made_once import kept_once

pytestmark = pytest.mark.slow  # refreshes of several months each

JAN, FEB, MAR, APR = (date(2025, month, 1) for month in (1, 2, 3, 4))


class Company:
    """A ledger of given figures that is refreshed again and again."""

    def __init__(self) -> None:
        of = self.of()
        self.ledger, self.restated = rows(contracts.revenue_ledger(of), []), rows(contracts.restatements(of), [])

    def of(self, **revenue: object):
        return portfolio(["mrr_history"], revenue={"basis": "mrr_history", "opening": "new", **revenue})

    def refresh(
        self, as_of: date, figures: dict[str, dict[date, float]], segment: str = "smb", **revenue: object
    ) -> None:
        of = self.of(**revenue)
        given = [
            {"account_id": a, "month": m, "mrr": x, "currency": "EUR", "occurrence": 1}
            for a, by in figures.items()
            for m, x in by.items()
        ]
        of_contracts = rows(subscription_periods(of), [])
        tables = (of_contracts, rows(STAGING["invoices"](of), []), rows(STAGING["mrr_history"](of), given))
        history = rows(
            core.account_history(of), [{"account_id": a, "segment": segment, "valid_from": as_of} for a in figures]
        )
        at = {"portfolio": of, "as_of": as_of}
        self.ledger = kept_once(revenue_ledger, history, *tables, previous=self.ledger, **at)
        self.restated = kept_once(restatements, self.ledger, previous=self.restated, **at)
        self.fct = kept_once(fct_revenue, self.ledger, portfolio=of)
        delivery = kept_once(mrr_delivery, *tables, **at)
        horizon = self.ledger.horizon_month.max().execute()
        accounts = rows(
            core.dim_account(of), [{"account_id": a, "segment": segment, "horizon_month": horizon} for a in figures]
        )
        self.summary = kept_once(nrr_summary, self.fct, accounts, delivery, portfolio=of)
        self.by_segment = nrr_by_segment(self.fct, accounts, portfolio=of)
        self.delivery = values(delivery, "delivered_pct", "is_counted", by="revenue_month")

    def mrr(self, account: str = "A") -> dict[date, float]:
        paid = self.fct.filter((self.fct.account_id == account) & (self.fct.mrr > 0))
        return values(paid, "mrr", by="revenue_month")

    def differences(self) -> dict:
        return values(self.restated, "difference", "cause", by=("refresh_at", "revenue_month", "account_id", "figure"))


def steady(accounts: str, *months: date) -> dict[str, dict[date, float]]:
    return {account: dict.fromkeys(months, 100) for account in accounts}


class TestDelivery:
    FOUR_OF_FIVE = {**steady("ABCD", JAN, FEB), **steady("E", JAN)}

    def test_a_month_delivered_to_exactly_the_share_counts(self):
        company = Company()
        company.refresh(date(2025, 3, 3), self.FOUR_OF_FIVE)
        assert company.delivery[FEB] == (80, True)
        assert values(company.summary, "churned_mrr", "delivered_pct", by="revenue_month")[FEB] == (100, 80)

    def test_the_newest_month_is_held_back_below_it(self):
        company = Company()
        company.refresh(date(2025, 3, 3), self.FOUR_OF_FIVE, min_delivered_pct=80.1)
        assert company.delivery[FEB] == (80, False)
        assert list(values(company.summary, "churned_mrr", by="revenue_month")) == [JAN]

    def test_an_explicit_zero_answers(self):
        company = Company()
        company.refresh(date(2025, 3, 3), {**steady("A", JAN, FEB), "B": {JAN: 900, FEB: 0}})
        assert company.delivery[FEB] == (100, True)

    def test_it_counts_once_it_is_old_or_later_rows_are_known_or_it_is_stated(self):
        half = {**steady("A", JAN, FEB), **steady("B", JAN)}
        company = Company()
        company.refresh(date(2025, 4, 14), half)
        assert company.delivery[FEB] == (50, False)  # 45 days after its end
        company.refresh(date(2025, 4, 15), half)
        assert company.delivery[FEB] == (50, True)
        other = Company()
        other.refresh(date(2025, 3, 3), half, delivered_through=date(2025, 2, 28))
        assert other.delivery[FEB] == (50, True)
        later = Company()
        later.refresh(date(2025, 3, 3), {**steady("A", JAN, FEB, MAR), **steady("B", JAN)})
        assert later.delivery[FEB] == (50, True)


class TestRestatements:
    def test_a_refresh_without_change_restates_nothing(self):
        company = Company()
        for day in (date(2025, 3, 3), date(2025, 3, 3), date(2025, 3, 4)):
            company.refresh(day, steady("AB", JAN, FEB))
        assert company.differences() == {}

    def test_each_cause_is_named_and_differences_add_up(self):
        company, first, second = Company(), date(2025, 3, 3), date(2025, 3, 4)
        company.refresh(first, {**steady("AB", JAN, FEB), "C": {FEB: 50}}, min_delivered_pct=50)
        before = company.mrr("A")
        changed = {"A": {JAN: 100, FEB: 120}, "B": {JAN: 100}, "C": {JAN: 50, FEB: 50}}
        company.refresh(second, changed, min_delivered_pct=50)
        assert company.differences() == {
            (second, FEB, "A", "mrr"): (20, "changed amount"),
            (second, FEB, "B", "mrr"): (-100, "missing row"),
            (second, JAN, "C", "mrr"): (50, "late row"),
            (second, JAN, "(all)", "ending_mrr"): (50, "late row"),
            (second, FEB, "(all)", "ending_mrr"): (-80, "several"),
        }
        assert company.mrr("A")[FEB] - before[FEB] == 20

    def test_a_repeated_day_replaces_what_it_wrote(self):
        company, first, second = Company(), date(2025, 3, 3), date(2025, 3, 4)
        company.refresh(first, steady("A", JAN, FEB))
        company.refresh(second, {"A": {JAN: 100, FEB: 120}})
        company.refresh(second, {"A": {JAN: 100, FEB: 130}})
        assert company.differences()[(second, FEB, "A", "mrr")] == (30, "changed amount")
        company.refresh(second, steady("A", JAN, FEB))
        assert company.differences() == {}

    def test_a_changed_setting_is_the_cause_of_what_it_changes(self):
        company, second = Company(), date(2025, 3, 4)
        company.refresh(date(2025, 3, 3), steady("A", JAN, FEB))
        company.refresh(second, {"A": {JAN: 100, FEB: 120}}, delivery_days=40)
        assert company.differences()[(second, FEB, "A", "mrr")] == (20, "mapping or setting")

    def test_a_new_month_is_no_restatement(self):
        company = Company()
        company.refresh(date(2025, 3, 3), steady("A", JAN, FEB))
        company.refresh(date(2025, 4, 3), steady("A", JAN, FEB, MAR))
        assert company.differences() == {}


class TestClosedMonths:
    def closed_and_changed(self, segment: str = "smb") -> Company:
        company = Company()
        company.refresh(date(2025, 3, 3), steady("AB", JAN, FEB))
        changed = {"A": {JAN: 100, FEB: 130, MAR: 130}, **steady("B", JAN, FEB, MAR)}
        company.refresh(date(2025, 4, 3), changed, segment, closed_through=date(2025, 2, 28))
        return company

    def test_a_closed_month_stands_and_the_first_open_one_says_what_it_would_be(self):
        company = self.closed_and_changed()
        assert company.mrr() == {JAN: 100, FEB: 100, MAR: 130}
        columns = ("starting_mrr", "restated_mrr", "expansion_mrr", "churned_mrr", "ending_mrr", "nrr_pct", "grr_pct")
        found = values(company.summary, *columns, by="revenue_month")
        assert found[FEB] == (200, 0, 0, 0, 200, 100, 100)
        assert found[MAR] == (200, 30, 0, 0, 230, 100, 100)
        assert company.differences() == {(date(2025, 4, 3), FEB, "A", "unpublished_mrr"): (30, "changed amount")}

    def test_closing_the_next_month_moves_nothing(self):
        company = self.closed_and_changed()
        before = values(company.summary, "starting_mrr", "restated_mrr", "ending_mrr", "nrr_pct", by="revenue_month")
        changed = {"A": {JAN: 100, FEB: 140, MAR: 140, APR: 140}, **steady("B", JAN, FEB, MAR, APR)}
        company.refresh(date(2025, 5, 3), changed, closed_through=date(2025, 3, 31))
        after = values(company.summary, "starting_mrr", "restated_mrr", "ending_mrr", "nrr_pct", by="revenue_month")
        assert {month: after[month] for month in before} == before
        assert after[APR] == (230, 10, 240, 100)

    def test_an_account_that_should_never_have_been_there_is_taken_back_without_churn(self):
        company = Company()
        company.refresh(date(2025, 3, 3), steady("AB", JAN, FEB))
        company.refresh(date(2025, 4, 3), steady("A", JAN, FEB, MAR), closed_through=date(2025, 2, 28))
        found = values(company.summary, "starting_mrr", "restated_mrr", "churned_mrr", "ending_mrr", by="revenue_month")
        assert found[MAR] == (200, -100, 0, 100)

    def test_closed_months_stay_in_the_segment_that_they_were_published_under(self):
        company = self.closed_and_changed("enterprise")
        found = values(
            company.by_segment, "starting_mrr", "restated_mrr", "ending_mrr", by=("segment", "revenue_month")
        )
        assert found[("smb", FEB)] == (200, 0, 200)
        assert found[("smb", MAR)] == (200, -200, 0)
        assert found[("enterprise", MAR)] == (0, 230, 230)

    def test_a_month_is_not_closed_before_it_is_published(self):
        company = Company()
        company.refresh(date(2025, 3, 3), steady("A", JAN, FEB), closed_through=date(2025, 12, 31))
        assert company.mrr() == {JAN: 100, FEB: 100}
