"""The commands that ask: an account or a figure explained, two days compared, a query over the published copy, assistants.

Thin doors to `cx_intel.reports.ask`, `cx_intel.reports.metric_explanations`, `cx_intel.warehouse.duckdb.asking` and
`cx_intel.assistants`; they only read. Other commands are beside this module, what they print in `output.py`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cx_intel.cli.common import MISUSE, explained, known_name, readable_now, usable
from cx_intel.cli.output import Form, console, errors, print_answer, print_rows
from cx_intel.settings.environment import Environment, read_environment

if TYPE_CHECKING:
    from cx_intel.settings.portfolio import Portfolio
    from cx_intel.warehouse.duckdb.access.readable import Readable

asking = typer.Typer(add_completion=False)
Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A day that has a snapshot.")]


@contextmanager
def _opened(portfolio: str | None) -> "Iterator[tuple[dict[str, Portfolio], Readable]]":
    """The portfolios that may be meant, and what can be read of them."""
    with explained():
        environment = read_environment(os.environ)
        known, _ = usable(environment)
        names = [known_name(portfolio, list(known))] if portfolio else list(known)
        with readable_now(environment, names) as found:
            yield {name: known[name] for name in names if name in found.warehouses}, found


@asking.command()
def explain(
    account: Annotated[str, typer.Argument(help="Its id, its name, or a part of its name.")],
    portfolio: Annotated[str | None, typer.Option(help="Default: whichever has the account.")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: the newest day.")] = None,
) -> None:
    """Explain an account: why it has its score, what moved, what to do, its renewal, its money."""
    from cx_intel.reports.ask.accounts import find_account
    from cx_intel.reports.ask.explanation import explain as explanation

    with _opened(portfolio) as (portfolios, found):
        meant = find_account(account, found.warehouses)
        warehouse, chosen = found.warehouses[meant.portfolio], portfolios[meant.portfolio]
        answer = explanation(warehouse, chosen, meant.account_id, as_of.date() if as_of else None)
    print_answer(answer)


@asking.command()
def diff(
    first: Day,
    last: Day,
    portfolio: Annotated[str | None, typer.Option(help="Default: the only one.")] = None,
) -> None:
    """Tell what changed between two days: money, customers, scores and why, tiers, renewals, the list of calls."""
    from cx_intel.reports.ask.differences import difference

    with _opened(portfolio) as (portfolios, found):
        name = _only(list(portfolios))
        answer = difference(found.warehouses[name], portfolios[name], first.date(), last.date())
    print_answer(answer)


@asking.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT in DuckDB's SQL; - reads it from the standard input.")],
    portfolio: Annotated[str | None, typer.Option(help="Default: the only one.")] = None,
    rows: Annotated[int, typer.Option(min=0, help="How many rows; 0: all.")] = 100,
    form: Annotated[Form, typer.Option("--format", help="How they are printed.")] = Form.TABLE,
    live: Annotated[bool, typer.Option("--live", help="Read the warehouse itself: raw tables, every day.")] = False,
) -> None:
    """Query the published copy of a portfolio, reading alone: docs/read-the-data.md says what is in it."""
    from cx_intel.orchestration.build import portfolio_files
    from cx_intel.warehouse.duckdb.asking import query as answered

    with explained():
        environment = read_environment(os.environ)
        there = list(portfolio_files(environment.portfolios))
        name = known_name(portfolio, there) if portfolio else _only(_published(environment, there))
        file = environment.warehouse if live else environment.published(name)
        text = sys.stdin.read() if query == "-" else query
        found = answered(file, text, schema=name if live else "main", limit=rows or None)
    if found.rows or form is not Form.TABLE:
        print_rows(form, found.columns, found.rows)
    else:
        errors.print("The query gives no rows.")
    if found.has_more:
        errors.print(f"These are the first {len(found.rows)} rows; --rows 0 gives all.", style="yellow")


def _published(environment: Environment, names: list[str]) -> list[str]:
    """The portfolios that have a published copy; all of them where none has."""
    return [name for name in names if environment.published(name).exists()] or names


def _only(names: list[str]) -> str:
    """The one portfolio that there is; where there are several, one has to be chosen."""
    if len(names) != 1:
        what = f"There are several portfolios ({', '.join(names)})" if names else "No portfolio can be read"
        errors.print(f"{what}: choose one (--portfolio).", style="red")
        raise typer.Exit(MISUSE)
    return names[0]


@asking.command()
def mcp(
    portfolio: Annotated[list[str] | None, typer.Option(help="Those that may be asked about. Default: all.")] = None,
) -> None:
    """Serve assistants by MCP over standard input and output: reading alone, from the published copies."""
    with explained():
        from cx_intel.orchestration.build import portfolio_files

        environment = read_environment(os.environ)
        there = list(portfolio_files(environment.portfolios))
        portfolios, _ = usable(environment, [known_name(name, there) for name in portfolio or there])
    try:
        from cx_intel.assistants.server import server
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("mcp"):
            raise
        errors.print("The server needs a package: pip install 'cx-intel[mcp]'.", style="red", markup=False)
        raise typer.Exit(MISUSE) from None
    from cx_intel.assistants.published import PublishedAnswers

    server(PublishedAnswers(environment, portfolios)).run("stdio")


@asking.command("explain-metric")
def explain_metric_command(
    metric: Annotated[str, typer.Argument(help="A column of nrr_summary, such as nrr_ttm_pct.")],
    portfolio: Annotated[str, typer.Option(help="The portfolio.")],
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m", "%Y-%m-%d"], help="Default: the ledger's newest.")
    ] = None,
) -> None:
    """Show a figure under each definition in use, and the parts of the difference; docs/definitions.md argues them."""
    from cx_intel.reports.metric_explanations import METRICS, explain_metric

    if metric not in METRICS:
        errors.print(f"There is no definition of {metric!r}; there are {', '.join(METRICS)}.", style="red")
        raise typer.Exit(MISUSE)
    with explained():
        environment = read_environment(os.environ)
        known, _ = usable(environment)
        chosen = known[known_name(portfolio, list(known))]
        with readable_now(environment, [chosen.name]) as found:
            told = explain_metric(found.warehouses[chosen.name], chosen, metric, month.date() if month else None)
    value = "none" if told.value is None else f"{told.value:,.2f}"
    console.print(f"[bold]{metric}[/] of {told.month:%B %Y}: {value} ({told.formula})", highlight=False)
    for name, part in told.parts.items():
        console.print(f"  {name:<24} {part:,}" if part is not None else f"  {name:<24} none", highlight=False)
    if not told.figures:
        return
    table = Table("definition", "figure", "kept", "of", "formula")
    for figure in told.figures:
        name = escape(figure.name) + (" (this one)" if figure.name == told.definition else "")
        table.add_row(name, _pct(figure.pct), _amount(figure.kept), _amount(figure.base), escape(figure.formula))
    console.print(table)
    closed = told.figures[0].pct
    if closed is None:
        console.print("The ledger begins less than twelve months before: only the monthly figure exists.")
        return
    for figure in told.figures[1:]:
        if figure.pct is not None:
            console.print(
                f"{figure.name} against closed cohort: {_points(figure.pct - closed)} points", highlight=False
            )
            for part in figure.differences:
                console.print(f"  {_points(part.points):>8} {part.cause}", highlight=False)


def _pct(value: Fraction | None) -> str:
    return "none" if value is None else f"{float(value):,.2f} %"


def _amount(value: Fraction | None) -> str:
    return "" if value is None else f"{float(value):,.2f}"


def _points(value: Fraction) -> str:
    return f"{float(value):+,.2f}"
