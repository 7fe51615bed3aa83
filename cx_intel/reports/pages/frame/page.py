"""What a page is made of: sections with text, charts and tables, still without HTML.

A cell carries its text, what it sorts by, and how it is marked; `layout.py` makes HTML of it. What a page says stands in
the modules of the folder above.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

import pandas as pd

from cx_intel.reports.charts.drawing.figure import Figure, Rows, plain_value
from cx_intel.reports.charts.drawing.palette import Mark
from cx_intel.reports.data.cubes.cube import Cube, Follows
from cx_intel.reports.data.report_data import records
from cx_intel.reports.data.terms import due_in
from cx_intel.reports.words.language import MISSING, Language, iso
from cx_intel.reports.words.rounding import is_missing
from cx_intel.reports.words.tables import table_name

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
        code: Shown small beside the text, where somebody needs it for a command.
    """

    text: str
    sort: Any = None
    mark: Mark | None = None
    account: str = ""
    bar: float | None = None
    code: str = ""


@dataclass(frozen=True)
class Heading:
    """The heading of a column, what explains it, and where the column stands on a phone's card (0: folded away).

    Attributes:
        figure: The column of the table that it shows, and so the figure of a cube, where the table follows one.
        written: How: money, percent, number or due; with so many digits; and the unit after it.
    """

    label: str
    kind: Kind = "text"
    explains: str = ""
    place: int = 0
    figure: str = ""
    written: tuple[str, int, str] = ("", 0, "")


@dataclass(frozen=True)
class Table:
    """A table with its caption; one whose rows are accounts, or sums of a cube, follows the filters of the pages."""

    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    where_more: str = ""
    """Where the rows are that are left out."""
    of: int = 0
    """How many rows there are, shown or not."""
    key: str = ""
    first: int = 0
    """Rows shown at first; 0 shows all."""
    empty: str = ""
    """What to say when there is no row."""
    divider: tuple[int, str] | None = None
    """A line across the table before the row of that index, and what it says."""
    is_folded: bool = False
    is_kept: bool = False
    """It stands there also without rows, because a script fills it; `empty` is then what it says."""
    follows: Follows | None = None
    """What it is made of anew for chosen accounts; it needs a key then."""
    keys: Sequence[Sequence[Any]] = ()
    """Of each row, in the order of `follows.by`."""

    def for_script(self) -> dict[str, Any] | None:
        """What the script of the filters needs of it."""
        if self.follows is None:
            return None
        known = self.follows.cube.figures
        columns = [
            None if h.kind == "text" else [h.figure, *h.written] if h.figure in known else [] for h in self.headings
        ]
        return self.follows.for_script() | {"columns": columns}

    @property
    def accounts(self) -> list[str]:
        """The account of each row; empty where rows are not accounts."""
        found = [next((cell.account for cell in row if cell.account), "") for row in self.rows]
        return found if all(found) else []


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
    cubes: Sequence[Cube] = ()
    """Beside those that its tables and charts follow."""
    context: Mapping[str, Any] = field(default_factory=dict)
    of_all: str = ""
    """Why nothing on it follows the filters; said where one is set."""


Column = tuple[Heading, Callable[[dict[str, Any]], Cell]]


def on_card(place: int, column: Column) -> Column:
    """The column, standing at that place (1 first) of the card that a row is on a phone; without any, the first three do."""
    heading, cell = column
    return replace(heading, place=place), cell


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
    rows = [[cell(row) for _, cell in columns] for row in shown]
    follows: Follows | None = more.get("follows")
    keys = [follows.keys(row) for row in shown] if follows else []
    return Table(caption, [heading for heading, _ in columns], rows, where_more, len(frame), keys=keys, **more)


class Columns:
    """Makes columns of tables in the language of a portfolio, as their labels are given."""

    def __init__(self, language: Language):
        self.f = language

    def text(self, label: str, column: str, explains: str = "") -> Column:
        return Heading(label, "text", explains, figure=column), lambda row: Cell(
            MISSING if is_missing(row[column]) else str(row[column])
        )

    def heading(self, label: str, kind: Kind = "text", explains: str = "") -> Heading:
        return Heading(label, kind, explains)

    def figure(self, label: str, column: str, explains: str, written: str, digits: int = 0, unit: str = "") -> Heading:
        return Heading(label, "number", explains, figure=column, written=(written, digits, unit))

    def term(self, label: str, column: str) -> Column:
        """A word that tables hold in English (`cx_intel.reports.data.terms`)."""
        return Heading(label, figure=column), lambda row: Cell(
            MISSING if is_missing(row[column]) else self.f.say(str(row[column]))
        )

    def table(self, label: str, column: str, attribute: Callable[[str], str]) -> Column:
        """A table of the warehouse: its name, which may tell an attribute of the portfolio, and its code for commands."""

        def cell(row: dict[str, Any]) -> Cell:
            code = str(row[column])
            return Cell(table_name(code, self.f, attribute), code=code)

        return self.heading(label), cell

    def account(self) -> Column:
        def cell(row: dict[str, Any]) -> Cell:
            name = row["account_id"] if is_missing(row["account_name"]) else str(row["account_name"])
            return Cell(name, account=str(row["account_id"]))

        return self.heading(self.f.say("Account")), cell

    def number(self, label: str, column: str, digits: int = 0, unit: str = "", explains: str = "") -> Column:
        def cell(row: dict[str, Any]) -> Cell:
            text = self.f.number(row[column], digits)
            return Cell(text if text == MISSING else text + unit, plain_value(row[column]))

        return self.figure(label, column, explains, "number", digits, unit), cell

    def money(self, label: str, column: str, digits: int = 0, explains: str = "") -> Column:
        return self.figure(label, column, explains, "money", digits), lambda row: Cell(
            self.f.money(row[column], digits), plain_value(row[column])
        )

    def percent(self, label: str, column: str, digits: int = 1, explains: str = "") -> Column:
        return self.figure(label, column, explains, "percent", digits), lambda row: Cell(
            self.f.percent(row[column], digits), plain_value(row[column])
        )

    def day(self, label: str, column: str, explains: str = "") -> Column:
        return self.heading(label, "number", explains), lambda row: Cell(self.f.day(row[column]), iso(row[column]))

    def month(self, label: str, column: str) -> Column:
        return Heading(label, figure=column), lambda row: Cell(self.f.month(row[column]), iso(row[column]))

    def due(self, label: str, column: str) -> Column:
        """Days to a renewal."""
        return self.figure(label, column, "", "due"), lambda row: Cell(
            due_in(self.f, row[column]), plain_value(row[column])
        )

    def level(self, label: str, column: str, marks: Iterable[Mark]) -> Column:
        order = {mark.name: (position, mark) for position, mark in enumerate(marks)}

        def cell(row: dict[str, Any]) -> Cell:
            if is_missing(row[column]):
                return Cell(MISSING)
            position, mark = order.get(str(row[column]), (len(order), None))
            return Cell(mark.label if mark else str(row[column]), position, mark)

        return self.heading(label), cell


def choices_of(rows: Rows, names: Iterable[str]) -> dict[str, list[str]]:
    """What a page may be filtered by: the values of each name that has several."""
    found = {
        name: sorted({str(row[name]) for row in rows if row[name] is not None}, key=str.casefold) for name in names
    }
    return {name: values for name, values in found.items() if len(values) > 1}


def account_link(account_id: str) -> str:
    """Where an account opens."""
    return f"accounts.html#{quote(account_id, safe='')}"
