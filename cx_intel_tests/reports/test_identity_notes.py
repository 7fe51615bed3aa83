"""What is told of ids without an account: on the quality page, in the brief and in the summary."""

from datetime import date
from pathlib import Path
from typing import Any

from cx_intel.reports.data.notes.identity import unmatched
from cx_intel.reports.data.notes.ledger import ledger_notes
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.quality import quality
from cx_intel.reports.words.language import Language
from cx_intel_tests.helpers.identity_loads import book
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_tables import fill

OWN = "2 ids of other systems are accounts of their own, as no link leads to one: €140 of MRR."
WITHOUT = "1 id of another system belongs to no account: its rows, 43 of them, are in quarantine."


def row(system: str, external_id: str, **more: Any) -> dict[str, Any]:
    seen = {"first_seen_on": date(2025, 1, 31), "last_seen_on": date(2025, 1, 31)}
    return {
        "system": system,
        "external_id": external_id,
        "reason": "has no link",
        "row_count": 1,
        "event_count": 0,
    } | (seen | more)


ROWS = [
    row("stripe", "c1", account_id="stripe:c1", mrr=100, external_name="<b>Acme</b>"),
    row("stripe", "c2", account_id="stripe:c2", mrr=40),
    row("zendesk", "o1", row_count=43),
]


def data(path: Path, rows: list[dict[str, Any]]) -> ReportData:
    of = book()
    return read_book(fill(path / "w.duckdb", of, {"unmatched_accounts": rows}), of)


def test_accounts_of_their_own_are_told_with_their_mrr_and_the_others_with_their_rows(tmp_path: Path):
    found = data(tmp_path, ROWS)
    assert unmatched(found, Language("en", "EUR")) == [OWN, WITHOUT]
    assert ledger_notes(found, Language("en", "EUR")) == [OWN, WITHOUT]
    assert unmatched(found, Language("de", "EUR"))[1] == (
        "1 Kennung eines anderen Systems gehört zu keinem Kunden: ihre Zeilen, 43 an der Zahl, sind in Quarantäne."
    )


def test_the_quality_page_lists_them_with_the_reason(tmp_path: Path):
    (section,) = [s for s in quality(data(tmp_path, ROWS)).sections if s.title == "Identity"]
    assert section.notes == [OWN, WITHOUT]
    assert [[cell.text for cell in line] for line in section.tables[0].rows] == [
        ["stripe", "c1", "<b>Acme</b>", "has no link", "stripe:c1", "1", "0", "€100"],
        ["stripe", "c2", "–", "has no link", "stripe:c2", "1", "0", "€40"],
        ["zendesk", "o1", "–", "has no link", "–", "43", "0", "–"],
    ]


def test_nothing_is_told_where_every_id_has_an_account(tmp_path: Path):
    found = data(tmp_path, [])
    assert unmatched(found, Language("en", "EUR")) == []
    (section,) = [s for s in quality(found).sections if s.title == "Identity"]
    assert section.tables[0].rows == []
