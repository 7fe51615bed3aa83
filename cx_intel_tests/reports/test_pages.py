"""What pages say, as text: formats, missing parts, notices, sizes; how they look is tried in `test_pages_browser.py`."""

import json
import os
import re
import struct
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from cx_intel.reports.charts.drawing.picture import dashboard_png
from cx_intel.reports.data.account.details import account_details, axes, week_change
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.packing import columnar, script_json
from cx_intel.reports.pages.dashboard import dashboard
from cx_intel.reports.pages.frame.layout import render, write_whole
from cx_intel.reports.pages.frame.publishing import MENU, PAGES
from cx_intel.reports.pages.parts.listed_columns import more_columns
from cx_intel.reports.words.language import Language
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, portfolio, shipped
from cx_intel_tests.helpers.report_books import NAMES, book_of, book_tables, read_book
from cx_intel_tests.helpers.report_rows import SCRIPT
from cx_intel_tests.helpers.report_tables import fill

LIMIT, LIBRARY = 5_000_000, 950_000
"""Bytes of a page at most, and of the script that draws charts, which is left out here."""


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReportData]:
    path = tmp_path_factory.mktemp("books") / "warehouse.duckdb"
    return {name: book_of(path, shipped(name)) for name in ("fleet", "novacrm")}


def test_columns_to_choose_are_those_in_which_accounts_differ(books: dict[str, ReportData]) -> None:
    book = books["novacrm"]
    more = more_columns(book, book.accounts.head(3))
    found = {name: (label, sort, written) for name, label, _, sort, _, written in more.columns}
    assert found["more_renewal_date"] == ("Renews on", "more_renewal_date_at", "text")
    ids = list(book.accounts["account_id"].head(3))
    due = book["renewal_pipeline"].set_index("account_id")["renewal_date"]
    assert list(more.frame["more_renewal_date_at"]) == [str(due[account]) for account in ids]
    assert list(more.frame["more_renewal_date"]) == [book.language.day(due[account]) for account in ids]
    assert "more_industry" not in found  # the same for all


def html_of(book: ReportData, *keys: str) -> dict[str, str]:
    """Pages by key, default all; without the script that draws charts, which are not drawn here."""
    return {key: render(PAGES[key][1](book), book, MENU, "") for key in keys or PAGES}


def text_of(book: ReportData, key: str) -> str:
    return visible(html_of(book, key)[key])


def visible(html: str) -> str:
    """The text of a page without scripts, styles and tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("\u00a0", " ").split())


@pytest.mark.slow
def test_german_formats_for_fleet_and_english_ones_for_novacrm(books: dict[str, ReportData]) -> None:
    german, english = text_of(books["fleet"], "dashboard"), text_of(books["novacrm"], "dashboard")
    assert "Stand 31.01.2025" in german
    assert "14,4 Tsd. €" in german
    assert "NRR, letzte 12 Monate 98,7 %" in german
    assert "1.234,5 % (Richtwert 80 %)" in text_of(books["fleet"], "health")
    assert "As of 31 Jan 2025" in english
    assert "$14.4K" in english
    assert "$4,800 of $14,400 ARR due within 90 days is exposed" in english
    assert "33.3% of ARR is exposed" in english


def test_the_renewals_page_tells_whom_to_call_and_draws_the_capacity_line(books: dict[str, ReportData]) -> None:
    text = text_of(books["fleet"], "renewals")
    assert "Verlängerung in 10 Tagen, 1.200 € ARR, Risiko Kritisch. Executive call, fällig bis 03.02.2025." in text
    assert "Kapazitätslinie: die Kunden darunter übersteigen, was ihre Betreuung übernehmen kann" in text
    assert "Rettungsquoten sind Annahmen" in text
    assert "„Schlimmster Fall“ verliert jede Verlängerung" in text


def test_nothing_of_a_name_is_markup_anywhere(books: dict[str, ReportData]) -> None:
    for key, html in html_of(books["novacrm"]).items():
        assert SCRIPT not in html, key
        assert "<img" not in html, key
        assert "<!--" not in html, key
        scripts = re.findall(r'<script type="application/json" id="page-data">(.*?)</script>', html, flags=re.S)
        assert len(scripts) == 1
        assert not set("<>\u2028") & set(scripts[0])
        json.loads(scripts[0])


def test_json_in_a_script_survives_anything() -> None:
    hostile = {"a": "</script><!--<script>\u2028\u2029&", "b": [1, None, "東"]}
    text = script_json(hostile)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == hostile


def test_columns_hold_rows() -> None:
    rows = [{"a": 1, "b": "x"}, {"a": None, "b": "x"}, {"a": 3, "b": None}, {"a": 4, "b": "x"}]
    assert columnar(rows) == {"length": 4, "columns": {"a": [1, None, 3, 4], "b": {"of": ["x"], "at": [0, 0, -1, 0]}}}
    assert columnar([]) == {"length": 0, "columns": {}}


def test_a_portfolio_without_health_renewals_and_tickets_says_so(tmp_path: Path) -> None:
    book = book_of(tmp_path / "w.duckdb", portfolio())
    found = {key: visible(html) for key, html in html_of(book).items()}
    assert dashboard(book).script_data["sentences"] == []  # of chosen accounts nothing about renewals is said either
    assert "This portfolio has no health model, so tiers" in found["dashboard"]
    assert "This portfolio has no renewals, so ARR at risk" in found["dashboard"]
    assert "its settings do not describe one" in found["health"]
    assert "its settings do not describe any" in found["renewals"]
    assert "no source delivers any" in found["support"]
    assert "12 customers." in found["accounts"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fleet", "novacrm", "small"])
def test_one_account_has_all_pages(tmp_path: Path, name: str) -> None:
    of = portfolio() if name == "small" else shipped(name)
    assert set(html_of(book_of(tmp_path / "w.duckdb", of, [SCRIPT]))) == set(PAGES)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fleet", "small"])
def test_an_empty_book_has_all_pages_and_a_picture(tmp_path: Path, name: str) -> None:
    book = book_of(tmp_path / "w.duckdb", portfolio() if name == "small" else shipped(name), [])
    said = book.language.say("There are no customers in this portfolio yet.")
    assert said in visible(html_of(book)["dashboard"])
    assert dashboard_png(book, ["Nobody pays."]).startswith(b"\x89PNG")


def test_a_warehouse_without_any_table_has_all_pages(tmp_path: Path) -> None:
    book = read_book(fill(tmp_path / "w.duckdb", shipped("fleet"), {}), shipped("fleet"))
    assert "In diesem Warehouse liegen noch keine Prüfergebnisse" in visible(html_of(book)["quality"])


def test_a_silent_source_is_told_on_every_page(tmp_path: Path) -> None:
    book = book_of(tmp_path / "w.duckdb", shipped("fleet"), frozen=True)
    for html in html_of(book, "dashboard", "renewals", "quality").values():
        assert "Die Stufen von 12 Kunden bleiben auf dem letzten bekannten Stand" in visible(html)
        assert "Quellen sind verstummt, daher fehlen diese Signale: GPS-Nutzung." in visible(html)


def test_failed_checks_come_first_with_what_to_do(books: dict[str, ReportData]) -> None:
    checks = pd.DataFrame(
        {
            "table_name": ["dim_account", "fct_revenue", "fct_tickets"],
            "check_name": ["a", "b", "c"],
            "passed": [True, False, False],
            "severity": ["block", "warn", "block"],
            "failed_rows": [0, 2, 3],
            "total_rows": [12, 1234, 12],
            "rule": ["x", "y", SCRIPT],
            "what_to_do": ["-", "Look.", "Mend it."],
        }
    )
    text = text_of(replace(books["fleet"], checks=checks), "quality")
    assert "Noch nicht. Verletzte Regeln, deren Tabellen daher stehen wie zuvor: Bewertete Tickets: „" in text
    assert "2 von 1.234" in text
    assert "Die Prüfung in der Dagster-Oberfläche zeigt ein Beispiel" in text
    doubtful = text_of(replace(books["fleet"], checks=checks), "revenue")
    assert "Zweifelhaft, „MRR-Buch“: in 2 von 1.234 Zeilen gilt nicht: B" in doubtful
    assert "Zweifelhaft" not in text_of(replace(books["fleet"], checks=checks), "renewals")
    text = text_of(replace(books["fleet"], checks=checks.assign(passed=True)), "quality")
    assert "Ja, mit Vorsicht. Zeilen in Quarantäne: Kunden 1." in text


def test_a_change_is_rounded_once_and_reads_alike_in_the_table_and_in_the_opened_account() -> None:
    given = [9.746, 9.75, -0.049, 0.25, -7.3499999]
    table = week_change(pd.DataFrame({"account_id": range(len(given)), "health_score_change": given}))
    f = Language("de", "EUR")
    assert [f.points(shown) for shown in table.values()] == [f.points(exact) for exact in given]
    assert f.points(table["0"]) == "+9,7"


def test_the_score_of_an_account_is_that_of_the_last_day_of_each_week(tmp_path: Path) -> None:
    of = shipped("fleet")
    (row,) = [r for r in book_tables(of, ["Ada"])["customer_health_scores"] if r["as_of"] == AS_OF]
    scores = {
        0: (81.5, "Green"),
        1: (80, "Green"),
        6: (10, "Red"),
        7: (60, "Amber"),
        13: (1, "Red"),
        14: (None, "unknown"),
    }
    days = {back: AS_OF - timedelta(days=back) for back in (*scores, 400)}
    snapshots = [
        row | {"as_of": days[back], "health_score": score, "unrounded_score": score, "health_tier": tier}
        for back, (score, tier) in (scores | {400: (50, "Amber")}).items()
    ]
    book = read_book(fill(tmp_path / "w.duckdb", of, {"customer_health_scores": snapshots}), of)
    assert book.scores.days == {0: AS_OF, 1: days[7], 2: days[14]}
    ((account, (weeks, values, tiers)),) = book.scores.lines.items()
    assert (account, weeks, values) == (row["account_id"], [1, 0], [60, 81.5])
    assert [book.scores.tiers[place] for place in tiers] == ["Amber", "Green"]
    (detail,) = account_details(book, [account])
    assert detail["score"] == [weeks, values, tiers]
    assert axes(book)["days"]["1"] == ["2025-01-24", "24.01.2025"]


def test_every_page_leads_to_the_weekly_brief(books: dict[str, ReportData]) -> None:
    for html in html_of(books["fleet"], "dashboard", "quality").values():
        assert '<li><a href="brief.html">Wochenbericht</a></li>' in html


@pytest.mark.slow  # ten thousand accounts
def test_ten_thousand_accounts_stay_small_and_say_what_is_left_out(tmp_path: Path) -> None:
    book = read_book(multiplied(tmp_path / "w.duckdb", shipped("fleet"), 10_008), shipped("fleet"))
    pages = html_of(book, "dashboard", "health", "renewals", "accounts")
    sizes = {key: len(html.encode()) + LIBRARY for key, html in pages.items()}
    assert max(sizes.values()) < LIMIT, sizes
    found = {key: visible(html) for key, html in pages.items()}
    assert "Aufgeführt sind die 10.000 Kunden mit dem meisten ARR; 8 kleinere fehlen." in found["accounts"]
    assert "Gezeigt sind die 1.500 Kunden mit dem meisten ARR; 8.508 kleinere fehlen." in found["dashboard"]
    assert "Der Rest steht in der Tabelle „Interventionsliste“." in found["dashboard"]


def multiplied(path: Path, of: Portfolio, accounts: int) -> Path:
    """The book with as many accounts, each with figures of its own."""
    fill(path, of, book_tables(of, list(NAMES)))
    connection = duckdb.connect(str(path))
    connection.execute("SELECT setseed(0.5)")
    with_accounts = connection.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = ? AND column_name = 'account_id'",
        [of.name],
    ).fetchall()
    for (table,) in with_accounts:
        columns = [
            c
            for (c,) in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ?",
                [of.name, table],
            ).fetchall()
        ]
        changes = ["account_id || '-' || n AS account_id"]
        for column, value in (
            ("account_name", "md5(account_id || n)[:9] || ' ' || md5(n || account_id)[:8] || ' GmbH'"),
            ("current_arr", "round(1000 + 90000 * random(), 2)"),
            ("health_score", "round(100 * random(), 1)"),
            ("value", "round(100 * random(), 3)"),
            ("points", "9 * random()"),
            ("points_lost", "9 * random()"),
            ("mrr", "round(3000 * random(), 2)"),
            ("days_to_renewal", "(270 * random())::BIGINT"),
        ):
            if column in columns:
                changes.append(f"{value} AS {column}")
        copies = accounts // len(NAMES) - 1
        chosen = f"SELECT * EXCLUDE (n) REPLACE ({', '.join(changes)}) FROM {of.name}.{table}, range({copies}) r(n)"
        connection.execute(f"INSERT INTO {of.name}.{table} BY NAME {chosen}")
    connection.close()
    return path


@pytest.mark.slow
def test_the_picture_is_small(books: dict[str, ReportData]) -> None:
    png = dashboard_png(books["fleet"], dashboard(books["fleet"]).answer)
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 1400 > height > 1000
    assert len(png) < 300_000


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_whole(tmp_path / "page.html", b"old")

    def fails(source: object, target: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("language", "currency", "amount", "expected"),
    [
        ("en", "USD", 1234.5, ("$1,235", "$1,234.50", "$1,235")),
        ("en", "USD", -1234.5, ("−$1,235", "−$1,234.50", "−$1,235")),
        ("en", "CHF", 12345678, ("CHF\u00a012,345,678", "CHF\u00a012,345,678.00", "CHF\u00a012.3M")),
        ("de", "EUR", 1234567.89, ("1.234.568\u00a0€", "1.234.567,89\u00a0€", "1,23\u00a0Mio.\u00a0€")),
        ("de", "EUR", 45678, ("45.678\u00a0€", "45.678,00\u00a0€", "45,7\u00a0Tsd.\u00a0€")),
        ("en", "JPY", 1234.5, ("¥1,235", "¥1,235", "¥1,235")),
        ("de", "EUR", None, ("–", "–", "–")),
    ],
)
def test_money_in_the_language_of_the_portfolio(language, currency, amount, expected) -> None:
    f = Language(language, currency)
    assert (f.money(amount), f.money(amount, 2), f.short_money(amount)) == expected


def test_days_months_and_changes_in_the_language_of_the_portfolio() -> None:
    de, en = Language("de", "EUR"), Language("en", "USD")
    assert (de.day(AS_OF), en.day(AS_OF)) == ("31.01.2025", "31 Jan 2025")
    assert (de.month(AS_OF), en.month(AS_OF)) == ("Jan. 2025", "Jan 2025")
    assert (de.percent(12.345), en.percent(12.345)) == ("12,3\u00a0%", "12.3%")
    assert (de.points(1.25), en.points(-1.25), de.points(0.01)) == ("+1,3", "−1.3", "±0,0")
    assert (en.days(1), en.days(2)) == ("1 day", "2 days")
