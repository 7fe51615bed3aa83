"""What each key of a portfolio's YAML means, as its model says it, and the JSON schema that editors complete and check by.

The text of a key is the docstring below its field, read from the source when it is wanted, since that costs too much at
each start. The page for people is made of this in `cx_intel.reports.portfolio_reference`.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cx_intel.settings.health.conditions import Condition
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.presets import PresetUse

SCHEMA_FILE = "portfolio.schema.json"
ANY_FIELD = "FIELD"
"""Stands for the name of any field that a condition tests."""


def models() -> tuple[type[BaseModel], ...]:
    """The portfolio and every block that may stand in it, each before those that only it has."""
    found: dict[type[BaseModel], None] = {}

    def add(model: type[BaseModel]) -> None:
        if model not in found:
            found[model] = None
            for info in fields_of(model).values():
                for below in blocks_in(info.annotation):
                    add(below)

    add(Portfolio)
    add(PresetUse)
    return tuple(found)


def blocks_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of, in order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif value := getattr(annotation, "__value__", None):
        yield from blocks_in(value)
    else:
        for part in get_args(annotation):
            yield from blocks_in(part)


@cache
def descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """Field: the docstring below it, of the model or of one that it is made of, on one line."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls is not BaseModel:
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
            assert isinstance(tree, ast.ClassDef)
            for field, text in zip(tree.body, tree.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and _is_text(text):
                    found[field.target.id] = one_line(ast.literal_eval(text.value))  # type: ignore[attr-defined]
    return found


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def one_line(text: str) -> str:
    """A docstring without its line breaks."""
    return re.sub(r"\s+", " ", inspect.cleandoc(text)).strip()


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields that a YAML may state; others the program fills in."""
    return {name: info for name, info in model.model_fields.items() if not info.exclude}


def key_of(model: type[BaseModel], field: str) -> str:
    """What a field is called in the YAML; the tests of a condition are keys themselves."""
    return ANY_FIELD if (model, field) == (Condition, "tests") else model.model_fields[field].alias or field


def schema() -> dict[str, Any]:
    """The JSON schema of a portfolio's YAML, with the text of each key."""
    made = Portfolio.model_json_schema()
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
    made["required"] = [name for name in made["required"] if name != "name"]  # the name of the file by default
    for model in models():
        place = made if model is Portfolio else made["$defs"].get(model.__name__)
        if place is None:
            continue
        if model.__doc__:
            place["description"] = one_line(model.__doc__)
        for field, info in model.model_fields.items():
            key = info.alias or field
            if info.exclude:
                del place["properties"][key]
            elif text := descriptions(model).get(field):
                place["properties"][key]["description"] = text
    _shorthands(made["$defs"])
    return made


def _shorthands(blocks: dict[str, Any]) -> None:
    """What a YAML may write shorter than the models have it."""
    test, condition = {"$ref": "#/$defs/Test"}, blocks["Condition"]
    del condition["properties"]["tests"]
    condition["additionalProperties"] = {"anyOf": [test, {"type": ["string", "number", "boolean", "array"]}]}
    query = blocks["SqlSource"]["properties"]["files"]
    for name, files in query["patternProperties"].items():
        query["patternProperties"][name] = {"anyOf": [files, {"type": "string"}]}
