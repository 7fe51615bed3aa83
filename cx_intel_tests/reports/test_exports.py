"""Exports: what a file holds is what the table holds, no cell is a formula, and a folder is there whole or not at all."""

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.orchestration.build import SettingsErrors, load_portfolios
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.exports.folders import ExportFolders
from cx_intel.reports.exports.tables import MANIFEST, Export, check_exports, export, exported_tables
from cx_intel.reports.workbook.spreadsheet_safety import guarded
from cx_intel.settings.base import Misfit
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, PORTFOLIOS, shipped
from cx_intel_tests.helpers.report_books import MADE_AT
from cx_intel_tests.helpers.report_tables import (
    HOSTILE,
    WEEK_BEFORE,
    accounts_of,
    due,
    fill,
    listed,
    outlook,
    with_reports,
)

TABLES = ["account_snapshot", "cs_intervention_list", "renewal_pipeline", "quarantine"]


@pytest.fixture(scope="module")
def book() -> Portfolio:
    return with_reports(shipped("fleet"), export_tables=TABLES)


@pytest.fixture(scope="module")
def warehouse(book: Portfolio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    quarantined = {"as_of": AS_OF, "source_table": "accounts", "source_file": "", "row_number": 1, "occurrence": 1}
    path = fill(
        tmp_path_factory.mktemp("warehouse") / "it's a warehouse.duckdb",
        book,
        {
            "account_snapshot": [*accounts_of(HOSTILE), *accounts_of(["Last week Ltd"], WEEK_BEFORE)],
            "cs_intervention_list": listed(["Last week Ltd"], WEEK_BEFORE),
            "renewal_pipeline": due(HOSTILE, products=""),
            "quarantine": [quarantined | {"reason": "-1 is below 0", "raw_row": None}],
            "nrr_outlook": outlook(expected_no_action=96.0),
            "fct_usage": [],
        },
    )
    yield DuckDBWarehouse(open_warehouse(path), "fleet")
    close_warehouse(path)


def exported(of: Portfolio, warehouse: DuckDBWarehouse, folder: Path) -> Export:
    return export(read_report_data(warehouse, of, AS_OF, MADE_AT), warehouse, folder)


@pytest.fixture(scope="module")
def written(book: Portfolio, warehouse: DuckDBWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Export:
    return exported(book, warehouse, tmp_path_factory.mktemp("exports"))


@pytest.mark.slow
def test_parquet_is_the_table_exactly(warehouse: DuckDBWarehouse, written: Export):
    folder = written.folder
    rows = warehouse.table("renewal_pipeline").order_by("as_of", "account_id").to_pyarrow()
    found = pq.read_table(folder / "renewal_pipeline.parquet")
    assert found.column_names == rows.column_names
    assert found.to_pylist() == rows.to_pylist()
    assert str(found.schema.field("current_arr").type) == "decimal128(18, 2)"


def test_csv_reads_back_as_the_table_with_text_guarded(written: Export):
    file = written.folder / "renewal_pipeline.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        found = list(csv.DictReader(lines, strict=True))
    names = {f"c{n}": guarded(name) for n, name in enumerate(HOSTILE)}
    assert {row["account_id"]: row["account_name"] for row in found} == names
    assert {row["current_arr"] for row in found} == {"1200.00"}
    assert {row["renewal_date"] for row in found} == {(AS_OF + timedelta(days=30)).isoformat()}
    assert {row["is_overdue"] for row in found} == {"false"}
    assert not [cell for row in found for cell in row.values() if cell[:1] in tuple("=+@-\t\r")]


def test_csv_is_rfc_4180_with_null_told_from_empty_text(book: Portfolio, written: Export):
    folder = written.folder
    content = (folder / "renewal_pipeline.csv").read_bytes()
    header, first = content.decode("utf-8").split("\r\n")[:2]
    columns = contract_of("renewal_pipeline", book).column_names
    assert header == ",".join(columns)
    assert content.endswith(b"\r\n")
    assert not content.startswith(b"\xef\xbb\xbf")
    cells = first.split(",")  # from behind, where no cell has a comma: vehicle_count, products, ...
    assert cells[-4:] == ["", '""', "", ""]
    assert (folder / "quarantine.csv").read_bytes().endswith(b"'-1 is below 0,,\r\n")  # neither parts nor a raw row


def test_of_a_snapshot_only_the_day_is_exported_though_it_has_no_rows(book: Portfolio, written: Export):
    assert written.rows == {
        "account_snapshot": len(HOSTILE),
        "cs_intervention_list": 0,
        "renewal_pipeline": len(HOSTILE),
        "quarantine": 1,
    }
    header = ",".join(contract_of("cs_intervention_list", book).column_names)
    assert (written.folder / "cs_intervention_list.csv").read_text(encoding="utf-8").strip() == header
    assert pq.read_table(written.folder / "cs_intervention_list.parquet").num_rows == 0


def test_a_ranked_list_is_written_from_the_top(book: Portfolio, tmp_path: Path):
    calls = [row | {"priority_rank": 13 - row["priority_rank"]} for row in listed([f"A{n}" for n in range(12)])]
    path = fill(tmp_path / "warehouse.duckdb", book, {"cs_intervention_list": calls})
    chosen = with_reports(book, exports=["csv"], export_tables=["cs_intervention_list"])
    try:
        folder = exported(chosen, DuckDBWarehouse(open_warehouse(path), "fleet"), tmp_path / "out").folder
    finally:
        close_warehouse(path)
    with (folder / "cs_intervention_list.csv").open(encoding="utf-8", newline="") as lines:
        assert [int(row["priority_rank"]) for row in csv.DictReader(lines)] == list(range(1, 13))


def test_the_manifest_tells_what_is_there(written: Export):
    told = json.loads((written.folder / MANIFEST).read_text(encoding="utf-8"))
    assert (told["portfolio"], told["as_of"], told["currency"]) == ("fleet", "2025-01-31", "EUR")
    on_disk = {path.name: path.stat().st_size for path in written.folder.iterdir() if path.name != MANIFEST}
    assert {file["name"]: file["bytes"] for file in told["files"]} == on_disk
    assert "fleet_cs_review.xlsx" in on_disk


def test_the_same_data_make_the_same_csv_and_parquet(
    book: Portfolio, warehouse: DuckDBWarehouse, written: Export, tmp_path: Path
):
    first, second = written.folder, exported(book, warehouse, tmp_path).folder
    for path in (*first.glob("*.csv"), *first.glob("*.parquet")):
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_forms_and_tables_are_chosen_in_yaml(book: Portfolio, warehouse: DuckDBWarehouse, tmp_path: Path):
    chosen = with_reports(book, exports=["parquet"], export_tables=["renewal_pipeline", "fct_usage"])
    written = exported(chosen, warehouse, tmp_path)
    assert [file.name for file in written.files] == ["fct_usage.parquet", "renewal_pipeline.parquet"]


def test_all_tables_are_those_beyond_staging_and_events():
    found = exported_tables(shipped("novacrm"))
    assert {"dim_account", "fct_revenue", "cs_intervention_list", "quarantine", "owner_health_summary"} <= set(found)
    assert not [table for table in found if table.startswith(("raw_", "stg_"))]
    assert "fct_usage" not in found


def test_a_table_that_is_not_in_the_warehouse_is_named(book: Portfolio, tmp_path: Path):
    path = tmp_path / "empty.duckdb"
    try:
        written = exported(
            with_reports(book, exports=["csv", "xlsx"]),
            DuckDBWarehouse(open_warehouse(path), "fleet"),
            tmp_path / "out",
        )
    finally:
        close_warehouse(path)
    assert (set(written.missing), written.files) == (set(TABLES), ())


def test_an_unknown_table_is_an_error_with_its_line(tmp_path: Path):
    text = (PORTFOLIOS / "novacrm.yaml").read_text(encoding="utf-8")
    text = text.rstrip("\n") + "\n  export_tables:\n    - dim_account\n    - dim_acount\n"
    (tmp_path / "novacrm.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsErrors) as error:
        load_portfolios(tmp_path)
    line = len(text.splitlines())
    assert f"novacrm.yaml:{line}: reports.export_tables.1: novacrm has no table 'dim_acount'" in str(error.value)


def test_a_table_of_another_portfolio_does_not_fit():
    with pytest.raises(Misfit, match="fleet has no table 'churn_risk_view'"):
        check_exports(with_reports(shipped("fleet"), export_tables=["churn_risk_view"]))


def _write(folders: ExportFolders, day: date, text: str) -> None:
    with folders.writing(day) as target:
        (target / "a.csv").write_text(text)


def test_latest_leads_to_the_day_written_last_and_the_newest_days_are_kept(tmp_path: Path):
    folders = ExportFolders(tmp_path / "exports")
    for n in range(4):
        _write(folders, AS_OF + timedelta(days=n), str(n))
    assert folders.keep(2) == (AS_OF + timedelta(days=1), AS_OF)
    assert folders.days() == (AS_OF + timedelta(days=3), AS_OF + timedelta(days=2))
    assert (folders.latest / "a.csv").read_text() == "3"
    assert len(list((folders.folder / ".data").iterdir())) == 2


def test_a_day_written_again_is_replaced_and_the_old_files_stay_readable_till_the_next_time(tmp_path: Path):
    folders = ExportFolders(tmp_path)
    _write(folders, AS_OF, "old")
    reader = folders.newest()
    _write(folders, AS_OF, "new")
    assert (folders.of(AS_OF) / "a.csv").read_text() == "new"
    assert reader is not None
    assert (reader / "a.csv").read_text() == "old"
    _write(folders, AS_OF, "newer")
    assert not reader.exists()


def test_a_failure_leaves_what_was_there(tmp_path: Path):
    folders = ExportFolders(tmp_path)
    _write(folders, AS_OF, "whole")

    def fail_half_way() -> None:
        with folders.writing(AS_OF) as target:
            (target / "a.csv").write_text("half")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        fail_half_way()
    assert (folders.latest / "a.csv").read_text() == "whole"
    assert len(list((tmp_path / ".data").iterdir())) == 1


def test_an_export_of_an_earlier_day_is_never_removed_while_it_is_the_latest(tmp_path: Path):
    folders = ExportFolders(tmp_path)
    for day in (AS_OF + timedelta(days=2), AS_OF + timedelta(days=1), AS_OF):  # a warehouse built anew, further back
        _write(folders, day, day.isoformat())
    folders.keep(1)
    assert (folders.latest / "a.csv").read_text() == AS_OF.isoformat()


def test_without_links_a_file_names_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    folders = ExportFolders(tmp_path)
    for text in ("old", "new"):
        _write(folders, AS_OF, text)
    assert folders.latest.read_text().strip() == AS_OF.isoformat()
    newest = folders.newest()
    assert newest == folders.of(AS_OF)
    assert not newest.is_symlink()
    assert (newest / "a.csv").read_text() == "new"


KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.exports.folders import ExportFolders

folders = ExportFolders(Path(sys.argv[1]))
with folders.writing(date(2025, 1, 31)) as target:
    (target / "a.csv").write_text("whole")
real = ExportFolders._put
def killed(self, name, to):
    if name.name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, name, to)
ExportFolders._put = killed
with folders.writing(date(2025, 2, 1)) as target:
    (target / "a.csv").write_text("half")
    if sys.argv[2] == "file":
        os.kill(os.getpid(), signal.SIGKILL)
    (target / "b.csv").write_text("rest")
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["file", "2025-02-01", "_latest"])
def test_killed_in_the_middle_the_latest_is_still_the_old_one_and_the_next_run_clears_up(tmp_path: Path, moment: str):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), moment], check=False, env={**os.environ}
    )
    assert done.returncode == -signal.SIGKILL
    folders = ExportFolders(tmp_path)
    assert {path.name: path.read_text() for path in folders.latest.iterdir()} == {"a.csv": "whole"}
    assert (date(2025, 2, 1) in folders.days()) is (moment == "_latest")
    _write(folders, date(2025, 2, 1), "again")
    assert (folders.latest / "a.csv").read_text() == "again"
    kept = {path.name[:10] for path in (tmp_path / ".data").iterdir()}
    assert kept == {"2025-01-31", "2025-02-01"}
