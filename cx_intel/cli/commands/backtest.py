"""The command that tries the health score of past days against what happened, now and anew.

A thin door to the job of that name, which also runs by itself once a month; the other commands are beside this module and in
`cx_intel.cli.app`.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cx_intel.cli.common import MISUSE, explained, known_name, readable_now
from cx_intel.cli.output import console, errors
from cx_intel.settings.environment import Environment, read_environment

if TYPE_CHECKING:
    from cx_intel.orchestration.runs import Outcome
    from cx_intel.settings.portfolio import Portfolio

backtests = typer.Typer(add_completion=False)


@backtests.command("backtest")
def backtest_command(portfolio: Annotated[str, typer.Argument(help="The portfolio.")]) -> None:
    """Try the health score on past month ends against what happened, from the tables of the last refresh."""
    from cx_intel.orchestration.build import definitions_of, load_portfolios, portfolio_files
    from cx_intel.orchestration.instance import instance_of
    from cx_intel.orchestration.runs import backtest

    with explained():
        environment = read_environment(os.environ)
        name = known_name(portfolio, list(portfolio_files(environment.portfolios)))
        chosen = load_portfolios(environment.portfolios, [name])[name]
        if chosen.health is None:
            errors.print(f"{name} has no health block, so there is no score to try.", style="red")
            raise typer.Exit(MISUSE)
        with readable_now(environment, [name]) as found:
            as_of = found.newest(name)
        if as_of is None:
            errors.print(f"{name} was never refreshed: run cx-intel refresh {name} first.", style="red")
            raise typer.Exit(MISUSE)
        started = datetime.now(UTC)
        with instance_of(environment.home) as instance, console.status(f"the score of {name} on past month ends ..."):
            outcome = backtest(definitions_of([chosen], environment), name, as_of, instance)
        _tell(environment, chosen, outcome, (datetime.now(UTC) - started).total_seconds())
    if not outcome.succeeded:
        raise typer.Exit(1)


def _tell(environment: Environment, portfolio: "Portfolio", outcome: "Outcome", seconds: float) -> None:
    """What was found of the score in one sentence a window, what of the renewals, and what went wrong."""
    from cx_intel.contracts.backtest.columns import ALL
    from cx_intel.contracts.backtest.results import HEALTH_SCORE
    from cx_intel.reports.data.figures.headline import probabilities

    name = outcome.portfolio
    console.print(f"[bold]{name}[/] back-test as of {outcome.as_of}; {seconds:.1f} s", highlight=False)
    for table, rows in outcome.tables.items():
        console.print(f"  {table:<32} {rows:>12,} rows", highlight=False)
    for failure in outcome.failures:
        errors.print(f"  failed {escape(failure)}", style="red", highlight=False)
    if outcome.is_complete:
        with readable_now(environment, [name]) as found:
            results = found.warehouses[name].table("backtest_results")
            of_score = results.filter((results.predictor == HEALTH_SCORE) & (results.slice == ALL))
            judged = found.warehouses[name].rows(of_score.order_by("outcome", "window_days"))
            of_renewals = probabilities(found.warehouses[name], portfolio, outcome.as_of)
        for row in judged:
            told = f"{row['outcome']} within {row['window_days']} days: {row['finding']}"
            console.print(f"  {escape(told)}", highlight=False)
        for told in of_renewals:
            console.print(f"  {escape(told)}", highlight=False)
