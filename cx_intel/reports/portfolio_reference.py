"""The reference of a portfolio's YAML, made from the settings models: every key with type, default, meaning and an example.

Texts are those of the models (`cx_intel.settings.yaml.described`); examples are values that the shipped portfolios, or the
file of further examples beside the templates, set. How a portfolio is written step by step is in `docs/add-a-portfolio.md`.
"""

import inspect
import json
import types
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import cx_intel
from cx_intel.reports.brief.weekly_brief import TEMPLATES
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.presets import PresetUse
from cx_intel.settings.yaml.described import (
    ANY_FIELD,
    SCHEMA_FILE,
    blocks_in,
    descriptions,
    fields_of,
    key_of,
    one_line,
)
from cx_intel.settings.yaml.loader import load_portfolio

PAGE = "portfolio-reference.md"
SHIPPED = Path(cx_intel.__file__).parent / "portfolios"
EXAMPLES = Path(TEMPLATES) / "further_examples.yaml"
LONGEST_EXAMPLE = 70
PLAIN = {str: "text", int: "integer", float: "number", bool: "true or false", date: "day", object: "any value"}
ENTRIES: Mapping[tuple[str, str], Any] = {
    ("PresetUse", "preset"): "stripe_export",
    ("PresetUse", "folder"): "${STRIPE}",
    ("PresetUse", "connection"): "${WAREHOUSE_URL}",
    ("PresetUse", "schema_"): "stripe",
    ("PresetUse", "options"): {"account_key": "crm_id"},
    ("PresetUse", "landed"): "billing_eu",
    ("PresetUse", "tables"): {"subscriptions": {"max_quarantined_pct": 20}, "invoices": None},
    ("SyntheticSource", "exclude"): ["nps_responses"],
    ("FilesSource", "gone_files"): "take_back",
    ("PostgresStorage", "address"): "${CX_POSTGRES}",
    ("PostgresStorage", "in_schema"): "customer_success",
}
"""Examples that cannot stand in one portfolio with the others: model and field, and the value."""
INTRODUCTION = f"""# Reference of a portfolio's YAML

Every key, made from the settings models by `cx-intel docs`; change those, not this page. `sources`, `currency` and `revenue`
have to be there, everything else has a default. A wrong key is told with file and line by `cx-intel validate`.

[{SCHEMA_FILE}]({SCHEMA_FILE}) says the same as a JSON schema (`cx-intel schema` prints that of your version): an editor with a
YAML language server completes keys, shows their meaning and marks mistakes when a portfolio begins with

```yaml
# yaml-language-server: $schema=<path or address of {SCHEMA_FILE}>
```

In headings, `[]` stands for each entry of a list and `NAME` for a name of your own. A key that is `required` has to be stated
where its block is.
"""


def reference() -> str:
    """The page in Markdown."""
    examples = _examples(load_portfolio(file) for file in (*sorted(SHIPPED.glob("*.yaml")), EXAMPLES))
    places = _places()
    parts = [INTRODUCTION]
    for model, place in places.items():
        parts.append(f"## {place}\n\n{one_line(model.__doc__ or '')}\n")
        lines = ["| key | type | default | meaning | example |", "|---|---|---|---|---|"]
        for field, info in fields_of(model).items():
            cells = (
                f"`{key_of(model, field)}`",
                _type_of(info, places),
                _default(info),
                _meaning(model, field),
                _example(examples, model, field),
            )
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _places() -> dict[type[BaseModel], str]:
    """Block: where it stands first, as a heading."""
    found: dict[type[BaseModel], str] = {Portfolio: "The portfolio"}

    def add(model: type[BaseModel], above: str) -> None:
        below = []
        for field, info in fields_of(model).items():
            path = _path(above, key_of(model, field), info.annotation)
            blocks = list(dict.fromkeys(blocks_in(info.annotation)))
            if model is Portfolio and field == "sources":
                blocks.append(PresetUse)
            for block in blocks:
                if block not in found:
                    variant = f", {_variant(block)}" if len(blocks) > 1 else ""
                    found[block] = f"`{path}`{variant}"
                    below.append((block, path))
        for block, path in below:
            add(block, path)

    add(Portfolio, "")
    order = [f"`{key_of(Portfolio, name)}" for name in Portfolio.model_fields]

    def top(place: str) -> int:
        return next((n for n, key in enumerate(order) if place.startswith((f"{key}`", f"{key}.", f"{key}["))), -1)

    return dict(sorted(found.items(), key=lambda item: top(item[1])))


def _path(above: str, key: str, annotation: Any) -> str:
    path = f"{above}.{key}" if above else key
    if key == ANY_FIELD:
        return path
    while (origin := get_origin(annotation)) is not None:
        inner = [a for a in get_args(annotation) if a is not types.NoneType]
        if origin is dict:
            path, annotation = f"{path}.NAME", inner[-1]
        elif origin is list:
            path, annotation = f"{path}[]", inner[0]
        elif origin in (Union, types.UnionType):
            annotation = next((a for a in inner if list(blocks_in(a))), None)
        else:
            annotation = inner[0]
    return path


def _variant(block: type[BaseModel]) -> str:
    """What tells a block from others that may stand in its place: its kind, or the key that it has to have."""
    for name in ("kind", "engine"):
        if kind := block.model_fields.get(name):
            return f"`{name}: {get_args(kind.annotation)[0]}`"
    required = [key_of(block, name) for name, info in block.model_fields.items() if info.is_required()]
    return f"with `{(required or [next(iter(block.model_fields))])[0]}`"


def _meaning(model: type[BaseModel], field: str) -> str:
    info = model.model_fields[field]
    if text := descriptions(model).get(field):
        return text
    if field == "kind":
        return "Tells this block from others in its place."
    (block,) = set(blocks_in(info.annotation))
    return one_line(block.__doc__ or "")


def _type_of(info: FieldInfo, places: Mapping[type[BaseModel], str]) -> str:
    bounds = [text for each in info.metadata for text in _bound(each)]
    return " ".join([_type(info.annotation, places), *bounds])


def _type(annotation: Any, places: Mapping[type[BaseModel], str]) -> str:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[block](#{_anchor(places[annotation])})"
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin is list:
        return f"list of {_type(inner[0], places)}"
    if origin is dict:
        return f"mapping to {_type(inner[1], places)}"
    if origin is tuple:
        return f"[{', '.join(_type(part, places) for part in inner)}]"
    if origin in (Union, types.UnionType):
        parts = [_type(part, places) for part in inner if part is not types.NoneType]
        return " or ".join(dict.fromkeys(parts))
    if inner:  # Annotated
        return " ".join([_type(inner[0], places), *(text for each in inner[1:] for text in _bound(each))])
    return "any value"


def _bound(constraint: Any) -> Iterator[str]:
    signs = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    for name, words in signs.items():
        if (value := getattr(constraint, name, None)) is not None:
            yield f"{words} {value:g}" if isinstance(value, int | float) else f"{words} {value}"


def _anchor(place: str) -> str:
    """As MkDocs and GitHub make it of a heading."""
    kept = "".join(c for c in place.lower() if c.isalnum() or c in " _-")
    return "-".join(kept.split())


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True)
    if default is None:
        return "none"
    return "the block's own" if isinstance(default, BaseModel) else f"`{_written(default)}`"


def _written(value: Any) -> str:
    """A value as one writes it in YAML, on one line."""
    if isinstance(value, str):
        return value if value else '""'
    return json.dumps(value, default=str, ensure_ascii=False)


def _example(examples: Mapping[tuple[str, str], Any], model: type[BaseModel], field: str) -> str:
    value = examples.get((_declared_in(model, field), field), _other_than_default(model.model_fields[field]))
    if value is None:
        return ""
    text = _written(value).replace("\n", " ").strip()
    return f"`{text}`" if len(text) <= LONGEST_EXAMPLE else f"`{text[: LONGEST_EXAMPLE - 4]} ...`"


def _other_than_default(info: FieldInfo) -> Any:
    """Of a choice that no portfolio makes: the last one that is not the default."""
    if info.annotation is bool:
        return not info.default
    parts = [info.annotation, *get_args(info.annotation)]
    choices = next((get_args(part) for part in parts if get_origin(part) is Literal), ())
    return next((choice for choice in reversed(choices) if choice != info.default), None)


def _declared_in(model: type[BaseModel], field: str) -> str:
    """The model that a field comes from, so that blocks that share it share its example."""
    classes = [cls for cls in model.__mro__ if field in inspect.get_annotations(cls)]
    return classes[-1].__name__


def _examples(portfolios: Iterable[Portfolio]) -> dict[tuple[str, str], Any]:
    """Model and field: the first value that a portfolio states."""
    found: dict[tuple[str, str], Any] = dict(ENTRIES)

    def walk(value: Any) -> None:
        if isinstance(value, BaseModel):
            for field in type(value).model_fields:
                stated = getattr(value, field)
                if field in value.model_fields_set and not _holds_blocks(stated):
                    found.setdefault((_declared_in(type(value), field), field), stated)
                walk(stated)
        elif isinstance(value, Mapping):
            for part in value.values():
                walk(part)
        elif isinstance(value, list | tuple):
            for part in value:
                walk(part)

    for portfolio in portfolios:
        walk(portfolio)
    return found


def _holds_blocks(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_blocks, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_blocks, value))
    return isinstance(value, BaseModel)
