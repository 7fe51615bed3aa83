"""The figures at the top of the dashboard: what each is now, and how it changed since last week and last month.

Only figures that tables hold are shown; changes compare snapshots, and months for retention. How they are laid out is
the matter of `templates` and of `picture.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import pandas as pd

from cx_intel.reports.data.headline import retention
from cx_intel.reports.data.report_data import MONTH, WEEK, Book
from cx_intel.reports.words.formats import MISSING, Formats

Direction = Literal["good", "bad", "even"]


@dataclass(frozen=True)
class Change:
    """A change: against what, as text, and whether it is for the better."""

    since: str
    text: str
    direction: Direction


@dataclass(frozen=True)
class Kpi:
    """One figure of the strip.

    Attributes:
        key: Its name for scripts and metadata.
        label: In words.
        value: The number, None when there is none.
        text: As people read it.
        note: What it counts, and of when.
        changes: Since last week and last month.
    """

    key: str
    label: str
    value: float | None
    text: str
    note: str
    changes: tuple[Change, ...] = ()


def kpis(book: Book) -> tuple[Kpi, ...]:
    """The strip: ARR, customers, exposed ARR, NRR, GRR, priority accounts; those that the portfolio has."""
    f = book.formats
    population = "customer_health_scores" if book.portfolio.health else "account_snapshot"
    found = [
        _summed(book, population, "arr", "arr", "ARR", "contracts in force", f.short_money, better=1),
        _summed(book, population, "customers", "customers", "Customers", _population_note(book), f.number, better=1),
    ]
    if book.has("renewal_pipeline"):
        found.append(
            _summed(
                book,
                "renewal_pipeline",
                "exposed_arr",
                "exposed_arr",
                "Exposed ARR, 90 days",
                _share_note(book),
                f.short_money,
                better=-1,
            )
        )
    found += _retention(book)
    if book.has("cs_intervention_list"):
        found.append(
            _summed(
                book,
                "cs_intervention_list",
                "customers",
                "priority_accounts",
                "Priority accounts",
                "Critical or High, renewing in 90 days",
                f.number,
                better=-1,
            )
        )
    return tuple(found)


def _population_note(book: Book) -> str:
    return "with a health score" if book.portfolio.health else "paying"


def _share_note(book: Book) -> str:
    arr = float(book.accounts["current_arr"].sum()) if len(book.accounts) else 0.0
    if not arr:
        return "not healthy and up for renewal"
    exposed = float(book["renewal_pipeline"]["exposed_arr"].sum())
    return f"{book.formats.percent(100 * exposed / arr)} of ARR: not healthy, up for renewal"


def _summed(
    book: Book,
    table: str,
    column: str,
    key: str,
    label: str,
    note: str,
    text: Callable[[float], str],
    *,
    better: int,
) -> Kpi:
    sums = book.history[table]
    by_day = dict(zip(sums["as_of"], sums[column], strict=True))
    now = float(by_day.get(book.as_of) or 0)
    changes = []
    for since, days in (("last week", WEEK), ("last month", MONTH)):
        day = compared_to(book, days)
        if day is not None:
            before = float(by_day.get(day) or 0)
            changes.append(_change(book.formats, since, now - before, text(abs(now - before)), better))
        else:
            changes.append(Change(since, MISSING, "even"))
    return Kpi(key, label, now, text(now), note, tuple(changes))


def compared_to(book: Book, days: int) -> date | None:
    """The day that a change since `days` ago compares with; a list may be empty on a day, a snapshot never is."""
    return book.compared_day("customer_health_scores" if book.portfolio.health else "account_snapshot", days)


def _change(f: Formats, since: str, change: float, text: str, better: int) -> Change:
    signed = f.signed(change, text)
    if signed.startswith("±"):
        return Change(since, signed, "even")
    return Change(since, signed, "good" if change * better > 0 else "bad")


def _retention(book: Book) -> list[Kpi]:
    summary = book["nrr_summary"]
    if summary.empty:
        return []
    summary = summary.sort_values("revenue_month")
    last = summary.iloc[-1]
    found = retention(last)
    if found is None:
        return []
    f, (label, *now) = book.formats, found
    kept = []
    for position, name in enumerate(("NRR", "GRR")):
        changes = []
        for since, days in (("last week", WEEK), ("last month", MONTH)):
            row = _month_known(summary, book.as_of - timedelta(days=days))
            before = None if row is None else retention(row)
            if before is None or before[0] != label:
                changes.append(Change(since, MISSING, "even"))
                continue
            change = now[position] - float(before[1 + position])
            text = f"{f.number(abs(change), 1)} pts"
            changes.append(_change(f, since, change, text, 1))
        note = f"to {f.month(last['revenue_month'])}"
        kept.append(
            Kpi(name.lower(), f"{name}, {label}", now[position], f.percent(now[position]), note, tuple(changes))
        )
    return kept


def _month_known(summary: pd.DataFrame, day: date) -> pd.Series | None:
    """The newest month that was over on a day."""
    ends = pd.to_datetime(summary["revenue_month"]) + pd.offsets.MonthEnd(0)
    known = summary[ends.dt.date <= day]
    return None if known.empty else known.iloc[-1]
