"""What may be asked of the warehouse about the objects that vendors' sources land: a part of its protocol.

The protocol alone; how a DuckDB file does it stands in `duckdb/landed_objects.py`. What the objects are is described in
`cx_intel.sources.vendors.objects`.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import pyarrow as pa

from cx_intel.sources.vendors.objects import Merged


class LandedTables(Protocol):
    """The tables of one portfolio that hold a vendor's objects, and how far each source was read."""

    def landing_state(self, source: str) -> dict[str, str]:
        """How far a source of a vendor's objects was read, by the kind of objects, as it wrote it down."""
        ...

    def remember_landing(self, source: str, state: Mapping[str, str]) -> None:
        """Remembers it, in place of what was remembered before: to be said in the transaction of the objects."""
        ...

    def merge_objects(self, table: str, objects: pa.Table) -> Merged:
        """Puts objects in the place of those of the same `id`; a field that the table has not becomes a column of it.

        A table that is not there is made. Objects that are as they were leave the table as it is.

        Args:
            table: The landed table.
            objects: Columns of text, `id` and `deleted` among them; no id twice.
        """
        ...

    def mark_gone(self, table: str, ids: Collection[str]) -> int:
        """Notes of objects that the vendor no longer has them, in `deleted`; their other fields stay. How many are new."""
        ...

    def gone_beyond(self, table: str, ids: Collection[str]) -> int:
        """How many objects would be noted as gone if these ids were all that the vendor has: without any, those still there."""
        ...

    def mark_gone_beyond(self, table: str, ids: Collection[str]) -> int:
        """Notes of all other objects that the vendor no longer has them. How many are new."""
        ...
