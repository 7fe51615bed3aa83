"""Queries that are run file by file: only new and changed files are read, and their rows take the place of those before."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from cx_intel.orchestration.assets.delivery.raw import raw_asset
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.resource import WarehouseResource
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.event_files import EventFiles, event_files

pytestmark = pytest.mark.slow  # loads from real files

MONDAY = date(2025, 1, 6)
TUESDAY, WEDNESDAY = (MONDAY + timedelta(days=n) for n in (1, 2))
QUERY = """
    select event_id, account_id, event_timestamp::timestamp as event_timestamp, upper(event_name) as event_name,
      1.50::decimal(4, 2) as properties
    from calls where account_id <> 'B' order by event_id
"""


@pytest.fixture
def events(tmp_path: Path) -> Iterator[EventFiles]:
    with event_files(tmp_path, query=QUERY) as made:
        made.write("mon", ["E1", "A", "2025-01-06T08:00:00"], ["E2", "B", "2025-01-06T09:00:00"])
        made.write("tue", ["E3", "A", "2025-01-07T08:00:00"])
        yield made


def test_events_of_a_query_are_those_of_each_file(events: EventFiles) -> None:
    events.write("wed", ["E4", "A", "2025-01-08T08:00:00"], ["E5", "C", "2025-01-08T09:00:00"])
    events.refresh(WEDNESDAY)
    assert events.staged() == {"E1": MONDAY, "E3": TUESDAY, "E4": WEDNESDAY}
    assert list(events.quarantined(WEDNESDAY)) == [("wed.csv", 2)]
    assert '"event_name":"LOGIN"' in events.raw_rows()[("wed.csv", 2)]
    table = events.warehouse.table("stg_usage_events")
    assert {row["properties"] for row in events.warehouse.rows(table)} == {"1.50"}


def test_only_new_and_changed_files_are_read_again(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    assert events.read == ("mon.csv", "tue.csv")
    events.write("wed", ["E4", "A", "2025-01-08T08:00:00"])
    events.write("mon", ["E1", "A", "2025-01-06T08:00:00"], ["E6", "A", "2025-01-06T09:00:00"])
    assert events.refresh(WEDNESDAY) == (MONDAY, WEDNESDAY)
    assert events.read == ("mon.csv", "wed.csv")
    assert events.staged() == {"E1": MONDAY, "E3": TUESDAY, "E4": WEDNESDAY, "E6": MONDAY}
    assert events.deliver(WEDNESDAY) == ()


def test_another_query_reads_all_files_again(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.source["query"] = QUERY.replace("<> 'B'", "<> 'A'")
    events.refresh(TUESDAY)
    assert events.read == ("mon.csv", "tue.csv")
    assert events.staged() == {"E2": MONDAY}


@pytest.mark.parametrize(
    ("stated", "kept"), [({}, {"E1", "E3"}), ({"gone_files": "take_back"}, {"E3"}), ({"delivers": "all"}, {"E3"})]
)
def test_rows_of_a_file_that_is_gone(tmp_path: Path, stated: dict[str, str], kept: set[str]) -> None:
    with event_files(tmp_path, query=QUERY, **stated) as events:
        events.write("mon", ["E1", "A", "2025-01-06T08:00:00"])
        events.write("tue", ["E3", "A", "2025-01-07T08:00:00"])
        events.refresh(TUESDAY)
        (events.folder / "mon.csv").unlink()
        events.refresh(TUESDAY)
        assert set(events.staged()) == kept


def test_the_file_over_which_a_query_fails_is_named(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.write("wed", ["E4", "A", "soon"])
    with pytest.raises(SourceError, match=r"The query of the source of usage_events over .*wed\.csv fails: .*soon"):
        events.refresh(WEDNESDAY)
    assert events.staged() == {"E1": MONDAY, "E3": TUESDAY}


LINKS = """
    select distinct 'product' as system, workspace as external_id, 'account' as linked_system, account as linked_id from calls
"""


@contextmanager
def links(folder: Path) -> Iterator[tuple[Path, Callable[..., list[dict[str, Any]]]]]:
    """A folder of files, and what refreshes the raw table of a query over them and gives its rows."""
    files = folder / "calls"
    files.mkdir()
    database = folder / "warehouse.duckdb"
    resources = {"warehouse": WarehouseResource(database=str(database)), "io_manager": dg.mem_io_manager}

    def refreshed(**keys: Any) -> list[dict[str, Any]]:
        source = {
            "kind": "sql",
            "table": "identity_links",
            "files": {"calls": str(files)},
            "query": LINKS,
            "per_file": True,
        }
        book = portfolio(sources=[source | keys, {"kind": "synthetic", "world": "novacrm"}])
        asset = raw_asset("identity_links", "identity_links", book, {}, folder)
        assert dg.materialize([asset], resources=resources).success
        try:
            warehouse = DuckDBWarehouse(open_warehouse(database), book.name)
            return list(warehouse.rows(warehouse.table("raw_identity_links").order_by("_source_file", "external_id")))
        finally:
            close_warehouse(database)

    yield files, refreshed


def test_a_table_without_days_keeps_what_earlier_files_gave(tmp_path: Path) -> None:
    with links(tmp_path) as (files, refreshed):
        (files / "1.csv").write_text("workspace,account\nw1,A\nw1,A\nw2,B\n")
        assert [(r["external_id"], r["linked_id"], r["_source_file"]) for r in refreshed()] == [
            ("w1", "A", "1.csv"),
            ("w2", "B", "1.csv"),
        ]
        (files / "2.csv").write_text("workspace,account\nw3,C\n")
        before = (files / "1.csv").stat()
        (files / "1.csv").write_text("workspace,account\nw8,A\nw8,A\nw9,B\n")  # looks as before, so it is not opened
        os.utime(files / "1.csv", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert [r["external_id"] for r in refreshed()] == ["w1", "w2", "w3"]


def test_rows_of_a_changed_file_replace_those_that_it_gave_and_those_of_one_that_is_gone_go(tmp_path: Path) -> None:
    with links(tmp_path) as (files, refreshed):
        (files / "1.csv").write_text("workspace,account\nw1,A\n")
        (files / "2.csv").write_text("workspace,account\nw2,B\n")
        refreshed()
        (files / "1.csv").write_text("workspace,account\nw1,C\nw4,D\n")
        (files / "2.csv").unlink()
        assert [(r["external_id"], r["linked_id"]) for r in refreshed()] == [("w1", "C"), ("w4", "D")]


def test_a_table_that_was_made_of_all_files_at_once_meanwhile_is_read_again_file_by_file(tmp_path: Path) -> None:
    with links(tmp_path) as (files, refreshed):
        (files / "1.csv").write_text("workspace,account\nw1,A\n")
        refreshed()
        assert [r["_source_file"] for r in refreshed(per_file=False)] == ["query"]
        assert [r["_source_file"] for r in refreshed()] == ["1.csv"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"files": {"a": "a.csv", "b": "b.csv"}}, "is for a query over one entry of `files`"),
        ({"per_file": False, "gone_files": "keep"}, "is for queries that are run `per_file`"),
        ({"table": "identity_links", "gone_files": "keep"}, "is about usage_events"),
    ],
)
def test_what_does_not_go_together_is_refused(keys: dict[str, Any], message: str) -> None:
    stated = {"kind": "sql", "table": "usage_events", "files": {"a": "a.csv"}, "query": "select 1", "per_file": True}
    with pytest.raises(ValidationError, match=message):
        SqlSource.model_validate(stated | keys)
