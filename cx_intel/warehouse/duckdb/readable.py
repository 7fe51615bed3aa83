"""What can be read just now: the warehouse, or the published copies of its portfolios while a run holds it.

For commands that only look. Who has to see the live tables or nothing uses `reading` of `opening.py`; how the
copies are made: `publish.py`.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cx_intel.warehouse.duckdb.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseLocked

COPY_SCHEMA = "main"
PUBLICATION = "publication"


@dataclass(frozen=True)
class Readable:
    """What was opened for reading.

    Attributes:
        places: Portfolio: the open file, and the schema in it that holds the portfolio's tables.
        note: What to tell the reader; empty when it is the warehouse itself.
    """

    places: Mapping[str, tuple[DuckDBWarehouse, str]]
    note: str = ""

    def exists(self, portfolio: str, table: str) -> bool:
        """Whether the portfolio's table can be read here."""
        place = self.places.get(portfolio)
        return place is not None and place[0].exists(place[1], table)

    def newest(self, portfolio: str) -> date | None:
        """The newest as_of of the portfolio, as far as can be read here."""
        if portfolio not in self.places:
            return None
        warehouse, schema = self.places[portfolio]
        if schema != COPY_SCHEMA:
            return warehouse.newest(schema)
        found = warehouse.backend.execute(warehouse.table(schema, PUBLICATION).as_of.max())
        return found.date() if hasattr(found, "date") else found


@contextmanager
def readable(warehouse: Path, published: Mapping[str, Path]) -> Iterator[Readable]:
    """Opens the warehouse for reading, or the published copies while another program writes it.

    Args:
        warehouse: The warehouse file.
        published: Portfolio: where its copy is published.

    Raises:
        WarehouseError: The warehouse cannot be read, and there is no copy either.
    """
    with ExitStack() as opened:
        try:
            live = opened.enter_context(reading(warehouse))
            found = Readable({name: (live, name) for name in published})
        except WarehouseLocked:
            copies = {name: file for name, file in published.items() if file.exists()}
            if not copies:
                raise
            places = {name: (opened.enter_context(reading(file)), COPY_SCHEMA) for name, file in copies.items()}
            note = "The warehouse is being written; this is the copy that the last run published."
            found = Readable(places, note)
        yield found
