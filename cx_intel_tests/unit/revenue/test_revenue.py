"""The MRR ledger, its six movements, the waterfall and the closed cohort, on rows worked out by hand."""

from datetime import date

import ibis.expr.types as ir
import pytest

from cx_intel.contracts import core
from cx_intel.contracts.revenue import ledger as contracts
from cx_intel.contracts.revenue import published as published_contracts
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.revenue.cohorts import revenue_cohort_analysis
from cx_intel.models.revenue.delivery import mrr_delivery
from cx_intel.models.revenue.ledger import fct_revenue
from cx_intel.models.revenue.published import revenue_ledger
from cx_intel.models.revenue.waterfall import nrr_by_segment, nrr_summary
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.subscription_loads import periods_of

MONTHS = [date(2024 + (n // 12), n % 12 + 1, 1) for n in range(24)]


def history(mrr: dict[str, dict[int, float]], *, opening: str = "new", as_of: date = date(2025, 12, 31)) -> "Ledger":
    """A ledger of given figures: account -> month (0 is January 2024) -> MRR; segment by the account's first letter."""
    of = portfolio(["mrr_history"], revenue={"basis": "mrr_history", "opening": opening})
    given = [
        {"account_id": a, "month": MONTHS[m], "mrr": x, "currency": "EUR", "occurrence": 1}
        for a, by in mrr.items()
        for m, x in by.items()
    ]
    return Ledger(of, as_of, mrr_history=given, accounts=list(mrr))


class Ledger:
    """The revenue tables over staged rows."""

    def __init__(self, of: Portfolio, as_of: date, *, accounts: list[str] = [], **staged: list[dict]):  # noqa: B006
        def table(name: str) -> ir.Table:
            return rows(STAGING[name](of), staged.get(name, []))

        self.of = of
        tables = (periods_of(of, staged.get("subscriptions", []), as_of), table("invoices"), table("mrr_history"))
        at = {"portfolio": of, "as_of": as_of}
        history = rows(
            core.account_history(of), [{"account_id": a, "segment": a[0], "valid_from": as_of} for a in accounts]
        )
        no_rows = rows(published_contracts.revenue_ledger(of), [])
        self.revenue_ledger = kept_once(revenue_ledger, history, *tables, previous=no_rows, **at)
        self.fct_revenue = kept_once(fct_revenue, self.revenue_ledger, portfolio=of)
        self.mrr_delivery = rows(published_contracts.mrr_delivery(of), [])
        if of.revenue.basis != "subscriptions":
            self.mrr_delivery = kept_once(mrr_delivery, *tables, **at)
        horizon = self.fct_revenue.revenue_month.max().execute() if accounts else None
        self.dim_account = rows(
            core.dim_account(of),
            [{"account_id": a, "segment": a[0], "horizon_month": horizon} for a in accounts],
        )

    def movements(self, account: str) -> dict[date, str]:
        entries = self.fct_revenue.filter(self.fct_revenue.account_id == account)
        return values(entries, "revenue_movement", by="revenue_month")

    def mrr(self, account: str) -> dict[date, float]:
        entries = self.fct_revenue.filter(self.fct_revenue.account_id == account)
        return values(entries, "mrr", by="revenue_month")

    def summary(self, *columns: str) -> dict[date, object]:
        table = kept_once(nrr_summary, self.fct_revenue, self.dim_account, self.mrr_delivery, portfolio=self.of)
        return values(table, *columns, by="revenue_month")


def subscription(account: str, amount: float, start: date, end: date | None = None, **more: object) -> dict:
    row = {"subscription_id": f"{account}-{start}", "account_id": account, "mrr_amount": amount, "amount": amount}
    return row | {"start_date": start, "end_date": end, "status": "active"} | more


def invoice(account: str, amount: float, day: date, status: str = "paid", months: int = 1) -> dict:
    row = {"invoice_id": f"{account}-{day}-{amount}", "account_id": account, "mrr_amount": amount, "amount": amount}
    return row | {"invoice_date": day, "status": status, "billing_period_months": months}


def test_every_movement_occurs_and_only_as_defined():
    ledger = history({"A": {0: 100, 1: 100, 2: 150, 3: 120, 5: 80}})
    assert ledger.movements("A") == {
        MONTHS[0]: "new",
        MONTHS[1]: "flat",
        MONTHS[2]: "expansion",
        MONTHS[3]: "contraction",
        MONTHS[4]: "churn",
        MONTHS[5]: "reactivation",
    }


def test_amounts_of_movements_are_positive_and_zero_elsewhere():
    ledger = history({"A": {0: 100, 1: 150, 2: 120}})
    found = values(
        ledger.fct_revenue,
        "expansion_mrr",
        "contraction_mrr",
        "net_mrr_change",
        "account_month_number",
        by="revenue_month",
    )
    assert found == {MONTHS[0]: (0, 0, 100, 1), MONTHS[1]: (50, 0, 50, 2), MONTHS[2]: (0, 30, -30, 3)}


def test_waterfall_of_one_month_worked_by_hand():
    # B expands 20, C contracts 10, D leaves with 50, E is new with 30; A returned after a month away
    ledger = history(
        {
            "A": {0: 40, 2: 40},
            "B": {1: 100, 2: 120},
            "C": {1: 60, 2: 50},
            "D": {1: 50},
            "E": {2: 30},
        }
    )
    found = ledger.summary(
        "starting_mrr", "new_mrr", "reactivation_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr", "ending_mrr"
    )
    assert found[MONTHS[2]] == (210, 30, 40, 20, 10, 50, 240)
    rates = ledger.summary("nrr_pct", "grr_pct", "logo_churn_pct", "mrr_growth_pct", "quick_ratio", "arpa")
    assert rates[MONTHS[2]] == pytest.approx((100 * 170 / 210, 100 * 150 / 210, 100 / 3, 100 * 30 / 210, 90 / 60, 60))


def test_a_rate_of_unchanged_cents_is_exactly_a_hundred():
    # 100 * 10.29 / 10.29 is 100.00000000000001 in binary floats
    months = dict.fromkeys(range(13), 10.29)
    rates = history({"A": months}).summary("nrr_pct", "grr_pct", "grr_trailing_3m_pct", "nrr_ttm_pct", "grr_ttm_pct")
    assert rates[MONTHS[12]] == (100, 100, 100, 100, 100)


def test_rates_are_null_when_nothing_was_there_to_retain():
    first = history({"A": {0: 100}}).summary("nrr_pct", "grr_pct", "logo_churn_pct", "quick_ratio")
    assert first[MONTHS[0]] == (None, None, None, None)


def test_trailing_three_months_is_the_mean_and_needs_all_three():
    ledger = history({"A": {0: 100, 1: 110, 2: 99, 3: 99}})
    found = ledger.summary("nrr_trailing_3m_pct")
    assert found[MONTHS[2]] is None
    assert found[MONTHS[3]] == pytest.approx((110 + 90 + 100) / 3)


def test_trailing_year_is_a_closed_cohort_not_a_product_of_monthly_rates():
    # then: A 100, B 100. Now: A 150, B gone. C came later and does not count
    ledger = history(
        {
            "A": {m: 100 if m < 6 else 150 for m in range(13)},
            "B": dict.fromkeys(range(6), 100),
            "C": dict.fromkeys(range(3, 13), 500),
        }
    )
    found = ledger.summary("nrr_ttm_pct", "grr_ttm_pct")
    assert found[MONTHS[11]] == (None, None)
    assert found[MONTHS[12]] == pytest.approx((75, 50))


def test_an_account_that_left_and_returned_within_the_year_counts_with_what_it_pays_now():
    months = {m: 100 for m in range(13) if m != 5}
    assert history({"A": months, "B": {0: 100}}).summary("nrr_ttm_pct")[MONTHS[12]] == pytest.approx(50)


def test_segments_sum_to_the_total():
    ledger = history({"A1": {0: 10, 1: 20}, "A2": {0: 5}, "B1": {1: 7}})
    by_segment = nrr_by_segment(ledger.fct_revenue, ledger.dim_account, portfolio=ledger.of)
    found = values(by_segment, "starting_mrr", "ending_mrr", "churned_mrr", by=("segment", "revenue_month"))
    assert found == {
        ("A", MONTHS[0]): (0, 15, 0),
        ("B", MONTHS[0]): (0, 0, 0),
        ("A", MONTHS[1]): (15, 20, 5),
        ("B", MONTHS[1]): (0, 7, 0),
    }


@pytest.mark.slow
def test_opening_balance_is_no_movement_and_the_summary_starts_a_month_later():
    ledger = history({"A": {0: 100, 1: 120}}, opening="balance")
    assert ledger.movements("A") == {MONTHS[0]: "flat", MONTHS[1]: "expansion"}
    assert ledger.summary("starting_mrr", "ending_mrr", "nrr_pct") == {MONTHS[1]: (100, 120, 120)}


class TestSubscriptions:
    of = portfolio(revenue={"basis": "subscriptions"})

    def ledger(self, *subscriptions: dict, as_of: date = date(2024, 4, 30)) -> Ledger:
        return Ledger(self.of, as_of, subscriptions=list(subscriptions))

    def test_in_force_on_the_last_day_of_the_month_counts(self):
        found = self.ledger(subscription("A", 50, date(2024, 1, 31), date(2024, 3, 31)))
        assert found.mrr("A") == {MONTHS[0]: 50, MONTHS[1]: 50, MONTHS[2]: 0}

    def test_ending_the_day_after_the_last_still_counts(self):
        found = self.ledger(subscription("A", 50, date(2024, 1, 1), date(2024, 3, 1)))
        assert found.mrr("A") == {MONTHS[0]: 50, MONTHS[1]: 50, MONTHS[2]: 0}

    def test_trials_and_those_that_end_before_they_start_never_count(self):
        found = self.ledger(
            subscription("A", 50, date(2024, 1, 1), status="trial"),
            subscription("B", 50, date(2024, 3, 1), date(2024, 1, 1)),
        )
        assert found.fct_revenue.count().execute() == 0

    def test_a_month_that_is_not_over_is_beyond_the_horizon(self):
        found = self.ledger(subscription("A", 50, date(2024, 1, 1)), as_of=date(2024, 3, 30))
        assert sorted(found.mrr("A")) == [MONTHS[0], MONTHS[1]]

    def test_add_ons_add_up(self):
        found = self.ledger(
            subscription("A", 50, date(2024, 1, 1)), subscription("A", 9.5, date(2024, 2, 2), date(2024, 2, 20))
        )
        assert found.mrr("A") == dict.fromkeys(MONTHS[:4], 50)


class TestInvoices:
    def ledger(self, *invoices: dict, as_of: date = date(2024, 12, 31), **revenue: object) -> Ledger:
        of = portfolio(["invoices"], revenue={"basis": "invoices", **revenue})
        return Ledger(of, as_of, invoices=list(invoices))

    @pytest.mark.slow
    def test_unpaid_counts_unless_the_setting_says_otherwise_and_void_never(self):
        given = [
            invoice("A", 100, date(2024, 1, 5)),
            invoice("A", 40, date(2024, 1, 6), "overdue"),
            invoice("A", 7, date(2024, 1, 7), "void"),
        ]
        assert self.ledger(*given).mrr("A") == {MONTHS[0]: 140}
        assert self.ledger(*given, recognised_statuses=["paid"]).mrr("A") == {MONTHS[0]: 100}

    def test_a_quarterly_invoice_counts_a_third_in_each_of_its_months(self):
        found = self.ledger(invoice("A", 100, date(2024, 1, 5), months=3), invoice("B", 1, date(2024, 4, 1)))
        assert found.mrr("A") == {MONTHS[0]: 100, MONTHS[1]: 100, MONTHS[2]: 100, MONTHS[3]: 0}

    def test_the_horizon_is_the_last_month_with_an_invoice_of_anybody(self):
        found = self.ledger(invoice("A", 100, date(2024, 1, 5)), invoice("B", 1, date(2024, 2, 1)))
        assert found.mrr("A") == {MONTHS[0]: 100, MONTHS[1]: 0}

    def test_a_month_below_zero_counts_zero_and_keeps_the_credit_in_sight(self):
        found = self.ledger(
            invoice("A", 100, date(2024, 1, 5)), invoice("A", -30, date(2024, 2, 5)), invoice("B", 1, date(2024, 2, 6))
        )
        entries = found.fct_revenue.filter(found.fct_revenue.account_id == "A")
        assert values(entries, "mrr", "revenue_movement", "unapplied_credit", by="revenue_month") == {
            MONTHS[0]: (100, "new", 0),
            MONTHS[1]: (0, "churn", 30),
        }

    @pytest.mark.slow
    def test_an_invoice_dated_after_as_of_changes_nothing(self):
        before = self.ledger(invoice("A", 100, date(2024, 1, 5)), as_of=date(2024, 2, 10))
        after = self.ledger(
            invoice("A", 100, date(2024, 1, 5)), invoice("A", 5, date(2024, 2, 11)), as_of=date(2024, 2, 10)
        )
        assert before.mrr("A") == after.mrr("A") == {MONTHS[0]: 100}


class TestCohorts:
    def test_a_cohort_keeps_its_months_at_zero(self):
        ledger = history({"A1": {0: 100, 1: 150}, "A2": {0: 100, 2: 50}, "B1": {1: 70, 2: 70}})
        table = revenue_cohort_analysis(ledger.fct_revenue, ledger.dim_account, portfolio=ledger.of)
        found = values(
            table,
            "active_accounts",
            "cohort_mrr",
            "account_retention_pct",
            by=("cohort_month", "segment", "months_since_start"),
        )
        assert found == {
            (MONTHS[0], "A", 0): (2, 200, 100),
            (MONTHS[0], "A", 1): (1, 150, 50),
            (MONTHS[0], "A", 2): (1, 50, 50),
            (MONTHS[0], "all", 0): (2, 200, 100),
            (MONTHS[0], "all", 1): (1, 150, 50),
            (MONTHS[0], "all", 2): (1, 50, 50),
            (MONTHS[1], "B", 0): (1, 70, 100),
            (MONTHS[1], "B", 1): (1, 70, 100),
            (MONTHS[1], "all", 0): (1, 70, 100),
            (MONTHS[1], "all", 1): (1, 70, 100),
        }

    def test_an_account_of_an_opening_balance_belongs_to_its_signup(self):
        ledger = history({"A": {0: 100, 1: 100}}, opening="balance")
        accounts = ledger.dim_account.mutate(signup_date=date(2023, 11, 15))
        table = revenue_cohort_analysis(ledger.fct_revenue, accounts, portfolio=ledger.of)
        assert set(values(table, "cohort_mrr", by=("cohort_month", "segment", "months_since_start"))) == {
            (date(2023, 11, 1), segment, month) for segment in ("A", "all") for month in (2, 3)
        }


def test_contract_and_output_agree():
    ledger = history({"A": {0: 1}})
    assert ledger.fct_revenue.schema() == contracts.fct_revenue(ledger.of).schema()


@pytest.mark.slow
def test_a_month_credited_whole_between_paying_ones_is_a_contraction_and_no_churn():
    of = portfolio(["invoices"], revenue={"basis": "invoices"})
    billed = [invoice("A", 100, date(2024, month, 5)) for month in (1, 2, 3)]
    note = invoice("A", -100, date(2024, 2, 9)) | {"invoice_type": "credit_note"}
    ledger = Ledger(of, date(2024, 3, 31), accounts=["A"], invoices=[*billed, note])
    assert ledger.movements("A") == {MONTHS[0]: "new", MONTHS[1]: "contraction", MONTHS[2]: "expansion"}
    found = ledger.summary("starting_mrr", "contraction_mrr", "churned_mrr", "expansion_mrr", "ending_mrr")
    assert found[MONTHS[1]] == (100, 100, 0, 0, 0)
    assert found[MONTHS[2]] == (0, 0, 0, 100, 100)
    gone = Ledger(of, date(2024, 2, 29), accounts=["A"], invoices=[*billed[:2], note])
    assert gone.movements("A")[MONTHS[1]] == "churn"  # until it pays again
