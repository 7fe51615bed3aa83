"""Turns the entries of `sources` that name a preset into the sources that it stands for, and remembers where each is from.

What a preset is made of: `cx_intel.settings.sources.presets`; the files: `cx_intel/presets`. Lines and errors of the
portfolio are told by `loader.py`, which calls this before the settings are checked.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from cx_intel.settings.base import Misfit
from cx_intel.settings.identity import ACCOUNT
from cx_intel.settings.sources.base import WITHOUT_ACCOUNT_ID
from cx_intel.settings.sources.presets import Preset, PresetUse
from cx_intel.settings.sources.vendors import OBJECTS
from cx_intel.settings.yaml.documents import document_of, plain, read_text
from cx_intel.settings.yaml.keys import did_you_mean

SHIPPED_PRESETS = Path(__file__).parents[2] / "presets"
_PLACEHOLDER = re.compile(r"\$\{([a-z_]+)\}")
LINKS = "identity_links"


class Origin(NamedTuple):
    """Where a source is from: the place of its entry in the file, and the preset and table where it is expanded."""

    place: int
    preset: str = ""
    table: str = ""

    def location(self, below: tuple[Any, ...]) -> tuple[Any, ...]:
        """What leads to a key of the source in the file."""
        inner = ("tables", self.table) if self.preset else ()
        return ("sources", self.place, *inner, *below)

    def told(self, message: str) -> str:
        """The message with the preset that it is about."""
        return f"{message} (preset {self.preset}, {self.table})" if self.preset else message


def preset_names() -> tuple[str, ...]:
    """The presets that ship, sorted."""
    return tuple(sorted(file.stem for file in SHIPPED_PRESETS.glob("*.yaml")))


def preset_text(name: str) -> str:
    """The YAML of a preset, as it ships. Raises KeyError when there is none of this name."""
    if name not in preset_names():
        raise KeyError(name)
    return read_text(SHIPPED_PRESETS / f"{name}.yaml")


@cache
def preset_of(name: str) -> Preset:
    """A preset. Raises KeyError when there is none of this name."""
    return Preset.model_validate(plain(document_of(preset_text(name), SHIPPED_PRESETS / f"{name}.yaml")))


def expanded(values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Origin, ...]]:
    """The values of a portfolio with the sources of its presets in their place, and where each source is from.

    Raises:
        Misfit: A preset does not exist, or lacks what it takes; `at` leads to the entry in the file.
        PresetMisuse: An entry is not as `PresetUse` describes it.
    """
    entries = values.get("sources")
    if not isinstance(entries, list) or not any(_takes_preset(entry) for entry in entries):
        return dict(values), ()
    others = {entry.get("table") for entry in entries if isinstance(entry, dict) and not _takes_preset(entry)}
    uses = {place: _use(place, entry) for place, entry in enumerate(entries) if _takes_preset(entry)}
    presets = {place: _preset(place, use) for place, use in uses.items()}
    for place, use in uses.items():
        others.update(t for t in _taken(use, presets[place]) if t not in presets[place].alone)
    found: list[tuple[Origin, Any]] = []
    settings: dict[str, Any] = {}
    for place, entry in enumerate(entries):
        if place not in uses:
            found.append((Origin(place), entry))
            continue
        use, preset = uses[place], presets[place]
        settings = merged(preset.settings, settings)
        taken = [t for t in _taken(use, preset) if t not in preset.alone or t not in others]
        system = None if "accounts" in taken else preset.system
        found += [(Origin(place, use.preset, s["table"]), s) for s in _sources(use, preset, taken, system)]
        others.update(taken)
    found = list(with_links(found))
    return {**merged(settings, values), "sources": [s for _, s in found]}, tuple(origin for origin, _ in found)


class PresetMisuse(ValueError):
    """An entry of `sources` that is not as `PresetUse` describes it: its place, and what pydantic found."""

    def __init__(self, place: int, found: ValidationError):
        super().__init__(str(found))
        self.place, self.found = place, found


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The one with what the other states: mappings key by key, null takes a key away, all else as the other has it."""
    result = dict(base)
    for key, value in over.items():
        if value is None and key in base:
            del result[key]
        elif isinstance(value, Mapping) and isinstance(base.get(key), Mapping):
            result[key] = merged(base[key], value)
        else:
            result[key] = value
    return result


def _takes_preset(entry: object) -> bool:
    return isinstance(entry, dict) and "preset" in entry


def _taken(use: PresetUse, preset: Preset) -> list[str]:
    """The tables of a preset that an entry takes, whatever other sources deliver."""
    changed = cast(Mapping[str, Any], use.tables)
    return [t for t in preset.tables if changed.get(t, None if t in preset.on_request else {}) is not None]


def _use(place: int, entry: Mapping[str, Any]) -> PresetUse:
    try:
        return PresetUse.model_validate(entry)
    except ValidationError as error:
        raise PresetMisuse(place, error) from None


def _preset(place: int, use: PresetUse) -> Preset:
    try:
        preset = preset_of(use.preset)
    except KeyError:
        names = preset_names()
        message = f"there is no preset {use.preset!r}{did_you_mean(use.preset, names)}; there are {', '.join(names)}"
        raise Misfit(message, ("sources", place, "preset")) from None
    stated = use.parameters
    if use.landed and not preset.landed_by:
        message = f"preset {use.preset} reads what others deliver; it takes {', '.join(preset.takes)}"
        raise Misfit(message, ("sources", place, "landed"))
    if use.landed and stated:
        raise Misfit("stands in place of a folder: leave one of them out", ("sources", place, "landed"))
    for name, example in ({} if use.landed else preset.takes).items():
        if name not in stated:
            message = f"preset {use.preset} needs it, for instance `{name}: {example}`"
            raise Misfit(message, ("sources", place, name))
    for given in stated:
        if given not in preset.takes:
            message = f"preset {use.preset} takes {', '.join(preset.takes)}, and no {given}"
            raise Misfit(message, ("sources", place, given))
    for option in use.options:
        if option not in preset.options:
            message = f"preset {use.preset} has the options {', '.join(preset.options) or '(none)'}, and no {option}"
            raise Misfit(message, ("sources", place, "options", option))
    for table in use.tables:
        if table not in preset.tables:
            message = f"preset {use.preset} does not deliver it; it delivers {', '.join(preset.tables)}"
            raise Misfit(message, ("sources", place, "tables", table))
    return preset


def _sources(use: PresetUse, preset: Preset, taken: Sequence[str], system: str | None) -> Iterator[dict[str, Any]]:
    """The sources of the tables that are taken; with the system whose ids they name, where they name others' accounts."""
    stated = {**preset.options, **use.options, **use.parameters, "system": system or ACCOUNT}
    for source in preset.sources:
        if (table := source["table"]) in taken:
            named = {"system": system} if system and table not in WITHOUT_ACCOUNT_ID else {}
            changes = use.tables.get(table) or {}
            read = _landed(source, use.landed, OBJECTS[preset.landed_by or ""]) if use.landed else source
            yield {**merged({**named, **filled(read, stated)}, changes), "table": table, "preset": use.preset}


def _landed(source: Mapping[str, Any], by: str, known: Sequence[str]) -> dict[str, Any]:
    """A source over files as one over the tables of their objects: ${folder}/customers* is the table customers."""
    tables = {}
    for name, files in source["files"].items():
        declared = {"path": files} if isinstance(files, str) else dict(files)
        objects = re.split(r"[\[*]", str(declared.pop("path")).rsplit("/", 1)[-1])[0].lower()
        objects = next((kind for kind in known if kind.startswith(objects)), objects)
        tables[name] = {**declared, "name": objects, "landed": by}
    return {**{key: value for key, value in source.items() if key != "files"}, "tables": tables}


def filled(node: Any, stated: Mapping[str, str]) -> Any:
    """The values with what is stated in the place of ${name}; other names stay, as those of variables."""
    if isinstance(node, dict):
        return {key: filled(value, stated) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, stated) for value in node]
    return _PLACEHOLDER.sub(lambda found: stated.get(found[1], found[0]), node) if isinstance(node, str) else node


def with_links(found: Sequence[tuple[Origin, Any]]) -> Iterator[tuple[Origin, Any]]:
    """The sources with a name for the links of each preset, and without these where no row names another system's id."""
    is_needed = any(isinstance(source, dict) and source.get("system") for _, source in found)
    taken: dict[str, int] = {}
    for origin, source in found:
        if not origin.preset or origin.table != LINKS:
            yield origin, source
        elif is_needed:
            taken[origin.preset] = taken.get(origin.preset, 0) + 1
            name = origin.preset if taken[origin.preset] == 1 else f"{origin.preset}_{taken[origin.preset]}"
            yield origin, {"name": name, **source}
