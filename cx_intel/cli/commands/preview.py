"""The commands about settings that nobody has refreshed by yet: what they would change, and which weights the past suggests.

A thin door to `cx_intel.orchestration.preview` and `cx_intel.reports.preview`. Other commands are in `app.py`, what they
print in `output.py`.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cx_intel.cli.common import MISUSE, explained, known_name, readable_now, usable
from cx_intel.cli.output import errors, print_answer
from cx_intel.settings.environment import Environment, read_environment

if TYPE_CHECKING:
    from cx_intel.reports.ask.answer import Answer
    from cx_intel.reports.data.report_data import ReportData
    from cx_intel.reports.pages.frame.page import Page
    from cx_intel.settings.portfolio import Portfolio
    from cx_intel.settings.yaml.changes import Change

previews = typer.Typer(add_completion=False)
ROWS = 15
"""Rows of a table in a terminal; the page has them all."""


class Form(StrEnum):
    """How a preview is printed."""

    TABLE = "table"
    JSON = "json"


@previews.command()
def preview(
    new: Annotated[str, typer.Argument(help="A file of settings, or the name of a portfolio with --set.")],
    against: Annotated[
        str | None, typer.Option(help="A file or a portfolio to compare with. Default: the portfolio as it is.")
    ] = None,
    stated: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE, such as health.dimensions.adoption.weight=0.4.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="The page. Default: preview.html beside the reports.")] = None,
    backtest: Annotated[
        bool, typer.Option(help="Score past month ends by the new settings too, where there is a back-test.")
    ] = True,
    form: Annotated[Form, typer.Option("--format", help="How it is printed.")] = Form.TABLE,
) -> None:
    """Show which accounts and how much ARR other settings would move, on the newest day, before a refresh by them.

    Nothing is written but the page. Exit status 2 where a setting is wrong or cannot be judged on what is loaded.
    """
    with explained():
        environment = read_environment(os.environ)
        before, after, changes = _settings(environment, new, against, stated or [])
        from cx_intel.orchestration.preview.sides import preview as previewed

        scaled = [change.key for change in changes if not change.is_stated]
        with readable_now(environment, [after.name]) as found:
            warehouse = found.warehouses[after.name]
            shown = previewed(warehouse, before, after, scaled=scaled, has_backtest=backtest)
        file = to or environment.reports(after.name) / "preview.html"
        _write_page(shown.page(has_links=to is None), shown.after, file, has_menu=to is None)
    if form is Form.JSON:
        print(json.dumps({"page": str(file), "portfolio": after.name, **asdict(shown.found)}, default=_plain, indent=2))
        return
    print_answer(
        _as_answer(shown.in_english().page(), f"{after.name}: what other settings would change on {shown.found.as_of}")
    )
    print(f"\nPage  {file}")


@previews.command("suggest-weights")
def suggest_weights(
    portfolio: Annotated[str, typer.Argument(help="The portfolio.")],
    outcome: Annotated[
        str, typer.Option(help="What they should foretell: churn, contraction or not_renewed.")
    ] = "churn",
    days: Annotated[int, typer.Option(help="Within how many days: 30, 60, 90 or 180.")] = 90,
    within: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="How far a signal's share may be from today's, as a part of it.")
    ] = 0.5,
    form: Annotated[Form, typer.Option("--format", help="How it is printed.")] = Form.TABLE,
) -> None:
    """Suggest weights of signals that past months would choose, within bounds, with how sure that is; nothing is changed.

    Reads the last back-test. Exit status 1 where too few accounts had the outcome for a suggestion.
    """
    with explained():
        environment = read_environment(os.environ)
        known, _ = usable(environment)
        chosen = known[known_name(portfolio, list(known))]
        from cx_intel.reports.preview.weights import suggestion, told

        with readable_now(environment, [chosen.name]) as found:
            made = suggestion(found.warehouses[chosen.name], chosen, outcome=outcome, window_days=days, within=within)
    if form is Form.JSON:
        print(json.dumps(made.as_json(), default=_plain, indent=2))
    else:
        print_answer(told(made, chosen, within))
    if not made.weights:
        raise typer.Exit(1)


def _settings(
    environment: Environment, new: str, against: str | None, stated: list[str]
) -> "tuple[Portfolio | None, Portfolio, tuple[Change, ...]]":
    """The settings before (None: those of the last refresh) and after, and what was changed in them by `--set`."""
    from cx_intel.orchestration.build import portfolio_files
    from cx_intel.settings.yaml.changes import change
    from cx_intel.settings.yaml.loader import stated_name

    files = portfolio_files(environment.portfolios)
    file = _file(new, files)
    other = _file(against, files) if against else None
    names = [name for name, known in files.items() if known in (file, other)]
    names += [stated_name(given) for given in (file, other) if given]
    name = known_name(next((name for name in names if name in files), names[0]), list(files))
    changes: list[Change] = []
    after = _loaded(file, name, lambda values: changes.extend(change(values, stated)))
    if other is None and (stated or files[name].resolve() != file.resolve()):
        other = file if stated else files[name]
    return (_loaded(other, name) if other else None), after, tuple(changes)


def _file(text: str, files: dict[str, Path]) -> Path:
    """The file that is meant: a portfolio's by its name, else a file."""
    if text in files:
        return files[text]
    file = Path(text)
    if file.suffix not in (".yaml", ".yml") and not file.exists():
        errors.print(
            f"{text!r} is neither a file nor a portfolio; there are {', '.join(files)}.", style="red", markup=False
        )
        raise typer.Exit(MISUSE)
    return file


def _loaded(file: Path, name: str, change: "Callable[[dict[str, Any]], None] | None" = None) -> "Portfolio":
    from cx_intel.reports.exports.tables import check_exports
    from cx_intel.settings.yaml.loader import load_portfolio
    from cx_intel.sources.files.mapping import check_sources

    return load_portfolio(file, also=(check_exports, check_sources), named=name, change=change)


def _write_page(page: "Page", data: "ReportData", file: Path, *, has_menu: bool) -> None:
    from cx_intel.reports.pages.frame.layout import render, write_whole
    from cx_intel.reports.pages.frame.publishing import MENU

    write_whole(file, render(page, data, MENU if has_menu else {}, library="").encode())


def _as_answer(page: "Page", title: str) -> "Answer":
    """The page as a terminal prints it: the first rows of each table, and how many there are."""
    from cx_intel.reports.ask.answer import Answer, Section

    sections = []
    for section in page.sections:
        for table in section.tables:
            rows = tuple(tuple(cell.text for cell in row) for row in table.rows[:ROWS])
            more = () if table.of <= len(rows) else (f"The first {len(rows)} of {table.of}; the page has them all.",)
            lines = (table.caption if rows else table.empty, *more, *section.notes)
            headings = tuple(heading.label for heading in table.headings)
            sections.append(Section(section.title, rows, headings, lines))
    return Answer(title, tuple(page.answer), tuple(sections))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else str(value)
