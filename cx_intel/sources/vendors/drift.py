"""The fields that a vendor's objects have, with the types of their values, and what of it is otherwise than before.

Of JSON the types are those of JSON; a vendor that describes its fields has its own. Where it is remembered and told:
`cx_intel.orchestration.assets.delivery.landed`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cx_intel.sources.vendors.answers import Number

MANY = 100
"""A field that none of so many objects has is gone, even where not all objects were read."""
Remembered: TypeAlias = Mapping[str, Iterable[str]]
"""Field: the types that its values had; none where all were null."""


@dataclass(frozen=True)
class Drift:
    """A field that is otherwise than before.

    Attributes:
        field: Its name.
        what: new, gone, or the types that it had and has.
    """

    field: str
    what: str


@dataclass
class Fields:
    """The fields of the objects of one kind that were read.

    Attributes:
        types: Field: the types of its values.
        is_whole: All objects were read, or the vendor describes their fields: what is not here is gone.
        objects: How many were read.
    """

    types: dict[str, set[str]] = field(default_factory=dict)
    is_whole: bool = False
    objects: int = 0

    def note(self, given: Mapping[str, Any], within: str = "") -> None:
        """Notes the fields of an object, or of what is within one of its fields."""
        self.objects += not within
        for name, value in given.items():
            types = self.types.setdefault(f"{within}{name}", set())
            if value is not None:
                types.add(_type_of(value))

    def drift_since(self, before: Remembered) -> list[Drift]:
        """What is otherwise than it was."""
        found = [Drift(name, "new") for name in self.types if name not in before]
        for name, types in self.types.items():
            had = set(before.get(name, ()))
            if had and types - had:
                found.append(Drift(name, f"was {' or '.join(sorted(had))}, is {' or '.join(sorted(types))}"))
        return found + [Drift(name, "gone") for name in self._gone(before)]

    def remembered(self, before: Remembered) -> dict[str, list[str]]:
        """What is to be known of the fields from now on."""
        gone = set(self._gone(before))
        names = dict.fromkeys([*(name for name in before if name not in gone), *self.types])
        return {name: sorted({*before.get(name, ()), *self.types.get(name, ())}) for name in names}

    def _gone(self, before: Remembered) -> list[str]:
        is_told = (self.is_whole and self.types) or self.objects >= MANY
        return [name for name in before if name not in self.types] if is_told else []


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, Number):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "object"
