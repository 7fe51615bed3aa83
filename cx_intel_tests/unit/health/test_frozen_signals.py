"""Signals of sources that fell silent: missing and marked as stale, those of other sources not."""

from datetime import date, datetime
from typing import Any

import pytest

from cx_intel_tests.helpers.measured_signals import TABLES, days, measured, ticket


def fresh(table: str, *, is_frozen: bool) -> dict[str, list[dict[str, Any]]]:
    """What is known of how new a source is, and that all others are new enough."""
    told = {name: {"source_table": name, "is_late": True, "is_frozen": False} for name in (*TABLES, "mrr_history")}
    told[table]["is_frozen"] = is_frozen
    return {"source_freshness": list(told.values())}


READ_BY = [
    ("usage_events", {"kind": "event_count"}, days(d11=1)),
    ("metrics", {"kind": "metric", "metric": "m"},
     {"stg_metrics": [{"account_id": "A", "metric": "m", "measured_on": date(2025, 1, 20), "value": 1}]}),
    ("support_tickets", {"kind": "tickets", "figure": "created"},
     {"stg_support_tickets": [ticket(1, datetime(2025, 1, 20))]}),
    ("csm_activities", {"kind": "activity_in_quarter", "activity_type": "qbr"},
     {"stg_csm_activities": [
         {"activity_id": "1", "account_id": "A", "activity_type": "qbr", "status": "done",
          "completed_at": datetime(2025, 1, 20)}]}),
    ("nps_responses", {"kind": "latest_response"},
     {"stg_nps_responses": [
         {"response_id": "1", "account_id": "A", "score": 1, "responded_at": datetime(2025, 1, 20)}]}),
]  # fmt: skip


@pytest.mark.parametrize(("table", "measure", "given"), READ_BY)
def test_a_frozen_source_makes_the_signal_missing(
    table: str, measure: dict[str, Any], given: dict[str, list[dict]]
) -> None:
    assert measured(measure, given | fresh(table, is_frozen=False)) == {"A": 1}  # late alone takes nothing away
    assert measured(measure, given | fresh(table, is_frozen=True)) == {"A": None}
    assert measured(measure, given | fresh(table, is_frozen=True), column="is_stale") == {"A": True}
    other = "metrics" if table != "metrics" else "usage_events"
    assert measured(measure, given | fresh(other, is_frozen=True), column="is_stale") == {"A": False}


@pytest.mark.parametrize("is_frozen", [True, False])
def test_a_change_of_mrr_is_missing_when_the_source_of_the_ledger_is_frozen(is_frozen: bool) -> None:
    blocks: dict[str, Any] = {"revenue": {"basis": "mrr_history"}, "tables": (*TABLES, "mrr_history")}
    given = fresh("mrr_history", is_frozen=is_frozen)
    assert measured({"kind": "mrr_change"}, given, column="is_stale", **blocks) == {"A": is_frozen}
