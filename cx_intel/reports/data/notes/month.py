"""The month so far: what came and went since the month began, and in the month before until the same day of it.

Read off the MRR of each account in the snapshots of those days; a month that is over is told by the ledger
(`nrr_summary`). The brief says it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from cx_intel.reports.data.report_data import ReportData, newest_within, total
from cx_intel.reports.words.catalogue import term

SO_FAR = term(
    "{month} until {day}: new or back {came}, expansion {expansion}, contraction {contraction}, churn {churn}; together {net}."
)
NOT_KNOWN = term(
    "What came and went this month until the day is told once there are snapshots of the days before it began."
)


@dataclass(frozen=True)
class MonthSoFar:
    """The movements of a month until a day: MRR in the reporting currency, each 0 or more.

    Attributes:
        last: The day until which they are counted.
        came: Of accounts that did not pay when the month began.
        expansion, contraction: Of those that pay more or less now.
        churn: Of those that pay no more.
    """

    last: date
    came: float
    expansion: float
    contraction: float
    churn: float

    @property
    def net(self) -> float:
        return total([self.came, self.expansion, -self.contraction, -self.churn])


def same_day_before(day: date) -> date:
    """The same day of the month before, or its last day where it has no such day."""
    end = day.replace(day=1) - timedelta(days=1)
    return min(end, end.replace(day=min(day.day, end.day)))


def spans(days: Iterable[date], as_of: date) -> list[tuple[date, date] | None]:
    """Of this month and the one before: the snapshot before it began, and that of the day until which it is told.

    A snapshot may be up to 3 days older than the day that is wanted; None where there is none.
    """
    known = list(days)
    found: list[tuple[date, date] | None] = []
    for last in (as_of, same_day_before(as_of)):
        base = newest_within(known, last.replace(day=1) - timedelta(days=1))
        until = newest_within(known, last)
        found.append((base, until) if base and until and until >= last.replace(day=1) else None)
    return found


def month_so_far(data: ReportData, span: tuple[date, date]) -> MonthSoFar:
    """The movements between two snapshots."""
    rows = data.compared["account_snapshot"]
    then, now = (
        dict(zip(of["account_id"], of["mrr"], strict=True)) for of in (rows[rows["as_of"] == day] for day in span)
    )
    stayed = [now[account] - then[account] for account in now if account in then]
    return MonthSoFar(
        span[1],
        total(mrr for account, mrr in now.items() if account not in then),
        total(gap for gap in stayed if gap > 0),
        total(-gap for gap in stayed if gap < 0),
        total(mrr for account, mrr in then.items() if account not in now),
    )


def month_notes(data: ReportData) -> list[str]:
    """This month until the day, and the month before until the same day of it, a sentence each."""
    if data.as_of == last_day(data.as_of) or "account_snapshot" not in data.compared:
        return []
    f, wanted = data.language, (data.as_of, same_day_before(data.as_of))
    notes: list[str] = []
    for last, span in zip(wanted, spans(data.snapshot_days, data.as_of), strict=True):
        if span is None:
            return [*notes, *([] if notes else [f.say(NOT_KNOWN)])]
        gaps = {"month": f.month(last), "day": f.day(span[1])}
        found = month_so_far(data, span)
        amounts = {name: f.money(getattr(found, name)) for name in ("came", "expansion", "contraction", "churn")}
        notes.append(f.say(SO_FAR, **gaps, **amounts, net=f.signed_money(found.net)))
    return notes


def last_day(day: date) -> date:
    """Of the month of a day."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
