"""Every table and every rule of the shipped portfolios on PostgreSQL, and cells in all spellings: as DuckDB has them.

Each model reads the same tables in both engines, so that a difference is that model's own. What a portfolio's tables are
in DuckDB is held to hand-worked figures elsewhere; that models compile for engines that are not at hand, in this folder.
"""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest

from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.delivered_files import BOOK, Row, company, marked
from cx_intel_tests.helpers.on_postgres import OnPostgres
from cx_intel_tests.helpers.postgres import postgres
from cx_intel_tests.helpers.small_worlds import as_text, delivered
from cx_intel_tests.helpers.whole_graph import WholeGraph

pytestmark = pytest.mark.slow  # a server, and both portfolios in two engines

DAY = date(2026, 10, 31)
ACCOUNTS = 12
CELLS = (
    *(
        "",
        " ",
        "\u00a0",
        "\t x \v",
        "finance",
        "void",
        "\fvoid\v",
        "NULL",
        "None",
        "nan",
        "inf",
        "é",
        "ＡＢＣ",
        "😀",
        "'",
        "\\",
    ),
    *(
        "0",
        "-0",
        "-1",
        "+3",
        "007",
        "1e3",
        "1E-7",
        "1e308",
        "1" * 40,
        "0.005",
        "0.1",
        "100.999",
        "999999999999.99",
        "½",
        "١٢٣",
    ),
    *(
        "9223372036854775807",
        "9223372036854775808",
        "0x10",
        "1_000",
        "1,5",
        "1,234.50",
        "1.234,50",
        "1 234,5",
        "12 %",
        "€ 5",
    ),
    *("true", "False", "YES", "no", "t", "p1", "P2", "urgent", "open", "Closed", "cancelled", "paid", "CHF", "usd"),
    *(
        "2024-02-29",
        "2025-02-29",
        "2025-1-5",
        "20250131",
        "31.01.2025",
        "01/31/2025",
        "2025-W05-5",
        "9999-12-31",
        "0001-01-01",
    ),
    *("1899-12-30", "1582-10-10", "45688", "1738281600", "1738281600000", "24:00:00", "2025-01-31T24:00:00", "2025-01"),
    *("2025-01-31T23:59:59.999999999Z", "2025-01-31T23:59:60Z", "2025-01-31 23:30:00", "2025-01-31T00:00:00+14:00"),
    *(
        "2024-03-31T01:59:59",
        "2024-03-31T02:30:00",
        "2024-03-31T03:00:00",
        "2024-10-27T02:30:00",
        "2024-10-27T00:59:59Z",
    ),
    *("2024-10-27T01:00:00Z", "2024-12-31T23:30:00-01:00", "2024-12-31T23:00:00Z", "9999-12-31T23:59:59Z"),
)
"""Spellings of text, numbers, words and days; the last rows stand around the changes of the clock in Berlin."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        yield address


def found_differences(graph: WholeGraph, address: str) -> dict[str, list[str]]:
    """Where tables, rejected rows and rules differ, some of each."""
    there = OnPostgres(graph, address)
    try:
        found = {table: [*there.differences(table), *there.rules(table)] for table in graph.tables}
        found |= {f"rejected of {table}": there.rejected(table) for table in graph.tables if table.startswith("stg_")}
    finally:
        there.close()
    return {table: told[:5] for table, told in found.items() if told}


@pytest.mark.parametrize("name", ["fleet", "novacrm"])
def test_every_table_and_rule_of_a_shipped_portfolio_is_the_same(server: str, name: str) -> None:
    graph = WholeGraph(shipped(name), DAY)
    assert graph.run({t: as_text(rows) for t, rows in delivered(name, ACCOUNTS, DAY).items()}) == []
    assert graph.rows("renewal_pipeline")
    assert found_differences(graph, server) == {}


def in_all_spellings(rows: list[Row]) -> pa.Table:
    """The rows, and one for each cell in each of their columns; each has an id of its own."""
    first = rows[0]
    own_id = next(iter(first))
    changed = [
        {**first, own_id: f"{name}-{n}", name: cell}
        for name in first
        for n, cell in enumerate(CELLS)
        if name != "currency"
    ]
    return pa.Table.from_pylist(marked([*rows, *changed]))


def test_cells_in_all_spellings_are_read_and_rejected_alike(server: str) -> None:
    graph = WholeGraph(BOOK)
    graph.run({table: in_all_spellings(rows) for table, rows in company().items()})
    assert len(graph.quarantined()) > 500
    assert found_differences(graph, server) == {}
