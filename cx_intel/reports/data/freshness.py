"""How new the sources are, in words: the sentence of a source that is late or has few rows, and the list of all.

One wording for the check, the summary at the terminal, the brief and the pages; the figures are those of
`source_freshness` (`cx_intel.models.core.freshness`). How far the data can be trusted altogether stands in `trust.py`.
"""

from collections.abc import Mapping
from typing import Any

from cx_intel.contracts.freshness import DELIVERIES
from cx_intel.reports.data.report_data import ReportData, is_true, records
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rounding import is_missing
from cx_intel.reports.words.tables import table_name

Row = Mapping[str, Any]
SOURCE = ["source_table", "source_name"]
ON_TIME, LATE, FROZEN = term("on time"), term("late"), term("frozen")
NO_RHYTHM = term("no rhythm yet")
FEW_ROWS = term("few rows")


def source_title(row: Row, language: Language) -> str:
    """What a source is called: by its table, and by its name where several deliver that."""
    table, name = table_name(str(row["source_table"]), language), row.get("source_name")
    return table if is_missing(name) or name == row["source_table"] else f"{table} ({name})"


def sentence(row: Row, language: Language) -> str:
    """What is to be said of a source: how new it is, how new it may be, what follows, and whether rows are missing."""
    parts = [_age(row, language)]
    if row["is_late"]:
        parts.append(_limits(row, language))
    if row["is_frozen"]:
        parts.append(language.say("Signals that read it are missing, and tiers are held."))
    if row["is_low_volume"]:
        parts.append(_volume(row, language))
    return " ".join(parts)


def state(row: Row, language: Language) -> str:
    """Whether a source is on time, in a word or two."""
    if row["is_frozen"] or row["is_late"]:
        text = FROZEN if row["is_frozen"] else LATE
    else:
        text = NO_RHYTHM if is_missing(row["late_after_days"]) else ON_TIME
    words = [language.say(text), *([language.say(FEW_ROWS)] if row["is_low_volume"] else [])]
    return ", ".join(words)


def doubtful_sources(data: ReportData, language: Language) -> list[str]:
    """A sentence for each source that is late or has few rows, the most overdue first."""
    rows = data["source_freshness"]
    if rows.empty:
        return []
    chosen = rows[is_true(rows["is_late"]) | is_true(rows["is_low_volume"])]
    ordered = chosen.sort_values(["is_frozen", "age_days", *SOURCE], ascending=[False, False, True, True])
    return [sentence(row, language) for row in records(ordered)]


def newest_rows(data: ReportData, language: Language) -> list[str]:
    """How new each source is, by its newest row and not by the day of the refresh; the oldest first."""
    rows = data["source_freshness"]
    if rows.empty:
        return []
    found = []
    texts = {
        False: term("Newest row of each source: {sources}."),
        True: term("Newest delivery that brought anything new: {sources}."),
    }
    for by_deliveries, text in texts.items():
        chosen = rows[(rows["judged_by"] == DELIVERIES) == by_deliveries]
        dated = chosen[chosen["newest_on"].notna()].sort_values(["newest_on", *SOURCE])
        listed = [f"{source_title(row, language)} {language.day(row['newest_on'])}" for row in records(dated)]
        if listed:
            found.append(language.say(text, sources=", ".join(listed)))
    if empty := [source_title(row, language) for row in records(rows[rows["newest_on"].isna()])]:
        found.append(language.say("Sources without a dated row: {sources}.", sources=", ".join(empty)))
    return found


def _age(row: Row, f: Language) -> str:
    table, as_of = source_title(row, f), f.day(row["as_of"])
    if is_missing(row["age_days"]):
        return f.say("There is no row of “{table}” up to {as_of}.", table=table, as_of=as_of)
    gaps = {"table": table, "day": f.day(row["newest_on"]), "as_of": as_of}
    if row["judged_by"] == DELIVERIES:
        return f.count(
            "The newest delivery of “{table}” that brought anything new is of {day}, {n} day before {as_of}.",
            "The newest delivery of “{table}” that brought anything new is of {day}, {n} days before {as_of}.",
            row["age_days"],
            **gaps,
        )
    return f.count(
        "The newest row of “{table}” is of {day}, {n} day before {as_of}.",
        "The newest row of “{table}” is of {day}, {n} days before {as_of}.",
        row["age_days"],
        **gaps,
    )


def _limits(row: Row, f: Language) -> str:
    if is_missing(row["late_after_days"]):
        return f.say("It had rows before.")
    found = [f.count("It is late after {n} day.", "It is late after {n} days.", row["late_after_days"])]
    if not is_missing(row["freeze_after_days"]):
        found = [
            f.count(
                "It is late after {n} day and frozen after {freeze}.",
                "It is late after {n} days and frozen after {freeze}.",
                row["late_after_days"],
                freeze=f.number(row["freeze_after_days"]),
            )
        ]
    if not is_missing(row["rhythm_days"]):
        rhythm = f.count("Its rhythm is {n} day.", "Its rhythm is {n} days.", row["rhythm_days"])
        found.insert(0, rhythm)
    return " ".join(found)


def _volume(row: Row, f: Language) -> str:
    return f.count(
        "{n} row of “{table}” is of {day}, where {usual} are usual on that weekday.",
        "{n} rows of “{table}” are of {day}, where {usual} are usual on that weekday.",
        row["volume_rows"],
        table=source_title(row, f),
        day=f.day(row["volume_on"]),
        usual=f.short_number(row["usual_rows"]),
    )
