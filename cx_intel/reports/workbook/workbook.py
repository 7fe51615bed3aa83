"""The workbook for leaders of customer success: a summary, the intervention list and the renewal pipeline of a day.

It shows what the tables hold, in the currency and language of the portfolio; sums stand as numbers, so that no cell is
a formula. How a cell is written stands in `cells.py`, the first sheet in `summary.py`.
"""

from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from cx_intel.reports.charts.drawing.palette import risk_marks, tier_marks
from cx_intel.reports.data.account.contacts import first_contacts
from cx_intel.reports.data.notes.effects import effect_notes, held_out_note, ranking_note
from cx_intel.reports.data.report_data import ReportData, records, total
from cx_intel.reports.data.signals import main_reasons
from cx_intel.reports.data.terms import PROBABILITY_SOURCES
from cx_intel.reports.pages.parts.effects import effect_rows
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing
from cx_intel.reports.workbook import cells
from cx_intel.reports.workbook.cells import Cells, Column, Look
from cx_intel.reports.workbook.summary import write_summary
from cx_intel.settings.portfolio import Portfolio

WORKBOOK_TABLES = ("cs_intervention_list", "renewal_pipeline", "nrr_outlook")
"""The tables that it is made of; without one of them there is none."""
HEADER_ROW = 5
"""As a reader counts, from 1."""
TITLES = {
    "priority_rank": term("Rank"),
    "account_name": term("Account"),
    "segment": term("Segment"),
    "country": term("Country"),
    "owner": term("Owner"),
    "renewal_risk": term("Renewal risk"),
    "health_score": term("Health score"),
    "health_tier": term("Tier"),
    "current_arr": term("ARR"),
    "expected_arr_loss": term("Expected loss of ARR"),
    "savable_arr": term("Savable ARR (assumed)"),
    "effort_hours": term("Hours"),
    "saved_arr_per_hour": term("Expected to be saved per hour"),
    "playbook": term("Playbook"),
    "compared": term("Compared"),
    "acted_accounts": term("To call or called"),
    "acted_kept_pct": term("Kept, %"),
    "other_accounts": term("Others"),
    "other_kept_pct": term("Kept by the others, %"),
    "difference_points": term("Difference in points"),
    "difference_low_points": term("At least (9 in 10)"),
    "difference_high_points": term("At most (9 in 10)"),
    "arr_difference_points": term("Difference by ARR in points"),
    "acted_done": term("Of them called"),
    "other_done": term("Of the others called"),
    "undecided": term("Undecided"),
    "told": term("What it says"),
    "renewal_date": term("Renewal"),
    "days_to_renewal": term("Days to renewal"),
    "reason": term("Why"),
    "recommended_playbook": term("What to do"),
    "due_date": term("By"),
    "first_contact": term("Whom to call"),
    "capacity": term("Capacity"),
    "account_id": term("Account ID"),
    "renewal_probability": term("Probability of renewal"),
    "probability_from": term("Probability from"),
    "expected_renewal_arr": term("Expected renewal ARR"),
    "exposed_arr": term("Exposed ARR (90 days)"),
    "expansion_potential_arr": term("Expansion potential ARR"),
    "is_overdue": term("Overdue"),
}
"""Column: its title."""
Record = dict[str, Any]


def workbook_name(portfolio: Portfolio) -> str:
    """The file's name, in the folder of a day's exports."""
    return f"{portfolio.name}_cs_review.xlsx"


_SHARED: tuple[tuple[str, cells.Kind, float], ...] = (
    ("account_name", "text", 34),
    ("segment", "text", 13),
    ("country", "text", 9),
    ("owner", "text", 22),
    ("renewal_risk", "text", 20),
    ("health_score", "score", 10),
    ("health_tier", "text", 11),
    ("current_arr", "money", 13),
)
INTERVENTIONS: tuple[tuple[str, cells.Kind, float], ...] = (
    ("priority_rank", "count", 7),
    *_SHARED,
    ("expected_arr_loss", "money", 14),
    ("savable_arr", "money", 14),
    ("effort_hours", "score", 9),
    ("saved_arr_per_hour", "money", 16),
    ("renewal_date", "day", 15),
    ("days_to_renewal", "count", 10),
    ("reason", "long", 40),
    ("recommended_playbook", "long", 36),
    ("due_date", "day", 13),
    ("first_contact", "long", 40),
    ("capacity", "text", 17),
    ("account_id", "text", 13),
)
PIPELINE: tuple[tuple[str, cells.Kind, float], ...] = (
    ("renewal_date", "day", 15),
    *_SHARED,
    ("renewal_probability", "rate", 20),
    ("probability_from", "text", 18),
    ("expected_renewal_arr", "money", 15),
    ("expected_arr_loss", "money", 14),
    ("exposed_arr", "money", 14),
    ("expansion_potential_arr", "money", 18),
    ("days_to_renewal", "count", 10),
    ("recommended_playbook", "long", 36),
    ("is_overdue", "text", 17),
    ("account_id", "text", 13),
)


EFFECTS: tuple[tuple[str, cells.Kind, float], ...] = (
    ("playbook", "text", 36),
    ("compared", "text", 34),
    ("acted_accounts", "count", 12),
    ("acted_done", "count", 12),
    ("acted_kept_pct", "score", 10),
    ("other_accounts", "count", 10),
    ("other_done", "count", 14),
    ("other_kept_pct", "score", 14),
    ("difference_points", "score", 13),
    ("difference_low_points", "score", 13),
    ("difference_high_points", "score", 13),
    ("arr_difference_points", "score", 15),
    ("undecided", "count", 12),
    ("told", "text", 26),
)
MOST_NOTES = HEADER_ROW - 3
"""Lines between the title of a sheet and its header."""


def write_workbook(data: ReportData, file: Path) -> None:
    """Writes the workbook of a day to a file, row after row; equal data make equal bytes."""
    say, options = data.language.say, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(str(file), options) as workbook:
        writer = _Writer(data, workbook)
        write_summary(workbook.add_worksheet(say("Summary")), data, writer.cells, writer.place)
        writer.interventions(workbook.add_worksheet(say("Intervention list")))
        writer.pipeline(workbook.add_worksheet(say("Renewal pipeline")))
        if len(data["playbook_effects"]):
            writer.effects(workbook.add_worksheet(say("Did calls help")))
        title = f"{data.portfolio.name} {data.as_of.isoformat()}"
        made = datetime.combine(data.as_of, time.min)
        workbook.set_properties({"title": title, "author": "cx_intel", "created": made})


class _Writer:
    """Writes the lists."""

    def __init__(self, data: ReportData, workbook: Workbook):
        self.data, self.portfolio, self.f, self.say = data, data.portfolio, data.language, data.language.say
        self.cells = Cells(workbook, data.language)
        self.place = self.say(
            "{portfolio}, as of {day}; amounts in {currency}",
            portfolio=data.portfolio.name,
            day=data.language.day(data.as_of),
            currency=data.language.currency,
        )
        marks = {"renewal_risk": risk_marks(data.language), "health_tier": tier_marks(data.portfolio)}
        self.marks = {
            column: {mark.name: (mark.label, cells.mark_look(mark)) for mark in levels}
            for column, levels in marks.items()
        }

    def interventions(self, sheet: Worksheet) -> None:
        """The intervention list: those within capacity by rank, a thick line, those beyond it, those held out."""
        listed, reasons = records(self.data["cs_intervention_list"]), main_reasons(self.data)
        people = first_contacts(self.data)
        ordered = sorted(listed, key=lambda row: (not row["is_within_capacity"], row["priority_rank"]))
        beyond = [row for row in ordered if not row["is_within_capacity"]]
        shown = [
            row
            | {
                "savable_arr": row["expected_arr_loss"] * row["save_rate"],
                "capacity": self._capacity(row),
                "reason": reasons.get(row["account_id"]),
                "first_contact": None if row["is_held_out"] is True else people.get(str(row["account_id"])),
            }
            for row in ordered
        ]
        line_at = len(ordered) - len(beyond) if beyond else None
        columns = tuple(c for c in INTERVENTIONS if people or c[0] != "first_contact")
        self._table(sheet, columns, shown, notes=self._listed_notes(), line_at=line_at)

    def _capacity(self, row: Record) -> str:
        if row["is_held_out"] is True:
            return self.say("held out")
        return self.say("within") if row["is_within_capacity"] else self.say("beyond")

    def effects(self, sheet: Worksheet) -> None:
        """Whether calls helped, by playbook and comparison."""
        rows = effect_rows(self.data)
        self._table(sheet, EFFECTS, rows, notes=tuple(effect_notes(self.data)[:MOST_NOTES]), name="playbook")

    def pipeline(self, sheet: Worksheet) -> None:
        """The renewal pipeline, by date."""
        pipeline = records(self.data["renewal_pipeline"])
        ordered = sorted(pipeline, key=lambda row: (row["renewal_date"], -row["current_arr"], row["account_id"]))
        note = self.say(
            "Accounts that renew within 270 days: {n}, with {arr} ARR, of which {loss} are expected to be lost.",
            n=self.f.number(len(ordered)),
            arr=self._sum(ordered, "current_arr"),
            loss=self._sum(ordered, "expected_arr_loss"),
        )
        sources = {name: self.say(words) for name, words in PROBABILITY_SOURCES.items()}
        shown = [
            row
            | {
                "is_overdue": self.say("yes") if row["is_overdue"] else self.say("no"),
                "probability_from": sources[row["probability_from"]],
            }
            for row in ordered
        ]
        self._table(sheet, PIPELINE, shown, notes=(note,))

    def _listed_notes(self) -> tuple[str, ...]:
        """How many are to be called, how many beyond capacity, and what the order follows and who is held out."""
        listed = records(self.data.to_call)
        beyond = [row for row in listed if not row["is_within_capacity"]]
        if not listed and len(self.data.held_out):
            return tuple(held_out_note(self.data))
        if not listed:
            return (self.say("No account is cancelled, or at Critical or High risk, within 90 days."),)
        note = self.say(
            "Accounts cancelled, or at Critical or High risk, within 90 days: {n}; expected loss {loss} of {arr} ARR.",
            n=self.f.number(len(listed)),
            loss=self._sum(listed, "expected_arr_loss"),
            arr=self._sum(listed, "current_arr"),
        )
        order = " ".join([ranking_note(self.data), *held_out_note(self.data)])
        if not beyond:
            return note, " ".join([self.say("All of them are within the capacity of the owners."), order])
        capacity = self.portfolio.renewals.capacity_per_owner if self.portfolio.renewals else None
        line = self.say(
            "Below the thick line, the capacity of the owners ({capacity} accounts each): {n}, with {loss} expected loss.",
            capacity=capacity,
            n=self.f.number(len(beyond)),
            loss=self._sum(beyond, "expected_arr_loss"),
        )
        return note, f"{line} {order}"

    def _sum(self, rows: Sequence[Record], column: str) -> str:
        return self.f.money(total(row[column] for row in rows))

    def _table(
        self,
        sheet: Worksheet,
        layout: Sequence[tuple[str, cells.Kind, float]],
        rows: Sequence[Record],
        *,
        notes: Sequence[str],
        line_at: int | None = None,
        name: str = "account_name",
    ) -> None:
        columns = [Column(column, self.say(TITLES[column]), kind, width) for column, kind, width in layout]
        heads = ((sheet.name, cells.TITLE), (self.place, cells.MUTED), *((note, cells.STRONG) for note in notes))
        for number, (text, look) in enumerate(heads):
            self.cells.put(sheet, number, 0, text, "text", look)
        self.cells.header(sheet, HEADER_ROW - 1, columns)
        for number, row in enumerate(rows):
            self._row(sheet, HEADER_ROW + number, columns, row, line=number == line_at)
        name_at = next(i for i, column in enumerate(columns, 1) if column.name == name)
        sheet.freeze_panes(HEADER_ROW, name_at)
        sheet.autofilter(HEADER_ROW - 1, 0, HEADER_ROW - 1 + max(len(rows), 1), len(columns) - 1)
        sheet.hide_gridlines(2)
        cells.ready_to_print(sheet, sum(column.width for column in columns), name_at)

    def _row(self, sheet: Worksheet, number: int, columns: Sequence[Column], row: Record, *, line: bool) -> None:
        looks: tuple[Look, ...] = (cells.CAPACITY_LINE if line else cells.LINE,)
        if row.get("is_within_capacity") is False or row.get("is_held_out") is True:
            looks += (cells.BEYOND,)
        for place, column in enumerate(columns):
            value = row[column.name]
            shown = None if is_missing(value) else value
            aligned = cells.TOP_WRAPPED if column.kind == "long" else cells.TOP
            if column.name in self.marks and shown in self.marks[column.name]:
                label, marked = self.marks[column.name][shown]
                self.cells.put(sheet, number, place, label, column.kind, aligned, *looks, marked)
            else:
                self.cells.put(sheet, number, place, shown, column.kind, aligned, *looks)
