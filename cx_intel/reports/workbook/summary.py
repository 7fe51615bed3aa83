"""The first sheet of the workbook for leaders: what the lists come to, what is assumed, and what the words mean.

Assumptions stand beside the figures that rest on them, so that nobody takes a save rate for a measurement. The lists
themselves are written in `workbook.py`.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from cx_intel.contracts.renewals.outlook import SCENARIOS
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS
from cx_intel.reports.workbook import cells
from cx_intel.reports.workbook.cells import Kind, NumberFormats
from cx_intel.reports.workbook.words import words_in
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import RISK_LEVELS

WIDTHS = (54, 44, 18, 28)
Row = dict[str, Any]


def write_summary(
    sheet: Worksheet,
    portfolio: Portfolio,
    place: str,
    *,
    listed: Sequence[Row],
    pipeline: Sequence[Row],
    outlook: Sequence[Row],
) -> None:
    """Fills the sheet.

    Args:
        sheet: An empty one.
        portfolio: Its language, currency and assumptions.
        place: Portfolio, day and currency in words.
        listed: The intervention list.
        pipeline: The renewal pipeline.
        outlook: The outlook of the whole book, a row for each scenario.
    """
    words = words_in(portfolio.reports.language)
    page = _Page(sheet, NumberFormats(portfolio.reports.language, portfolio.currency.reporting))
    page.line((words.summary, "text"), font=cells.TITLE)
    page.line((place, "text"), font=cells.MUTED)
    page.heading(words.figures)
    for name, value, kind in _figures(listed, pipeline, outlook):
        page.line((words.figure_titles[name], "text"), (value, kind))
    page.heading(words.outlook)
    page.line((words.outlook_note, "long"), font=cells.MUTED)
    by_scenario = {row["scenario"]: row["book_nrr_pct"] for row in outlook}
    for scenario in (s for s in SCENARIOS if s in by_scenario):
        rate = by_scenario[scenario]
        page.line((words.scenarios[scenario], "text"), (None if rate is None else rate / 100, "rate"))
    page.heading(words.assumptions)
    page.note(words.assumption_note)
    if portfolio.renewals:
        capacity = portfolio.renewals.capacity_per_owner
        page.note(words.capacity.format(capacity=capacity) if capacity else words.no_capacity)
        page.titles(words.probability_titles)
        for risk in RISK_LEVELS:
            page.line((words.risks[risk], "text"), (portfolio.renewals.probability[risk], "rate"))
        page.gap()
    page.titles(words.playbook_titles)
    for playbook in portfolio.playbooks:
        page.line(
            (words.risks[playbook.risk], "text"),
            (playbook.action, "long"),
            (playbook.due_in_days, "count"),
            (playbook.save_rate, "rate"),
        )
    page.heading(words.definitions)
    for term, meaning in words.definition_texts:
        page.definition(term, meaning)


def _figures(listed: Sequence[Row], pipeline: Sequence[Row], outlook: Sequence[Row]) -> list[tuple[str, Any, Kind]]:
    soon = [row for row in pipeline if row["days_to_renewal"] <= WINDOW_DAYS]
    within = [row for row in listed if row["is_within_capacity"]]
    book: list[tuple[str, Any, Kind]] = []
    if outlook:
        book.append(("book_arr", 12 * outlook[0]["book_starting_mrr"], "money"))
    return [
        *book,
        ("renewals_90", len(soon), "count"),
        ("renewing_arr_90", _total(soon, "current_arr"), "money"),
        ("exposed_arr", _total(pipeline, "exposed_arr"), "money"),
        ("listed", len(listed), "count"),
        ("within", len(within), "count"),
        ("expected_loss", _total(listed, "expected_arr_loss"), "money"),
        ("savable", sum(r["expected_arr_loss"] * Decimal(str(r["save_rate"])) for r in within), "money"),
    ]


def _total(rows: Sequence[Row], column: str) -> Any:
    return sum(row[column] for row in rows)


class _Page:
    """Writes line after line."""

    def __init__(self, sheet: Worksheet, formats: NumberFormats):
        self.sheet, self.formats, self.row = sheet, formats, 0
        for letter, width in zip("ABCD", WIDTHS, strict=True):
            sheet.column_dimensions[letter].width = width
        sheet.sheet_view.showGridLines = False

    def line(self, *values: tuple[Any, Kind], font: Any = None) -> None:
        self.row += 1
        for place, (value, kind) in enumerate(values, 1):
            cell = self.sheet.cell(self.row, place)
            cells.put(cell, value, kind, self.formats)
            cell.alignment = cells.TOP_WRAPPED if kind == "long" else Alignment(vertical="top", horizontal="left")
            if font is not None:
                cell.font = font

    def heading(self, text: str) -> None:
        self.gap()
        self.line((text, "text"), font=cells.HEADING)
        for place in range(1, len(WIDTHS) + 1):
            self.sheet.cell(self.row, place).border = cells.UNDERLINE

    def titles(self, texts: Sequence[str]) -> None:
        self.line(*((text, "text") for text in texts), font=cells.STRONG)

    def note(self, text: str) -> None:
        """A sentence across the page."""
        self.line((text, "long"))
        self.sheet.merge_cells(start_row=self.row, end_row=self.row, start_column=1, end_column=len(WIDTHS))
        self.sheet.row_dimensions[self.row].height = 15 * (1 + len(text) // sum(WIDTHS))

    def definition(self, term: str, meaning: str) -> None:
        self.line((term, "text"), (meaning, "long"))
        self.sheet.cell(self.row, 1).font = cells.STRONG
        self.sheet.merge_cells(start_row=self.row, end_row=self.row, start_column=2, end_column=len(WIDTHS))
        self.sheet.row_dimensions[self.row].height = 15 * (1 + len(meaning) // sum(WIDTHS[1:]))

    def gap(self) -> None:
        self.row += 1
