"""The tables of a graph in PostgreSQL, and what models compiled for it make of them there.

The graph in DuckDB gives the inputs and the expected rows (`whole_graph.py`); a server of one's own, `postgres.py`. Models
are compiled, and rows handed over, as for a portfolio whose tables live in such a server (`cx_intel.warehouse.postgres`).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.postgres.expressions import cells, on_postgres
from cx_intel.warehouse.postgres.server import PostgresTables
from cx_intel.warehouse.postgres.warehouse import fill
from cx_intel_tests.helpers.whole_graph import WholeGraph

Row = tuple[Any, ...]
TOLERANCE = 1e-9
"""Of what is no exact number in either engine: of the value, or of one where it is smaller."""


class OnPostgres:
    """The tables of a graph as they stand, copied into a schema of the same name.

    Attributes:
        graph: Makes the tables in DuckDB.
        server: Where they are copied to.
    """

    def __init__(self, graph: WholeGraph, address: str):
        self.graph = graph
        tables = graph.warehouse.tables()
        self.server = PostgresTables("${PG}", {"PG": address}, graph.portfolio.name, tables)
        for table in self.server.tables():
            self.server.drop(table)
        for table in tables:
            fill(graph.warehouse.database, graph.portfolio.name, self.server, table)

    def close(self) -> None:
        self.server.close()

    def differences(self, table: str) -> list[str]:
        """Where the rows of a model differ between the two, by key; empty: they are equal."""
        step = self.graph.step(table)
        rows = StepRunner(step, self.graph.portfolio, self.graph.warehouse).model(self.graph.as_of)
        if not isinstance(rows, ir.Table):
            return []  # made of frames in Python, whatever the engine
        return self._compared(
            rows.select([rows[c.name].cast(c.type) for c in step.contract.columns]), step.contract.grain
        )

    def rejected(self, table: str) -> list[str]:
        """Where the rejected rows of a staged table differ."""
        return self._compared(self.graph.rejected(self.graph.step(table)), ("source_file", "row_number"))

    def rules(self, table: str) -> list[str]:
        """The rules of a table's contract that as many rows of it break in one as in the other, or are refused."""
        contract = self.graph.step(table).contract
        return [
            told
            for counts in self.graph.broken(contract, warnings=True).values()
            for told in self._compared(counts, ())
        ]

    def _compared(self, rows: ir.Table, key: Sequence[str]) -> list[str]:
        try:
            found = self.rows(rows)
        except WarehouseError as error:
            return [f"refused: {error}"]
        return differences(key, self.expected(rows), found)

    def expected(self, rows: ir.Table) -> list[dict[str, Any]]:
        """What DuckDB gives."""
        found: pa.Table = self.graph.warehouse.database.backend.to_pyarrow(rows)
        return found.to_pylist()

    def rows(self, rows: ir.Table) -> list[dict[str, Any]]:
        """What PostgreSQL gives, in the same types."""
        like = rows.schema()
        with (
            on_postgres(rows, self.graph.warehouse.database, self.server, self._there) as query,
            self.server.fetched(f"SELECT {cells(like)} FROM ({query}) AS found") as reader,
        ):
            found = reader.read_all()
        texts = ibis.schema({n: dt.string if kind.is_decimal() else kind for n, kind in like.items()})
        fetched = ibis.memtable(found, schema=texts)
        return self.expected(fetched.select(**{n: fetched[n].cast(kind) for n, kind in like.items()}))

    def _there(self, schema: str, table: str) -> str:
        return table if schema == self.server.schema and table in self.server.kept else ""


def differences(key: Sequence[str], expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """Rows that only one has, and cells that differ: equal to the last digit, but for binary floats."""
    first, second = _by_key(key, expected), _by_key(key, found)
    told = [f"only one has {k}" for k in first.keys() ^ second.keys()]
    for row_key in first.keys() & second.keys():
        for one, other in zip(first[row_key], second[row_key], strict=True):
            told += [
                f"{row_key} {name}: {value!r} against {other[name]!r}"
                for name, value in one.items()
                if not _equal(value, other[name])
            ]
    return sorted(told)


def _by_key(key: Sequence[str], rows: list[dict[str, Any]]) -> Mapping[Row, list[dict[str, Any]]]:
    found: dict[Row, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in key), []).append(row)
    return {k: sorted(rows, key=str) if len(rows) > 1 else rows for k, rows in found.items()}


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)
