"""The commands that show what there is: portfolios, rows of a table, and reports in a browser.

Thin doors to `cx_intel.reports.listing`; commands that explain and compare are in `asking.py`.
"""

import os
import sys
import webbrowser
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cx_intel.cli.common import MISUSE, explained, known_name, portfolio_names, readable_now
from cx_intel.cli.output import Form, console, errors, print_rows
from cx_intel.settings.environment import read_environment
from cx_intel.settings.labels import worded
from cx_intel.settings.yaml.keys import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cx_intel.warehouse.duckdb.access.readable import Readable

shows = typer.Typer(add_completion=False)


@shows.command("list")
def list_portfolios() -> None:
    """The portfolios, what they read and when they were last refreshed."""
    from cx_intel.orchestration.build import load_portfolios

    with explained(), ExitStack() as opened:
        environment = read_environment(os.environ)
        table = Table("portfolio", "currency", "sources", "newest as_of", "description")
        portfolios = load_portfolios(environment.portfolios)
        there = environment.warehouse.exists()
        found = opened.enter_context(readable_now(environment, portfolios)) if there else None
        for name, portfolio in portfolios.items():
            newest = found.newest(name) if found else None
            kinds = sorted({source.kind for source in portfolio.sources})
            table.add_row(
                name,
                portfolio.currency.reporting,
                ", ".join(kinds),
                str(newest or "never"),
                escape(worded(portfolio.description)),
            )
        console.print(table)


@shows.command()
def show(
    table: Annotated[str, typer.Argument(help="Its name; of a snapshot, append _latest for the newest day.")],
    portfolio: Annotated[
        str | None, typer.Option(help="Default: the only one that has the table.", autocompletion=portfolio_names)
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")] = 10,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only rows of that day.")] = None,
    where: Annotated[
        str, typer.Option(help="Only rows that meet this condition in SQL: \"segment = 'SMB' AND current_arr > 5000\".")
    ] = "",
    columns: Annotated[str, typer.Option(help="Only these, with commas between them.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How they are printed.")] = Form.TABLE,
) -> None:
    """Show the first rows of a table, by rank where it has one."""
    from cx_intel.orchestration.build import load_portfolios
    from cx_intel.reports.listing import listed_rows
    from cx_intel.warehouse.duckdb.asking import rows_where

    with explained():
        environment = read_environment(os.environ)
        known = load_portfolios(environment.portfolios)
        names = [known_name(portfolio, list(known))] if portfolio else list(known)
        with readable_now(environment, names) as found:
            name = _portfolio_with(table, names, found)
            warehouse = found.warehouses[name]
            listed = listed_rows(
                warehouse,
                table,
                known[name],
                limit=rows,
                as_of=as_of.date() if as_of else None,
                columns=[column.strip() for column in columns.split(",") if column.strip()],
                chosen=lambda of_table: rows_where(warehouse, of_table, where) if where else of_table,
            )
    if listed.count or form is not Form.TABLE:
        print_rows(form, listed.columns, [tuple(row.values()) for row in listed.rows])
    if not listed.count:
        errors.print(f"The table {table!r} has no rows{' that meet the condition' if where else ''}.")
    elif listed.count > len(listed.rows):
        errors.print(
            f"{len(listed.rows)} of {listed.count:,} rows; --rows gives more.", style="yellow", highlight=False
        )


def _portfolio_with(table: str, names: "Iterable[str]", found: "Readable") -> str:
    """The one portfolio that has the table; else what there is is told and the command ends."""
    having = [name for name in names if found.exists(name, table)]
    if len(having) == 1:
        return having[0]
    if having:
        raise _misuse(f"The table {table!r} is in several portfolios ({', '.join(having)}): choose one (--portfolio).")
    there = sorted({other for name in names if name in found.warehouses for other in found.warehouses[name].tables()})
    where = " or ".join(names)
    raise _misuse(
        f'There is no table {table!r} in {where}{did_you_mean(table, there)}; `cx-intel sql "SHOW TABLES"` lists all.'
    )


def _misuse(text: str) -> typer.Exit:
    errors.print(text, style="red", markup=False)
    return typer.Exit(MISUSE)


@shows.command("open")
def open_report(
    portfolio: Annotated[str, typer.Argument(help="The portfolio.", autocompletion=portfolio_names)],
    page: Annotated[str, typer.Argument(help="dashboard, brief, renewals, revenue, health ...")] = "dashboard",
) -> None:
    """Open a page of the reports in the browser; where there is none, print where it is."""
    with explained():
        from cx_intel.orchestration.build import portfolio_files

        environment = read_environment(os.environ)
        name = known_name(portfolio, list(portfolio_files(environment.portfolios)))
    folder = environment.reports(name)
    pages = sorted(file.stem for file in folder.glob("*.html"))
    if not pages:
        _misuse(
            f"{name} has no reports yet: `cx-intel refresh {name}` makes them, unless its YAML says reports: false."
        )
    if page not in pages:
        raise _misuse(f"{name} has no page {page!r}{did_you_mean(page, pages)}; there are {', '.join(pages)}.")
    file = folder / f"{page}.html"
    print(file)
    if _has_browser() and not webbrowser.open(file.as_uri()):
        errors.print("No browser could be started: open the file by hand.", style="yellow")


def _has_browser() -> bool:
    """Whether there is a screen for one; a browser in the terminal is not meant."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
