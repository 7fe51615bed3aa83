"""Cells of a workbook: typed, formatted and styled, so that text is text and nothing is ever run.

A text is written as a string, whatever it begins with, and marked so that it stays one when somebody edits it; amounts,
days and rates get the formats of the portfolio's currency and language. Which cells make up a sheet is decided in
`workbook.py`.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from cx_intel.reports.charts.palette import Mark
from cx_intel.reports.words.language import Language
from cx_intel.reports.workbook.spreadsheet_safety import guarded

Kind = Literal["text", "long", "money", "count", "score", "rate", "day"]
LONGEST_TEXT = 32_767
"""What a cell of a workbook can hold."""
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LOCALES = {"en": "409", "de": "407"}
_DAYS = {"en": "[$-409]d mmm yyyy", "de": "dd.mm.yyyy"}
"""As spreadsheets spell a language and its days."""

THIN, THICK = Side(style="thin", color="D0D5DB"), Side(style="thick", color="1F2328")
FACE = "Calibri"
TITLE, HEADING, STRONG, MUTED, BEYOND = (
    Font(FACE, 16, bold=True),
    Font(FACE, 12, bold=True),
    Font(FACE, 11, bold=True),
    Font(FACE, 11, italic=True, color="59616B"),
    Font(FACE, 11, color="59616B"),
)
HEADER_FONT, HEADER_FILL = Font(FACE, 11, bold=True, color="FFFFFF"), PatternFill("solid", fgColor="2B3A4A")
HEADER_ALIGNMENT = Alignment(wrap_text=True, vertical="center")
TOP, TOP_WRAPPED = Alignment(vertical="top"), Alignment(vertical="top", wrap_text=True)
LINE = Border(bottom=THIN)
UNDERLINE = Border(bottom=Side(style="medium", color="2B3A4A"))
CAPACITY_LINE = Border(top=THICK, bottom=THIN)


@dataclass(frozen=True)
class NumberFormats:
    """The format of each kind of cell."""

    language: Language

    def of(self, kind: Kind) -> str:
        locale, symbol = _LOCALES[self.language.code], self.language.symbol
        gap = self.language.gap and " "
        money = f"[${symbol}{gap}-{locale}]#,##0" if self.language.symbol_first else f"#,##0{gap}[${symbol}-{locale}]"
        day = _DAYS[self.language.code]
        rate = "0.0%" if self.language.percent_sign == "%" else '0.0" "%'
        money = f'{money};-{money};"–"'
        return {"money": money, "count": "#,##0", "score": "0.0", "rate": rate, "day": day}.get(kind, "@")


@dataclass(frozen=True)
class Column:
    """A column of a sheet: where its values come from, what it is called, how it looks and how wide it is."""

    name: str
    title: str
    kind: Kind
    width: float


def put(cell: Cell, value: Any, kind: Kind, formats: NumberFormats) -> None:
    """Writes a value as what it is; None leaves the cell empty."""
    if value is None:
        return
    if kind in ("text", "long"):
        put_text(cell, str(value))
        return
    cell.value = float(value) if isinstance(value, Decimal) else value
    cell.number_format = formats.of(kind)


def put_text(cell: Cell, text: str) -> None:
    """Writes text as text: a string also when it looks like a formula, an error or a number."""
    shown = _NOT_IN_XML.sub("\ufffd", text)[:LONGEST_TEXT]
    cell.value = shown
    cell.data_type = "s"
    cell.number_format = "@"
    if guarded(shown) != shown:
        cell.quotePrefix = True


def mark_cell(cell: Cell, mark: Mark) -> None:
    """Colours a cell by its level; its text says the same."""
    cell.fill = PatternFill("solid", fgColor=mark.colour.lstrip("#").upper())
    cell.font = Font(FACE, 11, bold=True, color="1F2328" if mark.takes_dark_text else "FFFFFF")


def header(sheet: Worksheet, row: int, columns: list[Column]) -> None:
    """The titles of the columns, their widths, and what stays in sight when the sheet is scrolled or printed."""
    for place, column in enumerate(columns, 1):
        cell = sheet.cell(row, place)
        put_text(cell, column.title)
        cell.font, cell.fill, cell.alignment = HEADER_FONT, HEADER_FILL, HEADER_ALIGNMENT
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    sheet.row_dimensions[row].height = 48
    sheet.print_title_rows = f"{row}:{row}"


def ready_to_print(sheet: Worksheet) -> None:
    """Landscape, as wide as the page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddFooter.right.text = "&P / &N"
