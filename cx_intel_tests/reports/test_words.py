"""The words of reports: every English text has a German one with the same gaps, and pages say no other."""

import re
from html import unescape
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

import cx_intel
from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.contracts.contract import COUNT, DATE, NUMBER, TIME
from cx_intel.models.staging.rows import NOT_A, UNKNOWN_ACCOUNT
from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.pages.frame.layout import render
from cx_intel.reports.pages.frame.publishing import MENU, PAGES
from cx_intel.reports.words.catalogue import CATALOGUES
from cx_intel.reports.words.labels import CODE
from cx_intel.reports.words.language import Code, Language
from cx_intel.reports.words.rounding import rounded
from cx_intel.reports.words.rules import rejected
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.report_books import book_of

KEYWORDS = {"say": None, "term": None, "count": (1, 2), "plural": (1, 2)}
ROOT = Path(cx_intel.__file__).parent
GAP = re.compile(r"\{(\w+)\}")
NOT_READ_IN_GERMAN = {COUNT: "keine ganze Zahl", NUMBER: "keine Zahl", DATE: "kein Datum", TIME: "kein Zeitpunkt"}


def collected() -> set[str]:
    """The English texts in code, templates and scripts; of two forms the first."""
    with (CATALOGUES / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    folders = (ROOT / "reports", ROOT / "orchestration" / "schedules")
    found = [
        text for folder in folders for _, _, text, _, _ in extract_from_dir(folder, methods, options, KEYWORDS, ())
    ]
    return {text if isinstance(text, str) else text[0] for text in found}


def german() -> dict[str, tuple[str, ...]]:
    with (CATALOGUES / "de.po").open("rb") as source:
        messages = [message for message in read_po(source, "de") if message.id]
    first = lambda text: text if isinstance(text, str) else text[0]
    forms = lambda text: (text,) if isinstance(text, str) else tuple(text)
    return {first(message.id): forms(message.string) for message in messages}


def test_every_text_has_a_german_one_and_none_is_left_over() -> None:
    assert collected() == set(german())


def test_german_texts_have_the_gaps_of_the_english_ones() -> None:
    for text, forms in german().items():
        for form in forms:
            assert form.strip("\u00a0"), text
            assert set(GAP.findall(form)) == set(GAP.findall(text)), text


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        *((f"day: 'a; b' {NOT_A[kind]}", f"Day „a; b“ ist {what}") for kind, what in NOT_READ_IN_GERMAN.items()),
        ("amount: '9e99' is beyond the limit of 1,000,000,000", "Amount „9e99“ ist zu groß"),
        (
            f"account_id 'A; 7{UNKNOWN_ACCOUNT}; amount is missing",
            "der Kunde „A; 7“ ist nicht unter den Kunden; Amount fehlt",
        ),
        ("something new", "der Grund steht in der Tabelle „Quarantäne“"),
    ],
)
def test_why_a_row_was_rejected_is_told_in_german_whatever_its_values_hold(reason: str, said: str) -> None:
    assert rejected(reason, Language("de", "EUR")) == said
    assert rejected(reason, Language("en", "EUR")) == reason


@pytest.mark.slow
def test_no_english_is_left_on_a_german_page(tmp_path: Path) -> None:
    data = book_of(tmp_path / "w.duckdb", shipped("fleet"))
    english = {text for text, (said, *_) in german().items() if said != text}
    pages = {key: render(make(data), data, MENU, "") for key, (_, make) in PAGES.items()}
    for key, page in (pages | {"brief": weekly_brief(data).html}).items():
        assert '<html lang="de">' in page
        bare = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S)
        texts = {unescape(text).strip(" .,:;") for text in re.findall(r">([^<]+)<", bare)}
        texts |= {unescape(text) for text in re.findall(r'(?:aria-label|title|placeholder)="([^"]+)"', bare)}
        assert texts & english == set(), key
        shown = re.sub(r"<code>.*?</code>", "", bare, flags=re.S)
        words = set(re.findall(r"\w+", " ".join(unescape(text) for text in re.findall(r">([^<]+)<", shown))))
        assert {word for word in words if CODE.fullmatch(word) and "_" in word} == set(), (
            key
        )  # tables, columns, signals
        assert words & codes_of(data.portfolio) == set(), key


def codes_of(portfolio: Portfolio) -> set[str]:
    """The closed values of all contracts, but for those that are German words too."""
    columns = (column for table in tables_of(portfolio) for column in contract_of(table, portfolio).columns)
    declared = {value for column in columns for value in column.accepted}
    levels = portfolio.health.tiers.levels if portfolio.health else []
    labels = [level.name for level in levels] + list(portfolio.reports.labels["segment"])
    said = {form for forms in german().values() for form in forms}
    alike = {word for text in said for word in re.findall(r"\w+", text)}
    return {value for value in (*declared, *labels) if value not in alike}


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [(0.125, 2, "0.13"), (2.675, 2, "2.68"), (-0.125, 2, "−0.13"), (-0.04, 1, "0.0"), (1234.5, 0, "1,235")],
)
def test_figures_are_rounded_half_up_from_their_decimal_value(value: float, digits: int, expected: str) -> None:
    assert Language("en", "USD").number(value, digits) == expected
    assert rounded(value, digits) == rounded(str(rounded(value, digits)), digits)


@pytest.mark.parametrize(
    ("code", "value", "unit", "said"),
    [
        ("en", 1, "tickets", "1\u00a0ticket"),
        ("en", 2, "tickets", "2\u00a0tickets"),
        ("en", 1.4, "days", "1.4\u00a0days"),
        ("en", 1, "%", "1\u00a0%"),
        ("en", 1, "", "1"),
        ("de", 1, "Tage", "1\u00a0Tag"),
        ("de", 3, "Tage", "3\u00a0Tage"),
    ],
)
def test_a_unit_stands_in_the_singular_after_one(code: Code, value: float, unit: str, said: str) -> None:
    assert Language(code, "EUR").with_unit(value, unit) == said
