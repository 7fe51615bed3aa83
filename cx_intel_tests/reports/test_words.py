"""The words of reports: every English text has a German one with the same gaps, and pages say no other."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

import cx_intel
from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.contracts.staging.reasons import MORE, REASONS, pieces, told_of_row
from cx_intel.models.expressions.reasons import Reason, as_json, reason, reason_within
from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.signals import event_words, label_of
from cx_intel.reports.pages.frame.layout import breakable, render
from cx_intel.reports.pages.frame.publishing import MENU, PAGES
from cx_intel.reports.words.catalogue import CATALOGUES
from cx_intel.reports.words.labels import CODE, Labels
from cx_intel.reports.words.language import Code, Language
from cx_intel.reports.words.reasons import why
from cx_intel.reports.words.rounding import rounded, rounded_all
from cx_intel.reports.words.tables import table_name
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import executed, shipped
from cx_intel_tests.helpers.report_books import book_of

KEYWORDS = {"say": None, "term": None, "count": (1, 2), "plural": (1, 2), "sentence": (2,)}
ROOT = Path(cx_intel.__file__).parent
GAP = re.compile(r"\{(\w+)\}")


def collected() -> set[str]:
    """The English texts in code, templates and scripts; of two forms the first."""
    with (CATALOGUES / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    folders = (ROOT / "reports", ROOT / "orchestration" / "schedules")
    found = [
        text for folder in folders for _, _, text, _, _ in extract_from_dir(folder, methods, options, KEYWORDS, ())
    ]
    found += [
        text for _, text, *_ in extract_from_file("python", ROOT / "contracts" / "staging" / "reasons.py", KEYWORDS, ())
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


def reasons_told(*reasons: Reason) -> list[tuple[str, str]]:
    """Reasons as staging writes them: the sentence and its parts of each, in one query."""
    columns = {
        f"{name}{n}": part
        for n, one in enumerate(reasons)
        for name, part in zip("sp", (one.sentence, as_json(one.part)), strict=True)
    }
    (row,) = executed(ibis.memtable({"x": [1]}).select(**columns)).to_pylist()
    return [(row[f"s{n}"], row[f"p{n}"]) for n in range(len(reasons))]


@pytest.mark.parametrize(
    ("given", "english", "said"),
    [
        (
            {"code": "no_date", "column": "day", "value": ibis.literal("a; \"b\" \\\t'c'")},
            "day: 'a; \"b\" \\\t'c'' is not a date (YYYY-MM-DD, or as date_formats say)",
            "day: „a; \"b\" \\ 'c'“ ist kein Datum (JJJJ-MM-TT oder wie unter date_formats)",
        ),
        (
            {"code": "above", "column": "quantity", "value": "9e99", "limit": 1e9},
            "quantity: '9e99' is above 1,000,000,000",
            "quantity: „9e99“ ist über 1.000.000.000",
        ),
        (
            {"code": "ended_without_day", "value": "Gone"},
            "status: 'Gone' says that it has ended, nothing says when, and no load showed it in force: map the day to "
            "end_date, or state {Gone: never} under revenue.subscription_statuses if such ones never count",
            "status: „Gone“ sagt, dass der Vertrag beendet ist, nichts sagt, wann, und keine Lieferung zeigte ihn in Kraft: "
            "den Tag als end_date zuordnen, oder unter revenue.subscription_statuses {Gone: never} angeben, wenn solche nie "
            "zählen",
        ),
    ],
)
def test_a_reason_is_told_in_both_languages_whatever_its_values_hold(given: Any, english: str, said: str) -> None:
    ((sentence, part),) = reasons_told(reason(**given))
    assert sentence == english
    assert why(sentence, part, Language("en", "EUR")) == english
    assert why(sentence, part, Language("de", "EUR")) == said
    assert why(f"{sentence}; {sentence}", f"[{part}, {part}]", Language("de", "EUR")) == f"{said}; {said}"


def test_a_reason_within_a_reason() -> None:
    ((_, within),) = reasons_told(linked := reason("domain_of_none", value="x.example"))
    told = reason_within("no_account", Reason(linked.sentence, ibis.literal(within)), system="crm", value="7")
    ((sentence, part),) = reasons_told(told)
    assert sentence == "no account: crm '7' has the domain 'x.example', as no account has"
    assert (
        why(sentence, part, Language("de", "EUR"))
        == "kein Kunde: crm „7“ hat die Domain „x.example“, die kein Kunde hat"
    )


@pytest.mark.parametrize("parts", [None, '[{"code": "of a later version"}]', '[{"code": "no_account", "why": ""}]'])
def test_what_another_version_rejected_is_told_in_its_own_words(parts: str | None) -> None:
    assert why("something else", parts, Language("de", "EUR")) == "something else"


def test_a_reader_of_files_and_staging_tell_every_reason_alike() -> None:
    gaps = {code: {gap: f"<{gap}>" for _, gap in pieces(code) if gap} for code in REASONS}
    by_staging = reasons_told(*(reason(code, **gaps[code]) for code in REASONS))
    assert by_staging == [tuple(told_of_row(code, **gaps[code]).split(MORE)) for code in REASONS]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    return book_of(tmp_path_factory.mktemp("fleet") / "w.duckdb", shipped("fleet"))


@pytest.mark.slow
def test_why_a_tier_changed_is_told_in_the_language_of_the_pages(fleet: ReportData) -> None:
    moved = '{"gps_adoption_pct": -8.2, "nps_score": -1}'
    event = {"event_type": "tier_change", "from_value": "Green", "to_value": "Amber", "signal": None}
    tiers = event_words(fleet, event)
    assert event_words(fleet, event | {"signal_points": None}) == tiers
    signals = f"{label_of(fleet, 'gps_adoption_pct')} −8,2, {label_of(fleet, 'nps_score')} −1,0"
    assert event_words(fleet, event | {"signal_points": moved}) == f"{tiers}: {signals} (Punkte)"


@pytest.mark.slow
def test_no_english_is_left_on_a_german_page(fleet: ReportData) -> None:
    data = fleet
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


@pytest.mark.parametrize("digits", [0, 1, 2])
def test_a_column_is_rounded_as_each_of_its_numbers(digits: int) -> None:
    given = [0.125, 2.675, -2.675, 1.005, 0.5, -0.5, 1e6 + 0.05, 0.0, 12.3449, 99.95]
    assert rounded_all(pd.Series(given), digits).tolist() == [float(rounded(value, digits)) for value in given]
    assert rounded_all(pd.Series([None, 1.25]), digits).isna().tolist() == [True, False]


def test_charts_tables_and_people_are_told_in_german() -> None:
    german = Language("de", "EUR")
    assert german.vega_locale()["percent"] == "\u00a0%"
    assert german.unit_after_one("Berichte") == "Bericht"
    labels = Labels(shipped("fleet"))
    assert table_name("legacy_system_health_summary", german, labels.attribute) == "Health nach Altsystem"
    people = labels.in_words("dim_contact", pd.DataFrame({"contact_role": ["end_user", "Einkauf", None]}))
    assert list(people["contact_role"])[:2] == ["Anwender", "Einkauf"]


def test_addresses_of_mail_may_break_and_nothing_else_is_markup() -> None:
    assert breakable("a@b.example <x>") == "a<wbr>@b.example &lt;x&gt;"
