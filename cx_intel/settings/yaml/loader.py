"""Reads portfolio YAML into typed settings and turns every error into file, line and path.

How YAML is read stands in `documents.py`, what presets become in `presets.py`; what a key means stands in the settings
models. Where the portfolio files are looked for is decided by `environment.py`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap

from cx_intel.settings.base import Misfit, Problem, SettingsError
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.presets import PresetUse
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.documents import document_of, in_document, line_of, plain, read_text
from cx_intel.settings.yaml.keys import unknown_key
from cx_intel.settings.yaml.presets import Origin, PresetMisuse, expanded

Check = Callable[[Portfolio], None]
"""Raises Misfit where a portfolio, good in itself, does not fit what lies above the settings, such as its tables."""


def load_portfolio(
    file: Path, also: Sequence[Check] = (), *, named: str = "", change: Callable[[dict[str, Any]], None] | None = None
) -> Portfolio:
    """The portfolio that one YAML file describes; its name is the file's stem.

    Args:
        file: The YAML.
        also: What the portfolio has to fulfil beyond its own rules.
        named: The portfolio's name, whatever the file and its `name` say.
        change: Changes the values of the file before they are judged.

    Raises:
        SettingsError: The file is not YAML, or a key is unknown, missing or out of bounds; every problem with its line.
    """
    return parse_portfolio(read_text(file), file, also, named=named, change=change)


def stated_name(file: Path) -> str:
    """The name that a file gives its portfolio, else its stem. Raises SettingsError where it cannot be read."""
    return str(document_of(read_text(file), file).get("name", file.stem))


def parse_portfolio(
    text: str,
    file: Path,
    also: Sequence[Check] = (),
    *,
    named: str = "",
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Portfolio:
    """As `load_portfolio`, from text; `file` names the portfolio and stands in the errors."""
    document = document_of(text, file)
    values = plain(document)
    if named:
        values["name"] = named
    elif values.setdefault("name", file.stem) != file.stem:
        message = f"is {values['name']!r}, but the file is {file.name!r}: rename one of them"
        raise SettingsError(file, [Problem(line_of(document, ("name",)), "name", message)])
    if change:
        change(values)
    try:
        values, origins = expanded(values)
    except Misfit as error:
        raise SettingsError(file, [_problem_at(document, error.at, str(error))]) from error
    except PresetMisuse as error:
        at = ("sources", error.place)
        raise SettingsError(file, [_problem(document, e, PresetUse, (), at) for e in error.found.errors()]) from error
    try:
        portfolio = Portfolio.model_validate(values)
    except ValidationError as error:
        raise SettingsError(file, [_problem(document, e, Portfolio, origins) for e in error.errors()]) from error
    if problems := [p for check in also for p in _misfits(document, portfolio, check, origins)]:
        raise SettingsError(file, problems)
    for place, source in enumerate(portfolio.sources):
        if isinstance(source, SqlSource):
            source.stand_at(_problem_at(document, ("sources", place, "query"), "", origins).line, file.name)
    return portfolio


def _misfits(document: CommentedMap, portfolio: Portfolio, check: Check, origins: Sequence[Origin]) -> list[Problem]:
    try:
        check(portfolio)
    except Misfit as error:
        return [_problem_at(document, error.at, str(error), origins)]
    return []


def _problem(
    document: CommentedMap,
    error: Any,
    model: type[BaseModel],
    origins: Sequence[Origin],
    above: tuple[str | int, ...] = (),
) -> Problem:
    """What pydantic found in a model, whose place in the file is `above`."""
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = unknown_key(model, error["loc"])
    elif error["type"] == "missing":
        message = "is required"
    elif error["type"] not in ("value_error", "assertion_error"):
        shown = repr(error["input"])
        message += f", not {shown if len(shown) <= 60 else shown[:57] + '...'}"
    pointed = getattr((error.get("ctx") or {}).get("error"), "at", ())
    return _problem_at(document, (*above, *error["loc"], *pointed), message, origins)


def _problem_at(
    document: CommentedMap, location: tuple[Any, ...], message: str, origins: Sequence[Origin] = ()
) -> Problem:
    """A problem with its line; sources that presets have put in their place stand where the preset is taken."""
    if origins and location[0] == "sources" and len(location) > 1:
        origin = origins[location[1]]
        location, message = origin.location(location[2:]), origin.told(message)
    path = in_document(document, location)
    return Problem(line_of(document, path), ".".join(str(part) for part in path), message)
