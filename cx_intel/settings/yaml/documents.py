"""YAML (1.2) as a document that remembers its lines: the only module that knows ruamel.yaml.

What the keys mean stands in the settings models; how a portfolio is made of a document is `loader.py`'s part, and how
presets come into it that of `presets.py`.
"""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from cx_intel.settings.base import Problem, SettingsError


def read_text(file: Path) -> str:
    """The text of a settings file. Raises SettingsError where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(file, [Problem(None, "", f"cannot be read: {error}")]) from error


def document_of(text: str, file: Path) -> CommentedMap:
    """The mapping that a text of YAML holds. Raises SettingsError, which names the file, where it holds none."""
    try:
        document = YAML(typ="rt").load(StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SettingsError(file, [Problem(line, "", f"not valid YAML: {error.problem}")]) from error
    except YAMLError as error:
        raise SettingsError(file, [Problem(None, "", f"not valid YAML: {error}")]) from error
    if not isinstance(document, CommentedMap):
        raise SettingsError(file, [Problem(1, "", "expected a mapping of settings such as `currency:`")])
    return document


def value_of(text: str) -> Any:
    """The value that a text is in YAML: 0.4, yes, a word; an empty text is null, and one that is no YAML is itself."""
    try:
        return plain(YAML(typ="rt").load(StringIO(text)))
    except YAMLError:
        return text


def plain(node: Any) -> Any:
    """The values of a document, without what it remembers of their spelling."""
    if isinstance(node, Mapping):
        return {plain(key): plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def in_document(document: CommentedMap, location: tuple[Any, ...]) -> tuple[Any, ...]:
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


def line_of(document: CommentedMap, location: tuple[Any, ...]) -> int | None:
    """The line, from 1, of the key or item that a location leads to, else of the nearest one above it."""
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
