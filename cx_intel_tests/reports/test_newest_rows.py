"""How new each source is, by its rows: on the quality page, in the brief and in the summary, with one sentence."""

from datetime import date, datetime
from pathlib import Path

from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.data.headline import headline
from cx_intel.reports.data.trust import newest_rows
from cx_intel.reports.pages.quality import quality
from cx_intel.warehouse.duckdb.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import book_tables, read_book
from cx_intel_tests.helpers.report_tables import fill

STAGED = {
    "stg_accounts": [{"account_id": "c0", "signup_date": date(2024, 5, 1)}],
    "stg_subscriptions": [{"subscription_id": "s", "start_date": date(2025, 1, 20)}],
    "stg_support_tickets": [{"ticket_id": "t", "created_date": date(2025, 1, 31), "resolved_at": datetime(2025, 2, 2)}],
    "stg_usage_events": [],
}
SENTENCE = "Newest row of each source: accounts 1 May 2024, subscriptions 20 Jan 2025, support_tickets 31 Jan 2025."
EMPTY = "Sources without a dated row: usage_events."


def test_the_newest_row_of_each_source(tmp_path: Path) -> None:
    of = shipped("novacrm")
    path = fill(tmp_path / "w.duckdb", of, book_tables(of, ["Ada", "Berta"]) | STAGED)
    data = read_book(path, of)
    assert newest_rows(data, data.language) == [SENTENCE, EMPTY]
    (section,) = [s for s in quality(data).sections if s.title == "Freshness"]
    cells = [[cell.text for cell in row] for row in section.tables[0].rows]
    assert [row[0] for row in cells] == ["usage_events", "accounts", "subscriptions", "support_tickets"]
    assert [row[2] for row in cells][1:] == ["275", "11", "0"]  # days before 31 January 2025
    made = weekly_brief(data)
    assert f"{SENTENCE} {EMPTY}" in made.markdown
    with reading(path) as database:
        notes = headline(DuckDBWarehouse(database, of.name), of, AS_OF).notes
    assert notes[-2:] == (SENTENCE, EMPTY)


def test_a_copy_without_staged_tables_says_nothing(tmp_path: Path) -> None:
    of = shipped("novacrm")
    data = read_book(fill(tmp_path / "w.duckdb", of, book_tables(of, ["Ada"])), of)
    assert newest_rows(data, data.language) == []
