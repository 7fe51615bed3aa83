"""What commands print: the outcome of a refresh, rows of a table, and where to look. The commands are in `cli.py`."""

import sys
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cx_intel.settings.environment import Environment

if TYPE_CHECKING:
    from cx_intel.reports.ask.answer import Answer, Section

console = Console(soft_wrap=not sys.stdout.isatty())
errors = Console(stderr=True, soft_wrap=True)


def print_summary(portfolio, outcome, environment: Environment, seconds: float) -> None:  # type: ignore[no-untyped-def]
    """What a refresh wrote and found, its headline figures and the accounts to call first."""
    from cx_intel.reports.data.headline import headline
    from cx_intel.warehouse.duckdb.access.readable import readable
    from cx_intel.warehouse.errors import WarehouseLocked

    checks, unchanged = outcome.checks, outcome.unchanged
    written = {table: rows for table, rows in outcome.tables.items() if table not in unchanged}
    console.print(
        f"{len(outcome.tables)} tables, {len(unchanged)} of them unchanged, {sum(written.values()):,} rows written; "
        f"checks: {checks['passed']} passed, "
        f"{checks['warned']} warned, {checks['failed']} failed; {seconds:.1f} s",
        highlight=False,
    )
    for text in outcome.warnings:
        console.print(f"  [yellow]warning[/] {escape(text)}", highlight=False)
    for text in outcome.failures:
        console.print(f"  [bold red]failed[/] {escape(text)}", highlight=False)
    if not outcome.is_complete:
        return
    try:
        with readable(environment.warehouse, {portfolio.name: environment.published(portfolio.name)}) as source:
            warehouse = source.warehouses[portfolio.name]
            found, newest = headline(warehouse, portfolio, outcome.as_of), warehouse.newest()
    except WarehouseLocked:
        console.print("Another run writes the warehouse already: `cx-intel show` tells the figures.", highlight=False)
        return
    figures = Table(show_header=False, box=None, padding=(0, 2))
    for figure in found.figures:
        figures.add_row(figure.label, escape(figure.text))
    quarantined = ", ".join(f"{table} {count}" for table, count in sorted(found.quarantined.items()))
    figures.add_row("Rows in quarantine", quarantined or "none")
    console.print(figures)
    for sentence in (found.arr, *found.notes):
        console.print(escape(sentence), highlight=False)
    if newest and outcome.as_of < newest:
        console.print(
            f"These figures are of {outcome.as_of}. Reports, exports and tables kept whole show {newest}, as before.",
            highlight=False,
        )
    if len(found.call_first):
        console.print("\n[bold]Call first[/]")
        for call in found.call_first.itertuples(index=False):
            console.print(escape(_call(call, portfolio.currency.reporting)), highlight=False)


def _call(call, currency: str) -> str:  # type: ignore[no-untyped-def]
    from cx_intel.reports.data.terms import due_in
    from cx_intel.reports.words.language import Language
    from cx_intel.settings.renewals import CANCELLED

    who = f"{call.account_name or call.account_id} ({call.owner})"
    english = Language("en", currency)
    ends = "ends" if call.renewal_risk == CANCELLED else "renews"
    why = f", {call.primary_risk_signal}" if call.primary_risk_signal else ""
    return (
        f"{call.priority_rank:>3}. {who}: {call.renewal_risk}, {ends} {due_in(english, call.days_to_renewal)}, "
        f"{english.money(call.expected_arr_loss, 2)} expected loss{why}. "
        f"{call.recommended_playbook} by {call.due_date:%Y-%m-%d}."
    )


def print_rows(frame) -> None:  # type: ignore[no-untyped-def]
    """As a table where it fits, else a row after the other, a line for each column."""
    longest = [max([len(str(c)), *(len(str(v)) for v in frame[c])]) for c in frame.columns]
    if sum(longest) + 3 * len(longest) + 1 <= console.width:
        console.print(_as_table(frame))
        return
    width = max(len(str(c)) for c in frame.columns)
    for number, row in enumerate(frame.itertuples(index=False), start=1):
        console.print(f"[bold]row {number}[/]", highlight=False)
        for column, value in zip(frame.columns, row, strict=True):
            shown = "" if pd.isna(value) else escape(str(value))
            console.print(f"  {column:<{width}}  {shown}", highlight=False)


def _as_table(frame) -> Table:  # type: ignore[no-untyped-def]
    table = Table()
    for column in frame.columns:
        table.add_column(str(column))
    for row in frame.itertuples(index=False):
        table.add_row(*("" if pd.isna(value) else escape(str(value)) for value in row))
    return table


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
