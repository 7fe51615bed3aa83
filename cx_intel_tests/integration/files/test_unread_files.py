"""Each delivery tells what lies unread beside its files, also where they are as they were; a lost folder loses no rows."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cx_intel.orchestration.assets.delivery.raw import raw_assets
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.resource import WarehouseResource
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.small_company import SmallCompany

pytestmark = pytest.mark.slow  # whole refreshes

ACCOUNTS = "account_id,account_name\n{0},Company {0}\n"
EVENTS = "event_id,account_id,event_timestamp,event_name\n{0},A,2025-01-06T08:00:00,login\n"
QUERY = "select account_id, account_name from given"
Source = dict[str, Any]

KINDS: dict[str, Source] = {
    "files": {"kind": "files", "table": "accounts", "path": "${DATA}/a*.csv"},
    "a query": {"kind": "sql", "table": "accounts", "files": {"given": "${DATA}/a*.csv"}, "query": QUERY},
    "a query per file": {
        "kind": "sql",
        "table": "accounts",
        "files": {"given": "${DATA}/a*.csv"},
        "query": QUERY,
        "per_file": True,
    },
    "events": {"kind": "files", "table": "usage_events", "path": "${DATA}/a*.csv"},
}


class Deliveries:
    """A folder of files, `data`, and the raw table of one source of them."""

    def __init__(self, folder: Path, source: Source):
        self.source, self.folder, self.data = source, folder, folder / "data"
        self.table = f"raw_{source['table']}"
        self.failure = ""
        self.data.mkdir()
        self.write("a1")

    def write(self, name: str) -> None:
        text = EVENTS if self.source["table"] == "usage_events" else ACCOUNTS
        (self.data / f"{name}.csv").write_text(text.format(name))

    def deliver(self) -> tuple[bool, str]:
        """Whether the check passes, and what it says; `failure` is why the raw table was not written."""
        book = portfolio(sources=[self.source, {"kind": "synthetic", "world": "novacrm"}])
        assets = raw_assets(book, {"DATA": str(self.data)}, self.folder)
        (asset,) = [one for one in assets if one.key.path[-1] == self.table]
        database = str(self.folder / "warehouse.duckdb")
        resources = {"warehouse": WarehouseResource(database=database), "io_manager": dg.mem_io_manager}
        partition = "2025-01-07" if asset.partitions_def else None
        with dg.instance_for_test() as instance:
            done = dg.materialize(
                [asset], resources=resources, partition_key=partition, instance=instance, raise_on_error=False
            )
        failures = [event.step_failure_data.user_failure_data for event in done.get_step_failure_events()]
        self.failure = " ".join(str(failure.description) for failure in failures if failure)
        assert done.success == (not failures)
        (found,) = done.get_asset_check_evaluations()
        assert found.severity == dg.AssetCheckSeverity.WARN
        return found.passed, found.description or ""

    def rows(self) -> int:
        return self._of_warehouse(lambda warehouse: warehouse.count(warehouse.table(self.table)))

    def kept(self) -> list[tuple[str, bool, int, int, str]]:
        """What the warehouse keeps of the check, for the reports."""
        columns = ("table_name", "passed", "failed_rows", "total_rows", "what_to_do")

        def look(warehouse: DuckDBWarehouse) -> list[Any]:
            results = warehouse.check_results()
            assert results is not None
            return [tuple(row[name] for name in columns) for row in warehouse.rows(results)]

        return self._of_warehouse(look)

    def _of_warehouse(self, look: Callable[[DuckDBWarehouse], Any]) -> Any:
        database = self.folder / "warehouse.duckdb"
        try:
            return look(DuckDBWarehouse(open_warehouse(database), "small"))
        finally:
            close_warehouse(database)


@pytest.fixture(params=KINDS)
def deliveries(tmp_path: Path, request: pytest.FixtureRequest) -> Deliveries:
    return Deliveries(tmp_path, KINDS[request.param])


def test_a_zip_beside_files_that_are_as_they_were_is_told_in_the_same_run(deliveries: Deliveries) -> None:
    assert deliveries.deliver() == (True, "")
    (deliveries.data / "a2.zip").touch()
    passed, told = deliveries.deliver()
    assert not passed
    assert told.startswith(f"{deliveries.data}: a2.zip lies beside the files of ")
    assert told.endswith(", and no source reads it. Unpack a2.zip. Or put it elsewhere.")
    assert deliveries.kept() == [(deliveries.table, False, 1, 2, told)]
    (deliveries.data / "a2.zip").unlink()
    assert deliveries.deliver() == (True, "")
    assert deliveries.kept() == [(deliveries.table, True, 0, 1, "No file lies unread.")]


def test_of_an_empty_folder_and_a_lost_mount_is_told_and_the_rows_stay(deliveries: Deliveries) -> None:
    deliveries.deliver()
    data = deliveries.data
    (data / "a1.csv").unlink()
    deliveries.deliver()
    assert f"{data}/a*.csv: no such file, or no file to read in it" in deliveries.failure
    assert deliveries.failure.endswith(
        f"The folder {data} is empty: if something is mounted there, mount it again. {deliveries.table} stays as it was."
    )
    data.rmdir()
    deliveries.deliver()
    assert deliveries.failure.endswith(
        f"There is no folder {data}: if it is mounted, mount it again. {deliveries.table} stays as it was."
    )
    assert deliveries.rows() == 1
    data.mkdir()
    for name in ("a1", "a2"):
        deliveries.write(name)
    deliveries.deliver()
    assert (deliveries.failure, deliveries.rows()) == ("", 2)


def test_where_only_a_zip_came_it_is_named_beside_the_failure(deliveries: Deliveries) -> None:
    (deliveries.data / "a1.csv").rename(deliveries.data / "a1.zip")
    passed, told = deliveries.deliver()
    assert (passed, "Unpack a1.zip." in told, "no file to read in it" in deliveries.failure) == (False, True, True)


@pytest.mark.parametrize("per_file", [True, False])
def test_files_that_may_be_missing_and_are_all_gone_at_once_lose_no_rows(tmp_path: Path, per_file: bool) -> None:
    files = {"given": {"path": "${DATA}/a*.csv", "may_be_missing": True, "columns": {"account_id": "account_id"}}}
    files["given"]["columns"] |= {"account_name": "account_name"}
    deliveries = Deliveries(tmp_path, KINDS["a query"] | {"files": files, "per_file": per_file})
    (deliveries.data / "a1.csv").unlink()
    deliveries.deliver()
    assert (deliveries.failure, deliveries.rows()) == ("", 0)  # nothing was ever there
    deliveries.write("a1")
    deliveries.deliver()
    assert deliveries.rows() == 1
    shutil.rmtree(deliveries.data)
    deliveries.deliver()
    assert deliveries.failure.startswith(
        "None of the files of the source of accounts is there, `${DATA}/a*.csv`, and 1 rows came from such files before."
    )
    assert deliveries.rows() == 1
    deliveries.data.mkdir()
    (deliveries.data / "a1.csv").write_text("account_id,account_name\n")
    deliveries.deliver()
    assert (deliveries.failure, deliveries.rows()) == ("", 0)


@pytest.mark.parametrize(("gone_files", "is_refused"), [("keep", False), ("take_back", True)])
def test_events_whose_files_are_all_gone_are_refused_only_where_rows_would_go(
    tmp_path: Path, gone_files: str, is_refused: bool
) -> None:
    columns = {name: name for name in ("event_id", "account_id", "event_timestamp", "event_name")}
    files = {"given": {"path": "${DATA}/a*.csv", "may_be_missing": True, "columns": columns}}
    query = f"select {', '.join(columns)} from given"
    source = {"kind": "sql", "table": "usage_events", "files": files, "query": query, "per_file": True}
    deliveries = Deliveries(tmp_path, source | {"gone_files": gone_files})
    deliveries.deliver()
    (deliveries.data / "a1.csv").unlink()
    deliveries.deliver()
    assert (deliveries.failure.startswith("None of the files of "), deliveries.rows()) == (is_refused, 1)


def test_a_refresh_names_it_in_its_summary_and_on_the_quality_page_though_nothing_else_changed(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.source("accounts", path="${SMALL_DATA}/accounts*.csv")
    assert company.refresh(reports=True).warnings == []
    (company.data / "accounts_2.zip").touch()
    outcome = company.refresh(reports=True)
    (warning,) = outcome.warnings
    assert warning == (
        f"raw_accounts: no_unread_files: {company.data}: accounts_2.zip lies beside the files of the source of accounts, "
        "and no source reads it. Unpack accounts_2.zip. Or put it elsewhere."
    )
    assert outcome.is_complete
    assert {"raw_accounts", "stg_accounts"} <= outcome.unchanged
    page = company.home / "reports" / company.name / "quality.html"
    assert "Unpack accounts_2.zip." in page.read_text(encoding="utf-8")
    before = company.values("stg_accounts", "account_name")
    shutil.rmtree(company.data)
    lost = company.refresh(write=False)
    assert not lost.is_complete
    assert any("mount it again. raw_accounts stays as it was." in text for text in lost.failures)
    assert company.values("stg_accounts", "account_name") == before
