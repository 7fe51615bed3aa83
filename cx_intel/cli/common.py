"""What the commands share: errors in their own words, what can be read just now, the name of a portfolio.

The commands are in the modules beside this one; what they print is in `output.py`.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from cx_intel.cli.output import errors
from cx_intel.settings.base import SettingsError
from cx_intel.settings.environment import SHIPPED_PORTFOLIOS, Environment
from cx_intel.settings.yaml.keys import did_you_mean

if TYPE_CHECKING:
    from cx_intel.settings.portfolio import Portfolio
    from cx_intel.warehouse.duckdb.access.readable import Readable

MISUSE = 2


@contextmanager
def explained() -> Iterator[None]:
    """Errors that the user can mend are said in their own words, without a traceback."""
    from cx_intel.orchestration.build import SettingsErrors
    from cx_intel.reports.ask.answer import NoAnswer
    from cx_intel.settings.yaml.changes import ChangeMisuse
    from cx_intel.warehouse.errors import WarehouseError

    try:
        yield
    except (SettingsError, SettingsErrors, ChangeMisuse, NoAnswer, WarehouseError) as error:
        errors.print(escape(str(error)), style="red")
        raise typer.Exit(MISUSE) from None


def usable(environment: Environment, only: Iterable[str] = ()) -> "tuple[dict[str, Portfolio], list[str]]":
    """The portfolios of the environment that can be used, and the names of the others, of which it is said what is wrong.

    Raises:
        SettingsErrors: None can be used.
    """
    from cx_intel.orchestration.build import SettingsErrors, usable_portfolios

    found, problems = usable_portfolios(environment.portfolios, list(only))
    if not found:
        raise SettingsErrors(list(problems.values()))
    for text in problems.values():
        errors.print(escape(text), style="red")
    return found, list(problems)


@contextmanager
def readable_now(environment: Environment, names: Iterable[str]) -> "Iterator[Readable]":
    """What can be read just now, with a note for people when it is a copy."""
    from cx_intel.warehouse.duckdb.access.readable import readable

    with readable(environment.warehouse, {name: environment.published(name) for name in names}) as found:
        if found.note:
            errors.print(found.note, style="yellow")
        yield found


def known_name(name: str, known: list[str]) -> str:
    """The name, if there is such a portfolio; else what there is is told and the command ends."""
    if name not in known:
        meant = did_you_mean(name, known)
        errors.print(f"There is no portfolio {name!r}{meant}; there are {', '.join(known)}.", style="red", markup=False)
        raise typer.Exit(MISUSE)
    return name


def portfolio_names(incomplete: str) -> list[str]:
    """The names of portfolios that a shell may complete: of files alone, since a key is waited for."""
    folder = os.environ.get("CX_PORTFOLIOS")
    files = (Path(folder).expanduser() if folder else SHIPPED_PORTFOLIOS).glob("*.yaml")
    return sorted(file.stem for file in files if file.stem.startswith(incomplete))
