"""The figures at the top of the dashboard: what each is now, and how it changed since last week and last month.

Only figures that tables hold are shown; changes compare snapshots, and months for retention. How they are laid out is
decided by the templates and by `charts/drawing/picture.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import pandas as pd

from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.figures.arr import ARR, ArrFigures, arr_figures
from cx_intel.reports.data.figures.retention import Retention, retention
from cx_intel.reports.data.report_data import MONTH, WEEK, ReportData, last_month_over, total
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language

Direction = Literal["good", "bad", "even"]
SPANS = ((term("in a week"), WEEK), (term("in a month"), MONTH))
SUMS = {
    "arr": ("account_snapshot", "arr"),
    "customers": ("account_snapshot", "customers"),
    "exposed_arr": ("renewal_pipeline", "exposed_arr"),
    "priority_accounts": ("cs_intervention_list", "customers"),
}
"""Key of a figure that is a sum over accounts: the snapshot table and the column of its sums."""


@dataclass(frozen=True)
class Change:
    """A change: in what time, as text, and whether it is for the better."""

    span: str
    text: str
    direction: Direction

    @property
    def arrow(self) -> str:
        """Up or down; nothing where nothing changed."""
        return "" if self.direction == "even" else "▲" if self.text.startswith("+") else "▼"

    @property
    def word(self) -> str:
        """In English, to be said; nothing where nothing changed."""
        return {"good": term("better"), "bad": term("worse"), "even": ""}[self.direction]


@dataclass(frozen=True)
class Kpi:
    """One figure of the strip.

    Attributes:
        key: Its name for scripts and metadata.
        label: In words.
        value: The number, None when there is none.
        text: As people read it.
        note: What it counts, and of when.
        changes: In a week and in a month.
    """

    key: str
    label: str
    value: float | None
    text: str
    note: str
    changes: tuple[Change, ...] = ()


def kpis(data: ReportData) -> tuple[Kpi, ...]:
    """The strip: ARR, customers, exposed ARR, NRR, GRR, priority accounts; those that the portfolio has."""
    f, say, arr = data.language, data.language.say, arr_figures(data)
    found = [
        _summed(data, "arr", say(ARR), say("of all who pay"), f.short_money, better=1),
        _summed(data, "customers", say("Customers"), say("who pay"), f.number, better=1),
    ]
    if data.has("renewal_pipeline"):
        label, note = say("Exposed ARR, 90 days"), _share_note(data, arr)
        found.append(_summed(data, "exposed_arr", label, note, f.short_money, better=-1))
    found += _retention(data)
    if data.has("cs_intervention_list"):
        label, note = say("Priority accounts"), say("Cancelled, Critical or High, in 90 days")
        found.append(_summed(data, "priority_accounts", label, note, f.number, better=-1))
    return tuple(found)


def kpi_parts(data: ReportData) -> dict[str, list[float]]:
    """What each cell adds to the figures that are sums: `<key>@0` now, `<key>@7` a week before and `<key>@30` a month before.

    A day without a snapshot is left out. Accounts are in the cell of their attributes on the day of the reports, also for
    the days before, so that a change is of the same accounts.
    """
    by_cell, found = cells(data), {}
    for key, (table, column) in SUMS.items():
        sums = data.compared.get(table)
        for days in (0, WEEK, MONTH):
            day = data.as_of if days == 0 else data.compared_day(days)
            if sums is not None and day is not None and data.has(table):
                found[f"{key}@{days}"] = by_cell.sums(sums[sums["as_of"] == day], column)
    return found


def retention_months(data: ReportData) -> dict[str, str]:
    """Of which month retention is now (0), and was a week (7) and a month (30) before, where it was of the same span."""
    now = retention(data.summary.iloc[-1]) if len(data.summary) else None
    if now is None:
        return {}
    found = {"0": str(data.summary.iloc[-1]["revenue_month"])}
    for _, days in SPANS:
        known = _months_known(data, data.as_of - timedelta(days=days))
        before = retention(known.iloc[-1]) if len(known) else None
        if before and before.suffix == now.suffix:
            found[str(days)] = str(known.iloc[-1]["revenue_month"])
    return found


def _share_note(data: ReportData, arr: ArrFigures) -> str:
    if not arr.book:
        return data.language.say("not healthy or cancelled, and due")
    share = data.language.percent(100 * (total(data["renewal_pipeline"]["exposed_arr"]) / arr.book))
    return data.language.say("{share} of ARR: not healthy or cancelled, due", share=share)


def _summed(
    data: ReportData,
    key: str,
    label: str,
    note: str,
    text: Callable[[float], str],
    *,
    better: int,
) -> Kpi:
    table, column = SUMS[key]
    sums = data.history[table]
    by_day = dict(zip(sums["as_of"], sums[column], strict=True))
    now = float(by_day.get(data.as_of) or 0)
    changes = []
    for span, days in SPANS:
        day = data.compared_day(days)  # a list may be empty on a day, a snapshot never is
        gap = None if day is None else now - float(by_day.get(day) or 0)
        changes.append(_change(data.language, span, gap, "" if gap is None else text(abs(gap)), better))
    return Kpi(key, label, now, text(now), note, tuple(changes))


def _change(f: Language, span: str, change: float | None, text: str, better: int) -> Change:
    signed = f.signed(change, text)
    if change is None or signed.startswith("±"):
        return Change(f.say(span), signed, "even")
    return Change(f.say(span), signed, "good" if change * better > 0 else "bad")


def _retention(data: ReportData) -> list[Kpi]:
    now = retention(data.summary.iloc[-1]) if len(data.summary) else None
    if now is None:
        return []
    f = data.language
    note = f.say("to {month}", month=f.month(data.summary.iloc[-1]["revenue_month"]))
    kept = []
    for name in ("nrr", "grr"):
        rate = getattr(now, name)
        changes = []
        for span, days in SPANS:
            before = _known(data, data.as_of - timedelta(days=days))
            gap = rate - getattr(before, name) if before and before.suffix == now.suffix else None
            text = "" if gap is None else f.say("{points} pts", points=f.number(abs(gap), 1))
            changes.append(_change(f, span, gap, text, 1))
        kept.append(Kpi(name, f"{name.upper()}, {f.say(now.label)}", rate, f.percent(rate), note, tuple(changes)))
    return kept


def _known(data: ReportData, day: date) -> Retention | None:
    """The headline retention of the newest month that was over on a day."""
    known = _months_known(data, day)
    return retention(known.iloc[-1]) if len(known) else None


def _months_known(data: ReportData, day: date) -> pd.DataFrame:
    return data.summary[data.summary["revenue_month"] <= last_month_over(day)]
