"""Files are made again when what they are made from changed, or when one is gone; else they stay byte for byte."""

from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from cx_intel.orchestration.build import definitions_of
from cx_intel.reports.data.report_data import ReportData, ScoreHistory
from cx_intel.reports.exports.tables import Export, export
from cx_intel.reports.made_from import MadeFiles, fingerprint_of
from cx_intel.reports.pages.frame.publishing import publish
from cx_intel.settings.environment import Environment
from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import book_of, read_book
from cx_intel_tests.helpers.report_tables import with_reports

pytestmark = pytest.mark.slow  # pages and exports several times over

FLEET = shipped("fleet")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    return book_of(tmp_path_factory.mktemp("book") / "warehouse.duckdb", FLEET, ["Alpha", "Beta"])


def later(book: ReportData) -> ReportData:
    return replace(book, made_at=book.made_at + timedelta(hours=1))


def test_pages_of_the_same_data_stay_and_a_page_that_is_gone_or_cut_is_made_again(
    book: ReportData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path.with_name("charts.js")
    library.write_text("/* charts */", encoding="utf-8")
    monkeypatch.setattr("cx_intel.reports.pages.frame.publishing.chart_library", lambda kept_in: library)
    publish(book, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    assert publish(later(book), tmp_path).pages["health"] == tmp_path / "health.html"
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == first
    (tmp_path / "support.html").unlink()
    publish(later(book), tmp_path)
    made_later = (tmp_path / "support.html").read_bytes()
    assert made_later != first["support.html"]
    (tmp_path / "support.html").write_bytes(made_later[:100])
    publish(later(book), tmp_path)
    assert (tmp_path / "support.html").read_bytes() == made_later


def test_the_fingerprint_is_that_of_the_data_in_any_order_of_rows_whenever_it_is(book: ReportData) -> None:
    frames = book.frames | {"account_snapshot": book.frames["account_snapshot"].iloc[::-1]}
    assert fingerprint_of(later(replace(book, frames=frames))) == fingerprint_of(book)


def test_no_field_that_pages_may_show_is_left_out_of_the_fingerprint(book: ReportData) -> None:
    other = {
        "portfolio": with_reports(FLEET, language="en"),
        "as_of": AS_OF + timedelta(days=1),
        "made_at": book.made_at,  # alone does not count
        "scores": ScoreHistory({0: AS_OF}, ("Green",), {"a": ([0], [80.0], [0])}),
        "checks": pd.DataFrame({"check_name": ["other"]}),
        "row_counts": {},
        "newest": {},
    }
    frame = pd.DataFrame({"account_id": ["other"]})
    other["behind"] = {("account_snapshot", "a_rule"): (("a",), 1)}
    for name in ("frames", "history", "compared"):
        other[name] = dict(getattr(book, name)) | {"account_snapshot": frame}
    for name in ("listed_before", "week_events", "ledger_parts", "cohort_parts", "ticket_parts"):
        other[name] = frame
    assert set(other) == {given.name for given in fields(ReportData)}
    same = {name for name in other if fingerprint_of(replace(book, **{name: other[name]})) == fingerprint_of(book)}
    assert same == {"made_at"}


@pytest.mark.parametrize("changed", ["a row", "a setting", "a count", "the day", "a check", "the exported rows"])
def test_the_fingerprint_changes_with(book: ReportData, changed: str) -> None:
    snapshot = book["account_snapshot"].assign(account_name="Other")
    others = {
        "a row": replace(book, frames=book.frames | {"account_snapshot": snapshot}),
        "a setting": replace(book, portfolio=with_reports(FLEET, language="en")),
        "a count": replace(book, row_counts=book.row_counts | {"account_snapshot": 7}),
        "the day": replace(book, as_of=AS_OF + timedelta(days=1)),
        "a check": replace(book, checks=book["account_snapshot"][["account_id"]]),
    }
    more = ("rows",) if changed == "the exported rows" else ()
    assert fingerprint_of(others.get(changed, book), *more) != fingerprint_of(book)


def test_another_program_makes_files_again(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("as the old program writes it")
    MadeFiles(tmp_path, "of the old program").remember([page])
    assert MadeFiles(tmp_path, "of the old program").are_current()
    assert not MadeFiles(tmp_path, "of the new program").are_current()


def test_a_record_that_cannot_be_read_counts_for_nothing(tmp_path: Path) -> None:
    MadeFiles(tmp_path, "same").remember([])
    (record,) = tmp_path.iterdir()
    for text in ("", "{}", "[]", '{"made_from": "same", "bytes": []}'):
        record.write_text(text)
        assert not MadeFiles(tmp_path, "same").are_current()


def test_exports_of_the_same_rows_stay_and_those_of_other_rows_or_without_a_file_are_made_again(tmp_path: Path) -> None:
    of = with_reports(FLEET, export_tables=["account_snapshot"], exports=["csv"])
    path, folder = tmp_path / "warehouse.duckdb", tmp_path / "exports"
    book_of(path, of, ["Alpha", "Beta"])

    def exported(change: str = "") -> Path:
        with writing(path) as database:
            warehouse = DuckDBWarehouse(database, of.name)
            if change:
                database.connection.execute(change)
            made = export(read_book(path, of), warehouse, folder)
        assert [(f.name, f.rows) for f in made.files] == [("account_snapshot.csv", 2)]
        return made.folder.resolve()

    first = exported()
    assert exported() == first
    # no report shows the industry, so that only the export changes
    second = exported(f"UPDATE {of.name}.account_snapshot SET industry = 'Other' WHERE as_of = DATE '{AS_OF}'")
    assert second != first
    assert "Other" in (second / "account_snapshot.csv").read_text()
    (second / "account_snapshot.csv").unlink()
    assert exported() != second


def test_on_another_day_files_of_the_same_rows_are_those_of_the_day_before(tmp_path: Path) -> None:
    of = with_reports(FLEET, export_tables=["dim_account", "account_snapshot"], exports=["csv", "parquet"])
    path, folder = tmp_path / "warehouse.duckdb", tmp_path / "exports"
    book_of(path, of, ["Alpha", "Beta"])

    def exported(days: int, change: str = "") -> Export:
        with writing(path) as database:
            if change:
                database.connection.execute(change)
            data = replace(read_book(path, of), as_of=AS_OF + timedelta(days=days))
            return export(data, DuckDBWarehouse(database, of.name), folder)

    first = exported(0)
    marked = first.folder / "dim_account.csv"
    content = marked.read_bytes().replace(b"Alpha", b"Omega")  # of the same size, so that a copy is known
    marked.write_bytes(content)
    second = exported(1)
    assert (second.folder / "dim_account.csv").read_bytes() == content
    assert [f.rows for f in second.files] == [0, 0, *(f.rows for f in first.files if f.table == "dim_account")]
    third = exported(2, f"UPDATE {of.name}.dim_account SET industry = 'Other'")
    assert "Omega" not in (third.folder / "dim_account.csv").read_text()
    (third.folder / "dim_account.csv").write_text("cut")
    assert "Alpha" in (exported(3).folder / "dim_account.csv").read_text()
    assert (folder / "_latest" / "dim_account.parquet").exists()


def test_with_reports_switched_off_no_asset_makes_any(tmp_path: Path) -> None:
    environment = Environment(home=tmp_path, portfolios=tmp_path, lock_wait_seconds=1)

    def made(enabled: bool) -> set[str]:
        of = with_reports(FLEET, enabled=enabled)
        definitions = definitions_of([of], environment)
        keys = {key.path[-1] for key in definitions.resolve_asset_graph().get_all_asset_keys()}
        return keys | {job.name for job in definitions.resolve_all_job_defs()}

    assert made(True) - made(False) == {"dashboard", "exports", "weekly_brief", "fleet_renewal_review"}
