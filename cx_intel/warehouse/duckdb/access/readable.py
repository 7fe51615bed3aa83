"""What can be read just now: the warehouse, or the published copies of its portfolios while a run holds it.

For commands that only look. Who has to see the live tables or nothing uses `reading` of `opening.py`; how the
copies are made: `publish.py`.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis.expr.types as ir

from cx_intel.warehouse.duckdb.access.opening import reading, reading_alone
from cx_intel.warehouse.duckdb.state import CHECK_RESULTS
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.errors import WarehouseLocked
from cx_intel.warehouse.protocol import Warehouse

COPY_SCHEMA = "main"
PUBLICATION = "publication"


class PublishedCopy(DuckDBWarehouse):
    """The published tables of a portfolio, for reading; what a run remembers besides is not in it."""

    def newest(self) -> date | None:
        found = self.rows(self.table(PUBLICATION))
        return found[0]["as_of"] if found else None

    def check_results(self) -> ir.Table | None:
        return self.table(CHECK_RESULTS).drop("schema_name") if self.exists(CHECK_RESULTS) else None


@dataclass(frozen=True)
class Readable:
    """What was opened for reading.

    Attributes:
        warehouses: Portfolio: its tables; a portfolio without a published copy is left out while a run writes.
        note: What to tell the reader; empty when it is the warehouse itself.
    """

    warehouses: Mapping[str, Warehouse]
    note: str = ""

    def exists(self, portfolio: str, table: str) -> bool:
        """Whether the portfolio's table can be read here."""
        return portfolio in self.warehouses and self.warehouses[portfolio].exists(table)

    def newest(self, portfolio: str) -> date | None:
        """The newest as_of of the portfolio, as far as can be read here."""
        return self.warehouses[portfolio].newest() if portfolio in self.warehouses else None


@contextmanager
def published_copy(files: Mapping[str, Path]) -> Iterator[dict[str, Warehouse]]:
    """Opens published copies for reading, and nothing else; each as it is now, whatever is published meanwhile.

    Args:
        files: Portfolio: its copy.

    Raises:
        WarehouseError: One of them cannot be read.
    """
    with ExitStack() as opened:
        databases = {name: opened.enter_context(reading_alone(file)) for name, file in files.items()}
        yield {name: PublishedCopy(database, COPY_SCHEMA) for name, database in databases.items()}


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
            found = Readable({name: DuckDBWarehouse(live, name) for name in published})
        except WarehouseLocked:
            copies = {name: file for name, file in published.items() if file.exists()}
            if not copies:
                raise
            note = "The warehouse is being written; this is the copy that the last run published."
            files = {name: opened.enter_context(reading(file)) for name, file in copies.items()}
            found = Readable({name: PublishedCopy(file, COPY_SCHEMA) for name, file in files.items()}, note)
        yield found
