"""Renewal dates: given, rolled, overdue, of terms, and what announced ends make of an account."""

from datetime import date, timedelta
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


def figures(*given: dict[str, Any], columns: tuple[str, ...], of: Portfolio = FLEET, as_of: date = AS_OF) -> Any:
    found = kept_once(renewal_dates, contracts_on(given, as_of), portfolio=of, as_of=as_of)
    return values(found, *columns).get("a")


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


@pytest.mark.parametrize(
    ("given", "as_of", "expected"),
    [
        pytest.param({"renewal_date": date(2025, 6, 30)}, AS_OF, (date(2025, 6, 30), False), id="given"),
        pytest.param({"renewal_date": AS_OF}, AS_OF, (AS_OF, False), id="given, today"),
        pytest.param({"renewal_date": date(2025, 1, 30)}, AS_OF, (date(2025, 1, 30), True), id="passed yesterday"),
        pytest.param({"renewal_date": days_from(-30)}, AS_OF, (days_from(-30), True), id="overdue for 30 days"),
        pytest.param({"renewal_date": days_from(-31)}, AS_OF, (date(2025, 12, 31), True), id="for 31 days: rolled"),
        pytest.param(
            {"renewal_date": date(2021, 3, 1), "start_date": date(2021, 1, 1)},
            AS_OF,
            (date(2025, 3, 1), True),
            id="past for years",
        ),
        pytest.param(
            {"renewal_date": date(2021, 3, 1)},
            AS_OF,
            (date(2025, 3, 1), False),
            id="began after the date that it gives",
        ),
        pytest.param(
            {"renewal_date": date(2024, 2, 29)}, date(2025, 2, 1), (date(2025, 2, 28), True), id="clipped to 28 Feb"
        ),
        pytest.param(
            {"renewal_date": date(2024, 2, 29)}, date(2027, 4, 1), (date(2028, 2, 29), True), id="without drift"
        ),
        pytest.param(
            {"renewal_date": days_from(-40), "term_months": 3}, AS_OF, (date(2025, 3, 22), True), id="its own term"
        ),
        pytest.param(
            {"renewal_date": date(2025, 1, 1), "mrr_amount": 0}, AS_OF, (date(2025, 1, 1), False), id="pays nothing"
        ),
        pytest.param({"start_date": date(2023, 5, 31)}, AS_OF, (date(2025, 5, 31), False), id="anniversary"),
        pytest.param(
            {"start_date": date(2024, 8, 9), "term_months": 1}, AS_OF, (date(2025, 2, 9), False), id="monthly"
        ),
        pytest.param({"start_date": AS_OF}, AS_OF, (date(2026, 1, 31), False), id="started today"),
        pytest.param({"start_date": date(2024, 1, 31)}, AS_OF, (AS_OF, False), id="anniversary today"),
        pytest.param({"start_date": date(2025, 2, 1)}, AS_OF, (None, None), id="not yet started"),
        pytest.param({"end_date": date(2024, 9, 1)}, AS_OF, (None, None), id="ended: nothing is rolled past the end"),
        pytest.param(
            {"end_date": date(2024, 9, 1), "renewal_date": date(2025, 9, 1)},
            AS_OF,
            (None, None),
            id="ended, with a date",
        ),
    ],
)
def test_renewal_date_of_one_contract(given: dict[str, Any], as_of: date, expected: Any) -> None:
    assert next_renewal(given, as_of=as_of) == expected


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
    assert next_renewal(first, returned, of=with_grace(30)) == (date(2025, 8, 1), False)
    assert next_renewal(first, returned, of=with_grace(31)) == (date(2025, 5, 1), False)


def test_a_portfolio_without_renewals_has_terms_of_a_year() -> None:
    plain = FLEET.model_copy(update={"renewals": None})
    assert next_renewal({"start_date": date(2023, 5, 31)}, of=plain) == (date(2025, 5, 31), False)


def test_monthly_terms_clip_from_the_original_day() -> None:
    monthly = with_settings(term_months=1, keep_overdue_days=0)
    given = {"renewal_date": date(2025, 1, 31)}
    assert next_renewal(given, of=monthly, as_of=date(2025, 2, 1)) == (date(2025, 2, 28), True)
    assert next_renewal(given, of=monthly, as_of=date(2025, 3, 1)) == (date(2025, 3, 31), True)


ENDING = {"start_date": LONG_AGO, "end_date": date(2025, 4, 1), "product_name": "x"}


@pytest.mark.parametrize(
    ("given", "expected", "renewal"),
    [
        pytest.param([ENDING], (date(2025, 4, 1), 0, 0), date(2025, 4, 1), id="all end"),
        pytest.param([ENDING | {"renewal_date": date(2025, 3, 1)}], (date(2025, 4, 1), 0, 0), date(2025, 4, 1), id="date"),
        pytest.param(
            [ENDING, ENDING | {"end_date": date(2025, 9, 1)}], (date(2025, 9, 1), 0, 0), date(2025, 9, 1), id="the last counts"
        ),
        pytest.param(
            [ENDING, {"start_date": date(2024, 6, 5), "mrr_amount": 7}], (None, 100, 100), date(2025, 3, 10), id="one stays"
        ),
        pytest.param(
            [ENDING, {"start_date": LONG_AGO, "mrr_amount": 0}], (date(2025, 4, 1), 0, 0), date(2025, 4, 1), id="one is free"
        ),
        pytest.param(
            [ENDING | {"end_date": date(2025, 5, 1)}, ENDING | {"end_date": date(2025, 5, 2)}, {"product_name": "y"}],
            (None, 200, 100),
            date(2025, 3, 10),
            id="90 and 91 days",
        ),
        pytest.param(
            [ENDING, {"start_date": date(2025, 4, 1), "product_name": "x"}], (None, 0, 0), date(2026, 3, 10), id="followed"
        ),
        pytest.param(
            [ENDING, {"start_date": date(2025, 3, 1), "product_name": "x"}], (None, 0, 0), date(2026, 3, 10), id="overlapped"
        ),
        pytest.param(
            [ENDING, {"start_date": date(2025, 4, 2), "product_name": "x"}],
            (date(2025, 4, 1), 0, 0),
            date(2025, 4, 1),
            id="followed a day late",
        ),
        pytest.param(
            [ENDING, {"start_date": date(2025, 4, 1), "end_date": date(2025, 8, 1), "product_name": "x"}],
            (date(2025, 8, 1), 0, 0),
            date(2025, 8, 1),
            id="followed by one that ends too",
        ),
        pytest.param(
            [ENDING, {"start_date": date(2025, 4, 1), "mrr_amount": 60, "product_name": "x"}],
            (None, 40, 40),
            date(2026, 3, 10),
            id="followed by less",
        ),
        pytest.param(
            [ENDING, {"start_date": date(2025, 4, 1), "mrr_amount": 160, "product_name": "y"}],
            (None, 0, 0),
            date(2026, 3, 10),
            id="followed by another product",
        ),
        pytest.param(
            [ENDING, {"product_name": "z"}, {"start_date": date(2025, 4, 1), "product_name": "y"}],
            (None, 100, 100),
            date(2025, 3, 10),
            id="one stays, and another product follows",
        ),
        pytest.param(
            [ENDING, {"start_date": date(2025, 4, 1), "renewal_date": date(2025, 10, 1), "product_name": "x"}],
            (None, 0, 0),
            date(2025, 10, 1),
            id="followed by one with a date",
        ),
        pytest.param([{"start_date": date(2025, 3, 1)}], (None, 0, 0), None, id="a future start only"),
    ],
)  # fmt: skip
def test_announced_ends(given: list[dict[str, Any]], expected: Any, renewal: date | None) -> None:
    found = figures(*given, columns=(*ENDS, "renewal_date", "is_cancelled", "is_overdue"))
    is_overdue = None if renewal is None else False
    assert found == (*expected, renewal, expected[0] is not None, is_overdue)


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


@pytest.mark.parametrize(
    ("ended", "others", "expected"),
    [
        pytest.param(AS_OF, [], (AS_OF, True, 100), id="today"),
        pytest.param(days_from(-30), [], (days_from(-30), True, 100), id="30 days ago"),
        pytest.param(days_from(-31), [], (None, None, 0), id="31 days ago"),
        pytest.param(days_from(-5), [{"start_date": days_from(-5)}], (date(2026, 1, 27), False, 0), id="succeeded"),
        pytest.param(days_from(-5), [{"start_date": days_from(5)}], (None, None, 0), id="succeeded later"),
        pytest.param(
            days_from(-5), [{"start_date": days_from(-2), "product_name": "y"}], (date(2026, 1, 29), False, 0), id="began"
        ),
        pytest.param(days_from(-5), [{"product_name": "y"}], (days_from(-5), True, 100), id="another stays"),
    ],
)  # fmt: skip
def test_a_term_that_ended_without_successor_is_kept(ended: date, others: list[dict[str, Any]], expected: Any) -> None:
    lapsed = {"is_term": True, "start_date": ended - timedelta(days=365), "end_date": ended}
    assert figures(lapsed, *others, columns=("renewal_date", "is_overdue", "lapsed_mrr")) == expected


def test_nothing_is_rolled_past_the_end_of_the_main_product() -> None:
    platform = {"product_name": "novacrm_platform", "start_date": date(2023, 7, 1), "end_date": date(2025, 6, 1)}
    add_on = {"product_name": "api_access", "start_date": date(2024, 3, 1)}
    assert next_renewal(platform, add_on, of=NOVACRM) == (date(2025, 3, 1), False)
    assert next_renewal(platform | {"end_date": date(2025, 8, 1)}, add_on, of=NOVACRM) == (date(2025, 7, 1), False)
