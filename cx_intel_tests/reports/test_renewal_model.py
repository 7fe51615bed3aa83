"""The model card, and that all reports say which probability they use, and why."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.data.notes.probability import assumptions, probability_source
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.frame.page import Page
from cx_intel.reports.pages.renewal_model import renewal_model
from cx_intel.reports.pages.renewals import renewals
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.past_renewals import learned_tables
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_tables import accounts_of, due, fill, listed, outlook

pytestmark = pytest.mark.slow

NAMES = ["Ada", "Berta"]
NOVACRM = shipped("novacrm")


def asking(of: Portfolio, probability_from: str) -> Portfolio:
    assert of.renewals is not None
    return of.model_copy(update={"renewals": of.renewals.model_copy(update={"probability_from": probability_from})})


def book(path: Path, asked: str, *, used: bool = False, **model: Any) -> ReportData:
    """Two renewals, and a model where anything is said of it."""
    source = {"renewal_probability": 0.41, "probability_from": "learned"} if used else {}
    tables: dict[str, list[dict[str, Any]]] = {
        "account_snapshot": accounts_of(NAMES),
        "renewal_pipeline": due(NAMES, **source),
        "cs_intervention_list": listed(NAMES, **source),
        "nrr_outlook": outlook(),
    }
    if model:
        tables |= {name: [dict(row) for row in rows] for name, rows in learned_tables(AS_OF).items()}
        tables["renewal_model"][0] |= model
    return read_book(fill(path / "w.duckdb", asking(NOVACRM, asked), tables), asking(NOVACRM, asked))


def said(data: ReportData) -> str:
    return probability_source(data, data.language)


def text_of(page: Page) -> str:
    cells = [cell.text for section in page.sections for table in section.tables for row in table.rows for cell in row]
    captions = [table.caption for section in page.sections for table in section.tables]
    return " ".join([*page.answer, *captions, *cells, *(note for s in page.sections for note in s.notes)])


def test_a_learnt_probability_is_told_with_both_brier_scores(tmp_path: Path) -> None:
    data = book(
        tmp_path, "learned", used=True, verdict="better", brier_learned=0.1471, brier_map=0.1769, judged_renewals=900
    )
    assert said(data).startswith("Probabilities of renewal are learnt from past renewals: on 900 renewals of ")
    assert "(Brier score 0.147 against 0.177; 0 is perfect)" in said(data)
    assert assumptions(data)[0].startswith("Save rates are assumptions")
    assert said(data) in weekly_brief(data).html
    page = text_of(renewals(data))
    assert said(data) in page
    assert "41%, learnt" in page


WITHHELD = dict.fromkeys(("brier_learned", "brier_map", "brier_base_rate", "brier_gain")) | {"verdict": "withheld"}


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ({**WITHHELD, "withheld_because": "too_few_lost", "lost_accounts_missing": 27}, "At least 27 more are needed."),
        ({**WITHHELD, "withheld_because": "too_few_months"}, "the months are too few"),
        (
            {**WITHHELD, "withheld_because": "not_installed"},
            "pip install 'cx-intel[learn]', then `cx-intel backtest novacrm`",
        ),
        ({"verdict": "not_better", "brier_learned": 0.18, "brier_map": 0.17}, "(Brier score 0.180 against 0.170;"),
        ({}, "`cx-intel backtest novacrm`"),
    ],
)
def test_where_the_map_is_used_though_another_was_asked_for_the_reason_is_told(
    model: dict[str, Any], why: str, tmp_path: Path
) -> None:
    data = book(tmp_path, "learned", **model)
    assert said(data).startswith("Learnt probabilities of renewal are asked for, and the map of the settings is used: ")
    assert why in said(data)
    assert assumptions(data)[0].startswith("Probabilities of renewal and save rates are assumptions")
    assert said(data) in renewal_model(data).answer


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"verdict": "better"}, "The settings may ask for them."),
        ({"verdict": "not_better"}, ""),
        ({}, ""),
    ],
)
def test_where_nobody_asks_only_a_better_one_is_told(model: dict[str, Any], told: str, tmp_path: Path) -> None:
    assert said(book(tmp_path, "map", **model)).endswith(told) if told else said(book(tmp_path, "map", **model)) == ""


def test_the_card_tells_what_it_learnt_from_what_it_weighs_and_how_good_it_is(tmp_path: Path) -> None:
    page = renewal_model(book(tmp_path, "learned", used=True, verdict="better"))
    assert [section.title for section in page.sections] == [
        "How good it is",
        "What it was learnt from, and judged on",
        "What it looks at",
        "Limits",
    ]
    good, learnt, looks, limits = page.sections
    assert [figure.key for figure in good.figures] == ["reliability"]
    assert not good.figures[0].is_empty
    scores, bins = good.tables
    assert [row[0].text for row in scores.rows] == [
        "learnt",
        "map of the settings",
        "the same for all: the share that renewed before",
    ]
    assert {row[0].text for row in bins.rows} == {"learnt", "map"}
    assert [row[0].text for row in learnt.tables[0].rows] == ["learnt from", "judged on, not learnt from"]
    health = next(row for row in looks.tables[0].rows if row[0].text == "Health score")
    assert health[-1].text == "makes a renewal more likely"
    assert [row[0].text for row in looks.tables[1].rows] == ["Enterprise", "SMB"]
    assert len(limits.notes) == 5


def test_drift_stands_at_the_top_of_the_card(tmp_path: Path) -> None:
    drift = {"is_drifting": True, "live_since": AS_OF - timedelta(days=200), "live_renewals": 300}
    data = book(tmp_path, "learned", used=True, verdict="better", brier_live=0.25, brier_then=0.15, **drift)
    assert any(text.startswith("Drift: the model of") for text in renewal_model(data).answer)


def test_without_a_model_or_renewals_the_card_says_so(tmp_path: Path) -> None:
    assert renewal_model(book(tmp_path, "map")).answer[1] == "Nothing was learnt from past renewals yet."
