"""What is told beside MRR and retention: missing deliveries, restatements, contracts against invoices, within a month."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel.contracts.catalog import tables_of
from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.charts.movements import waterfall
from cx_intel.reports.data.notes.ledger import (
    delivery,
    intra_month,
    ledger_notes,
    outside_mrr,
    reconciliation,
    refused,
    restated,
)
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.dashboard import dashboard
from cx_intel.reports.pages.revenue import revenue
from cx_intel.settings.revenue.recurring import RecurringRule
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_tables import accounts_of, fill

DECEMBER, JANUARY = date(2024, 12, 1), date(2025, 1, 1)
AMOUNTS = (
    "starting_mrr",
    "new_mrr",
    "reactivation_mrr",
    "expansion_mrr",
    "contraction_mrr",
    "churned_mrr",
    "ending_mrr",
)


def _month(month: date, **more: Any) -> dict[str, Any]:
    flat = dict.fromkeys(AMOUNTS, 0) | {"starting_mrr": 200, "ending_mrr": 200, "restated_mrr": 0}
    return flat | {"revenue_month": month, "ending_arr": 2400, "nrr_pct": 100, "churned_accounts": 0} | more


def _data(path: Path, **tables: list[dict[str, Any]]) -> ReportData:
    snapshot = accounts_of(["Ada", "Berta"])
    plain = {
        "account_snapshot": snapshot,
        "dim_account": [{k: v for k, v in row.items() if k != "as_of"} for row in snapshot],
        "nrr_summary": [_month(JANUARY)],
    }
    of = shipped("novacrm")
    rule = RecurringRule(column="line_type", values=["subscription"])
    changed = {"basis": "invoices", "recurring_only": rule}
    of = of.model_copy(update={"revenue": of.revenue.model_copy(update=changed)})
    assert set(tables) <= set(tables_of(of))
    return read_book(fill(path / "w.duckdb", of, plain | tables), of)


def _restated(account: str, figure: str, before: int, now: int, cause: str, **more: Any) -> dict[str, Any]:
    row = {"refresh_at": AS_OF, "revenue_month": DECEMBER, "account_id": account, "figure": figure, "cause": cause}
    return row | {"published": before, "now": now, "difference": now - before} | more


def test_a_month_that_counts_although_little_of_it_is_delivered_is_told(tmp_path: Path) -> None:
    data = _data(tmp_path, nrr_summary=[_month(JANUARY, delivered_pct=62.5)])
    (note,) = delivery(data, data.language)
    assert note.startswith("Of Jan 2025 only 62.5% is delivered, by MRR of the month before, and it counts")
    assert all(note in told for told in (dashboard(data).answer, revenue(data).answer))
    assert "Of Jan 2025 only 62.5%" in weekly_brief(data).html


@pytest.mark.parametrize("share", [80.0, pytest.param(None, marks=pytest.mark.slow)])
def test_a_delivered_month_needs_no_words(tmp_path: Path, share: float | None) -> None:
    data = _data(tmp_path, nrr_summary=[_month(JANUARY, delivered_pct=share)])
    assert delivery(data, data.language) == []


def test_the_newest_month_that_is_held_back_is_told(tmp_path: Path) -> None:
    months = [
        {"revenue_month": m, "due_mrr": 200, "answered_mrr": 2 * s, "delivered_pct": s, "is_counted": c}
        for m, s, c in ((DECEMBER, 100, True), (JANUARY, 30, False))
    ]
    data = _data(tmp_path, nrr_summary=[_month(DECEMBER)], mrr_delivery=months)
    expected = ["Jan 2025 is held back: only 30.0% of it is delivered, by MRR of the month before."]
    assert delivery(data, data.language) == expected


def test_months_published_otherwise_before_come_with_amount_and_cause(tmp_path: Path) -> None:
    rows = [
        _restated("c0", "mrr", 100, 70, "changed amount"),
        _restated("(all)", "ending_mrr", 200, 170, "changed amount"),
        _restated("c1", "unpublished_mrr", 0, 5, "late row", revenue_month=date(2024, 6, 1)),
        _restated("(all)", "ending_mrr", 200, 900, "late row", refresh_at=date(2025, 1, 30)),
    ]
    data = _data(tmp_path, restatements=rows)
    assert restated(data, data.language) == [
        "Restated on 31 Jan 2025: MRR of Dec 2024 by −$30.00 (changed amount).",
        "Closed months stand as published; by today's data MRR of Jun 2024 by +$5.00 (late row) would differ further.",
    ]
    (table,) = [t for s in revenue(data).sections for t in s.tables if t.key == "restatements"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["Ada", "Dec 2024", "$100.00", "$70.00", "−$30.00", "changed amount"]
    ]
    assert "Restated on 31 Jan 2025: MRR of Dec 2024" in weekly_brief(data).html


def test_after_a_closed_month_the_restated_amount_is_a_step_of_its_own(tmp_path: Path) -> None:
    row = {"account_id": "c0", "revenue_month": JANUARY, "mrr": 175, "previous_mrr": 175, "restated_mrr": -25}
    row |= {"revenue_movement": "flat", "expansion_mrr": 0, "contraction_mrr": 0}
    data = _data(tmp_path, nrr_summary=[_month(JANUARY, restated_mrr=-25, ending_mrr=175)], fct_revenue=[row])
    (note,) = restated(data, data.language)
    assert note.startswith("−$25 of the change in Jan 2025 is restated")
    steps = [(row["step"], row["amount"]) for row in waterfall(data).data["waterfall"]]
    assert steps[:2] == [("Starting", 200), ("Restated", -25)]
    headings = [heading.label for heading in revenue(data).sections[1].tables[0].headings]
    assert headings[:3] == ["Month", "Starting", "Restated"]


@pytest.mark.parametrize(
    ("median", "larger"), [(12.0, "contracts"), pytest.param(1 / 12, "invoices", marks=pytest.mark.slow)]
)
def test_contracts_and_invoices_apart_by_a_round_multiple_are_told(tmp_path: Path, median: float, larger: str) -> None:
    row = {"revenue_month": JANUARY, "contract_mrr": 100, "invoice_mrr": 100, "ledger_mrr": 100, "round_multiple": 12}
    rows = [row | {"account_id": f"c{n}", "median_ratio": median} for n in range(2)]
    data = _data(tmp_path, mrr_reconciliation=rows)
    (note,) = reconciliation(data, data.language)
    assert note.startswith(f"MRR by {larger} is about 12 times MRR by")
    assert note in revenue(data).answer


def test_what_came_and_went_within_the_last_month_is_told(tmp_path: Path) -> None:
    days = [(date(2025, 1, 3), date(2025, 1, 20)), (date(2024, 12, 2), date(2024, 12, 9))]
    rows = [
        {"account_id": "c0", "subscription_id": f"s{n}", "from": start, "to": end, "mrr": 40}
        for n, (start, end) in enumerate(days)
    ]
    data = _data(tmp_path, fct_revenue_intra_month=rows)
    told = "1 subscription of $40 a month came and went within Jan 2025: it is in no month end, and so in no movement."
    assert intra_month(data, data.language) == [told]
    assert told in revenue(data).sections[0].notes


def test_what_does_not_recur_is_told_beside_mrr(tmp_path: Path) -> None:
    fee = {"account_id": "c0", "source_table": "invoices", "product_name": "setup fee", "why": "line_type 'charge'"}
    rows = [
        fee | {"id": "i1", "billed_on": date(2025, 1, 9), "revenue_month": JANUARY, "amount": 500},
        fee | {"id": "i2", "billed_on": date(2025, 1, 20), "revenue_month": JANUARY, "amount": 250},
        fee | {"id": "i3", "billed_on": date(2024, 12, 2), "revenue_month": DECEMBER, "amount": 90},
    ]
    data = _data(tmp_path, non_recurring=rows)
    told = "2 lines of $750 in Jan 2025 do not recur and are no MRR."
    assert outside_mrr(data, data.language) == [told]
    section = revenue(data).sections[0]
    assert told in section.notes
    assert "Billed beside MRR, because it does not recur: 3" in [table.caption for table in section.tables]


def test_a_refused_delivery_is_told_beside_mrr_and_on_the_dashboard(tmp_path: Path) -> None:
    before = AS_OF - timedelta(days=2)
    data = _data(tmp_path, account_snapshot=[row | {"contracts_as_of": before} for row in accounts_of(["Ada"])])
    (told,) = refused(data, data.language)
    assert told == (
        "The subscriptions delivered for 31 Jan 2025 were refused, because too many were missing: contracts and MRR are "
        "those of 29 Jan 2025, and tiers are held."
    )
    assert told in revenue(data).answer
    assert told in dashboard(data).answer


def test_nothing_to_tell_is_nothing_said(tmp_path: Path) -> None:
    data = _data(tmp_path)
    assert ledger_notes(data, data.language) == []
