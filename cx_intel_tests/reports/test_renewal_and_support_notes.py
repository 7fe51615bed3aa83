"""What is told beside renewals and service levels: cancelled, overdue, lapsed and shrinking accounts; replies and clocks."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.data.notes.renewals import mark_of, renewal_notes
from cx_intel.reports.data.report_data import ReportData, records
from cx_intel.reports.data.service_levels import service_levels
from cx_intel.reports.pages.dashboard import dashboard
from cx_intel.reports.pages.renewals import renewals
from cx_intel.reports.pages.support import support
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_tables import accounts_of, due, fill

NAMES = ["Ada", "Berta", "Cora", "Dora", "Emma"]


def _data(path: Path, of: Portfolio, **tables: list[dict[str, Any]]) -> ReportData:
    snapshot = accounts_of(NAMES)
    plain = {
        "account_snapshot": snapshot,
        "dim_account": [{k: v for k, v in row.items() if k != "as_of"} for row in snapshot],
    }
    return read_book(fill(path / "w.duckdb", of, plain | tables), of)


def _pipeline() -> list[dict[str, Any]]:
    rows = due(NAMES, announced_contraction_mrr=0, announced_contraction_90d_mrr=0)
    rows[0] |= {"is_cancelled": True, "renewal_risk": "Cancelled"}
    passed = {"is_overdue": True, "renewal_date": AS_OF - timedelta(days=2), "days_to_renewal": -2}
    rows[1] |= passed
    rows[2] |= passed | {"is_lapsed": True}
    rows[3] |= {"announced_contraction_mrr": 40, "announced_contraction_90d_mrr": 15}
    return rows


def test_cancelled_overdue_lapsed_and_shrinking_accounts_are_told_and_marked(tmp_path: Path) -> None:
    data = _data(tmp_path, shipped("novacrm"), renewal_pipeline=_pipeline())
    told = renewal_notes(data)
    assert told == [
        "Cancelled, and lost in every scenario: Ada ($1,200 ARR, ends 2 Mar 2025).",
        "1 renewal with $1,200 ARR is overdue: its date has passed, and no contract began since.",
        "The term of 1 account ended without a successor: its last ARR of $1,200 is among the renewals and outside the book.",
        "1 account that stays has announced to give up $40 MRR, $15 of it within 90 days, off every scenario.",
    ]
    assert [mark_of(row) for row in sorted(records(data["renewal_pipeline"]), key=lambda row: row["account_id"])] == [
        "cancelled",
        "overdue",
        "lapsed, outside the book",
        "ends in part",
        "",
    ]
    assert renewals(data).answer[2:] == told
    assert told[0] in dashboard(data).answer
    brief = weekly_brief(data).html
    assert all(note in brief for note in told)
    (upcoming,) = [t for s in renewals(data).sections for t in s.tables if t.key == "upcoming"]
    assert [[row[0].text, row[2].text] for row in upcoming.rows[:2]] == [
        ["Berta", "2 days overdue"],
        ["Cora", "2 days overdue, lapsed, outside the book"],
    ]


def test_a_pipeline_without_any_of_it_needs_no_words(tmp_path: Path) -> None:
    assert renewal_notes(_data(tmp_path, shipped("novacrm"), renewal_pipeline=due(NAMES))) == []


def _month(**more: Any) -> dict[str, Any]:
    counted = {"total_tickets": 10, "resolved_tickets": 9, "within_sla": 6, "sla_breaches": 2, "unjudged_tickets": 1}
    where = {"ticket_month": date(2025, 1, 1), "dimension_type": "priority", "dimension_value": "p1"}
    return where | counted | {"first_replies_judged": 8, "first_reply_breaches": 2} | more


def _with_reply_targets() -> Portfolio:
    of = shipped("novacrm")
    return of.model_copy(update={"support": of.support.model_copy(update={"first_reply_target_hours": {"p1": 1.0}})})


def test_service_levels_tell_replies_unjudged_tickets_and_the_clock(tmp_path: Path) -> None:
    data = _data(tmp_path, _with_reply_targets(), sla_adherence=[_month(first_reply_adherence_pct=75)])
    told = service_levels(data)
    assert told == [
        "Of the 8 tickets created in Jan 2025 and resolved, 75.0% were in time.",
        "Late by priority: P1 2.",
        "Resolved and in no share, for want of a target or a time of resolution: 1.",
        "Of the 8 first replies to tickets created in Jan 2025, 75.0% came in time.",
        "0 of the 0 unresolved tickets are older than the target.",
        "Targets are those of each ticket's present priority: no history of its changes is delivered.",
        "Times run by the calendar, nights and weekends included.",
    ]
    assert support(data).answer == told
    assert told[3] in weekly_brief(data).html
    headings = [heading.label for heading in support(data).sections[1].tables[0].headings]
    assert "First reply in time" in headings
    assert "Not judged" in headings


def test_without_a_reply_there_is_no_share_and_without_a_target_no_word(tmp_path: Path) -> None:
    none = [_month(first_replies_judged=0, first_reply_breaches=0)]
    data = _data(tmp_path, _with_reply_targets(), sla_adherence=none)
    assert "No first reply to a ticket created in Jan 2025 can be judged." in service_levels(data)
    data = _data(tmp_path, shipped("novacrm"), sla_adherence=none)
    assert not [sentence for sentence in service_levels(data) if "first repl" in sentence]
