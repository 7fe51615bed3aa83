"""A warehouse file into which a stand-in for a vendor is landed, on the clock of the stand-in.

For tests of one source by itself; whole refreshes are in `small_company.py`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.orchestration.assets.delivery.landed import Landing
from cx_intel.orchestration.checks.check import RuleResult
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.sources.vendors import Vendor
from cx_intel.sources.vendors.http import Clock
from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel.warehouse.duckdb.queries.queries import read_query
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse


class Clocked(Protocol):
    """A stand-in with a clock of its own."""

    now: float

    def sleep(self, seconds: float) -> None: ...


class LandingHome:
    """One source that is landed again and again.

    Attributes:
        file: The warehouse.
        kinds: The objects that are wanted.
        told: What Dagster shows of the last landing: the objects by kind.
        results: What there was to tell of the fields at the last landing.
        is_erased: Whether an object is of somebody who was erased.
    """

    def __init__(
        self, file: Path, stand_in: Clocked, source: Vendor, kinds: tuple[str, ...], variables: dict[str, str]
    ):
        self.file, self.stand_in, self.source, self.kinds = file, stand_in, source, kinds
        self.variables = variables
        self.results: list[RuleResult] = []
        self.told = ""
        self.is_erased: Callable[[str, Mapping[str, str | None]], bool] = lambda kind, row: False

    def land(self) -> Landing:
        clock = Clock(lambda: self.stand_in.now, self.stand_in.sleep)
        with writing(self.file) as database:
            warehouse = DuckDBWarehouse(database, "book")
            landing = Landing(self.source, self.kinds, warehouse, self.is_erased, clock)
            with warehouse.transaction():
                self.results = landing.run(self.variables)
            self.told = landing.metadata()["objects"].md_str
        return landing

    def table(self, kind: str) -> dict[str, dict[str, Any]]:
        """The objects of a kind by id; none is there twice."""
        with writing(self.file) as database:
            rows = database.rows(f"SELECT * FROM book.landed_{self.source.name}_{kind} ORDER BY id")
        assert len({row["id"] for row in rows}) == len(rows)
        return {row["id"]: row for row in rows}

    def tables(self) -> dict[str, Any]:
        """All that was landed."""
        return {kind: self.table(kind) for kind in self.kinds}

    def drift(self) -> dict[str, str]:
        """What was told of the fields at the last landing: field, and what of it."""
        (result,) = self.results
        return {} if result.sample is None else dict(zip(result.sample["field"], result.sample["what"], strict=True))

    def gone(self, kind: str) -> list[str]:
        """The ids of the objects that the vendor no longer has."""
        return [id_ for id_, row in self.table(kind).items() if row["deleted"] == "true"]


def canonical(file: Path, book: Portfolio, table: str) -> list[dict[str, Any]]:
    """The rows that the query of a table makes of what was landed in a warehouse."""
    source = book.source_of(table)
    assert isinstance(source, SqlSource)
    with writing(file) as database:
        landed = DuckDBWarehouse(database, "book").landed_content(source.landed)
    return read_query(source, contract=STAGING[table](book), environment={}, landed=landed).table.to_pylist()
