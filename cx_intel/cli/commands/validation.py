"""The command that checks portfolios before a run: their YAML, what they need of the machine, the first rows of their data.

A thin door to the loader of the settings and to `cx_intel.doctor`; other commands are in `app.py`.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cx_intel.cli.common import explained, known_name
from cx_intel.cli.output import console
from cx_intel.settings.environment import read_environment

if TYPE_CHECKING:
    from cx_intel.doctor.data import ColumnLook, SourceLook

validation = typer.Typer(add_completion=False)

EXAMPLE_LENGTH = 40
NOTHING_TO_COMPARE = (
    "the first refresh will have no week and no month before to compare with. Where the sources tell what was known then "
    "(ended contracts, dated events and tickets), as_of: {first_snapshots: [7, 30]} makes those days too."
)
"""Said before the first refresh; later ones make no days before it."""


@validation.command()
def validate(
    portfolios: Annotated[list[str] | None, typer.Argument(help="Default: all.")] = None,
    data: Annotated[bool, typer.Option("--data", help="Also read the first rows of every source.")] = False,
) -> None:
    """Check the YAML of portfolios, without a run; with --data also the first thousand rows of each source.

    Variables that are not set and files that are not there are told and are no error. Exit status 2 for a wrong YAML; with
    --data 1 where a source cannot be read or none of its rows would come in.
    """
    from cx_intel.doctor.portfolios import missing_files, unset_variables
    from cx_intel.orchestration.build import definitions_of, load_portfolios
    from cx_intel.sources.files.neighbours import unread_beside

    usable = True
    with explained():
        environment = read_environment(os.environ)
        known = load_portfolios(environment.portfolios)
        for portfolio in [known[known_name(name, list(known))] for name in portfolios or known]:
            definitions = definitions_of([portfolio], environment)
            checks = len(list(definitions.resolve_asset_graph().asset_check_keys))
            tables = len(list(definitions.assets or []))
            console.print(f"{portfolio.name}: valid, {tables} tables, {checks} checks", highlight=False)
            for preset, delivered in portfolio.presets.items():
                console.print(f"  preset {preset}: {', '.join(delivered)}", highlight=False)
            unset = unset_variables(portfolio, environment.variables)
            if unset:
                text = f"{', '.join(unset)} is not set: a refresh needs it, for instance {unset[0]}=/data/exports."
                console.print(f"  [yellow]warning[/] {text}", highlight=False)
            missing = [
                text for text in missing_files(portfolio, environment.variables) if not any(n in text for n in unset)
            ]
            unread = [found.sentence for found in unread_beside(portfolio, environment.variables)]
            for text in [*(() if data else missing), *unread]:
                console.print(f"  [yellow]warning[/] {escape(text)}", highlight=False)
            if (
                portfolio.health
                and not portfolio.as_of.first_snapshots
                and not environment.reports(portfolio.name).exists()
            ):
                console.print(f"  {NOTHING_TO_COMPARE}", highlight=False, markup=False)
            if data:
                from cx_intel.doctor.data import look

                day = portfolio.default_as_of(datetime.now(UTC))
                for found in look(portfolio, environment.variables, day):
                    _print_look(found)
                    usable &= found.is_usable
    if not usable:
        raise typer.Exit(1)


def _print_look(found: "SourceLook") -> None:
    if found.fault:
        console.print(f"  [bold red]{found.table}[/] {escape(found.fault)}", highlight=False)
        return
    some = "all" if found.is_whole else "the first"
    console.print(f"  [bold]{found.table}[/]: {some} {found.rows:,} rows, of {escape(found.of)}", highlight=False)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 4))
    for column in found.columns:
        table.add_row(column.name, f"{column.filled_pct:.0f} %", escape(_example(column)))
    console.print(table)
    if found.absent:
        console.print(f"    not delivered: {', '.join(found.absent)}", highlight=False)
    if found.unread:
        console.print(f"    not read: {escape(', '.join(found.unread))}", highlight=False)
    if found.rejected:
        colour = "yellow" if found.is_usable else "bold red"
        text = f"would be quarantined: {found.rejected:,} rows ({found.rejected_pct:.1f} %)"
        console.print(f"    [{colour}]{text}[/]", highlight=False)
        for reason, count in found.reasons.items():
            console.print(f"      {count:,}: {escape(reason)}", highlight=False)


def _example(column: "ColumnLook") -> str:
    delivered, read = (text.replace("\n", " ") for text in (column.delivered, column.read))
    if not read:
        return "no row of it is read" if column.filled_pct else "always empty"
    if not delivered:
        return read[:EXAMPLE_LENGTH]
    return f"{delivered[:EXAMPLE_LENGTH]} is read as {read[:EXAMPLE_LENGTH]}"
