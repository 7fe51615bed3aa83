"""The month so far against the month before until the same day: from snapshots alone, and told as unknown without them."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from cx_intel.reports.data.notes.month import MonthSoFar, month_notes, month_so_far, same_day_before, spans
from cx_intel.reports.data.report_data import ReportData
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.report_books import MADE_AT

AS_OF = date(2025, 3, 30)
FEBRUARY, JANUARY = date(2025, 2, 28), date(2025, 1, 31)


def snapshot(day: date, **mrr: float) -> pd.DataFrame:
    return pd.DataFrame({"as_of": day, "account_id": list(mrr), "mrr": list(mrr.values())})


def data_of(*snapshots: pd.DataFrame) -> ReportData:
    rows = pd.concat(snapshots)
    sums = rows.groupby("as_of", as_index=False)["mrr"].sum()
    data = ReportData(shipped("novacrm"), AS_OF, MADE_AT, {})
    return replace(data, history={"account_snapshot": sums}, compared={"account_snapshot": rows})


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2025, 3, 30), date(2025, 2, 28)),  # February has no 30th
        (date(2025, 3, 15), date(2025, 2, 15)),
        (date(2025, 1, 10), date(2024, 12, 10)),
    ],
)
def test_the_same_day_of_the_month_before(day: date, before: date) -> None:
    assert same_day_before(day) == before


def test_movements_are_told_by_account_and_of_both_months() -> None:
    data = data_of(
        snapshot(JANUARY, a=100, b=50),
        snapshot(FEBRUARY, a=100, b=70, c=30),
        snapshot(AS_OF, a=90, b=75, d=40),
    )
    assert month_so_far(data, (FEBRUARY, AS_OF)) == MonthSoFar(AS_OF, came=40, expansion=5, contraction=10, churn=30)
    assert month_notes(data) == [
        "Mar 2025 until 30 Mar 2025: new or back $40, expansion $5, contraction $10, churn $30; together +$5.",
        "Feb 2025 until 28 Feb 2025: new or back $30, expansion $20, contraction $0, churn $0; together +$50.",
    ]


def test_a_month_without_a_snapshot_before_it_is_not_compared() -> None:
    assert spans([FEBRUARY, AS_OF], AS_OF) == [(FEBRUARY, AS_OF), None]
    assert spans([date(2025, 2, 24), AS_OF], AS_OF) == [None, None]  # more than 3 days before the month began
    assert len(month_notes(data_of(snapshot(FEBRUARY, a=1), snapshot(AS_OF, a=2)))) == 1
    (told,) = month_notes(data_of(snapshot(AS_OF, a=2)))
    assert told.startswith("What came and went this month until the day is told once")
