"""The page that asks whether the health score can be trusted: one sentence, one picture, one table.

The sentence stands in `cx_intel.reports.data.notes.backtest`, the picture is made in `charts/scores.py`; what the figures
mean is told in `docs/back-test.md`.
"""

from typing import Any

from cx_intel.reports.charts.drawing.palette import tier_marks
from cx_intel.reports.charts.scores import left_by_score
from cx_intel.reports.data.notes.backtest import judgement, of_window, window_of
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.frame.page import Cell, Column, Columns, Page, Section, table_of
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing

TITLE = term("Can the score be trusted?")
QUESTION = term("Did the health score tell beforehand who would leave?")
HOW = term(
    "Each past month end the score is worked out from what was known then, and compared with who left afterwards. Figures "
    "are of {day}."
)
OF_ALL = term(
    "Nothing here follows the filters: the score is judged on all accounts, because too few of a selection have left to judge "
    "it by them."
)
BY_LOAD = term("Segment, owner and status of days before the first load are those of the first load.")


def backtest(data: ReportData) -> Page:
    say = data.language.say
    if not data.portfolio.health:
        text = term("This portfolio has no health model: its settings do not describe one.")
        return Page("backtest", say(TITLE), say(QUESTION), [say(text)], [])
    sections = []
    if window_of(data) is not None:
        made = data["backtest_results"]["as_of"].max()
        notes = [say(HOW, day=data.language.day(made)), say(BY_LOAD)]
        sections = [
            Section(say("Who left, by score"), [left_by_score(data, of_window(data, "backtest_bands"))], notes=notes),
            Section(say("Who left, by tier"), tables=[_tiers(data)]),
        ]
    return Page("backtest", say(TITLE), say(QUESTION), [judgement(data)], sections, of_all=say(OF_ALL))


def _tiers(data: ReportData) -> Any:
    say, c = data.language.say, Columns(data.language)
    marks = tier_marks(data.portfolio)
    order = {mark.name: place for place, mark in enumerate(marks)}
    rows = of_window(data, "backtest_tiers")
    rows = rows.assign(place=rows["health_tier"].map(order)).sort_values("place")

    def between(row: dict[str, Any]) -> Cell:
        if is_missing(row["event_rate_low_pct"]):
            return Cell("")
        low, high = (data.language.percent(row[f"event_rate_{end}_pct"]) for end in ("low", "high"))
        return Cell(say("{low} to {high}", low=low, high=high), row["event_rate_low_pct"])

    def times(row: dict[str, Any]) -> Cell:
        if is_missing(row["lift"]):
            return Cell("")
        return Cell(say("{n} times", n=data.language.number(row["lift"], 1)), row["lift"])

    columns: list[Column] = [
        c.level(say("Tier on the day"), "health_tier", marks),
        c.number(say("Accounts"), "accounts"),
        c.number(say("Accounts x month ends"), "observations"),
        c.number(say("Of them left"), "events"),
        c.percent(say("Share that left"), "event_rate_pct"),
        (c.heading(say("Range"), "number", say("Holds the true share 9 times in 10")), between),
        (c.heading(say("Against all tiers"), "number"), times),
    ]
    days = data.language.number(window_of(data))
    return table_of(rows, say("Who left within {days} days, by the tier on the day", days=days), columns)
