"""Each rule of the health and risk contracts, once kept and once broken."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.health import changes, drivers
from cx_intel.contracts.health import scores as health
from cx_intel.contracts.health.risk import churn_risk_view
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, rows, shipped

NOVACRM = shipped("novacrm")
GRAIN = {"as_of": AS_OF, "account_id": "A"}

SIGNAL = GRAIN | {"signal": "csat_30d", "value": 4, "is_stale": False}
DRIVER = GRAIN | {
    "signal": "csat_30d", "value": 4, "signal_score": 75, "weight": 0.2, "points": 15, "points_lost": 5,
    "is_measured": True,
}  # fmt: skip
SCORE = GRAIN | {
    "health_score": 60.1, "unrounded_score": 60.05, "health_tier": "healthy", "is_healthy": True,
    "coverage_pct": 100, "model_version": "novacrm-1",
}  # fmt: skip
CHANGE = GRAIN | {
    "compared_as_of": date(2025, 1, 1), "health_score_change": -9.96, "score_from": 70.1, "score_to": 60.1,
}  # fmt: skip
RISK = GRAIN | {
    "is_low_health": True, "is_usage_declining": False, "has_escalations": True,
    "has_revenue_contraction": False, "risk_signal_count": 2, "risk_level": "high",
}  # fmt: skip


@pytest.mark.parametrize(
    ("contract", "rule", "good", "fault"),
    [
        (drivers.account_signals, "stale_is_missing", SIGNAL, {"is_stale": True}),
        (drivers.health_score_drivers, "points_and_lost_are_the_weight", DRIVER, {"points": 14}),
        (drivers.health_score_drivers, "measured_has_value_and_score", DRIVER, {"value": None}),
        (health.customer_health_scores, "tier_agrees_with_score", SCORE, {"health_tier": "neutral"}),
        (health.customer_health_scores, "tier_agrees_with_score", SCORE, {"coverage_pct": 49}),
        (health.customer_health_scores, "unknown_is_neither_healthy_nor_not", SCORE, {"is_healthy": None}),
        (health.customer_health_scores, "model_version_is_configured", SCORE, {"model_version": "old"}),
        (health.customer_health_scores, "rounded_to_a_tenth", SCORE, {"unrounded_score": 60.2}),
        (changes.health_score_changes, "looks_back", CHANGE, {"compared_as_of": AS_OF}),
        (changes.health_score_changes, "change_agrees_with_scores", CHANGE, {"score_to": 70.1}),
        (churn_risk_view, "signal_count_is_of_the_flags", RISK, {"risk_signal_count": 1}),
        (churn_risk_view, "low_risk_has_no_flag", RISK, {"risk_level": "low"}),
    ],
)
def test_a_rule_holds_and_finds_its_fault(
    contract: Callable[[Portfolio], Contract], rule: str, good: dict[str, Any], fault: dict[str, Any]
) -> None:
    made = contract(NOVACRM)
    holds = next(invariant.holds for invariant in made.invariants if invariant.name == rule)
    table = rows(made, [good, good | fault])
    assert [bool(held) for held in holds(table).to_pyarrow().to_pylist()] == [True, False]


def broken(contract: Contract, given: list[dict[str, Any]], **others: Any) -> int:
    (cross,) = contract.cross_invariants
    return cross.broken({"self": rows(contract, given), **others}).count().execute()


def test_the_weights_of_an_account_sum_to_one_or_to_nothing() -> None:
    contract = drivers.health_score_drivers(NOVACRM)
    assert broken(contract, [DRIVER | {"weight": 0.4}, DRIVER | {"weight": 0.6}]) == 0
    assert broken(contract, [DRIVER | {"weight": 0, "signal_score": None}]) == 0
    assert broken(contract, [DRIVER | {"weight": 0.4}, DRIVER | {"weight": 0.5}]) == 1


def test_the_points_of_an_account_sum_to_its_score() -> None:
    def drivers_of(*points: float) -> Any:
        return rows(drivers.health_score_drivers(NOVACRM), [DRIVER | {"points": p} for p in points])

    contract = health.customer_health_scores(NOVACRM)
    assert broken(contract, [SCORE], health_score_drivers=drivers_of(40, 20.05)) == 0
    assert broken(contract, [SCORE], health_score_drivers=drivers_of(40, 20.06)) == 1
    assert broken(contract, [SCORE], health_score_drivers=drivers_of()) == 1


def test_the_drivers_of_a_change_sum_to_it() -> None:
    contract = changes.health_score_change_drivers(NOVACRM)
    of_change = rows(changes.health_score_changes(NOVACRM), [CHANGE])
    part = {key: CHANGE[key] for key in ("account_id", "as_of", "compared_as_of")} | {"signal": "csat_30d"}
    two = [part | {"points_change": -10}, part | {"signal": "net_mrr_change", "points_change": 0.04}]
    assert broken(contract, two, health_score_changes=of_change) == 0
    assert broken(contract, two[:1], health_score_changes=of_change) == 1


def test_a_portfolio_without_a_health_block_has_no_scores() -> None:
    bare = NOVACRM.model_copy(update={"health": None, "churn_risk": None})
    with pytest.raises(ValueError, match="portfolio novacrm has no health block"):
        health.customer_health_scores(bare)
    assert churn_risk_view(bare).column_names == churn_risk_view(NOVACRM).column_names
