"""Tables of a catalog as sources: what comes in on the cluster is what files with the same rows give on DuckDB.

`make test-spark` brings PySpark and the jars; without them these tests are left out. Cursors at databases, of which the same
rules hold: `cursors/test_cursor_events.py`.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.spark.cluster import Cluster
from cx_intel.warehouse.spark.warehouse import SparkWarehouse
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.event_files import EventFiles
from cx_intel_tests.helpers.event_queries import EventQuery
from cx_intel_tests.helpers.on_spark import NEEDS_SPARK

pytestmark = NEEDS_SPARK
RAW = "raw_usage_events"
MONDAY, TUESDAY, WEDNESDAY = (date(2025, 1, day) for day in (6, 7, 8))
QUERY = """SELECT id AS event_id, company AS account_id, happened_at AS event_timestamp, name AS event_name,
  more AS properties, updated_at, is_gone
FROM {} -- whatever its name
;"""
COLUMNS = ("event_id", "account_id", "event_timestamp", "event_name", "properties")


class CatalogTable:
    """A table of events in a catalog of the cluster."""

    address = "cluster"

    def __init__(self, cluster: Cluster, schema: str):
        self.session, self.name = cluster.iceberg(schema).session, f"cx.{schema}.product_events"
        self.run(
            "CREATE TABLE {} (id string, company string, happened_at timestamp, name string, "
            "more struct<plan: string, seats: decimal(9, 2), since: date>, updated_at timestamp, is_gone boolean) USING iceberg"
        )

    def run(self, statement: str) -> None:
        self.session.sql(statement.format(self.name))

    def add(self, *rows: tuple[str | None, str, str, str], name: str = "login", gone: str = "false") -> None:
        """Events: id, company, time, and when the row was written."""
        listed = ", ".join(
            f"({_text(event)}, '{company}', TIMESTAMP '{at}', '{name}', "
            f"named_struct('plan', 'pro', 'seats', 2.50bd, 'since', DATE '2024-05-01'), TIMESTAMP '{updated}', {gone})"
            for event, company, at, updated in rows
        )
        self.run(f"INSERT INTO {{}} VALUES {listed}")

    def export(self, file: Path) -> None:
        """The newest row of each event, as somebody else's job would deliver it as a Parquet file."""
        rows = self.session.sql(
            f"SELECT id, company, happened_at, name, more FROM (SELECT *, rank() OVER (PARTITION BY id ORDER BY updated_at "
            f"DESC) AS place FROM {self.name}) WHERE place = 1 AND NOT is_gone"
        ).collect()
        cells = zip(*(row[:4] for row in rows), strict=True)
        table = {name: list(values) for name, values in zip(COLUMNS, cells, strict=False)}
        table["event_timestamp"] = pa.array(table["event_timestamp"], pa.timestamp("us", "UTC"))
        table["properties"] = pa.array([row["more"].asDict() for row in rows])
        pq.write_table(pa.table(table), file)


def _text(cell: str | None) -> str:
    return "NULL" if cell is None else f"'{cell}'"


class CatalogQuery(EventQuery):
    """These events, brought in by a query at the cluster."""

    def __init__(self, folder: Path, table: CatalogTable, warehouse: SparkWarehouse, **cursor: Any):
        super().__init__(folder, table, "Europe/Berlin", QUERY.format(table.name), **cursor)
        warehouse.database = self.warehouse.database
        self.warehouse = warehouse
        self.source |= {"connection": "cluster"}
        self.know("A", "B")

    @property
    def portfolio(self) -> Any:
        storage = {"engine": "spark", "master": "local[1]"}
        sources = [self.source, {"kind": "synthetic", "world": "novacrm"}]
        return portfolio(sources=sources, time_zone=self.zone, warehouse=storage)


@pytest.fixture
def table(cluster: Cluster, request: pytest.FixtureRequest) -> CatalogTable:
    """Four events of five days, each written an hour after it happened, and one without an id."""
    found = CatalogTable(cluster, str(request.node.name)[:30])
    found.add(
        ("E1", "A", "2025-01-02 08:00:00", "2025-01-02 09:00:00"),
        ("E2", "B", "2025-01-04 08:00:00.25", "2025-01-04 09:00:00"),
        ("E3", "A", "2025-01-05 23:30:00", "2025-01-06 00:30:00"),  # the next day in Berlin
        ("E4", "X", "2025-01-06 08:00:00", "2025-01-06 09:00:00"),  # an account that nobody knows
        (None, "A", "2025-01-06 08:30:00", "2025-01-06 09:30:00"),
    )
    return found


@pytest.fixture
def events(tmp_path: Path, cluster: Cluster, table: CatalogTable) -> Iterator[CatalogQuery]:
    """These, read once."""
    warehouse = SparkWarehouse(None, table.name.split(".")[1], cluster)  # type: ignore[arg-type]
    found = CatalogQuery(tmp_path, table, warehouse, look_back="1 day", deleted="is_gone")
    found.refresh(MONDAY)
    yield found
    found.close()


def held(warehouse: Any) -> list[str]:
    """The staged rows, with their types."""
    staged = warehouse.table("stg_usage_events")
    names = sorted(staged.columns)
    return [repr(staged.schema()[name]) for name in names] + sorted(map(repr, warehouse.rows(staged.select(*names))))


def reasons(events: Any, day: date) -> list[str]:
    return sorted(events.quarantined(day).values())


def as_files(events: CatalogQuery, folder: Path, day: date) -> tuple[list[str], list[str]]:
    """What DuckDB holds and rejects of a Parquet file with the same rows."""
    folder.mkdir()
    files = EventFiles(folder, zone="Europe/Berlin")
    events.server.export(files.folder / "all.parquet")  # type: ignore[attr-defined]
    files.refresh(day)
    found = held(files.warehouse), reasons(files, day)
    files.close()
    return found


def test_what_is_new_of_a_table_comes_in_on_the_cluster(
    events: CatalogQuery, table: CatalogTable, tmp_path: Path
) -> None:
    assert (events.fetched, events.told["read_whole"], events.told["read_up_to"]) == (5, True, "2025-01-06 09:30:00")
    assert events.staged() == {"E1": date(2025, 1, 2), "E2": date(2025, 1, 4), "E3": MONDAY}
    assert (held(events.warehouse), reasons(events, MONDAY)) == as_files(events, tmp_path / "first", MONDAY)

    assert events.deliver(MONDAY) == ()
    assert (events.fetched, events.told["unchanged"]) == (3, True)  # of the last day before the newest cursor

    table.add(
        ("E2", "A", "2025-01-03 08:00:00", "2025-01-07 09:00:00"),  # to another account and day
        ("E5", "B", "2025-01-02 09:00:00", "2025-01-06 07:00:00"),  # late
        ("E6", "B", "2025-01-02 09:00:00", "2025-01-04 07:00:00"),  # too late
        ("E7", "B", "2025-01-07 09:00:00", "2025-01-07 10:00:00"),
    )
    table.add(("E7", "B", "2025-01-07 09:00:00", "2025-01-07 09:30:00"), name="older")
    table.add(("E1", "A", "2025-01-02 08:00:00", "2025-01-07 08:00:00"), gone="true")
    days = tuple(date(2025, 1, day) for day in (2, 3, 4, 7))
    assert events.deliver(TUESDAY) == days
    assert (events.fetched, events.told["rows_new_or_changed"], events.told["read_up_to"]) == (
        8,
        3,
        "2025-01-07 10:00:00",
    )
    events.stage(TUESDAY)
    numbers = {row["event_id"]: row["_row_number"] for row in events.warehouse.rows(events.raw_table)}
    assert numbers == {None: 3, "E2": 1, "E3": 1, "E4": 2, "E5": 2, "E7": 1}
    table.run("DELETE FROM {} WHERE id = 'E6'")  # which was missed, as it says in the docs
    assert (held(events.warehouse), reasons(events, TUESDAY)) == as_files(events, tmp_path / "second", TUESDAY)
    assert not list(events.warehouse.cluster.exchange(events.warehouse.schema).rglob("*.parquet"))  # type: ignore[attr-defined]


def test_without_a_cursor_all_of_it_is_read_each_time(events: CatalogQuery, table: CatalogTable) -> None:
    del events.source["cursor"]
    events.refresh(MONDAY)
    assert events.told["rows_fetched"] == 5
    assert (events.deliver(MONDAY), events.told["unchanged"]) == ((), True)
    table.run("DELETE FROM {} WHERE id = 'E1'")
    table.add(("E6", "B", "2025-01-03 09:00:00", "2025-01-03 07:00:00"))
    assert events.deliver(TUESDAY) == (date(2025, 1, 2), date(2025, 1, 3))
    assert events.stage(TUESDAY) == (date(2025, 1, 2), date(2025, 1, 3), TUESDAY)
    assert (events.fetched, sorted(events.staged())) == (5, ["E2", "E3", "E6"])


FAILING = {
    "DROP TABLE {}": r"^The query of the source of usage_events fails: \[PARSE_SYNTAX_ERROR\]",
    "SELECT 1) AS x; DROP TABLE {}; SELECT * FROM (SELECT 1": r"fails: \[PARSE_SYNTAX_ERROR\]",
    "SELECT identity AS event_id FROM {}": r"fails: \[UNRESOLVED_COLUMN.WITH_SUGGESTION\] .*`identity`",
    "SELECT id, company AS account_id FROM {}": "gives no column 'event_id', which usage_events requires",
    QUERY.replace("id AS event_id", "CAST(id AS INT) AS event_id"): r"fails: \[CAST_INVALID_INPUT\] The value 'E1'",
}


def test_a_query_that_fails_says_why_and_leaves_the_table_as_it_was(events: CatalogQuery, table: CatalogTable) -> None:
    before = held(events.warehouse)
    for query, message in FAILING.items():
        events.source["query"] = query.format(table.name)
        with pytest.raises(SourceError, match=message):
            events.deliver(TUESDAY)
    assert held(events.warehouse) == before
    assert table.session.table(table.name).count() == 5


def test_small_tables_come_through_the_driver_typed(events: CatalogQuery) -> None:
    query = (
        "SELECT 'S1' AS subscription_id, 'A' AS account_id, 12.30bd AS amount, DATE '2024-05-01' AS start_date, "
        "TIMESTAMP '2024-05-01 10:00:00' AS signed_at, 'EUR' AS currency"
    )
    source = SqlSource(kind="sql", table="subscriptions", connection="cluster", query=query)
    contract, warehouse = STAGING["subscriptions"](events.portfolio), events.warehouse
    ignored = warehouse.stage_query("read_subscriptions", source, contract=contract, environment={})
    ((row),) = warehouse.rows(warehouse.staged("read_subscriptions"))
    assert (row["amount"], row["start_date"], ignored) == (Decimal("12.30"), date(2024, 5, 1), ("signed_at",))
