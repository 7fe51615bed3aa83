"""Signals in words, in the language of the portfolio: "GPS adoption 32,3 % (Richtwert 80 %)".

The one place where reports put a signal, and what it did to a score, into words. The figures are those of
`health_score_drivers` and of the tables of changes; which signal matters most is read off them, not decided here.
Models have English words of their own (`cx_intel.models.expressions.wording`), since a table has one language.
"""

from typing import Any

import pandas as pd

from cx_intel.contracts.health.changes import MODEL_CHANGE
from cx_intel.models.expressions.wording import boolean_signals
from cx_intel.reports.data.report_data import ReportData, is_true, records
from cx_intel.reports.words.language import NBSP, Language
from cx_intel.reports.words.rounding import is_missing

MOST_NAMED = 2
"""Signals named of a change."""
LEAST_POINTS = 0.05
"""A signal that moved a score by less is not named: it would read as 0.0."""


def signal_value(language: Language, value: Any, unit: str, *, is_boolean: bool) -> str:
    """A signal's value with its unit; yes or no for a boolean one."""
    if is_missing(value):
        return language.say("not measured")
    if is_boolean:
        return language.say("no") if value == 0 else language.say("yes")
    return f"{language.short_number(value)}{NBSP}{unit}".strip()


def signal_words(language: Language, driver: dict[str, Any], *, is_boolean: bool) -> str:
    """A driver's label, value and, where it has one, benchmark."""
    value = signal_value(language, driver["value"], driver["unit"] or "", is_boolean=is_boolean)
    if is_boolean:
        return f"{driver['label']}: {value}"
    if is_missing(driver["benchmark"]):
        return f"{driver['label']} {value}"
    benchmark = signal_value(language, driver["benchmark"], driver["unit"] or "", is_boolean=False)
    return f"{driver['label']} {value} (" + language.say("benchmark") + f"{NBSP}{benchmark})"


def worst_drivers(data: ReportData) -> pd.DataFrame:
    """For each account the measured signal that loses most points."""
    drivers = data["health_score_drivers"]
    if drivers.empty:
        return drivers
    lost = drivers[is_true(drivers["is_measured"]) & (drivers["points_lost"] > 0)]
    ordered = lost.sort_values(["points_lost", "signal_order"], ascending=[False, True])
    return ordered.drop_duplicates("account_id")


def main_reasons(data: ReportData) -> dict[str, str]:
    """Account: the measured signal that loses most points, in words."""
    yes_or_no = set(boolean_signals(data.portfolio))
    return {
        str(row["account_id"]): signal_words(data.language, row, is_boolean=row["signal"] in yes_or_no)
        for row in records(worst_drivers(data))
    }


def label_of(data: ReportData, signal: str) -> str:
    """A signal's label; that of the change of the model."""
    health = data.portfolio.health
    if signal == MODEL_CHANGE:
        return data.language.say("Change of the model")
    return health.signals[signal].label if health and signal in health.signals else signal


def main_changes(data: ReportData, changes: pd.DataFrame) -> dict[tuple[str, Any], str]:
    """Account and compared day of each change of a score: the two signals that moved it most that way, in words."""
    drivers = data["health_score_change_drivers"]
    if drivers.empty or changes.empty:
        return {}
    keys = ["account_id", "compared_as_of"]
    parts = drivers.merge(changes[[*keys, "health_score_change"]], on=keys)
    toward = parts["points_change"] * parts["health_score_change"] > 0
    parts = parts[toward & (parts["points_change"].abs() >= LEAST_POINTS)]
    parts = parts.assign(size=parts["points_change"].abs()).sort_values(["size", "signal"], ascending=[False, True])
    found: dict[tuple[str, Any], list[str]] = {}
    for row in parts.groupby(keys, sort=False).head(MOST_NAMED).itertuples():
        words = f"{label_of(data, str(row.signal))} {data.language.points(row.points_change)}"
        found.setdefault((str(row.account_id), row.compared_as_of), []).append(words)
    return {change: ", ".join(words) for change, words in found.items()}
