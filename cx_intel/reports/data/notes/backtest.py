"""What the back-test says of the health score, in one sentence for people, and the rows that the page and brief show.

Verdicts and figures are those of `backtest_results`, `backtest_bands` and `backtest_tiers`; they are computed in
`cx_intel.models.backtest`. The page is `cx_intel.reports.pages.backtest`.
"""

import pandas as pd

from cx_intel.contracts.backtest.columns import ALL
from cx_intel.contracts.backtest.results import (
    BACKWARDS,
    CHANCE,
    HEALTH_SCORE,
    MAY_KNOW,
    NO_BETTER,
    PREDICTS,
    TOO_LITTLE,
    USES_LEAK,
)
from cx_intel.models.backtest.verdicts import of_ten
from cx_intel.reports.data.report_data import WEEK, ReportData, records
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing

CHURN, USUAL_WINDOW = "churn", 90
ASKED = term("Can the score be trusted? {told}")
NOTHING = term("No verdict yet: what followed is not known of any past month end.")
TOO_FEW_STAYED = term("No verdict yet: too few accounts stayed for {days} days after a past month end.")
OF_TEN = term("Of ten accounts that left within {days} days, the score had {n} below the middle of those that stayed")
MEANS = {
    PREDICTS: term("Yes. {of_ten}, and it tells more than tenure and ARR, or usage, do alone."),
    NO_BETTER: term("Only in part. {of_ten}, but tenure and ARR, or usage, alone tell it as well."),
    CHANCE: term("Not so far. {of_ten}, which may be chance."),
    TOO_LITTLE: term(
        "No verdict yet. {of_ten}, but on most of those days too little was measured for a tier: that is not the score of "
        "today."
    ),
    BACKWARDS: term("No, it runs backwards. {of_ten}: who left had the higher scores."),
    MAY_KNOW: term("It is too good to be true. {of_ten}: the score seems to know the outcome."),
    USES_LEAK: term("It is too good to be true. {of_ten}: a signal seems to be entered once a customer has left."),
}
"""Verdict: what it means."""


def window_of(data: ReportData) -> int | None:
    """The window that is shown: 90 days, or the longest below for which anything is known; None: nothing is."""
    rows = data["backtest_results"]
    windows = sorted({int(n) for n in rows.loc[rows["outcome"] == CHURN, "window_days"]})
    fitting = [window for window in windows if window <= USUAL_WINDOW]
    return fitting[-1] if fitting else next(iter(windows), None)


def of_window(data: ReportData, table: str) -> pd.DataFrame:
    """The rows of a table of the back-test about churn within the window that is shown, of the whole book."""
    rows = data[table]
    rows = rows[(rows["outcome"] == CHURN) & (rows["window_days"] == window_of(data))]
    return rows[rows["slice"] == ALL] if "slice" in rows.columns else rows


def judgement(data: ReportData) -> str:
    """Whether the score can be trusted, in a sentence or two; empty where the portfolio has no health model."""
    if not data.portfolio.health:
        return ""
    f, rows = data.language, of_window(data, "backtest_results")
    found = records(rows[rows["predictor"] == HEALTH_SCORE])
    if not found:
        return f.say(NOTHING)
    row, days = found[0], f.number(window_of(data))
    if row["verdict"] not in MEANS or is_missing(row["below_median_pct"]):
        if not row["events_missing"]:
            return f.say(TOO_FEW_STAYED, days=days)
        return f.count(
            "No verdict yet: {n} account left within {days} days of a past month end, and it takes {missing} more.",
            "No verdict yet: {n} accounts left within {days} days of a past month end, and it takes {missing} more.",
            row["event_accounts"],
            days=days,
            missing=f.number(row["events_missing"]),
        )
    means, below = MEANS[row["verdict"]], of_ten(row["below_median_pct"])
    return f.say(means, of_ten=f.say(OF_TEN, days=days, n=f.number(below)))


def of_the_quarter(data: ReportData) -> list[str]:
    """The judgement in the first week of a quarter, once there is a back-test; else nothing."""
    day = data.as_of
    is_first_week = day.month % 3 == 1 and day.day <= WEEK
    if not is_first_week or data["backtest_results"].empty:
        return []
    return [data.language.say(ASKED, told=judgement(data))]
