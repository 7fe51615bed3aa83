"""Signals in words, in the language of the portfolio: "GPS adoption 32,3 % (Richtwert 80 %)".

The one place where reports put a signal, and what it did to a score, into words. The figures are those of
`health_score_drivers` and of the tables of changes; which signal matters most is read off them, not decided here.
Models have English words of their own (`cx_intel.models.expressions.wording`), since a table has one language.
"""

import json
from collections import Counter, defaultdict
from typing import Any, NamedTuple

import pandas as pd

from cx_intel.contracts.health.changes import MEASURE, MISSING_EVIDENCE, POPULATION, SCORECARD, WEIGHT
from cx_intel.contracts.renewals.lifecycle import CANCELLATION, TIER_CHANGE
from cx_intel.models.expressions.wording import boolean_signals
from cx_intel.reports.charts.drawing.palette import tier_marks
from cx_intel.reports.data.report_data import ReportData, is_true, made_once, records
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import NBSP, Language
from cx_intel.reports.words.rounding import is_missing

MOST_NAMED = 2
"""Parts named of a change, and signals of a part."""
LEAST_POINTS = 0.05
"""A part that moved a score by less is not named: it would read as 0.0."""
LEAST_CHANGE = 1.0
"""A score that moved by less is no news."""
OTHER_CAUSES = {WEIGHT: term("Other weights in the settings"), SCORECARD: term("Judged by another scorecard")}
NO_LONGER, NEWLY = term("No longer measured: {signals}"), term("Newly measured: {signals}")
MOVED_BY = {
    MISSING_EVIDENCE: term("evidence that came or went"),
    WEIGHT: term("other weights in the settings"),
    SCORECARD: term("another scorecard"),
    POPULATION: term("the moves of others, by rank"),
}
"""Main causes beside the account itself, as they are counted."""


def signal_value(language: Language, value: Any, unit: str, *, is_boolean: bool) -> str:
    """A signal's value with its unit; yes or no for a boolean one."""
    if is_missing(value):
        return language.say("not measured")
    if is_boolean:
        return language.say("no") if value == 0 else language.say("yes")
    return language.with_unit(value, unit)


def signal_words(language: Language, driver: dict[str, Any], *, is_boolean: bool) -> str:
    """A driver's label, value and, where it has one, benchmark."""
    value = signal_value(language, driver["value"], driver["unit"] or "", is_boolean=is_boolean)
    if is_boolean:
        return f"{driver['label']}: {value}"
    if is_missing(driver["benchmark"]):
        return f"{driver['label']} {value}"
    benchmark = signal_value(language, driver["benchmark"], driver["unit"] or "", is_boolean=False)
    return f"{driver['label']} {value} (" + language.say("benchmark") + f"{NBSP}{benchmark})"


@made_once
def worst_drivers(data: ReportData) -> pd.DataFrame:
    """For each account the measured signal that loses most points."""
    drivers = data["health_score_drivers"]
    if drivers.empty:
        return drivers
    lost = drivers[is_true(drivers["is_measured"]) & (drivers["points_lost"] > 0)]
    ordered = lost.sort_values(["points_lost", "signal_order"], ascending=[False, True])
    return ordered.drop_duplicates("account_id")


@made_once
def main_reasons(data: ReportData) -> dict[str, str]:
    """Account: the measured signal that loses most points, in words."""
    yes_or_no = yes_or_no_signals(data)
    return {
        str(row["account_id"]): signal_words(data.language, row, is_boolean=row["signal"] in yes_or_no)
        for row in records(worst_drivers(data))
    }


def label_of(data: ReportData, signal: str) -> str:
    """A signal's label."""
    return data.labels.signal(signal, signal)


class Part(NamedTuple):
    """What moved a score: the cause, in words; by how many points; what is said of it in brackets, or nothing."""

    cause: str
    words: str
    points: float
    note: str


@made_once
def yes_or_no_signals(data: ReportData) -> frozenset[str]:
    """The signals that are read as yes or no; asked once for all accounts."""
    return frozenset(boolean_signals(data.portfolio))


def change_parts(data: ReportData, changes: pd.DataFrame) -> dict[tuple[str, Any], list[Part]]:
    """Account and compared day of each of these changes of a score: what moved it, the largest first.

    Measures and ranks are told by signal, each other cause once.
    """
    apart: dict[tuple[str, Any, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in records(_drivers_of(data, changes)):
        own = row["signal"] if row["cause"] in (MEASURE, POPULATION) else ""
        apart[str(row["account_id"]), row["compared_as_of"], row["cause"], own].append(row)
    found: dict[tuple[str, Any], list[Part]] = defaultdict(list)
    for (account, day, cause, _), rows in sorted(apart.items()):
        points = sum(float(row["points_change"]) for row in rows)
        if abs(points) >= LEAST_POINTS:
            found[account, day].append(_part(data, cause, points, rows))
    for parts in found.values():
        parts.sort(key=lambda part: -abs(part.points))
    return found


def _drivers_of(data: ReportData, changes: pd.DataFrame) -> pd.DataFrame:
    """What moved these changes, with `toward`: the points counted in the direction of the change."""
    drivers = data["health_score_change_drivers"]
    if drivers.empty or changes.empty:
        return drivers.head(0).assign(toward=0.0)
    keys = ["account_id", "compared_as_of"]
    found = drivers.merge(changes[[*keys, "health_score_change"]], on=keys)
    rose = found["health_score_change"] > 0
    return found.assign(toward=found["points_change"].where(rose, -found["points_change"]))


def _part(data: ReportData, cause: str, points: float, rows: list[dict[str, Any]]) -> Part:
    say, (first, *_) = data.language.say, rows
    if cause == MISSING_EVIDENCE:
        return Part(cause, _evidence(data, rows), points, "")
    if cause in (WEIGHT, SCORECARD):
        return Part(cause, say(OTHER_CAUSES[cause]), points, "")
    label = label_of(data, first["signal"])
    if cause == POPULATION:
        return Part(cause, say("{signal}, ranked among customers", signal=label), points, say("the others moved"))
    boolean = first["signal"] in yes_or_no_signals(data)
    values = (signal_value(data.language, first[side], "", is_boolean=boolean) for side in ("value_from", "value_to"))
    return Part(cause, label, points, " → ".join(values))


def _evidence(data: ReportData, rows: list[dict[str, Any]]) -> str:
    """Which signals are no longer measured, or newly."""
    say = data.language.say
    lost, gained = (
        [label_of(data, row["signal"]) for row in rows if is_missing(row[gone]) and not is_missing(row[there])]
        for gone, there in (("value_to", "value_from"), ("value_from", "value_to"))
    )
    told = [
        say(
            text, signals=", ".join(names[:MOST_NAMED]) + (f" +{len(names) - MOST_NAMED}" if names[MOST_NAMED:] else "")
        )
        for text, names in ((NO_LONGER, lost), (NEWLY, gained))
        if names
    ]
    return "; ".join(told) or say("Other evidence")


def main_changes(data: ReportData, changes: pd.DataFrame) -> dict[tuple[str, Any], str]:
    """Account and compared day of each change of a score: the two parts that moved it most that way, in words."""
    points, found = data.language.points, {}
    parts = change_parts(data, changes)
    for row in records(changes):
        key = (str(row["account_id"]), row["compared_as_of"])
        toward = [part for part in parts.get(key, ()) if part.points * row["health_score_change"] > 0]
        if toward:
            found[key] = ", ".join(f"{part.words} {points(part.points)}" for part in toward[:MOST_NAMED])
    return found


def moved_by(data: ReportData, changes: pd.DataFrame) -> str:
    """How many scores moved by a point or more for another main cause than the account itself; empty where none did."""
    moved = changes[changes["health_score_change"].abs() >= LEAST_CHANGE] if len(changes) else changes
    drivers, f = _drivers_of(data, moved), data.language
    if drivers.empty:
        return ""
    sums = drivers.groupby(["account_id", "compared_as_of", "cause"], as_index=False)["toward"].sum()
    ordered = pd.DataFrame(sums).sort_values(["toward", "cause"], ascending=[False, True])
    main = Counter(ordered.drop_duplicates(["account_id", "compared_as_of"])["cause"])
    others = [f"{f.say(words)} {f.number(main[cause])}" for cause, words in MOVED_BY.items() if main[cause]]
    if not others:
        return ""
    return f.say(
        "Of {n} scores that moved by a point or more, {measure} moved mainly by what was measured of the account itself; "
        "the others mainly by: {others}.",
        n=f.number(len(moved)),
        measure=f.number(main[MEASURE]),
        others=", ".join(others),
    )


def event_words(data: ReportData, row: dict[str, Any]) -> str:
    """A lifecycle event: the tiers, the signal that dropped, or the end that was announced."""
    f = data.language
    before, after = str(row["from_value"]), str(row["to_value"])
    if row["event_type"] == TIER_CHANGE:
        called = {mark.name: mark.label for mark in tier_marks(data.portfolio)}
        tiers = f"{called.get(before, before)} → {called.get(after, after)}"
        moved = {} if is_missing(row.get("signal_points")) else json.loads(row["signal_points"])
        named = ", ".join(f"{label_of(data, signal)} {f.points(points)}" for signal, points in moved.items())
        return f.say("{tiers}: {signals} (points)", tiers=tiers, signals=named) if named else tiers
    if row["event_type"] == CANCELLATION:
        return f.say("Cancellation announced: the last contract ends on {day}", day=f.day(after))
    unit = data.labels.unit(row["signal"], "")
    return f"{label_of(data, row['signal'])} {f.with_unit(float(before), unit)} → {f.with_unit(float(after), unit)}"
