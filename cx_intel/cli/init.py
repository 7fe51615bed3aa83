"""The command that drafts a portfolio from a folder of files. How it finds out: `cx_intel.proposals`."""

import re
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cx_intel.cli.common import MISUSE, explained
from cx_intel.cli.output import console, errors

if TYPE_CHECKING:
    from cx_intel.proposals.draft import Proposal

init = typer.Typer(add_completion=False)


@init.command("init")
def init_command(
    folder: Annotated[Path, typer.Argument(help="The folder with the exports, in folders below it or not.")],
    name: Annotated[str | None, typer.Option(help="The portfolio's name. Default: the folder's.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where to write it. Default: NAME.yaml here.")] = None,
) -> None:
    """Draft a portfolio from a folder of exports: presets where they fit, else a mapping of columns, with what is doubtful."""
    with explained():
        from cx_intel.proposals.draft import proposal_for

        if not folder.is_dir():
            errors.print(f"{escape(str(folder))} is no folder; name the one that holds the exports.", style="red")
            raise typer.Exit(MISUSE)
        portfolio = name or re.sub(r"\W+", "_", folder.resolve().name.lower()).strip("_")
        file = output or Path(f"{portfolio}.yaml")
        if file.exists():
            errors.print(f"{escape(str(file))} is there already; name another with --output.", style="red")
            raise typer.Exit(MISUSE)
        with TemporaryDirectory(prefix="cx-intel-") as samples:
            found = proposal_for(folder.resolve(), portfolio, Path(samples), datetime.now(UTC).date())
        _print_found(found)
        if not (found.presets or found.tables or found.incomplete):
            errors.print(
                "None of the files was recognised; `cx-intel presets` lists the exports that are known.", style="red"
            )
            raise typer.Exit(1)
        file.write_text(found.text, encoding="utf-8")
        variable = f"{portfolio.upper()}_DATA"
        console.print(f"Written: {escape(str(file))}. Read it, above all its comments. Then:", highlight=False)
        console.print(
            f"  export {variable}={escape(str(folder.resolve()))} CX_PORTFOLIOS={escape(str(file.resolve().parent))}"
        )
        console.print(f"  cx-intel validate --data\n  cx-intel refresh {portfolio}", highlight=False)


def _print_found(found: "Proposal") -> None:
    for preset in found.presets:
        console.print(f"[green]{preset.name}[/] fits {preset.folder or 'the folder'}: {', '.join(preset.tables)}")
    for table in found.tables:
        pairs = ", ".join(f"{name} = {column}" for name, column in table.columns.items())
        console.print(f"[green]{escape(table.found.pattern)}[/] is taken for {table.table}: {escape(pairs)}")
        for doubt in table.doubts:
            console.print(f"  [yellow]{escape(doubt)}[/]")
    for table in found.incomplete:
        console.print(
            f"[yellow]{escape(table.found.pattern)}[/] seems to be {table.table}; not told: {', '.join(table.missing)}"
        )
    for files in found.others:
        console.print(f"[dim]not used: {escape(files.pattern)} {escape(files.fault)}[/]")
