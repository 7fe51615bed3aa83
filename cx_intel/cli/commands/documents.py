"""The commands that write what comes with the code: data dictionaries, the YAML's reference and JSON schema, presets.

Thin doors to `cx_intel.reports` and `cx_intel.settings.yaml.described`; other commands are in `app.py`.
"""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cx_intel.cli.common import MISUSE, explained
from cx_intel.cli.output import console, errors
from cx_intel.settings.environment import read_environment
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.settings.yaml.presets import filled, preset_names, preset_of, preset_text

documents = typer.Typer(add_completion=False)


@documents.command()
def docs(
    to: Annotated[Path, typer.Option(help="The folder to write to.", file_okay=False)] = Path("docs"),
    html: Annotated[bool, typer.Option("--html", help="Also one page of HTML to search in.")] = False,
) -> None:
    """Write the data dictionary of each portfolio and of further tables, and the reference of the YAML with its JSON schema."""
    from cx_intel.orchestration.build import load_portfolios
    from cx_intel.orchestration.checks.rules import rules_of
    from cx_intel.reports.dictionary import dictionary_html, dictionary_markdown, further_markdown
    from cx_intel.reports.portfolio_reference import PAGE, reference
    from cx_intel.settings.yaml.described import SCHEMA_FILE

    with explained():
        portfolios = load_portfolios(read_environment(os.environ).portfolios)
    to.mkdir(parents=True, exist_ok=True)
    pages = {f"data-dictionary-{name}.md": dictionary_markdown(p, rules_of) for name, p in portfolios.items()}
    if html:
        pages["data-dictionary.html"] = dictionary_html(list(portfolios.values()), rules_of)
    pages["data-dictionary-further.md"] = further_markdown(rules_of)
    pages |= {PAGE: reference(), SCHEMA_FILE: _schema_text()}
    for name, page in pages.items():
        (to / name).write_text(page, encoding="utf-8")
        console.print(str(to / name), highlight=False)


@documents.command("schema")
def print_schema() -> None:
    """Print the JSON schema of a portfolio's YAML, by which an editor completes keys and marks mistakes."""
    print(_schema_text(), end="")


def _schema_text() -> str:
    from cx_intel.settings.yaml.described import schema

    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


@documents.command("presets")
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
