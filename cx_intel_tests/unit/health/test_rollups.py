"""Health summaries: the book by any attribute, with what is unknown kept apart."""

from datetime import date
from typing import Any

import ibis.expr.types as ir
import pytest

from cx_intel.contracts.renewals.layer import health_summary as contract
from cx_intel.models.health.rollups import health_summary
from cx_intel_tests.helpers.builders import AS_OF, accounts, rows, shipped, values
from cx_intel_tests.helpers.renewal_tables import broken, pipeline_rows, revenue, scores

FLEET, NOVACRM = shipped("fleet"), shipped("novacrm")
SMB = {"segment": "SMB"}
BOOK = (
    {"account_id": "a", **SMB, "health_tier": "Green", "health_score": 90.0, "current_arr": 1000},
    {"account_id": "b", **SMB, "health_tier": "Amber", "health_score": 60.0, "current_arr": 2000},
    {"account_id": "c", **SMB, "health_tier": "Red", "health_score": 30.0, "current_arr": 3000},
    {"account_id": "d", **SMB, "health_tier": "unknown", "health_score": 10.0, "current_arr": 4000},
    {"account_id": "e", "segment": None, "health_tier": "unknown", "health_score": None, "current_arr": 0},
)
DUE = (
    {"account_id": "a", "health_tier": "Green", "is_healthy": True, "current_arr": 1000, "exposed_arr": 0},
    {"account_id": "b", "current_arr": 2000, "exposed_arr": 2000},
    {"account_id": "c", "current_arr": 3000, "exposed_arr": 0, "is_within_window": False},
    {"account_id": "d", "health_tier": "unknown", "is_healthy": None, "current_arr": 4000, "exposed_arr": 0},
)


def summary(attribute: str, book: tuple[dict[str, Any], ...] = BOOK) -> ir.Table:
    grown = [
        {"account_id": "a", "revenue_month": date(2024, 11, 1), "expansion_mrr": 5},
        {"account_id": "d", "revenue_month": date(2025, 1, 1), "expansion_mrr": 7},
        {"account_id": "d", "revenue_month": date(2024, 10, 1), "expansion_mrr": 900},
    ]
    table = health_summary(
        scores(FLEET, book),
        pipeline_rows(FLEET, DUE),
        accounts(FLEET, [{"account_id": row["account_id"]} for row in book]),
        revenue(FLEET, grown),
        portfolio=FLEET,
        as_of=AS_OF,
        attribute=attribute,
    )
    assert broken(table, contract(FLEET, attribute), customer_health_scores=scores(FLEET, book)) == []
    return table


def row_of(table: ir.Table, attribute: str, value: str) -> dict[str, Any]:
    columns = tuple(c for c in table.columns if c not in ("as_of", attribute))
    return dict(zip(columns, values(table, *columns, by=attribute)[value], strict=True))


def test_counts_shares_and_exposure_of_a_segment() -> None:
    assert row_of(summary("segment"), "segment", "SMB") == {
        "customers": 4,
        "total_arr": 10_000,
        "avg_health_score": 60.0,  # of a, b, c: the unknown is left out
        "green_count": 1,
        "amber_count": 1,
        "red_count": 1,
        "unknown_count": 1,
        "not_healthy_pct": pytest.approx(200 / 3),
        "exposed_arr": 2000,
        "exposed_arr_pct": 20.0,
        "at_risk_customers": 1,
        "expansion_potential_arr": 144,
    }


def test_accounts_without_the_attribute_and_without_a_known_tier() -> None:
    none = row_of(summary("segment"), "segment", "(none)")
    assert (none["customers"], none["unknown_count"]) == (1, 1)
    assert (none["avg_health_score"], none["not_healthy_pct"], none["exposed_arr_pct"]) == (None, None, None)
    assert (none["exposed_arr"], none["at_risk_customers"], none["expansion_potential_arr"]) == (0, 0, 0)


def test_any_attribute_serves_even_a_number() -> None:
    book = tuple({k: v for k, v in row.items() if k != "segment"} | {"vehicle_count": 12} for row in BOOK)
    assert values(summary("vehicle_count", book), "customers", by="vehicle_count") == {"12": 5}
    assert set(values(summary("legacy_system"), "customers", by="legacy_system")) == {"(none)"}


def test_each_shipped_roll_up_has_a_table_with_the_tiers_of_its_portfolio() -> None:
    assert [contract(FLEET, a).table for a in FLEET.rollups] == [
        "segment_health_summary",
        "country_health_summary",
        "owner_health_summary",
        "legacy_system_health_summary",
    ]
    assert "at_risk_count" in contract(NOVACRM, "owner").column_names


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"green_count": 2}, ["tiers_sum_to_customers"]),
        ({"exposed_arr": 1001}, ["exposed_within_total"]),
        ({"total_arr": 999}, ["sums_to_the_book"]),
    ],
)
def test_each_rule_of_a_roll_up_can_fail(change: dict[str, Any], rules: list[str]) -> None:
    counts = {"customers": 1, "green_count": 1, "amber_count": 0, "red_count": 0, "unknown_count": 0}
    amounts = {"total_arr": 1000, "exposed_arr": 0, "at_risk_customers": 0, "expansion_potential_arr": 0}
    of = contract(FLEET, "segment")
    sound = {"as_of": AS_OF, **SMB, **counts, **amounts}
    book = scores(FLEET, BOOK[:1])
    assert broken(rows(of, [sound]), of, customer_health_scores=book) == []
    assert broken(rows(of, [sound | change]), of, customer_health_scores=book) == rules
