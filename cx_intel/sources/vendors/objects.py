"""A vendor's objects as rows of text, and what a reader tells of them: those that changed, those that are gone.

Each field of an object is a column; lists and objects within it are JSON. How they are asked for stands in the module of
the vendor, where they are kept in `cx_intel.warehouse.duckdb.landed_objects`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from cx_intel.settings.sources.vendors import OBJECTS
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import as_text
from cx_intel.sources.vendors.drift import Fields

ID, DELETED = "id", "deleted"
"""The column that identifies an object, and the one that is `true` once the vendor no longer has it."""
MOST_FIELDS = 2_000
_LANDED = "landed_"


@dataclass(frozen=True)
class Objects:
    """Some objects of one kind.

    Attributes:
        kind: What the vendor calls them, which is the name of their table: customers.
        rows: Each object as text, by field; a later one replaces an earlier one of the same id.
        gone: Ids of objects that the vendor no longer has.
        ends_pass: With these, all objects of the kind were given that the vendor has.
    """

    kind: str
    rows: Sequence[Mapping[str, str | None]] = ()
    gone: Sequence[str] = ()
    ends_pass: bool = False


@dataclass(frozen=True)
class Merged:
    """What became of objects that were put among those that are there."""

    added: int = 0
    changed: int = 0


class Client(Protocol):
    """Sends the requests of a reader.

    Attributes:
        requests: How many were sent.
        tries: How often one is sent that fails in a way that passes.
    """

    requests: int
    tries: int


class Reader(Protocol):
    """Reads a vendor's objects.

    Attributes:
        client: Sends the requests.
        state: Kind: how far it was read; brought up to date as objects are given.
        fields: Kind: the fields of the objects that were given.
    """

    state: dict[str, str]
    fields: dict[str, Fields]

    @property
    def client(self) -> Client: ...

    def always(self, kind: str) -> tuple[str, ...]:
        """The fields that the table of a kind has even without any object."""
        ...

    def read(self) -> Iterator[Objects]:
        """The objects that are new or changed, and those that are gone; raises SourceError where they cannot be had."""
        ...

    def refusals(self) -> list[str]:
        """What the vendor refuses of what is wanted, in words; raises SourceError where it is not reached."""
        ...


def landed_name(source: str, kind: str) -> str:
    """The table that holds the objects of a kind that a source lands."""
    return f"{_LANDED}{source}_{kind}"


def landed_kind(table: str) -> str | None:
    """The kind of the objects that a table holds; None of one that holds none."""
    kinds = sorted({kind for listed in OBJECTS.values() for kind in listed}, key=len, reverse=True)
    return next((k for k in kinds if table.startswith(_LANDED) and table.endswith(f"_{k}")), None)


def row_of(given: Mapping[str, Any], kind: str, fields: dict[str, Fields]) -> dict[str, str | None]:
    """An object as text, by field, which are noted. Raises SourceError where it has no id, or more fields than any object."""
    row = {name: as_text(value) for name, value in given.items()}
    if not row.get(ID):
        raise SourceError(f"An object of {kind} has no id; the vendor's answer is not what it was taken to be.")
    if len(row) > MOST_FIELDS:
        raise SourceError(f"The object {row[ID]} of {kind} has more than {MOST_FIELDS:,} fields.")
    fields.setdefault(kind, Fields()).note(given)
    return row


def table_of(rows: Iterable[Mapping[str, str | None]], fields: Sequence[str] = ()) -> pa.Table:
    """Rows as a table of text: the last one of each id, with these columns and all that any row has."""
    last = {row[ID]: row for row in rows}
    names = dict.fromkeys((ID, DELETED, *fields, *(name for row in last.values() for name in row)))
    return pa.table({n: pa.array([row.get(n) for row in last.values()], pa.string()) for n in names})
