"""The commands that refresh portfolios, for a day or a range of days: the same job as in the UI.

What they say on the way stands in `cx_intel.cli.progress`, what in the end, in `cx_intel.cli.summary`.
"""

import gc
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cx_intel.cli.common import MISUSE, explained, known_name, portfolio_names, usable
from cx_intel.cli.ending import INTERRUPTED
from cx_intel.cli.output import console, errors, print_where_to_look
from cx_intel.cli.progress import Progress
from cx_intel.settings.environment import Environment, read_environment

if TYPE_CHECKING:
    import dagster as dg

    from cx_intel.settings.portfolio import Portfolio

refreshes = typer.Typer(add_completion=False)
REBUILD = "Execute every step, also those that would make what stands there already."
VERBOSE = "A line for each table, and every warning whole."


@refreshes.command()
def refresh(
    portfolios: Annotated[
        list[str] | None, typer.Argument(help="Default: all.", autocompletion=portfolio_names)
    ] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: the portfolio's.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help=REBUILD)] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help=VERBOSE)] = False,
) -> None:
    """Refresh portfolios: the same job as in the UI. Exit status 1 when a step or a blocking check failed."""
    with _progress(f"Refreshing {', '.join(portfolios or ['all portfolios'])}", verbose) as progress, explained():
        environment = read_environment(os.environ)
        from cx_intel.orchestration.build import portfolio_files

        there = list(portfolio_files(environment.portfolios))
        names = [known_name(name, there) for name in portfolios or there]
        known, unusable = usable(environment, names)
        chosen = [known[name] for name in names if name in known]
        days = [_day(portfolio, as_of.date() if as_of else None) for portfolio in chosen]
        wanted = [Wanted(portfolio, None, day) for portfolio, day in zip(chosen, days, strict=True)]
        _refresh(wanted, environment, progress, rebuild=rebuild, verbose=verbose, unusable=unusable)


@refreshes.command()
def backfill(
    portfolio: Annotated[str, typer.Argument(help="The portfolio.", autocompletion=portfolio_names)],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Default: as of refresh, the portfolio's.")
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help=REBUILD)] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help=VERBOSE)] = False,
) -> None:
    """Refresh a range of days in one run: the same job as in the UI. Tables kept whole stand at the last day or later."""
    with _progress(f"Refreshing days of {portfolio}", verbose) as progress, explained():
        environment = read_environment(os.environ)
        from cx_intel.orchestration.build import load_portfolios, portfolio_files

        name = known_name(portfolio, list(portfolio_files(environment.portfolios)))
        chosen = load_portfolios(environment.portfolios, [name])[name]
        since, until = _day(chosen, first.date(), "--from"), _day(chosen, last.date() if last else None, "--to")
        if since > until:
            errors.print(f"--from {since} is after --to {until}; give the earlier day first.", style="red")
            raise typer.Exit(MISUSE)
        _refresh([Wanted(chosen, since, until)], environment, progress, rebuild=rebuild, verbose=verbose)


@contextmanager
def _progress(what: str, verbose: bool) -> Iterator[Progress]:
    """Says what is done before anything that takes time is imported."""
    with Progress(console, verbose=verbose) as progress:
        progress.say(what)
        progress.doing("loading the program and the settings")
        yield progress


@dataclass(frozen=True)
class Wanted:
    """A portfolio that is to be refreshed for a day, or from the first day on."""

    portfolio: "Portfolio"
    since: date | None
    as_of: date


def _refresh(
    wanted: Sequence[Wanted],
    environment: Environment,
    progress: Progress,
    *,
    rebuild: bool,
    verbose: bool,
    unusable: Sequence[str] = (),
) -> None:
    """Refreshes each portfolio; ends with status 1 when one failed."""
    from cx_intel.orchestration.build import definitions_of
    from cx_intel.orchestration.history import forget_old_runs
    from cx_intel.orchestration.instance import instance_of

    progress.doing("laying out the graph of tables")
    definitions = definitions_of([one.portfolio for one in wanted], environment)
    gc.freeze()  # what was imported stays: there is no garbage in it
    with instance_of(environment.home) as instance:
        failed = [
            one.portfolio.name
            for one in wanted
            if not _refresh_one(definitions, one, instance, environment, progress, rebuild=rebuild, verbose=verbose)
        ]
        for one in wanted:
            forget_old_runs(instance, one.portfolio, datetime.now(UTC))
    print_where_to_look(environment)
    failed += [f"{name} (its YAML cannot be used)" for name in unusable]
    if failed:
        errors.print(f"Failed: {', '.join(failed)}", style="bold red")
        raise typer.Exit(1)


def _refresh_one(
    definitions: "dg.Definitions",
    wanted: Wanted,
    instance: "dg.DagsterInstance",
    environment: Environment,
    progress: Progress,
    *,
    rebuild: bool,
    verbose: bool,
) -> bool:
    from cx_intel.cli.summary import print_summary
    from cx_intel.orchestration import runs

    portfolio, since, as_of = wanted.portfolio, wanted.since, wanted.as_of
    progress.title(f"{portfolio.name} {f'from {since} to' if since else 'as of'} {as_of}")
    started = time.monotonic()
    layers = runs.layers_of(definitions, portfolio.name)
    progress.plan(layers)
    outcome = runs.refresh(
        definitions, portfolio.name, as_of, instance, progress.step, since=since, rebuild=rebuild, on_wait=progress.say
    )
    seconds = time.monotonic() - started
    if outcome.is_interrupted:
        raise typer.Exit(INTERRUPTED)
    progress.doing("reading the figures")
    print_summary(portfolio, outcome, environment, seconds, layers=layers, verbose=verbose)
    return outcome.succeeded


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
