"""The command line: a thin door to the same definitions and jobs that the Dagster UI shows."""

import gc
import os
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cx_intel.cli.commands.action import actions
from cx_intel.cli.commands.asking import asking
from cx_intel.cli.commands.backtest import backtests
from cx_intel.cli.commands.deployment import deployment
from cx_intel.cli.commands.documents import documents
from cx_intel.cli.commands.figures import figures
from cx_intel.cli.commands.init import init
from cx_intel.cli.commands.presets import presets
from cx_intel.cli.commands.preview import previews
from cx_intel.cli.commands.serving import serving
from cx_intel.cli.commands.sync import sync
from cx_intel.cli.commands.validation import validation
from cx_intel.cli.common import MISUSE, explained, known_name, readable_now, usable
from cx_intel.cli.ending import INTERRUPTED
from cx_intel.cli.output import console, errors, print_rows, print_summary, print_where_to_look
from cx_intel.settings.environment import Environment, read_environment

if TYPE_CHECKING:
    import dagster as dg

    from cx_intel.settings.portfolio import Portfolio

app = typer.Typer(
    help="Customer-success intelligence: health, churn risk, retention and renewals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
REBUILD = "Execute every step, also those that would make what stands there already."
app.add_typer(deployment)
app.add_typer(actions)
app.add_typer(asking)
app.add_typer(backtests)
app.add_typer(figures)
app.add_typer(previews)
app.add_typer(validation)
app.add_typer(documents)
app.add_typer(presets)
app.add_typer(init)
app.add_typer(sync)
app.add_typer(serving)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"cx-intel {version('cx-intel')}")
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What every command shares."""


@app.command()
def refresh(
    portfolios: Annotated[list[str] | None, typer.Argument(help="Default: all.")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: the portfolio's.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help=REBUILD)] = False,
) -> None:
    """Refresh portfolios: the same job as in the UI. Exit status 1 when a step or a blocking check failed."""
    with explained():
        environment = read_environment(os.environ)
        from cx_intel.orchestration.build import portfolio_files

        there = list(portfolio_files(environment.portfolios))
        names = [known_name(name, there) for name in portfolios or there]
        known, unusable = usable(environment, names)
        chosen = [known[name] for name in names if name in known]
        days = [_day(portfolio, as_of.date() if as_of else None) for portfolio in chosen]
        wanted = [(portfolio, None, day) for portfolio, day in zip(chosen, days, strict=True)]
        _refresh(wanted, environment, rebuild=rebuild, unusable=unusable)


@app.command()
def backfill(
    portfolio: Annotated[str, typer.Argument(help="The portfolio.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Default: as of refresh, the portfolio's.")
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help=REBUILD)] = False,
) -> None:
    """Refresh a range of days in one run: the same job as in the UI. Tables kept whole stand at the last day or later."""
    with explained():
        environment = read_environment(os.environ)
        from cx_intel.orchestration.build import load_portfolios, portfolio_files

        name = known_name(portfolio, list(portfolio_files(environment.portfolios)))
        chosen = load_portfolios(environment.portfolios, [name])[name]
        since, until = _day(chosen, first.date(), "--from"), _day(chosen, last.date() if last else None, "--to")
        if since > until:
            errors.print(f"--from {since} is after --to {until}; give the earlier day first.", style="red")
            raise typer.Exit(MISUSE)
        _refresh([(chosen, since, until)], environment, rebuild=rebuild)


def _refresh(
    wanted: "Sequence[tuple[Portfolio, date | None, date]]",
    environment: Environment,
    *,
    rebuild: bool,
    unusable: Sequence[str] = (),
) -> None:
    """Refreshes each portfolio for its day, or from the first day on; ends with status 1 when one failed."""
    from cx_intel.orchestration.build import definitions_of
    from cx_intel.orchestration.instance import instance_of

    definitions = definitions_of([portfolio for portfolio, _, _ in wanted], environment)
    gc.freeze()  # what was imported stays: there is no garbage in it
    with instance_of(environment.home) as instance:
        failed = [
            portfolio.name
            for portfolio, since, as_of in wanted
            if not _refresh_one(definitions, portfolio, as_of, instance, environment, since=since, rebuild=rebuild)
        ]
    print_where_to_look(environment)
    failed += [f"{name} (its YAML cannot be used)" for name in unusable]
    if failed:
        errors.print(f"Failed: {', '.join(failed)}", style="bold red")
        raise typer.Exit(1)


def _refresh_one(
    definitions: "dg.Definitions",
    portfolio: "Portfolio",
    as_of: date,
    instance: "dg.DagsterInstance",
    environment: Environment,
    *,
    since: date | None,
    rebuild: bool,
) -> bool:
    from cx_intel.orchestration import runs

    console.rule(f"[bold]{portfolio.name}[/] {f'from {since} to' if since else 'as of'} {as_of}")
    started = datetime.now(UTC)

    with console.status("starting") as status:

        def show(table: str, rows: int | None) -> None:
            status.update(f"{table} ...")
            if rows is not None:
                console.print(f"  {table:<32} {rows:>12,} rows", highlight=False)

        outcome = runs.refresh(
            definitions, portfolio.name, as_of, instance, show, since=since, rebuild=rebuild, on_wait=_say
        )
    seconds = (datetime.now(UTC) - started).total_seconds()
    if outcome.is_interrupted:
        raise typer.Exit(INTERRUPTED)
    print_summary(portfolio, outcome, environment, seconds)
    return outcome.succeeded


def _say(text: str) -> None:
    errors.print(text, highlight=False, markup=False)


def _day(portfolio: "Portfolio", as_of: date | None, option: str = "--as-of") -> date:
    now = datetime.now(UTC)
    latest = portfolio.latest_as_of(now)
    day = as_of or portfolio.default_as_of(now)
    if not portfolio.as_of.earliest <= day <= latest:
        errors.print(
            f"{portfolio.name}: {option} {day} is outside {portfolio.as_of.earliest} (as_of.earliest) to {latest} "
            f"(yesterday in {portfolio.time_zone}).",
            style="red",
        )
        raise typer.Exit(MISUSE)
    return day


@app.command("list")
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
                escape(portfolio.description),
            )
        console.print(table)


@app.command()
def show(
    table: str,
    portfolio: Annotated[str | None, typer.Option(help="Default: the only one that has the table.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")] = 10,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only rows of that day.")] = None,
) -> None:
    """The first rows of a table, by rank where it has one; of a snapshot, append _latest for the newest day."""
    from cx_intel.orchestration.build import load_portfolios
    from cx_intel.reports.listing import table_rows

    with explained():
        environment = read_environment(os.environ)
        known = load_portfolios(environment.portfolios)
        names = list(known)
        with readable_now(environment, names) as found:
            having = [n for n in ([known_name(portfolio, names)] if portfolio else names) if found.exists(n, table)]
            if len(having) != 1:
                where = f"in several portfolios ({', '.join(having)}): choose one" if having else "in no portfolio"
                errors.print(f"The table {table!r} is {where} (--portfolio).", style="red")
                raise typer.Exit(MISUSE)
            day = as_of.date() if as_of else None
            shown = table_rows(found.warehouses[having[0]], table, known[having[0]], limit=rows, as_of=day)
            if shown.empty:
                errors.print(f"The table {table!r} has no rows.")
            else:
                print_rows(shown)
