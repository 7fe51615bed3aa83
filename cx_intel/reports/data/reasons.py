"""Signals in words, in the language of the portfolio: "GPS adoption 32,3 % (benchmark 80 %)".

The figures are those of `health_score_drivers` and of the tables of changes; which signal matters most is read off
them, not decided here.
"""

from typing import Any

import pandas as pd

from cx_intel.contracts.health.changes import MODEL_CHANGE
from cx_intel.models.expressions.wording import boolean_signals
from cx_intel.reports.data.report_data import Book, records
from cx_intel.reports.words.formats import Formats, is_missing

MOST_TOLD = 2
"""Signals told of a change."""


def short_number(f: Formats, value: Any) -> str:
    """A value with as many decimals as it needs: two below 1, one above, none when whole."""
    amount = float(value)
    digits = 2 if abs(amount) < 1 else 1
    while digits and round(amount, digits) == round(amount, digits - 1):
        digits -= 1
    return f.number(amount, digits)


def signal_value(f: Formats, value: Any, unit: str, *, is_boolean: bool) -> str:
    """A signal's value with its unit; yes or no for a boolean one."""
    if is_missing(value):
        return "not measured"
    if is_boolean:
        return "no" if value == 0 else "yes"
    return f"{short_number(f, value)} {unit}".strip()


def signal_words(f: Formats, driver: dict[str, Any], *, is_boolean: bool) -> str:
    """A driver's label, value and, where it has one, benchmark."""
    value = signal_value(f, driver["value"], driver["unit"], is_boolean=is_boolean)
    if is_boolean:
        return f"{driver['label']}: {value}"
    benchmark = ""
    if not is_missing(driver["benchmark"]):
        benchmark = f" (benchmark {signal_value(f, driver['benchmark'], driver['unit'], is_boolean=False)})"
    return f"{driver['label']} {value}{benchmark}"


def main_reasons(book: Book) -> dict[str, str]:
    """For each account the measured signal that loses most points, in words."""
    drivers = book["health_score_drivers"]
    if drivers.empty:
        return {}
    lost = drivers[drivers["is_measured"].astype(bool) & (drivers["points_lost"] > 0)]
    first = lost.sort_values(["points_lost", "signal_order"], ascending=[False, True]).drop_duplicates("account_id")
    yes_or_no = set(boolean_signals(book.portfolio))
    return {
        str(row["account_id"]): signal_words(book.formats, row, is_boolean=row["signal"] in yes_or_no)
        for row in records(first)
    }


def labels_of(book: Book) -> dict[str, str]:
    """The signals in words."""
    health = book.portfolio.health
    found = {name: signal.label for name, signal in health.signals.items()} if health else {}
    return {**found, MODEL_CHANGE: "Change of the model"}


def main_changes(book: Book, changes: pd.DataFrame) -> dict[tuple[str, Any], str]:
    """For each change of a score the two signals that moved it most, in words."""
    drivers = book["health_score_change_drivers"]
    if drivers.empty or changes.empty:
        return {}
    labels = labels_of(book)
    wanted = drivers.merge(
        changes[["account_id", "compared_as_of", "health_score_change"]], on=["account_id", "compared_as_of"]
    )
    wanted = wanted[
        (wanted["points_change"] * wanted["health_score_change"] > 0) & (wanted["points_change"].abs() >= 0.05)
    ]
    wanted = wanted.assign(size=wanted["points_change"].abs()).sort_values(["size", "signal"], ascending=[False, True])
    found: dict[tuple[str, Any], list[str]] = {}
    for account, day, signal, points in zip(
        wanted["account_id"], wanted["compared_as_of"], wanted["signal"], wanted["points_change"], strict=True
    ):
        parts = found.setdefault((str(account), day), [])
        if len(parts) < MOST_TOLD:
            parts.append(f"{labels.get(signal, signal)} {book.formats.points(points)}")
    return {change: ", ".join(parts) for change, parts in found.items()}
