"""Cells of a workbook: typed, formatted and styled, so that text is text and nothing is ever run.

A text is written as a string, whatever it begins with, and marked so that it stays one when somebody edits it; amounts,
days and rates get the formats of the portfolio's currency and language. Which cells make up a sheet is decided in
`workbook.py`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from cx_intel.reports.charts.drawing.palette import Mark
from cx_intel.reports.words.language import Language
from cx_intel.reports.workbook.spreadsheet_safety import guarded

Kind = Literal["text", "long", "money", "count", "score", "rate", "day"]
Look = tuple[tuple[str, Any], ...]
"""Properties of a cell's format, as XlsxWriter names them, with their values."""
LONGEST_TEXT = 32_767
"""What a cell of a workbook can hold."""
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LOCALES = {"en": "409", "de": "407"}
_DAYS = {"en": "[$-409]d mmm yyyy", "de": "dd.mm.yyyy"}
"""As spreadsheets spell a language and its days."""
_A4 = 9
PAGE_WIDTH, READABLE = 145, 0.65
"""Of an A4 page on its side, in widths of a digit; and the scale below which nobody reads it any more."""


def _look(**properties: Any) -> Look:
    return tuple(properties.items())


TITLE, HEADING, STRONG, MUTED, BEYOND = (
    _look(font_size=16, bold=True),
    _look(font_size=12, bold=True),
    _look(bold=True),
    _look(italic=True, font_color="#59616B"),
    _look(font_color="#59616B"),
)
HEADER = _look(bold=True, font_color="#FFFFFF", bg_color="#2B3A4A", text_wrap=True, valign="vcenter")
RIGHT = _look(align="right")
TOP, TOP_LEFT, TOP_WRAPPED = _look(valign="top"), _look(valign="top", align="left"), _look(valign="top", text_wrap=True)
LINE = _look(bottom=1, bottom_color="#D0D5DB")
UNDERLINE = _look(bottom=2, bottom_color="#2B3A4A")
CAPACITY_LINE = (*LINE, *_look(top=5, top_color="#1F2328"))


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


class Cells:
    """Writes cells of one workbook; cells that look alike share one format, which is made once.

    Args:
        workbook: An open one.
        language: Of the portfolio.
    """

    def __init__(self, workbook: Workbook, language: Language):
        self._workbook, self._number_formats = workbook, NumberFormats(language)
        self._formats: dict[tuple[Kind, bool, tuple[Look, ...]], Format] = {}

    def put(self, sheet: Worksheet, row: int, place: int, value: Any, kind: Kind, *looks: Look) -> None:
        """Writes a value as what it is; None leaves the cell empty.

        Args:
            sheet: Where; its rows are written from the top.
            row: Counted from 0.
            place: Of the column, counted from 0.
            value: A text, number, date or None.
            kind: What it is.
            looks: How the cell looks beyond that; what a later one says counts.
        """
        if value is None:
            sheet.write_blank(row, place, None, self.format("text", *looks))
        elif kind in ("text", "long"):
            shown, is_marked = shown_text(str(value))
            sheet.write_string(row, place, shown, self.format(kind, *looks, is_marked=is_marked))
        elif kind == "day":
            sheet.write_datetime(row, place, value, self.format(kind, *looks))
        else:
            sheet.write_number(row, place, float(value), self.format(kind, *looks))

    def format(self, kind: Kind, *looks: Look, is_marked: bool = False) -> Format:
        """How a cell of a kind looks; marked, a text stays a text when somebody edits it."""
        key = (kind, is_marked, looks)
        if key not in self._formats:
            side = {"align": "left"} if kind in ("text", "long") else {"align": "right"}
            properties: dict[str, Any] = {"num_format": self._number_formats.of(kind), "quote_prefix": is_marked}
            properties |= side | {"indent": 1}  # so that a number does not touch the text beside it
            for look in looks:
                properties |= look
            self._formats[key] = self._workbook.add_format(properties)
        return self._formats[key]

    def header(self, sheet: Worksheet, row: int, columns: Sequence[Column]) -> None:
        """The titles of the columns, their widths, and what stays in sight when the sheet is printed."""
        sheet.set_row(row, 48)
        for place, column in enumerate(columns):
            is_number = column.kind not in ("text", "long")
            self.put(sheet, row, place, column.title, "text", HEADER, *([RIGHT] if is_number else []))
            sheet.set_column(place, place, column.width)
        sheet.repeat_rows(row)


@lru_cache(maxsize=4096)
def shown_text(text: str) -> tuple[str, bool]:
    """A text as a cell can hold it, and whether it has to be marked as one."""
    shown = _NOT_IN_XML.sub("\ufffd", text)[:LONGEST_TEXT]
    return shown, guarded(shown) != shown


def mark_look(mark: Mark) -> Look:
    """The colours of a level; the text of the cell says the same."""
    return _look(bold=True, bg_color=mark.colour.upper(), font_color="#1F2328" if mark.takes_dark_text else "#FFFFFF")


def ready_to_print(sheet: Worksheet, width: float, repeated: int = 0) -> None:
    """Landscape, and as wide as one page, or as few as keep it readable.

    Args:
        sheet: The sheet.
        width: Of all its columns.
        repeated: So many of the first columns stand on each page, where there are several beside each other.
    """
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    pages = max(1, math.ceil(width * READABLE / PAGE_WIDTH))
    sheet.fit_to_pages(pages, 0)
    if pages > 1 and repeated:
        sheet.repeat_columns(0, repeated - 1)
    sheet.set_footer("&R&P / &N")
