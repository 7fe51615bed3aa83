"""The calendar around its edges, and the price list."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from cx_intel.models.core.catalog import dim_date, dim_product
from cx_intel_tests.helpers.builders import portfolio, shipped


def calendar(as_of: date = date(2025, 1, 31), **blocks: Any) -> pd.DataFrame:
    return dim_date(portfolio=portfolio(**blocks), as_of=as_of).set_index("date_day")


@pytest.mark.parametrize(
    ("day", "week", "weekday", "name"),
    [
        (date(2023, 1, 1), 52, 7, "Sunday"),
        (date(2024, 1, 1), 1, 1, "Monday"),
        (date(2024, 12, 29), 52, 7, "Sunday"),
        (date(2024, 12, 30), 1, 1, "Monday"),
        (date(2025, 12, 29), 1, 1, "Monday"),
    ],
)
def test_weeks_are_iso_weeks(day: date, week: int, weekday: int, name: str) -> None:
    row = calendar().loc[day]
    assert (row.week_number, row.day_of_week, row.day_name, row.is_weekend) == (week, weekday, name, weekday >= 6)


def test_a_year_of_53_weeks() -> None:
    assert calendar(date(2026, 6, 1)).loc[date(2026, 12, 31)].week_number == 53


def test_leap_years_have_their_day() -> None:
    days = calendar()
    assert days.loc[date(2024, 2, 29)].last_day_of_month == date(2024, 2, 29)
    assert days.loc[date(2023, 2, 28)].last_day_of_month == date(2023, 2, 28)
    assert len(days.loc[date(2024, 1, 1) : date(2024, 12, 31)]) == 366


def test_a_day_in_november_by_hand() -> None:
    row = calendar().loc[date(2024, 11, 15)]
    assert row.to_dict() == {
        "year": 2024,
        "quarter": 4,
        "month_number": 11,
        "month_name": "November",
        "year_month": "2024-11",
        "week_number": 46,
        "day_of_week": 5,
        "day_name": "Friday",
        "day_of_month": 15,
        "is_weekend": False,
        "first_day_of_month": date(2024, 11, 1),
        "last_day_of_month": date(2024, 11, 30),
        "first_day_of_quarter": date(2024, 10, 1),
        "first_day_of_year": date(2024, 1, 1),
    }


@pytest.mark.parametrize("as_of", [date(2023, 6, 1), date(2025, 12, 31), date(2031, 3, 1)])
def test_it_covers_2023_to_2025_and_goes_past_the_horizon_without_a_gap(as_of: date) -> None:
    days = list(calendar(as_of).index)
    assert days[0] == date(2023, 1, 1)
    assert days[-1] >= date(2025, 12, 31)
    assert days[-1] >= as_of + timedelta(days=365)
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))


def test_it_begins_with_the_year_of_the_earliest_day() -> None:
    assert calendar().index[0] == date(2023, 1, 1)
    early = dim_date(portfolio=portfolio(**{"as_of": {"earliest": date(2019, 5, 5)}}), as_of=date(2025, 1, 31))
    assert early["date_day"].iloc[0] == date(2019, 1, 1)


def test_the_price_list_of_novacrm() -> None:
    found = dim_product(portfolio=shipped("novacrm")).set_index("product_key")
    assert found["list_price_mrr"].to_dict() == {
        "novacrm_platform_starter": Decimal(49),
        "novacrm_platform_growth": Decimal(149),
        "novacrm_platform_enterprise": Decimal(499),
        "api_access_all": Decimal(29),
        "advanced_analytics_all": Decimal(79),
        "priority_support_all": Decimal(59),
    }
    add_on = found.loc["api_access_all"]
    assert (add_on.product_type, add_on.plan_tier, add_on.product_display_name) == ("add_on", "all", "API Access")
    assert found.loc["novacrm_platform_growth"].plan_tier == "growth"


def test_a_product_without_a_price_has_none() -> None:
    found = dim_product(portfolio=shipped("fleet"))
    assert len(found) == 4
    assert found["list_price_mrr"].isna().all()
