"""The figures at the top of the dashboard: what each is now, and how it changed since last week and last month.

Only figures that tables hold are shown; changes compare snapshots, and months for retention. How they are laid out is
decided by the templates and by `charts/picture.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from cx_intel.reports.data.arr import ARR, ArrFigures, arr_figures
from cx_intel.reports.data.report_data import MONTH, WEEK, ReportData, last_month_over, total
from cx_intel.reports.data.retention import Retention, retention
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language

Direction = Literal["good", "bad", "even"]
SPANS = ((term("in a week"), WEEK), (term("in a month"), MONTH))


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
    book, renewals, listed = "account_snapshot", "renewal_pipeline", "cs_intervention_list"
    found = [
        _summed(data, book, "arr", "arr", say(ARR), say("of all who pay"), f.short_money, better=1),
        _summed(data, book, "customers", "customers", say("Customers"), say("who pay"), f.number, better=1),
    ]
    if data.has(renewals):
        label, note = say("Exposed ARR, 90 days"), _share_note(data, arr)
        found.append(_summed(data, renewals, "exposed_arr", "exposed_arr", label, note, f.short_money, better=-1))
    found += _retention(data)
    if data.has(listed):
        label, note = say("Priority accounts"), say("Cancelled, Critical or High, in 90 days")
        found.append(_summed(data, listed, "customers", "priority_accounts", label, note, f.number, better=-1))
    return tuple(found)


def _share_note(data: ReportData, arr: ArrFigures) -> str:
    if not arr.book:
        return data.language.say("not healthy or cancelled, and due")
    share = data.language.percent(100 * (total(data["renewal_pipeline"]["exposed_arr"]) / arr.book))
    return data.language.say("{share} of ARR: not healthy or cancelled, due", share=share)


def _summed(
    data: ReportData,
    table: str,
    column: str,
    key: str,
    label: str,
    note: str,
    text: Callable[[float], str],
    *,
    better: int,
) -> Kpi:
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
    known = data.summary[data.summary["revenue_month"] <= last_month_over(day)]
    return retention(known.iloc[-1]) if len(known) else None
