"""Whether calls helped, as a section of the renewals page: by lot, beside similar accounts, and plainly.

Figures are those of `playbook_effects`; the words stand in `cx_intel.reports.data.notes.effects`. What was done with
entries is in `acted.py`.
"""

from typing import Any

import pandas as pd

from cx_intel.contracts.renewals.effects import ALL_PLAYBOOKS
from cx_intel.reports.data.notes.effects import COMPARED, VERDICTS, effect_notes
from cx_intel.reports.data.report_data import ReportData, records
from cx_intel.reports.pages.frame.page import Cell, Column, Columns, Section, Table, table_of
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import MISSING
from cx_intel.reports.words.rounding import is_missing

NO_PROOF = term("no proof")
"""Of comparisons that are not by lot."""
OF_ALL = term(
    "The comparison is of all accounts, also where some are chosen: of a selection too few renewals are decided to tell "
    "calls from chance."
)


def effects(data: ReportData) -> list[Section]:
    """The section; none before the renewal of anybody is decided or drawn for."""
    if data["playbook_effects"].empty:
        return []
    notes = [*effect_notes(data), data.language.say(OF_ALL)]
    return [Section(data.language.say("Did calls help?"), tables=[_table(data)], notes=notes)]


def effect_rows(data: ReportData) -> list[dict[str, Any]]:
    """The rows in the order of a reader: all playbooks first, by lot before the others; with their words."""
    f, order = data.language, list(COMPARED)
    found = records(data["playbook_effects"])
    found.sort(key=lambda row: (row["playbook"] != ALL_PLAYBOOKS, row["playbook"], order.index(row["comparison"])))
    words = [(COMPARED[row["comparison"]], VERDICTS.get(row["verdict"], NO_PROOF)) for row in found]
    return [
        row
        | {"playbook": f.say("All") if row["playbook"] == ALL_PLAYBOOKS else row["playbook"]}
        | {"compared": f.say(compared), "told": f.say(told)}
        for row, (compared, told) in zip(found, words, strict=True)
    ]


def _table(data: ReportData) -> Table:
    say, c = data.language.say, Columns(data.language)
    kept = say("Of 100 accounts whose renewal is decided")
    return table_of(
        pd.DataFrame(effect_rows(data)),
        say("Renewals kept with a call and without"),
        [
            c.text(say("Playbook"), "playbook"),
            c.text(say("Compared"), "compared"),
            c.number(say("To call or called"), "acted_accounts"),
            c.percent(say("Kept"), "acted_kept_pct", 0, explains=kept),
            c.number(say("Others"), "other_accounts"),
            c.percent(say("Kept"), "other_kept_pct", 0, explains=kept),
            _points(data, say("Difference"), "difference"),
            _points(data, say("Difference by ARR"), "arr_difference"),
            c.text(say("What it says"), "told"),
        ],
    )


def _points(data: ReportData, label: str, name: str) -> Column:
    """A difference in points, and the range that holds it 9 times in 10."""
    f = data.language

    def cell(row: dict[str, Any]) -> Cell:
        if is_missing(row[f"{name}_points"]):
            return Cell(MISSING, sort=None)
        low, high = (f.points(row[f"{name}_{end}_points"], 0) for end in ("low", "high"))
        told = f.points(row[f"{name}_points"], 0)
        return Cell(f.say("{points} ({low} to {high})", points=told, low=low, high=high), sort=row[f"{name}_points"])

    text = f.say("Points out of 100, and the range that holds the true difference 9 times in 10")
    return Columns(f).heading(label, "number", text), cell
