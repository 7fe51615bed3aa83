"""The dimensions that no source delivers: the calendar, and the price list of the portfolio's YAML.

Both are small and made in Python; everything else is an Ibis expression.
"""

from calendar import monthrange
from datetime import date, timedelta

import pandas as pd

from cx_intel.contracts import core as contracts
from cx_intel.settings.portfolio import Portfolio

FIRST_YEAR, LAST_YEAR = 2023, 2025
"""The calendar covers these at least."""


def dim_date(*, portfolio: Portfolio, as_of: date) -> pd.DataFrame:
    """The calendar, a row a day: from the year of the earliest as_of to the end of the year after `as_of`'s."""
    first = date(min(FIRST_YEAR, portfolio.as_of.earliest.year), 1, 1)
    last = date(max(LAST_YEAR, as_of.year + 1), 12, 31)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return pd.DataFrame([_calendar_row(day) for day in days], columns=contracts.dim_date(portfolio).column_names)


def _calendar_row(day: date) -> tuple[object, ...]:
    quarter = (day.month + 2) // 3
    _, week, weekday = day.isocalendar()
    return (
        day,
        day.year,
        quarter,
        day.month,
        MONTHS[day.month - 1],
        f"{day:%Y-%m}",
        week,
        weekday,
        DAYS[weekday - 1],
        day.day,
        weekday >= 6,
        day.replace(day=1),
        day.replace(day=monthrange(day.year, day.month)[1]),
        date(day.year, 3 * quarter - 2, 1),
        date(day.year, 1, 1),
    )


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def dim_product(*, portfolio: Portfolio) -> pd.DataFrame:
    """The price list of the YAML: a row for each product and tier, or `all` where the price knows no tier."""
    rows = [
        (f"{p.name}_{tier}", p.name, p.type, p.display_name, tier, price, p.feature_category)
        for p in portfolio.revenue.products
        for tier, price in (p.tier_prices.items() or [("all", p.list_price)])
    ]
    return pd.DataFrame(rows, columns=contracts.dim_product(portfolio).column_names)
