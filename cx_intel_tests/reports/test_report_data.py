"""What all reports are made of: who is in the book, the three figures called ARR, accounts without a segment."""

import re
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.reports.brief.facts import facts_of
from cx_intel.reports.brief.view import view_of
from cx_intel.reports.charts.accounts import account_rows
from cx_intel.reports.charts.drawing.picture import dashboard_svg
from cx_intel.reports.data.figures.arr import arr_figures
from cx_intel.reports.data.figures.kpis import kpis
from cx_intel.reports.data.figures.money import money_figures, money_sentence
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.accounts import accounts
from cx_intel.reports.pages.dashboard import dashboard
from cx_intel.reports.pages.renewals import renewals as renewals_page
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_tables import accounts_of, due, fill


def _tables(of: Portfolio) -> dict[str, list[dict[str, Any]]]:
    """Two accounts that pay, one of them without a score; one erased and one churned, both with a contract."""
    snapshot = accounts_of(["Ada", "Berta", "Erased", "Churned"])
    snapshot[2] |= {"account_id": "erased-1"}
    snapshot[3] |= {"account_id": "c3", "is_churned": True}
    level = of.health.tiers.levels[0].name if of.health else ""
    score = {"as_of": AS_OF, "account_id": "c0", "current_mrr": 100, "current_arr": 1200, "health_score": 90.0}
    score |= {"health_tier": level, "confirmed_tier": level, "is_healthy": True, "is_frozen": False}
    month = {"revenue_month": date(2025, 1, 1), "ending_mrr": 190, "ending_arr": 2280, "churned_accounts": 0}
    return {
        "account_snapshot": snapshot,
        "dim_account": [{k: v for k, v in row.items() if k != "as_of"} for row in snapshot],
        "customer_health_scores": [score],
        "nrr_summary": [month],
    }


def _data(path: Path, of: Portfolio, **more: list[dict[str, Any]]) -> ReportData:
    return read_book(fill(path / "w.duckdb", of, _tables(of) | more), of)


@pytest.mark.parametrize(
    ("include_churned", "book"), [pytest.param(False, ["c0", "c1"], marks=pytest.mark.slow), (True, ["c0", "c1", "c3"])]
)
def test_every_report_has_the_same_book(tmp_path: Path, include_churned: bool, book: list[str]) -> None:
    data = _data(tmp_path, shipped("novacrm").model_copy(update={"include_churned": include_churned}))
    assert sorted(data.book["account_id"]) == book
    assert facts_of(data).money == {AS_OF: (100.0 * len(book), len(book))}
    assert [kpi.value for kpi in kpis(data)[:2]] == [1200.0 * len(book), len(book)]
    assert sorted(row["id"] for row in account_rows(data)) == book
    assert sorted(row["id"] for row in accounts(data).datasets["accounts"]) == book


def test_arr_is_three_figures_that_one_sentence_reconciles(tmp_path: Path) -> None:
    data = _data(tmp_path, shipped("novacrm"))
    arr = arr_figures(data)
    assert (arr.book, arr.scored, arr.month_end) == (2400.0, 1200.0, 2280.0)
    assert arr.reconciled(data.language) == (
        "ARR is $2,400, of the 2 accounts that pay on 31 Jan 2025; $1,200 of it is of the 1 with a health score; the "
        "ledger ended Jan 2025 at $2,280, and +$120 is what contracts differ from it or changed since."
    )
    assert arr.reconciled(data.language) in dashboard(data).answer


def test_one_sentence_relates_what_is_exposed_lost_saved_and_simulated(tmp_path: Path) -> None:
    """Of three renewals within 90 days two are not healthy, one of those is to be called; a later one is left out."""
    renewals = due(["Ada", "Berta", "Carl", "Dora"], health_tier="at_risk", is_lapsed=False)
    renewals[2] |= {"exposed_arr": 0, "is_healthy": True, "renewal_probability": 0.92, "expected_arr_loss": 96}
    renewals[3] |= {"is_within_window": False, "exposed_arr": 0}
    call = {
        k: v
        for k, v in renewals[0].items()
        if k in contract_of("cs_intervention_list", shipped("novacrm")).column_names
    }
    call |= {"priority_rank": 1, "is_within_capacity": True, "is_held_out": False, "due_date": AS_OF}
    rates = {"simulated_p10": 150, "simulated_p90": 280}
    outlook = [
        {"as_of": AS_OF, "segment": "all", "scenario": name, "starting_mrr": 300, "ending_mrr": kept}
        for name, kept in rates.items()
    ]
    more = {"renewal_pipeline": renewals, "cs_intervention_list": [call], "nrr_outlook": outlook}
    data = _data(tmp_path, shipped("novacrm"), **more)
    assert money_figures(data) == {
        "due": 3600.0,
        "exposed": 2400.0,
        "exposed_accounts": 2.0,
        "loss": 1176.0,
        "exposed_loss": 1080.0,
        "acted_on": 1.0,
        "acted_loss": 540.0,
        "saved": 162.0,
        "low": 240.0,
        "high": 1800.0,
    }
    sentence = (
        "$2,400 of $3,600 ARR due within 90 days is exposed (accounts not healthy or cancelled: 2). If nobody acts, $1,176 "
        "is expected to be lost by each account's probability of renewal ($1,080 of the exposed, $96 of other renewals). "
        "Playbooks for those to call or called (1, $540 of that) are assumed to save $162, which leaves $1,014. Without "
        "action, 8 of 10 simulations of the whole company lose $240 to $1,800."
    )
    assert money_sentence(data) == sentence
    texts = [dashboard(data).answer, renewals_page(data).answer, [view_of(data, facts_of(data))["money"]]]
    assert all(sentence in text for text in texts)
    picture = re.sub(r"<[^>]*>|\s", "", unescape(dashboard_svg(data, dashboard(data).answer)))
    assert "".join(sentence.split()) in picture


def test_accounts_without_a_segment_are_none_and_stay_in_the_maximum(tmp_path: Path) -> None:
    nobody = due(["Ada", "Berta"], segment=None, owner=None, health_tier="at_risk")
    data = _data(tmp_path, shipped("novacrm"), renewal_pipeline=nobody)
    assert set(data["renewal_pipeline"]["segment"]) == {"(none)"}
    assert "most of it in (none) ($2,400)" in dashboard(data).answer[1]
