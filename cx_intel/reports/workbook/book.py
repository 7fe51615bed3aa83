"""The workbook for leaders of customer success: a summary, the intervention list and the renewal pipeline of a day.

It shows what the tables hold, in the currency and language of the portfolio; sums stand as numbers, so that no cell is
a formula. How a cell is written is the matter of `workbook_cells.py`, what is said that of `workbook_words.py`.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.reports.charts.palette import risk_marks, tier_marks
from cx_intel.reports.data.signal_words import signal_in_language
from cx_intel.reports.words.formats import Formats
from cx_intel.reports.workbook import cells
from cx_intel.reports.workbook.cells import Column, NumberFormats
from cx_intel.reports.workbook.summary import write_summary
from cx_intel.reports.workbook.words import Words, words_in
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

WORKBOOK_TABLES = ("cs_intervention_list", "renewal_pipeline", "nrr_outlook")
"""The tables that it is made of."""
HEADER_ROW = 5
Row = dict[str, Any]


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
    ("renewal_date", "day", 15),
    ("days_to_renewal", "count", 10),
    ("primary_risk_signal", "long", 40),
    ("recommended_playbook", "long", 36),
    ("due_date", "day", 13),
    ("capacity", "text", 17),
    ("account_id", "text", 13),
)
PIPELINE: tuple[tuple[str, cells.Kind, float], ...] = (
    ("renewal_date", "day", 15),
    *_SHARED,
    ("renewal_probability", "rate", 20),
    ("expected_renewal_arr", "money", 15),
    ("expected_arr_loss", "money", 14),
    ("exposed_arr", "money", 14),
    ("expansion_potential_arr", "money", 18),
    ("days_to_renewal", "count", 10),
    ("recommended_playbook", "long", 36),
    ("is_overdue", "text", 17),
    ("account_id", "text", 13),
)


def write_workbook(portfolio: Portfolio, as_of: date, warehouse: Warehouse, file: Path) -> None:
    """Writes the workbook of a day to a file.

    Args:
        portfolio: Its currency, language, risk levels, playbooks and capacity.
        as_of: The day.
        warehouse: Where the tables are.
        file: Where to.
    """
    listed, pipeline, outlook = (_rows(table, portfolio, as_of, warehouse) for table in WORKBOOK_TABLES)
    workbook = Workbook()
    writer = _Writer(portfolio, as_of)
    summary = workbook.active
    summary.title = writer.words.sheets["summary"]
    write_summary(summary, portfolio, writer.place, listed=listed, pipeline=pipeline, outlook=outlook)
    writer.interventions(workbook.create_sheet(writer.words.sheets["interventions"]), listed)
    writer.pipeline(workbook.create_sheet(writer.words.sheets["pipeline"]), pipeline)
    for sheet in workbook.worksheets:
        cells.ready_to_print(sheet)
    workbook.properties.title = f"{portfolio.name} {as_of.isoformat()}"
    workbook.properties.creator = "cx_intel"
    workbook.save(file)


def _rows(table: str, portfolio: Portfolio, as_of: date, warehouse: Warehouse) -> list[Row]:
    rows = warehouse.table(table)
    rows = rows.filter(rows.as_of == ibis.literal(as_of))
    if table == "nrr_outlook":
        rows = rows.filter(rows.segment == ALL_SEGMENTS)
    found: list[Row] = warehouse.rows(rows)
    return found


class _Writer:
    """Writes the two lists."""

    def __init__(self, portfolio: Portfolio, as_of: date):
        language, currency = portfolio.reports.language, portfolio.currency.reporting
        self.portfolio = portfolio
        self.words: Words = words_in(language)
        self.formats = Formats(language, currency)
        self.number_formats = NumberFormats(language, currency)
        self.place = self.words.as_of.format(portfolio=portfolio.name, as_of=self.formats.day(as_of), currency=currency)
        self.risk_marks = {mark.name: mark for mark in risk_marks()}
        self.tier_marks = {mark.name: mark for mark in tier_marks(portfolio)}

    def interventions(self, sheet: Worksheet, listed: list[Row]) -> None:
        """The intervention list: those within capacity by rank, a thick line, those beyond it."""
        ordered = sorted(listed, key=lambda row: (not row["is_within_capacity"], row["priority_rank"]))
        beyond = [row for row in ordered if not row["is_within_capacity"]]
        shown = [
            row
            | {
                "savable_arr": row["expected_arr_loss"] * Decimal(str(row["save_rate"])),
                "capacity": self.words.within if row["is_within_capacity"] else self.words.beyond,
            }
            for row in ordered
        ]
        line_at = len(ordered) - len(beyond) if beyond else None
        self._table(
            sheet, "interventions", INTERVENTIONS, shown, notes=self._listed_notes(ordered, beyond), line_at=line_at
        )

    def pipeline(self, sheet: Worksheet, pipeline: list[Row]) -> None:
        """The renewal pipeline, by date."""
        ordered = sorted(pipeline, key=lambda row: (row["renewal_date"], -row["current_arr"], row["account_id"]))
        note = self.words.due.format(
            count=self.formats.number(len(ordered)),
            arr=self._sum(ordered, "current_arr"),
            loss=self._sum(ordered, "expected_arr_loss"),
        )
        shown = [row | {"is_overdue": self.words.yes if row["is_overdue"] else self.words.no} for row in ordered]
        self._table(sheet, "pipeline", PIPELINE, shown, notes=(note,))

    def _listed_notes(self, listed: list[Row], beyond: list[Row]) -> tuple[str, ...]:
        if not listed:
            return (self.words.nothing_listed,)
        note = self.words.listed.format(
            count=self.formats.number(len(listed)),
            loss=self._sum(listed, "expected_arr_loss"),
            arr=self._sum(listed, "current_arr"),
        )
        if not beyond:
            return note, self.words.all_within
        capacity = self.portfolio.renewals.capacity_per_owner if self.portfolio.renewals else None
        line = self.words.line_drawn.format(
            capacity=capacity, count=self.formats.number(len(beyond)), loss=self._sum(beyond, "expected_arr_loss")
        )
        return note, line

    def _sum(self, rows: Sequence[Row], column: str) -> str:
        return self.formats.money(sum(row[column] for row in rows))

    def _table(
        self,
        sheet: Worksheet,
        name: str,
        layout: Sequence[tuple[str, cells.Kind, float]],
        rows: Sequence[Row],
        *,
        notes: Sequence[str],
        line_at: int | None = None,
    ) -> None:
        columns = [Column(column, self.words.titles[column], kind, width) for column, kind, width in layout]
        for number, (text, font) in enumerate(
            ((self.words.sheets[name], cells.TITLE), (self.place, cells.MUTED), *((n, cells.STRONG) for n in notes)), 1
        ):
            cells.put_text(sheet.cell(number, 1), text)
            sheet.cell(number, 1).font = font
        cells.header(sheet, HEADER_ROW, columns)
        for number, row in enumerate(rows):
            self._row(sheet, HEADER_ROW + 1 + number, columns, row, line=number == line_at)
        name_at = next(i for i, column in enumerate(columns, 1) if column.name == "account_name")
        sheet.freeze_panes = sheet.cell(HEADER_ROW + 1, name_at + 1)
        last = HEADER_ROW + max(len(rows), 1)
        sheet.auto_filter.ref = f"A{HEADER_ROW}:{get_column_letter(len(columns))}{last}"
        sheet.sheet_view.showGridLines = False

    def _row(self, sheet: Worksheet, number: int, columns: Sequence[Column], row: Row, *, line: bool) -> None:
        is_beyond = row.get("is_within_capacity") is False
        for place, column in enumerate(columns, 1):
            cell = sheet.cell(number, place)
            cells.put(cell, self._shown(column.name, row[column.name]), column.kind, self.number_formats)
            cell.border = cells.CAPACITY_LINE if line else cells.LINE
            cell.alignment = cells.TOP_WRAPPED if column.kind == "long" else cells.TOP
            if is_beyond:
                cell.font = cells.BEYOND
            if column.name == "renewal_risk":
                cells.mark_cell(cell, self.risk_marks[row["renewal_risk"]])
            elif column.name == "health_tier" and row["health_tier"] in self.tier_marks:
                cells.mark_cell(cell, self.tier_marks[row["health_tier"]])

    def _shown(self, column: str, value: Any) -> Any:
        if column == "renewal_risk":
            return self.words.risks[value]
        if column == "primary_risk_signal" and value is not None:
            return signal_in_language(value, self.portfolio.reports.language)
        return cells.as_day(value) if column.endswith("_date") else value
