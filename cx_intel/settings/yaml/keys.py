"""Which keys may stand at a place of a portfolio's YAML, and which of them an unknown key was meant to be.

Read off the settings models themselves. Where a place is in the file, and how a problem is told: `loader.py`.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

LISTED = 15
"""Keys that an error lists."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The nearest of the names as a question in brackets after a blank; empty when none is near."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def unknown_key(model: type[BaseModel], location: Sequence[Any]) -> str:
    """What to tell about an unknown key: `location` leads to it from the model, with the tags of unions."""
    keys = known_keys(model, location[:-1])
    meant = did_you_mean(str(location[-1]), keys)
    if 0 < len(keys) <= LISTED:
        return f"unknown key{meant}; there are {', '.join(keys)}"
    return f"unknown key{meant}; the models in cx_intel/settings describe every key"


def known_keys(model: type[BaseModel], location: Sequence[Any]) -> tuple[str, ...]:
    """The keys of the block that the location leads to, as YAML spells them; sorted, empty where there is none."""
    annotations: list[Any] = [model]
    for part in location:
        annotations = list(_below(annotations, part))
    return tuple(sorted({key for kind in _models(annotations) for key in _fields(kind)}))


def _below(annotations: Iterable[Any], part: Any) -> Iterator[Any]:
    """The types that a key, an index or the tag of a union leads to."""
    flat = [kind for annotation in annotations for kind in _members(annotation)]
    fields = [_fields(kind)[part] for kind in _models(flat) if part in _fields(kind)]
    items = [get_args(kind)[-1] for kind in flat if get_origin(kind) in (dict, list, tuple)]
    tagged = [kind for kind in _models(flat) if _is_tag(kind, part)]
    is_union = len(_models(flat)) > 1  # of which a tag comes first: `files` is the kind of one source, a key of another
    yield from (tagged if is_union else []) or fields or items or tagged or flat


def _members(annotation: Any) -> Iterator[Any]:
    """A union's members, each without what annotates it."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (None, dict, list, tuple, Literal):
        yield annotation
    else:
        for member in get_args(annotation):
            yield from _members(member)


def _models(annotations: Iterable[Any]) -> list[type[BaseModel]]:
    found = [kind for annotation in annotations for kind in _members(annotation)]
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _is_tag(model: type[BaseModel], part: Any) -> bool:
    kind = model.model_fields.get("kind")
    return part == model.__name__ or (kind is not None and part in get_args(kind.annotation))
