"""The commands that explain a figure. Thin doors to `cx_intel.reports.metric_explanations`; others are in `app.py`."""

import os
from datetime import datetime
from fractions import Fraction
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cx_intel.cli.common import MISUSE, explained, known_name, readable_now, usable
from cx_intel.cli.output import console, errors
from cx_intel.settings.environment import read_environment

figures = typer.Typer(add_completion=False)


@figures.command("explain-metric")
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
