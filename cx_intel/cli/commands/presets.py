"""The command that lists the presets and prints one. What they become: `cx_intel.settings.yaml.presets`."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cx_intel.cli.common import MISUSE, explained
from cx_intel.cli.output import console, errors
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.settings.yaml.presets import filled, preset_names, preset_of, preset_text

presets = typer.Typer(add_completion=False)


@presets.command("presets")
def presets_command(
    name: Annotated[str | None, typer.Argument(help="Print the YAML of this one, to copy from.")] = None,
) -> None:
    """The presets for vendors' exports and landed tables, with what each takes and delivers."""
    with explained():
        if name is None:
            _print_list()
        elif name in preset_names():
            print(filled(preset_text(name), preset_of(name).examples), end="")
        else:
            names = preset_names()
            errors.print(f"There is no preset {name!r}{did_you_mean(name, names)}; there are {', '.join(names)}.")
            raise typer.Exit(MISUSE)


def _print_list() -> None:
    table = Table("preset", "takes", "delivers", "of")
    for name in preset_names():
        preset = preset_of(name)
        table.add_row(
            name, ", ".join(preset.takes), ", ".join(preset.tables), escape(f"{preset.vendor}: {preset.description}")
        )
    console.print(table)
    console.print(
        "In a portfolio: `sources: [{preset: NAME, ...}]`. `cx-intel presets NAME` prints what it stands for."
    )
