"""The command that drafts a portfolio from exports or landed tables. How it finds out: `cx_intel.proposals`."""

import os
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cx_intel.cli.common import MISUSE, explained
from cx_intel.cli.output import console, errors
from cx_intel.settings.base import NAME_PATTERN, RESERVED_NAMES
from cx_intel.settings.environment import read_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cx_intel.proposals.finding import Proposal
    from cx_intel.proposals.landed import FirstRows

init = typer.Typer(add_completion=False)


@init.command("init")
def init_command(
    folder: Annotated[Path | None, typer.Argument(help="A folder with exports, in folders below it or not.")] = None,
    connection: Annotated[
        str | None, typer.Option(help="A variable that holds the address of a database with landed tables.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The portfolio's name. Default: the folder's.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where to write it. Default: NAME.yaml here.")] = None,
) -> None:
    """Draft a portfolio from exports or landed tables: presets where they fit, else a mapping of columns, with what is doubtful.

    Written as YAML with comments. Exit status 1 where nothing was recognised.
    """
    with explained():
        from cx_intel.proposals.draft import draft_of, variable_of
        from cx_intel.proposals.finding import proposal_for

        if folder is None and connection is None:
            raise _misuse("Name a folder with exports, or --connection with the variable of a database.")
        if folder is not None and not folder.is_dir():
            raise _misuse(f"{folder} is no folder; name the one that holds the exports.")
        portfolio = name or re.sub(r"\W+", "_", folder.resolve().name.lower() if folder else "company").strip("_")
        if not re.match(NAME_PATTERN, portfolio) or portfolio in RESERVED_NAMES:
            raise _misuse(
                f"{portfolio!r} is no name of a portfolio: small letters, digits and _ after a letter, and no schema that "
                f"a warehouse has already ({', '.join(sorted(RESERVED_NAMES))}); give --name."
            )
        file = output or Path(f"{portfolio}.yaml")
        if file.exists():
            raise _misuse(f"{file} is there already; name another with --output.")
        variable = connection.strip("${}") if connection else ""
        schemas = _schemas(variable) if variable else None
        place = folder.resolve() if folder else None
        with TemporaryDirectory(prefix="cx-intel-") as samples:
            found = proposal_for(place, Path(samples), schemas, _first_rows(variable) if variable else None)
        _print_found(found)
        if found.is_empty:
            errors.print(
                "Nothing was recognised; `cx-intel presets` lists the exports and landed tables that are known.",
                style="red",
            )
            raise typer.Exit(1)
        today = datetime.now(UTC).date()
        file.write_text(draft_of(found, portfolio, today, folder=place, connection=variable), encoding="utf-8")
        console.print(f"Written: {escape(str(file))}. Read it, above all its comments. Then:", highlight=False)
        needed = f"{variable_of(portfolio)}={shlex.quote(str(place))} " if place else ""
        portfolios = shlex.quote(str(file.resolve().parent))
        console.print(escape(f"  export {needed}CX_PORTFOLIOS={portfolios}"), soft_wrap=True)
        console.print(f"  cx-intel validate --data\n  cx-intel refresh {portfolio}", highlight=False)


def _misuse(text: str) -> typer.Exit:
    errors.print(escape(text), style="red")
    return typer.Exit(MISUSE)


def _schemas(variable: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """The tables of the database whose address a variable holds."""
    from cx_intel.sources.errors import SourceError
    from cx_intel.warehouse.duckdb.files.landed import landed_tables

    address = read_environment(os.environ).variables.get(variable)
    if not address:
        raise _misuse(
            f"{variable} is not set: set it, for instance {variable}=postgresql://user:password@host/database."
        )
    try:
        return landed_tables(address, f"The database of {variable}")
    except SourceError as error:
        raise _misuse(str(error)) from None


def _first_rows(variable: str) -> "FirstRows":
    """What gives the first rows of tables of the database whose address a variable holds."""
    from cx_intel.proposals.folders import SAMPLE_ROWS
    from cx_intel.settings.sources.sql import LandedTable
    from cx_intel.warehouse.duckdb.files.landed import read_landed

    address = read_environment(os.environ).variables[variable]

    def rows_of(name: str, columns: "Sequence[str]") -> "list[dict[str, str | None]]":
        table = LandedTable(name=name, columns={column: column for column in columns})
        read = read_landed(address, {"rows": table}, f"The database of {variable}", most_rows=SAMPLE_ROWS)
        rows: list[dict[str, str | None]] = read["rows"].to_pylist()
        return rows

    return rows_of


def _print_found(found: "Proposal") -> None:
    for landed in found.landed:
        console.print(f"[green]{landed.name}[/] fits the schema {landed.schema or 'main'}: {', '.join(landed.tables)}")
    for preset in found.presets:
        console.print(f"[green]{preset.name}[/] fits {preset.folder or 'the folder'}: {', '.join(preset.tables)}")
    for table in found.tables:
        pairs = ", ".join(f"{name} = {column}" for name, column in table.columns.items())
        console.print(f"[green]{escape(table.found.title)}[/] is taken for {table.table}: {escape(pairs)}")
        for doubt in table.doubts:
            console.print(f"  [yellow]{escape(doubt)}[/]")
    for table in found.incomplete:
        why = f", and is not read: {table.left_out}" if table.left_out else f"; not told: {', '.join(table.missing)}"
        console.print(f"[yellow]{escape(table.found.title)}[/] seems to be {table.table}{escape(why)}")
    for files in found.others:
        console.print(f"[dim]not used: {escape(files.title)} {escape(files.fault)}[/]")
