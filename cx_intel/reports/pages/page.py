"""What a page is made of: sections with text, charts and tables, still without HTML.

A cell carries its text, what it sorts by, and how it is marked; `cx_intel.reports.pages.layout` makes HTML of it. What a page
says stands in the modules beside this one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import pandas as pd

from cx_intel.reports.charts.figure import Figure, Rows, plain_value
from cx_intel.reports.charts.palette import Mark
from cx_intel.reports.data.report_data import Book, records
from cx_intel.reports.words.formats import MISSING, Formats, is_missing, iso

TABLE_ROWS = 200
"""The longest table on a page; what lies beyond is said, and where to find it."""

Kind = Literal["text", "number"]


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: What is read.
        sort: What it is sorted by; the text when None.
        mark: Level that it tells: shown with its glyph and colour.
        account: An account's id: the cell opens it.
        bar: Share, 0 to 100, drawn behind the figure.
    """

    text: str
    sort: Any = None
    mark: Mark | None = None
    account: str = ""
    bar: float | None = None


@dataclass(frozen=True)
class Heading:
    """The heading of a column, and what explains it."""

    label: str
    kind: Kind = "text"
    explains: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption; `values` of a row are what the filters of a page look at."""

    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    left_out: str = ""
    key: str = ""
    values: Sequence[Mapping[str, str]] = ()
    first: int = 0
    """Rows shown at first; 0 shows all."""
    empty: str = "Nothing to list."
    divider: tuple[int, str] | None = None
    """A line across the table before the row of that index, and what it says."""
    is_folded: bool = False


@dataclass(frozen=True)
class Section:
    """A part of a page: figures, tables and notes under one title."""

    title: str
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    is_half: bool = False


@dataclass(frozen=True)
class Page:
    """One page: its file's stem, title, the question it answers, the answer in a sentence or two, and the sections."""

    key: str
    title: str
    question: str
    answer: Sequence[str]
    sections: Sequence[Section]
    template: str = "page.html"
    datasets: Mapping[str, Rows] = field(default_factory=dict)
    """Rows that several charts share."""
    script_data: Mapping[str, Any] = field(default_factory=dict)
    packed: Sequence[str] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


Column = tuple[Heading, Callable[[dict[str, Any]], Cell]]


def table_of(
    frame: pd.DataFrame,
    caption: str,
    columns: Sequence[Column],
    *,
    where_more: str = "",
    limit: int = TABLE_ROWS,
    **more: Any,
) -> Table:
    """A table of the first rows of a frame.

    Args:
        frame: The rows in order.
        caption: What the table shows.
        columns: Heading, and the cell of a row.
        where_more: Where the rows are that are left out.
        limit: The most rows shown.
        **more: Further attributes of the table.
    """
    shown = records(frame.head(limit))
    left_out = f"The first {limit} of {len(frame)} rows are shown. {where_more}".strip() if len(frame) > limit else ""
    rows = [[cell(row) for _, cell in columns] for row in shown]
    return Table(caption, [heading for heading, _ in columns], rows, left_out, **more)


class Columns:
    """Makes columns of tables in the formats of a portfolio."""

    def __init__(self, formats: Formats):
        self.f = formats

    def text(self, label: str, column: str) -> Column:
        return Heading(label), lambda row: Cell(MISSING if is_missing(row[column]) else str(row[column]))

    def account(self, label: str = "Account") -> Column:
        def cell(row: dict[str, Any]) -> Cell:
            name = row["account_id"] if is_missing(row["account_name"]) else str(row["account_name"])
            return Cell(name, account=str(row["account_id"]))

        return Heading(label), cell

    def number(self, label: str, column: str, digits: int = 0, unit: str = "", explains: str = "") -> Column:
        def cell(row: dict[str, Any]) -> Cell:
            text = self.f.number(row[column], digits)
            return Cell(text if text == MISSING else text + unit, plain_value(row[column]))

        return Heading(label, "number", explains), cell

    def money(self, label: str, column: str, digits: int = 0, explains: str = "") -> Column:
        return Heading(label, "number", explains), lambda row: Cell(
            self.f.money(row[column], digits), plain_value(row[column])
        )

    def percent(self, label: str, column: str, digits: int = 1, explains: str = "") -> Column:
        return Heading(label, "number", explains), lambda row: Cell(
            self.f.percent(row[column], digits), plain_value(row[column])
        )

    def day(self, label: str, column: str) -> Column:
        return Heading(label, "number"), lambda row: Cell(self.f.day(row[column]), iso(row[column]))

    def month(self, label: str, column: str) -> Column:
        return Heading(label), lambda row: Cell(self.f.month(row[column]), iso(row[column]))

    def mark(self, label: str, column: str, marks: Iterable[Mark]) -> Column:
        order = {mark.name: (position, mark) for position, mark in enumerate(marks)}

        def cell(row: dict[str, Any]) -> Cell:
            if is_missing(row[column]):
                return Cell(MISSING)
            position, mark = order.get(str(row[column]), (len(order), None))
            return Cell(str(row[column]), position, mark)

        return Heading(label), cell


def account_link(account_id: str) -> str:
    """Where an account opens."""
    return f"accounts.html#{quote(account_id, safe='')}"


def notices(book: Book) -> list[str]:
    """What a reader must know before reading: figures held because a source fell silent, and tables that lag behind."""
    found = []
    scores = book["customer_health_scores"]
    if not scores.empty and (frozen := int(scores["is_frozen"].sum())):
        drivers = book["health_score_drivers"]
        labels = sorted(set(drivers[drivers["is_stale"].astype(bool)]["label"])) if not drivers.empty else []
        what = f" Silent: {', '.join(labels)}." if labels else ""
        found.append(
            f"A source has fallen silent: the tiers of {frozen} of {len(scores)} customers are held at the last "
            f"known ones, and their scores leave it out.{what}"
        )
    behind = sorted(t for t, day in book.newest.items() if day < book.as_of and t in book.frames and book.has(t))
    if behind:
        found.append(f"Not refreshed for {book.formats.day(book.as_of)}: {', '.join(behind)}.")
    return found
