"""What is refused of a delivery of subscriptions, and what is told, each once passing and once failing."""

from datetime import date
from typing import Any

import pytest

from cx_intel.contracts.staging.billing import stg_subscriptions
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.renewal_tables import broken
from cx_intel_tests.helpers.subscription_loads import Loads

JANUARY, MAY, JUNE = date(2025, 1, 1), date(2025, 5, 31), date(2025, 6, 30)


def s(number: int, mrr: float = 100, **more: Any) -> dict[str, Any]:
    row = {"subscription_id": f"s{number}", "account_id": f"A{number}", "mrr_amount": mrr, "start_date": JANUARY}
    return row | more


def told(loads: Loads) -> list[str]:
    return broken(loads.periods, subscription_periods(loads.of))


def book(**source: Any) -> Any:
    files = [{"kind": "files", "table": t, "path": f"{t}.csv"} for t in ("accounts", "subscriptions")]
    return portfolio(sources=[files[0], files[1] | source])


TEN = [s(n) for n in range(10)]


@pytest.mark.slow
def test_a_tenth_may_be_missing_and_no_more() -> None:
    assert told(Loads().load(MAY, *TEN).load(JUNE, *TEN[1:])) == []
    assert told(Loads().load(MAY, *TEN).load(JUNE, *TEN[2:])) == ["missing_share"]
    assert told(Loads(book(max_missing_pct=20)).load(MAY, *TEN).load(JUNE, *TEN[2:])) == []
    assert told(Loads(book(delivers="changes")).load(MAY, *TEN).load(JUNE)) == []


@pytest.mark.slow
def test_a_single_one_that_is_missing_is_told_and_not_refused_however_large() -> None:
    assert told(Loads().load(MAY, s(1)).load(JUNE)) == ["missing_subscription"]
    assert told(Loads().load(MAY, s(1, 1000), *TEN[2:]).load(JUNE, *TEN[2:])) == ["missing_subscription"]
    assert told(Loads().load(MAY, s(1), s(2)).load(JUNE)) == ["missing_share"]
    assert told(Loads(book(max_missing_pct=100)).load(MAY, s(1)).load(JUNE)) == []


def test_a_delivery_that_misses_more_is_refused_and_stops_nothing() -> None:
    (rule,) = [rule for rule in subscription_periods(portfolio()).cross_invariants if rule.name == "missing_share"]
    assert rule.severity == "refuse"


@pytest.mark.slow
def test_a_fifth_may_end_before_it_is_asked_what_that_means() -> None:
    ending = [s(n, end_date=date(2026, 1, 1)) for n in range(10)]
    assert told(Loads().load(MAY, *ending[:2], *TEN[2:])) == []
    assert told(Loads().load(MAY, *ending[:3], *TEN[3:])) == ["meaning_of_ends"]
    assert told(Loads(book(end_date={"means": "term"})).load(MAY, *ending)) == []


@pytest.mark.slow
def test_an_export_of_active_subscriptions_alone_is_told() -> None:
    def old(count: int, *more: dict[str, Any], start: date = date(2024, 6, 29)) -> list[str]:
        given = [s(n, start_date=start) for n in range(count)]
        return told(Loads().load(JUNE, *given, *more))

    assert old(50) == ["ended_are_delivered"]
    assert old(49) == []
    assert old(50, start=date(2024, 6, 30)) == []  # a year ago to the day
    assert old(50, s(60, end_date=JUNE)) == []
    assert old(50, s(60, end_date=date(2025, 7, 1))) == ["ended_are_delivered"]  # announced
    fifty = [s(n, start_date=date(2024, 1, 1)) for n in range(50)]
    assert told(Loads().load(MAY, *fifty, s(60)).load(JUNE, *fifty)) == []  # one is missing, and has so ended
    changed = [row | {"mrr_amount": 90} for row in fifty]
    assert told(Loads().load(MAY, *fifty).load(JUNE, *changed)) == ["ended_are_delivered"]
    by_invoices = subscription_periods(portfolio(["invoices"], revenue={"basis": "invoices"}))
    assert "ended_are_delivered" not in [rule.name for rule in by_invoices.cross_invariants]


@pytest.mark.slow
def test_ends_with_a_follower_one_day_later_look_like_last_days() -> None:
    def renewed(begins: date, accounts: int = 3, left: int = 0) -> list[str]:
        old = [s(n, end_date=date(2025, 3, 31)) for n in range(accounts + left)]
        new = [s(n + 50, account_id=f"A{n}", start_date=begins) for n in range(accounts)]
        return told(Loads().load(MAY, *old, *new))

    assert renewed(date(2025, 4, 1)) == ["ends_are_first_days_without"]
    assert renewed(date(2025, 3, 31)) == []
    assert renewed(date(2025, 4, 2)) == []
    assert renewed(date(2025, 4, 1), accounts=3, left=27) == ["ends_are_first_days_without"]
    assert renewed(date(2025, 4, 1), accounts=3, left=28) == []
    assert renewed(date(2025, 4, 1), accounts=1) == ["ends_are_first_days_without"]
    assert renewed(date(2025, 4, 1), accounts=1, left=1) == ["ends_are_first_days_without"]
    assert renewed(date(2025, 4, 1), accounts=1, left=2) == []


@pytest.mark.slow
def test_long_overlaps_are_told() -> None:
    def beside(**more: Any) -> list[str]:
        return told(Loads().load(MAY, s(1), s(2, account_id="A1", start_date=date(2025, 2, 1), **more)))

    assert beside() == ["overlaps_are_short"]
    assert beside(product_name="other") == []
    assert beside(end_date=date(2025, 2, 20)) == []


@pytest.mark.parametrize(
    ("row", "source", "expected"),
    [
        ({"quantity": 5}, {}, ["amount_is_stated"]),
        ({"quantity": 1}, {}, []),
        ({"quantity": 5, "unit_amount": 20}, {}, []),
        ({"quantity": 5}, {"amount_is": "total"}, []),
    ],
)
def test_an_amount_for_several_units_needs_a_word(row: dict[str, Any], source: Any, expected: list[str]) -> None:
    of = book(**source)
    given = s(1) | {"currency": "EUR", "amount": 100, "list_mrr_amount": 100, "billing_period_months": 1} | row
    found = broken(rows(stg_subscriptions(of), [given]), stg_subscriptions(of))
    assert [name for name in found if name == "amount_is_stated"] == expected
