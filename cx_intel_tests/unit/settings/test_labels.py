"""Labels of a portfolio: one text or one in each language, and codes without one made readable by one rule."""

from pathlib import Path

import pandas as pd
import pytest

from cx_intel.reports.charts.drawing.palette import tier_marks
from cx_intel.reports.words.labels import Labels, in_english, readable
from cx_intel.settings.base import SettingsError
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.loader import parse_portfolio

YAML = """\
name: small
description: {en: A small book, de: Ein kleiner Bestand}
currency: {reporting: EUR}
account_attributes:
  plan: {type: text, description: What they bought., label: {en: Plan, de: Tarif}}
sources:
  - {kind: files, table: accounts, path: accounts.csv}
  - {kind: files, table: subscriptions, path: subscriptions.csv}
revenue: {basis: subscriptions}
health:
  signals:
    logins: {label: {en: Logins, de: Anmeldungen}, unit: {en: times, de: Mal}, measure: {kind: event_count, window_days: 30}}
  dimensions:
    usage: {weight: 1, signals: {logins: {weight: 1, curve: {linear: {zero: 0, full: 20}}}}}
  tiers:
    levels:
      - {name: good, label: {en: Good, de: Gut}, at_least: 50, is_healthy: true}
      - {name: at_risk, at_least: 0, is_healthy: false}
reports:
  language: de
  labels:
    segment: {mid_market: {en: Mid-market, de: Mittelstand}, smb: Kleinkunden}
"""


def parsed(text: str = YAML) -> Portfolio:
    return parse_portfolio(text, Path("books/small.yaml"))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("mid_market", "Mid market"),
        ("at_risk", "At risk"),
        ("p1", "P1"),
        ("smb", "SMB"),
        ("b2b_crm", "B2B CRM"),
        ("billing", "Billing"),
        ("Mid-Market", "Mid-Market"),
        ("CSM check-in", "CSM check-in"),
        ("Ada Löwe", "Ada Löwe"),
    ],
)
def test_a_code_is_made_readable_and_other_text_is_left(code: str, text: str) -> None:
    assert readable(code) == text


def test_labels_are_in_the_language_of_the_reports() -> None:
    labels = Labels(parsed())
    assert labels.description == "Ein kleiner Bestand"
    assert (labels.signal("logins", "?"), labels.unit("logins", "?"), labels.attribute("plan")) == (
        "Anmeldungen",
        "Mal",
        "Tarif",
    )
    assert [labels.of("segment", code) for code in ("mid_market", "smb", "enterprise", "all")] == [
        "Mittelstand",
        "Kleinkunden",
        "Enterprise",
        "all",  # of sums over all segments: no value of the portfolio
    ]
    assert [mark.label for mark in tier_marks(parsed())] == ["Gut", "At risk", "unbekannt"]
    english = Labels(in_english(parsed()))
    assert (english.of("segment", "mid_market"), english.of("segment", "smb")) == ("Mid-market", "Kleinkunden")
    assert english.signal("logins", "?") == "Logins"


def test_a_signal_that_is_no_more_keeps_the_label_of_its_day() -> None:
    assert Labels(parsed()).signal("gone", "Once measured") == "Once measured"


def test_rows_are_put_into_words_and_found_again() -> None:
    labels = Labels(parsed())
    rows = pd.DataFrame({"account_id": ["a", "b"], "segment": ["mid_market", None], "status": ["churned", "vip_x"]})
    words = labels.in_words("account_snapshot", rows)
    assert words["segment"].tolist() == ["Mittelstand", None]
    assert words["status"].tolist() == ["Abgegangen", "Vip x"]
    assert labels.code("segment", "Mittelstand") == "mid_market"
    assert labels.code("segment", "Someone") == "Someone"
    assert labels.in_words("actions", rows)["status"].tolist() == [
        "churned",
        "vip_x",
    ]  # of an action: no status of accounts


@pytest.mark.parametrize(
    ("wrong", "right", "line", "message"),
    [
        ("de: Anmeldungen}", "fr: Connexions}", 12, "fr"),
        ("label: {en: Good, de: Gut}", "label: {de: Gut}", 17, "en"),
        ("    segment: {", "    segmnt: {", 22, "has no values to label; there are category"),
    ],
)
def test_a_wrong_label_is_told_with_file_and_line(wrong: str, right: str, line: int, message: str) -> None:
    assert wrong in YAML
    with pytest.raises(SettingsError) as error:
        parsed(YAML.replace(wrong, right))
    assert any(p.line == line and message in f"{p.path} {p.message}" for p in error.value.problems), error.value
