"""What commands print: rows of a table in several forms, answers, and where to look.

The commands are in `cx_intel.cli.commands`; what a refresh says in the end, in `summary.py`, and on the way, in `progress.py`.
"""

import csv
import json
import os
import sys
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cx_intel.settings.environment import Environment

if TYPE_CHECKING:
    from cx_intel.reports.ask.answer import Answer, Section

WIDTH_OF_FILES = 140
"""Of lines in a pipe or a file."""
console = Console(
    soft_wrap=not sys.stdout.isatty(),
    width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_FILES,
)
errors = Console(stderr=True, soft_wrap=True)


class Form(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"


def print_rows(form: Form, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows as a table or Markdown, with values short enough to be read, or as CSV or JSON, with values as they are."""
    if form is Form.CSV:
        csv.writer(sys.stdout, lineterminator="\n").writerows([columns, *rows])
    elif form is Form.JSON:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        print(json.dumps(named, default=_plain, ensure_ascii=False, indent=2))
    else:
        from cx_intel.reports.listing import as_text

        texts = [[as_text(value) or "" for value in row] for row in rows]
        if form is Form.MARKDOWN:
            print(_as_markdown(columns, texts))
        else:
            _print_table(columns, texts)


def _plain(value: object) -> object:
    """A value that JSON has no form for: amounts as numbers, days and times as text."""
    return float(value) if isinstance(value, Decimal) else str(value)


def _as_markdown(columns: Sequence[str], texts: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *texts]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def _print_table(columns: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    """As a table where it fits, else a row after the other, a line for each column."""
    longest = [max(len(cell) for cell in cells) for cells in zip(columns, *texts, strict=True)]
    if sum(longest) + 3 * len(longest) + 1 <= console.width:
        table = Table(*columns)
        for row in texts:
            table.add_row(*(escape(text) for text in row))
        console.print(table)
        return
    width = max(len(column) for column in columns)
    for number, row in enumerate(texts, start=1):
        console.print(f"[bold]row {number}[/]", highlight=False)
        for column, text in zip(columns, row, strict=True):
            console.print(f"  {column:<{width}}  {escape(text)}", highlight=False)


def print_answer(answer: "Answer") -> None:
    """An answer: its title, then each section as a table, or line by line."""
    console.print(f"[bold]{escape(answer.title)}[/]", highlight=False)
    for line in answer.lines:
        console.print(escape(line), highlight=False)
    for section in answer.sections:
        console.print(f"\n[bold]{escape(section.title)}[/]", highlight=False)
        for line in section.lines:
            console.print(escape(line), highlight=False)
        if section.rows:
            console.print(_section_table(section))


def _section_table(section: "Section") -> Table:
    table = Table(*section.headings, show_header=bool(section.headings), box=None, padding=(0, 2, 0, 0))
    for row in section.rows:
        table.add_row(*(escape(text) for text in row))
    return table


def print_where_to_look(environment: Environment) -> None:
    """Where the tables, the reports and the UI are."""
    console.print(f"\nTables     {environment.warehouse} (a schema for each portfolio)", highlight=False)
    console.print(f"Reports    {environment.home / 'reports'}", highlight=False)
    console.print("Dagster UI cx-intel ui", highlight=False)
