"""Changes of single settings, as `--set health.dimensions.adoption.weight=0.4` states them, made in the values of a YAML.

A key is looked for in the file and among those that the settings know; the other weights of a level are scaled so that
they sum to 1 again. How the values become a portfolio stands in `loader.py`; which keys there are, in `keys.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.documents import value_of
from cx_intel.settings.yaml.keys import did_you_mean, known_keys

WEIGHT, LEVELS = "weight", ("dimensions", "signals")
"""A weight, and the blocks whose weights sum to 1."""
NAMED_BY = ("name", "version")
"""What names an item of a list, in place of its position."""


class ChangeMisuse(ValueError):
    """A change that cannot be made: one sentence on why, and what there is instead."""


@dataclass(frozen=True)
class Change:
    """One setting that became another: its key, its value before (None: not stated), and now; whether it was asked for."""

    key: str
    before: Any
    after: Any
    is_stated: bool = True


def change(values: dict[str, Any], stated: Iterable[str]) -> tuple[Change, ...]:
    """Makes changes in the values of a YAML, and scales the other weights of a level whose weight is set.

    Args:
        values: The document's values; they are changed in place.
        stated: `KEY=VALUE` each, with dots between the keys; an item of a list by its name or its position from 0.

    Raises:
        ChangeMisuse: There is no such key, it is a block of keys, or the weights leave nothing for the others.
    """
    found: dict[tuple[Any, ...], Change] = {}
    for text in stated:
        key, is_given, value = text.partition("=")
        if not is_given or not key:
            raise ChangeMisuse(f"{text!r} is no change: write KEY=VALUE, such as health.min_coverage_pct=60")
        place, before = _place(values, key.strip())
        after = value_of(value)
        if isinstance(after, dict | list):
            raise ChangeMisuse(f"{key} is set to several values; set one key to one value")
        found[place] = Change(".".join(map(str, place)), before, after)
        _block(values, place[:-1])[place[-1]] = after
    return (*found.values(), *_scaled(values, set(found)))


def _place(values: dict[str, Any], key: str) -> tuple[tuple[Any, ...], Any]:
    """The way to a setting, and its value; blocks that are left out in the file are made on the way."""
    if key == "name":
        raise ChangeMisuse("name: it names the schema that the data are in, and cannot be set")
    node: Any = values
    parts = key.split(".")
    way: list[Any] = []
    for position, part in enumerate(parts):
        is_last = position == len(parts) - 1
        above = ".".join(map(str, way)) or "the portfolio"
        if isinstance(node, list):
            way.append(_item(node, part, above))
        elif isinstance(node, dict):
            _check_key(node, part, way, above)
            if part not in node and not is_last:
                node[part] = {}
            way.append(part)
        else:
            raise ChangeMisuse(f"{above} is a value ({node!r}) and has no keys below it")
        node = node.get(part) if isinstance(node, dict) else node[way[-1]]
    if isinstance(node, dict | list):
        inside = ", ".join(map(str, node)) if isinstance(node, dict) else f"0 to {len(node) - 1}"
        raise ChangeMisuse(f"{key} is a block; set one of its keys: {inside}")
    return tuple(way), node


def _check_key(node: dict[str, Any], part: str, way: Sequence[Any], above: str) -> None:
    known = known_keys(Portfolio, way)
    if part not in node and part not in known:
        there = sorted({*node, *known})
        listed = f"; there are {', '.join(there)}" if there else ""
        raise ChangeMisuse(f"{above} has no key {part!r}{did_you_mean(part, there)}{listed}")


def _item(items: list[Any], part: str, above: str) -> int:
    """The position of an item that a name or a number means."""
    names = [
        next((str(item[by]) for by in NAMED_BY if by in item), "") if isinstance(item, dict) else "" for item in items
    ]
    if part in names:
        return names.index(part)
    if part.isdecimal() and int(part) < len(items):
        return int(part)
    there = [name for name in names if name]
    listed = f"{', '.join(there)}, or " if there else ""
    raise ChangeMisuse(
        f"{above} has no item {part!r}{did_you_mean(part, there)}; there are {listed}0 to {len(items) - 1}"
    )


def _block(values: Any, way: Iterable[Any]) -> Any:
    for part in way:
        values = values[part]
    return values


def _scaled(values: dict[str, Any], stated: set[tuple[Any, ...]]) -> Iterable[Change]:
    """Scales the weights that were not set, in each level in which one was; what they became."""
    levels = {place[:-2] for place in stated if place[-1] == WEIGHT and len(place) > 2 and place[-3] in LEVELS}
    for level in sorted(way for way in levels if way[:2] != ("health", "models")):  # those state what differs alone
        block = _block(values, level)
        given = [name for name in block if (*level, name, WEIGHT) in stated]
        others = [name for name in block if name not in given and _is_number(block[name].get(WEIGHT))]
        if not others or not all(_is_number(block[name][WEIGHT]) for name in given):
            continue
        left = 1 - sum(_exact(block[name][WEIGHT]) for name in given)
        if left <= 0:
            named = ".".join(map(str, level))
            raise ChangeMisuse(
                f"{named}: the weights sum to 1, and these leave nothing for {', '.join(others)}; set less than 1 in all"
            )
        whole = sum(_exact(block[name][WEIGHT]) for name in others)
        for name in others:
            before = block[name][WEIGHT]
            block[name][WEIGHT] = after = float(_exact(before) * left / whole)
            if after != before:
                yield Change(".".join(map(str, (*level, name, WEIGHT))), before, after, is_stated=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exact(weight: float) -> Fraction:
    return Fraction(str(weight))
