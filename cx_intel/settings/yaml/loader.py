"""Reads portfolio YAML (1.2) into typed settings and turns every error into file, line and path.

The only module that knows ruamel.yaml. What a key means stands in the settings models beside this module; where the
portfolio files are looked for is decided by `environment.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from cx_intel.settings.base import Misfit, Problem, SettingsError
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.keys import unknown_key

Check = Callable[[Portfolio], None]
"""Raises Misfit where a portfolio, good in itself, does not fit what lies above the settings, such as its tables."""


def load_portfolio(file: Path, also: Sequence[Check] = ()) -> Portfolio:
    """The portfolio that one YAML file describes; its name is the file's stem.

    Args:
        file: The YAML.
        also: What the portfolio has to fulfil beyond its own rules.

    Raises:
        SettingsError: The file is not YAML, or a key is unknown, missing or out of bounds; every problem with its line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(file, [Problem(None, "", f"cannot be read: {error}")]) from error
    return parse_portfolio(text, file, also)


def parse_portfolio(text: str, file: Path, also: Sequence[Check] = ()) -> Portfolio:
    """As `load_portfolio`, from text; `file` names the portfolio and stands in the errors."""
    try:
        document = YAML(typ="rt").load(StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SettingsError(file, [Problem(line, "", f"not valid YAML: {error.problem}")]) from error
    except YAMLError as error:
        raise SettingsError(file, [Problem(None, "", f"not valid YAML: {error}")]) from error
    if not isinstance(document, CommentedMap):
        raise SettingsError(file, [Problem(1, "", "expected a mapping of settings such as `currency:`")])
    values = _plain(document)
    if values.setdefault("name", file.stem) != file.stem:
        message = f"is {values['name']!r}, but the file is {file.name!r}: rename one of them"
        raise SettingsError(file, [Problem(_line_of(document, ("name",)), "name", message)])
    try:
        portfolio = Portfolio.model_validate(values)
    except ValidationError as error:
        raise SettingsError(file, [_problem(document, e) for e in error.errors()]) from error
    if problems := [p for check in also for p in _misfits(document, portfolio, check)]:
        raise SettingsError(file, problems)
    return portfolio


def _misfits(document: CommentedMap, portfolio: Portfolio, check: Check) -> list[Problem]:
    try:
        check(portfolio)
    except Misfit as error:
        at = _in_document(document, error.at)
        return [Problem(_line_of(document, at), ".".join(str(part) for part in at), str(error))]
    return []


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):  # ruamel's scalar types remember their spelling; drop that
        if isinstance(node, kind):
            return kind(node)
    return node


def _problem(document: CommentedMap, error: Any) -> Problem:
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = unknown_key(Portfolio, error["loc"])
    elif error["type"] == "missing":
        message = "is required"
    elif error["type"] not in ("value_error", "assertion_error"):
        shown = repr(error["input"])
        message += f", not {shown if len(shown) <= 60 else shown[:57] + '...'}"
    pointed = getattr((error.get("ctx") or {}).get("error"), "at", ())
    location = _in_document(document, (*error["loc"], *pointed))
    return Problem(_line_of(document, location), ".".join(str(part) for part in location), message)


def _in_document(document: CommentedMap, location: tuple[Any, ...]) -> tuple[Any, ...]:
    """The part of pydantic's location that exists in the file: tags of unions are left out."""
    path: list[Any] = []
    node: Any = document
    for position, part in enumerate(location):
        if (isinstance(node, Mapping) and part in node) or (
            isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node)
        ):
            node = node[part]
        elif position == len(location) - 1 and isinstance(node, Mapping) and isinstance(part, str):
            path.append(part)  # a missing key: named, and placed at its parent
            break
        else:
            continue
        path.append(part)
    return tuple(path)


def _line_of(document: CommentedMap, location: tuple[Any, ...]) -> int | None:
    node: Any = document
    line = 1
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
        else:
            break
        node = node[part]
    return line
