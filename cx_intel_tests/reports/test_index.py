"""The index over all portfolios: made of what each publication left, in the language that all share."""

import json
from pathlib import Path

import pytest

from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.frame.index import ENTRY, write_entry, write_index
from cx_intel.reports.pages.frame.publishing import MENU
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.report_books import book_of

pytestmark = pytest.mark.slow  # the books of two portfolios


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReportData]:
    path = tmp_path_factory.mktemp("books") / "warehouse.duckdb"
    return {name: book_of(path, shipped(name)) for name in ("fleet", "novacrm")}


def test_each_portfolio_has_its_figures_verdict_and_links(books: dict[str, ReportData], tmp_path: Path) -> None:
    write_entry(books["fleet"], tmp_path / "fleet")
    german = write_index(tmp_path, MENU).read_text(encoding="utf-8")
    assert '<html lang="de">' in german
    assert 'href="fleet/renewals.html"' in german
    assert 'href="../exports/fleet/_latest/fleet_cs_review.xlsx"' in german
    write_entry(books["novacrm"], tmp_path / "novacrm")
    both = write_index(tmp_path, MENU).read_text(encoding="utf-8")
    assert '<html lang="en">' in both
    assert both.count("<dt>Customers</dt>") == 2
    assert both.count("Can these numbers be trusted?") == 2


def test_what_is_gone_or_half_written_is_left_out(books: dict[str, ReportData], tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / ENTRY).write_text('{"told": ', encoding="utf-8")
    assert "No portfolio is published yet." in write_index(tmp_path, MENU).read_text(encoding="utf-8")


def test_the_entry_names_no_account(books: dict[str, ReportData], tmp_path: Path) -> None:
    entry = write_entry(books["fleet"], tmp_path).read_text(encoding="utf-8")
    assert json.loads(entry)["asOf"] == books["fleet"].as_of.isoformat()
    assert not [name for name in books["fleet"].accounts["account_name"] if str(name) in entry]
