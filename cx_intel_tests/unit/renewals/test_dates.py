"""Renewal dates: given, rolled, overdue, of terms, and what announced ends make of an account."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from cx_intel.models.renewals.dates import renewal_dates
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, shipped, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.renewal_tables import contracts_on, days_from

FLEET, NOVACRM = shipped("fleet"), shipped("novacrm")
LONG_AGO = date(2022, 3, 10)
ENDS = ("announced_end_date", "announced_contraction_mrr", "announced_contraction_90d_mrr")


def of_accounts(
    given: Mapping[str, list[dict[str, Any]]], columns: tuple[str, ...], of: Portfolio = FLEET, as_of: date = AS_OF
) -> dict[str, Any]:
    """The columns of each account by its contracts."""
    contracts = [row | {"account_id": account} for account, listed in given.items() for row in listed]
    return values(kept_once(renewal_dates, contracts_on(contracts, as_of), portfolio=of, as_of=as_of), *columns)


def figures(*given: dict[str, Any], columns: tuple[str, ...], of: Portfolio = FLEET, as_of: date = AS_OF) -> Any:
    return of_accounts({"a": list(given)}, columns, of, as_of).get("a")


def next_renewal(*given: dict[str, Any], of: Portfolio = FLEET, as_of: date = AS_OF) -> Any:
    """(renewal_date, is_overdue) of an account with these contracts; None when it has no row."""
    return figures(*given, columns=("renewal_date", "is_overdue"), of=of, as_of=as_of)


def ends(*given: dict[str, Any], of: Portfolio = FLEET) -> Any:
    """(announced_end_date, announced_contraction_mrr, the same within 90 days)."""
    return figures(*given, columns=ENDS, of=of)


def with_settings(**changes: Any) -> Portfolio:
    return FLEET.model_copy(update={"renewals": FLEET.renewals.model_copy(update=changes)})


def with_grace(days: int) -> Portfolio:
    return FLEET.model_copy(update={"revenue": FLEET.revenue.model_copy(update={"grace_days": days})})


ONE_CONTRACT: dict[str, tuple[dict[str, Any], date, Any]] = {
    "given": ({"renewal_date": date(2025, 6, 30)}, AS_OF, (date(2025, 6, 30), False)),
    "given, today": ({"renewal_date": AS_OF}, AS_OF, (AS_OF, False)),
    "passed yesterday": ({"renewal_date": date(2025, 1, 30)}, AS_OF, (date(2025, 1, 30), True)),
    "overdue for 30 days": ({"renewal_date": days_from(-30)}, AS_OF, (days_from(-30), True)),
    "for 31 days: rolled": ({"renewal_date": days_from(-31)}, AS_OF, (date(2025, 12, 31), True)),
    "past for years": (
        {"renewal_date": date(2021, 3, 1), "start_date": date(2021, 1, 1)},
        AS_OF,
        (date(2025, 3, 1), True),
    ),
    "began after the date that it gives": ({"renewal_date": date(2021, 3, 1)}, AS_OF, (date(2025, 3, 1), False)),
    "clipped to 28 Feb": ({"renewal_date": date(2024, 2, 29)}, date(2025, 2, 1), (date(2025, 2, 28), True)),
    "without drift": ({"renewal_date": date(2024, 2, 29)}, date(2027, 4, 1), (date(2028, 2, 29), True)),
    "its own term": ({"renewal_date": days_from(-40), "term_months": 3}, AS_OF, (date(2025, 3, 22), True)),
    "pays nothing": ({"renewal_date": date(2025, 1, 1), "mrr_amount": 0}, AS_OF, (date(2025, 1, 1), False)),
    "anniversary": ({"start_date": date(2023, 5, 31)}, AS_OF, (date(2025, 5, 31), False)),
    "monthly": ({"start_date": date(2024, 8, 9), "term_months": 1}, AS_OF, (date(2025, 2, 9), False)),
    "started today": ({"start_date": AS_OF}, AS_OF, (date(2026, 1, 31), False)),
    "anniversary today": ({"start_date": date(2024, 1, 31)}, AS_OF, (AS_OF, False)),
    "not yet started": ({"start_date": date(2025, 2, 1)}, AS_OF, (None, None)),
    "ended: nothing is rolled past the end": ({"end_date": date(2024, 9, 1)}, AS_OF, (None, None)),
    "ended, with a date": ({"end_date": date(2024, 9, 1), "renewal_date": date(2025, 9, 1)}, AS_OF, (None, None)),
}


@cache
def dates_of_one_contract(as_of: date) -> dict[str, Any]:
    """(renewal_date, is_overdue) of the cases of a day, each an account."""
    given = {case: [contract] for case, (contract, day, _) in ONE_CONTRACT.items() if day == as_of}
    return of_accounts(given, ("renewal_date", "is_overdue"), as_of=as_of)


@pytest.mark.parametrize("case", ONE_CONTRACT)
def test_renewal_date_of_one_contract(case: str) -> None:
    _, as_of, expected = ONE_CONTRACT[case]
    assert dates_of_one_contract(as_of)[case] == expected


def test_earliest_of_the_contracts_in_force() -> None:
    past, soon, late = ({"renewal_date": date(2024, 12, 1)}, {"renewal_date": date(2025, 3, 1)}, {})
    assert next_renewal(past, soon, late) == (date(2025, 3, 1), True)


def test_a_contract_that_began_since_the_date_has_renewed_it() -> None:
    past = {"renewal_date": date(2025, 1, 20)}
    assert next_renewal(past, {"start_date": date(2025, 1, 19)}) == (date(2025, 1, 20), True)
    assert next_renewal(past, {"start_date": date(2025, 1, 20)}) == (date(2026, 1, 20), False)


def test_how_long_an_overdue_date_stays_is_a_setting() -> None:
    past = {"renewal_date": days_from(-1)}
    assert next_renewal(past, of=with_settings(keep_overdue_days=0)) == (date(2026, 1, 30), True)
    assert next_renewal(past, of=with_settings(keep_overdue_days=1)) == (days_from(-1), True)


def test_anniversary_of_the_earliest_start_of_the_main_product() -> None:
    add_on = {"product_name": "api_access", "start_date": date(2022, 3, 1)}
    platform = {"product_name": "novacrm_platform", "start_date": date(2023, 7, 1), "end_date": date(2024, 7, 1)}
    upgrade = {"product_name": "novacrm_platform", "start_date": date(2024, 8, 1)}
    assert next_renewal(add_on, platform, upgrade, of=NOVACRM) == (date(2025, 7, 1), False)
    assert next_renewal(add_on, of=NOVACRM) == (None, None)


def test_a_start_before_a_break_is_not_rolled_past_its_end() -> None:
    first = {"start_date": date(2022, 5, 1), "end_date": date(2024, 7, 1)}
    returned = {"start_date": date(2024, 8, 1)}
    assert next_renewal(first, returned) == (date(2025, 8, 1), False)


@pytest.mark.slow
def test_a_break_within_the_grace_days_is_none() -> None:
    first = {"start_date": date(2022, 5, 1), "end_date": date(2024, 7, 1)}
    returned = {"start_date": date(2024, 8, 1)}
    assert next_renewal(first, returned, of=with_grace(30)) == (date(2025, 8, 1), False)
    assert next_renewal(first, returned, of=with_grace(31)) == (date(2025, 5, 1), False)


def test_a_portfolio_without_renewals_has_terms_of_a_year() -> None:
    plain = FLEET.model_copy(update={"renewals": None})
    assert next_renewal({"start_date": date(2023, 5, 31)}, of=plain) == (date(2025, 5, 31), False)


@pytest.mark.slow
def test_monthly_terms_clip_from_the_original_day() -> None:
    monthly = with_settings(term_months=1, keep_overdue_days=0)
    given = {"renewal_date": date(2025, 1, 31)}
    assert next_renewal(given, of=monthly, as_of=date(2025, 2, 1)) == (date(2025, 2, 28), True)
    assert next_renewal(given, of=monthly, as_of=date(2025, 3, 1)) == (date(2025, 3, 31), True)


ENDING = {"start_date": LONG_AGO, "end_date": date(2025, 4, 1), "product_name": "x"}


ANNOUNCED: dict[str, tuple[list[dict[str, Any]], Any, date | None]] = {
    "all end": ([ENDING], (date(2025, 4, 1), 0, 0), date(2025, 4, 1)),
    "date": ([ENDING | {"renewal_date": date(2025, 3, 1)}], (date(2025, 4, 1), 0, 0), date(2025, 4, 1)),
    "the last counts": ([ENDING, ENDING | {"end_date": date(2025, 9, 1)}], (date(2025, 9, 1), 0, 0), date(2025, 9, 1)),
    "one stays": ([ENDING, {"start_date": date(2024, 6, 5), "mrr_amount": 7}], (None, 100, 100), date(2025, 3, 10)),
    "one is free": ([ENDING, {"start_date": LONG_AGO, "mrr_amount": 0}], (date(2025, 4, 1), 0, 0), date(2025, 4, 1)),
    "90 and 91 days": (
        [ENDING | {"end_date": date(2025, 5, 1)}, ENDING | {"end_date": date(2025, 5, 2)}, {"product_name": "y"}],
        (None, 200, 100),
        date(2025, 3, 10),
    ),
    "followed": ([ENDING, {"start_date": date(2025, 4, 1), "product_name": "x"}], (None, 0, 0), date(2026, 3, 10)),
    "overlapped": ([ENDING, {"start_date": date(2025, 3, 1), "product_name": "x"}], (None, 0, 0), date(2026, 3, 10)),
    "followed a day late": (
        [ENDING, {"start_date": date(2025, 4, 2), "product_name": "x"}],
        (date(2025, 4, 1), 0, 0),
        date(2025, 4, 1),
    ),
    "followed by one that ends too": (
        [ENDING, {"start_date": date(2025, 4, 1), "end_date": date(2025, 8, 1), "product_name": "x"}],
        (date(2025, 8, 1), 0, 0),
        date(2025, 8, 1),
    ),
    "followed by less": (
        [ENDING, {"start_date": date(2025, 4, 1), "mrr_amount": 60, "product_name": "x"}],
        (None, 40, 40),
        date(2026, 3, 10),
    ),
    "followed by another product": (
        [ENDING, {"start_date": date(2025, 4, 1), "mrr_amount": 160, "product_name": "y"}],
        (None, 0, 0),
        date(2026, 3, 10),
    ),
    "one stays, and another product follows": (
        [ENDING, {"product_name": "z"}, {"start_date": date(2025, 4, 1), "product_name": "y"}],
        (None, 100, 100),
        date(2025, 3, 10),
    ),
    "followed by one with a date": (
        [ENDING, {"start_date": date(2025, 4, 1), "renewal_date": date(2025, 10, 1), "product_name": "x"}],
        (None, 0, 0),
        date(2025, 10, 1),
    ),
    "a future start only": ([{"start_date": date(2025, 3, 1)}], (None, 0, 0), None),
}


@pytest.fixture(scope="module")
def announced() -> dict[str, Any]:
    """Each case of ANNOUNCED, an account of its own."""
    given = {case: contracts for case, (contracts, _, _) in ANNOUNCED.items()}
    return of_accounts(given, (*ENDS, "renewal_date", "is_cancelled", "is_overdue"))


@pytest.mark.parametrize("case", ANNOUNCED)
def test_announced_ends(case: str, announced: dict[str, Any]) -> None:
    _, expected, renewal = ANNOUNCED[case]
    is_overdue = None if renewal is None else False
    assert announced[case] == (*expected, renewal, expected[0] is not None, is_overdue)


def test_what_follows_within_the_grace_days_follows() -> None:
    late = {"start_date": date(2025, 4, 15), "product_name": "x"}
    assert ends(ENDING, late, of=with_grace(13)) == (date(2025, 4, 1), 0, 0)
    assert ends(ENDING, late, of=with_grace(14)) == (None, 0, 0)


TERM = {"is_term": True, "start_date": date(2024, 2, 20), "end_date": date(2025, 2, 20)}


def test_the_end_of_a_term_is_the_renewal_date() -> None:
    assert next_renewal(TERM | {"renewal_date": date(2025, 2, 10)}) == (date(2025, 2, 20), False)
    assert ends(TERM) == (None, 0, 0)
    assert next_renewal(TERM, {"renewal_date": date(2025, 2, 1)}) == (date(2025, 2, 1), False)


def test_a_term_with_a_successor_has_renewed() -> None:
    next_term = {"is_term": True, "start_date": date(2025, 2, 20), "end_date": date(2026, 2, 20)}
    assert next_renewal(TERM, next_term) == (date(2026, 2, 20), False)
    assert next_renewal(TERM, {"start_date": date(2025, 2, 20)}) == (date(2026, 2, 20), False)
    assert next_renewal(TERM, next_term | {"start_date": date(2025, 2, 21)}) == (date(2025, 2, 20), False)
    assert next_renewal(TERM, next_term | {"product_name": "other"}) == (date(2025, 2, 20), False)


ENDED_TERMS: dict[str, tuple[date, list[dict[str, Any]], Any]] = {
    "today": (AS_OF, [], (AS_OF, True, 100)),
    "30 days ago": (days_from(-30), [], (days_from(-30), True, 100)),
    "31 days ago": (days_from(-31), [], (None, None, 0)),
    "succeeded": (days_from(-5), [{"start_date": days_from(-5)}], (date(2026, 1, 27), False, 0)),
    "succeeded later": (days_from(-5), [{"start_date": days_from(5)}], (None, None, 0)),
    "began": (days_from(-5), [{"start_date": days_from(-2), "product_name": "y"}], (date(2026, 1, 29), False, 0)),
    "another stays": (days_from(-5), [{"product_name": "y"}], (days_from(-5), True, 100)),
}


@pytest.fixture(scope="module")
def ended_terms() -> dict[str, Any]:
    """Each case of ENDED_TERMS, an account of its own."""
    given = {
        case: [{"is_term": True, "start_date": ended - timedelta(days=365), "end_date": ended}, *others]
        for case, (ended, others, _) in ENDED_TERMS.items()
    }
    return of_accounts(given, ("renewal_date", "is_overdue", "lapsed_mrr"))


@pytest.mark.parametrize("case", ENDED_TERMS)
def test_a_term_that_ended_without_successor_is_kept(case: str, ended_terms: dict[str, Any]) -> None:
    assert ended_terms[case] == ENDED_TERMS[case][-1]


def test_nothing_is_rolled_past_the_end_of_the_main_product() -> None:
    platform = {"product_name": "novacrm_platform", "start_date": date(2023, 7, 1), "end_date": date(2025, 6, 1)}
    add_on = {"product_name": "api_access", "start_date": date(2024, 3, 1)}
    assert next_renewal(platform, add_on, of=NOVACRM) == (date(2025, 3, 1), False)
    assert next_renewal(platform | {"end_date": date(2025, 8, 1)}, add_on, of=NOVACRM) == (date(2025, 7, 1), False)
