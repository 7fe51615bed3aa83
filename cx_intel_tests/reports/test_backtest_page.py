"""The page that asks whether the score can be trusted: each verdict in a sentence, its picture and its table."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel.contracts.backtest.results import (
    BACKWARDS,
    CHANCE,
    HEALTH_SCORE,
    MAY_KNOW,
    NO_BETTER,
    PREDICTS,
    TOO_FEW,
    TOO_LITTLE,
    USES_LEAK,
)
from cx_intel.reports.data.notes.backtest import judgement, of_the_quarter, window_of
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.backtest import backtest
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_tables import accounts_of, fill

OF_TEN = "Of ten accounts that left within 90 days, the score had 7 below the middle of those that stayed"
SAID = {
    PREDICTS: f"Yes. {OF_TEN}, and it tells more than tenure and ARR, or usage, do alone.",
    NO_BETTER: f"Only in part. {OF_TEN}, but tenure and ARR, or usage, alone tell it as well.",
    CHANCE: f"Not so far. {OF_TEN}, which may be chance.",
    TOO_LITTLE: f"No verdict yet. {OF_TEN}, but on most of those days too little was measured for a tier: that is not the "
    "score of today.",
    BACKWARDS: f"No, it runs backwards. {OF_TEN}: who left had the higher scores.",
    MAY_KNOW: f"It is too good to be true. {OF_TEN}: the score seems to know the outcome.",
    USES_LEAK: f"It is too good to be true. {OF_TEN}: a signal seems to be entered once a customer has left.",
    TOO_FEW: "No verdict yet: 7 accounts left within 90 days of a past month end, and it takes 13 more.",
}


def counted(**more: Any) -> dict[str, Any]:
    base = {"as_of": AS_OF, "outcome": "churn", "window_days": 90, "slice": "all", "slice_value": "all"}
    return base | {"observations": 100, "accounts": 40, "events": 9, "event_accounts": 7} | more


def result(verdict: str, **more: Any) -> dict[str, Any]:
    missing = 13 if verdict == TOO_FEW else 0
    row = counted(
        predictor=HEALTH_SCORE, verdict=verdict, finding="as told", direction="unclear", unknown_tiers=0, known_later=0
    )
    return row | {"events_missing": missing, "below_median_pct": 71.4} | more


def rate(name: str, share: float) -> dict[str, Any]:
    return {f"{name}_pct": share, f"{name}_low_pct": share / 2, f"{name}_high_pct": share * 2}


def read(path: Path, *results: dict[str, Any], language: str = "en") -> ReportData:
    of = shipped("novacrm")
    of = of.model_copy(update={"reports": of.reports.model_copy(update={"language": language})})
    snapshot = accounts_of(["Ada"])
    bands = [
        {
            k: v
            for k, v in counted(band_from=band, mean_score=band + 5, **rate("event_rate", 20 - band / 10)).items()
            if not k.startswith("slice")
        }
        for band in (20, 80)
    ]
    tiers = [
        counted(health_tier=tier, lift=lift, share_of_events_pct=50, **rate("event_rate", 9))
        for tier, lift in (("at_risk", 2.5), ("champion", 0.4))
    ]
    tables = {
        "account_snapshot": snapshot,
        "dim_account": [{k: v for k, v in row.items() if k != "as_of"} for row in snapshot],
        "backtest_results": list(results),
        "backtest_bands": bands if results else [],
        "backtest_tiers": tiers if results else [],
    }
    return read_book(fill(path / "w.duckdb", of, tables), of)


@pytest.mark.slow
@pytest.mark.parametrize("verdict", SAID)
def test_each_verdict_is_a_sentence(tmp_path: Path, verdict: str):
    assert judgement(read(tmp_path, result(verdict))) == SAID[verdict]


@pytest.mark.slow
def test_one_account_is_told_as_one(tmp_path: Path):
    told = judgement(read(tmp_path, result(TOO_FEW, event_accounts=1, events_missing=19)))
    assert told == "No verdict yet: 1 account left within 90 days of a past month end, and it takes 19 more."


def test_the_page_has_one_sentence_one_picture_one_table(tmp_path: Path):
    page = backtest(read(tmp_path, result(PREDICTS), result(CHANCE, window_days=180)))
    assert page.title == "Can the score be trusted?"
    assert page.answer == [SAID[PREDICTS]]
    (figure,) = [figure for section in page.sections for figure in section.figures]
    assert [row["left"] for row in figure.data["bands"]] == [18.0, 12.0]
    (table,) = [table for section in page.sections for table in section.tables]
    assert [row[0].text for row in table.rows] == ["Champion", "At risk"]
    assert table.rows[1][-1].text == "2.5 times"


@pytest.mark.slow
def test_where_ninety_days_are_not_over_a_shorter_window_is_shown(tmp_path: Path):
    assert window_of(read(tmp_path, result(TOO_FEW, window_days=30), result(TOO_FEW, window_days=60))) == 60


@pytest.mark.slow
def test_without_a_back_test_there_is_no_verdict(tmp_path: Path):
    page = backtest(read(tmp_path))
    assert page.answer == ["No verdict yet: what followed is not known of any past month end."]
    assert page.sections == []


@pytest.mark.slow
def test_it_is_told_in_german(tmp_path: Path):
    told = judgement(read(tmp_path, result(PREDICTS), language="de"))
    assert told.startswith("Ja. Von zehn Kunden, die innerhalb von 90 Tagen gingen, lagen 7 im Score unter der Mitte")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("day", "is_told"),
    [(date(2025, 1, 7), True), (date(2025, 1, 8), False), (date(2025, 4, 1), True), (date(2025, 2, 3), False)],
)
def test_the_brief_tells_it_in_the_first_week_of_a_quarter(tmp_path: Path, day: date, is_told: bool):
    data = replace(read(tmp_path, result(PREDICTS)), as_of=day)
    assert of_the_quarter(data) == ([f"Can the score be trusted? {SAID[PREDICTS]}"] if is_told else [])
