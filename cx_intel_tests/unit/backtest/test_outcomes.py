"""What became of accounts within 30 to 180 days, by contracts and by months of the ledger; figures worked by hand."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pytest

from cx_intel.contracts.backtest.past import backtest_scores
from cx_intel.contracts.revenue.ledger import fct_revenue
from cx_intel.models.backtest.outcomes import backtest_outcomes
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import health, portfolio, rows, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.subscription_loads import periods_of

HEALTH = health({"login": {"kind": "event_count", "window_days": 30}})
BY_DAY = portfolio(["usage_events"], health=HEALTH)
WITH_GRACE = portfolio(["usage_events"], health=HEALTH, revenue={"basis": "subscriptions", "grace_days": 10})
BY_MONTH = portfolio(["usage_events", "mrr_history"], health=HEALTH, revenue={"basis": "mrr_history"})
JUNE, TODAY = date(2024, 6, 30), date(2025, 1, 31)
CHURNED, CONTRACTED, NOT_RENEWED = "is_churned", "is_contracted", "is_not_renewed"


def outcomes(
    of: Portfolio,
    *,
    scored: Iterable[Mapping[str, Any]] = ({"account_id": "A"},),
    contracts: Iterable[Mapping[str, Any]] = (),
    months: Mapping[date, float] | None = None,
    as_of: date = TODAY,
) -> dict[Any, Any]:
    """(account, window): churned, contracted, not renewed."""
    scores = [{"scored_on": JUNE, "current_mrr": 100} | dict(row) for row in scored]
    ledger = [{"account_id": "A", "revenue_month": month, "mrr": mrr} for month, mrr in (months or {}).items()]
    read = (rows(backtest_scores(of), scores), periods_of(of, contracts, as_of), rows(fct_revenue(of), ledger))
    found = kept_once(backtest_outcomes, *read, portfolio=of, as_of=as_of)
    return values(found, CHURNED, CONTRACTED, NOT_RENEWED, by=("account_id", "window_days"))


def contract(
    number: int = 1, *, since: date = date(2024, 1, 1), until: date | None = None, mrr: float = 100
) -> dict[str, Any]:
    return {
        "subscription_id": f"S{number}",
        "product_name": f"P{number}",
        "start_date": since,
        "end_date": until,
        "mrr_amount": mrr,
    }


def churned(found: Mapping[Any, Any], account: str = "A") -> dict[int, bool]:
    return {window: row[0] for (of, window), row in found.items() if of == account}


UNTIL = {
    "none": (None, {30: False, 60: False, 90: False, 180: False}),
    "30 days later": (date(2024, 7, 30), {30: True, 60: True, 90: True, 180: True}),
    "31 days later": (date(2024, 7, 31), {30: False, 60: True, 90: True, 180: True}),
    "180 days later": (date(2024, 12, 27), {30: False, 60: False, 90: False, 180: True}),
    "181 days later": (date(2024, 12, 28), {30: False, 60: False, 90: False, 180: False}),
}
DUE: dict[str, tuple[int | None, dict[int, Any]]] = {
    "without a date": (None, dict.fromkeys((30, 60, 90, 180))),
    "overdue": (-5, dict.fromkeys((30, 60, 90, 180))),
    "in 45 days": (45, {30: None, 60: True, 90: True, 180: True}),
    "in 31 days": (31, {30: None, 60: True, 90: True, 180: True}),
}


@pytest.fixture(scope="module")
def by_day() -> dict[Any, Any]:
    """Each case of UNTIL and of DUE, an account of its own."""
    scored = [{"account_id": case} for case in UNTIL]
    scored += [{"account_id": case, "days_to_renewal": days} for case, (days, _) in DUE.items()]
    ends = {case: until for case, (until, _) in UNTIL.items()} | dict.fromkeys(DUE, date(2024, 8, 1))
    contracts = [contract(n, until=u) | {"account_id": case} for n, (case, u) in enumerate(ends.items())]
    return outcomes(BY_DAY, scored=scored, contracts=contracts)


class TestByDay:
    @pytest.mark.parametrize("case", UNTIL)
    def test_an_account_churns_on_the_first_day_without_a_contract(self, case: str, by_day: dict[Any, Any]):
        assert churned(by_day, case) == UNTIL[case][1]

    def test_a_contract_that_follows_at_once_is_no_churn_and_one_that_follows_later_is(self):
        first = contract(until=date(2024, 8, 1))
        at_once = outcomes(BY_DAY, contracts=[first, contract(2, since=date(2024, 8, 1))])
        later = outcomes(BY_DAY, contracts=[first, contract(2, since=date(2024, 8, 5))])
        assert churned(at_once) == dict.fromkeys((30, 60, 90, 180), False)
        assert churned(later) == {30: False, 60: True, 90: True, 180: True}

    def test_an_end_that_became_known_later_is_churn_in_every_window(self):
        found = outcomes(BY_DAY, contracts=[contract(until=date(2024, 6, 15))])
        assert churned(found) == dict.fromkeys((30, 60, 90, 180), True)

    def test_contraction_is_less_at_the_end_of_the_window_and_not_told_of_who_left(self):
        less = outcomes(BY_DAY, contracts=[contract(), contract(2, until=date(2024, 8, 15), mrr=20)])
        assert {window: row[1] for (_, window), row in less.items()} == {30: False, 60: True, 90: True, 180: True}
        gone = outcomes(BY_DAY, contracts=[contract(until=date(2024, 8, 15))])
        assert {window: row[1] for (_, window), row in gone.items()} == {30: False, 60: None, 90: None, 180: None}

    @pytest.mark.parametrize("case", DUE)
    def test_a_renewal_counts_in_windows_in_which_it_falls_due(self, case: str, by_day: dict[Any, Any]):
        assert {window: row[2] for (account, window), row in by_day.items() if account == case} == DUE[case][1]

    def test_a_renewal_is_asked_about_when_its_grace_is_over_and_churn_is_dated_so(self):
        scored = [{"account_id": "A", "days_to_renewal": 55}]
        found = outcomes(WITH_GRACE, scored=scored, contracts=[contract()])
        assert {window: row[2] for (_, window), row in found.items()} == {30: None, 60: None, 90: False, 180: False}

    def test_windows_that_are_not_over_and_who_did_not_pay_are_left_out(self):
        scored = [{"account_id": "A"}, {"account_id": "B", "current_mrr": 0}, {"account_id": "erased-C"}]
        found = outcomes(BY_DAY, scored=scored, contracts=[contract()], as_of=date(2024, 8, 29))
        assert set(found) == {("A", 30), ("A", 60)}


class TestByMonth:
    MONTHS = [date(2024, month, 1) for month in range(6, 13)]

    def paid(self, *figures: float) -> dict[date, float]:
        return dict(zip(self.MONTHS, figures, strict=True))

    def test_thirty_days_are_the_month_after_the_one_scored(self):
        found = outcomes(BY_MONTH, months=self.paid(100, 100, 0, 0, 0, 0, 0))
        assert churned(found) == {30: False, 60: True, 90: True, 180: True}

    def test_a_month_without_anything_is_churn_though_it_comes_back(self):
        found = outcomes(BY_MONTH, months=self.paid(100, 100, 0, 100, 100, 100, 100))
        assert churned(found) == {30: False, 60: True, 90: True, 180: True}

    def test_contraction_compares_the_last_month_with_the_one_scored(self):
        found = outcomes(BY_MONTH, months=self.paid(100, 80, 100, 100, 100, 100, 90))
        assert {window: row[1] for (_, window), row in found.items()} == {30: True, 60: False, 90: False, 180: True}

    def test_windows_beyond_the_ledger_are_left_out(self):
        found = outcomes(BY_MONTH, months=dict(list(self.paid(1, 1, 1, 1, 1, 1, 1).items())[:3]))
        assert set(found) == {("A", 30), ("A", 60)}
