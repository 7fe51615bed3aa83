"""Past days scored by other weights from what was measured then: by hand, by day, with attributes of the day."""

from datetime import date
from typing import Any

import ibis
import pyarrow as pa
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.backtest.rescored import rescored
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import executed, shipped

pytestmark = pytest.mark.slow  # past days in the warehouse

DAYS = (date(2025, 1, 31), date(2025, 2, 28))
SIGNALS = {
    "one": {"label": "One", "measure": {"kind": "event_count", "window_days": 30}},
    "other": {"label": "Other", "measure": {"kind": "event_count", "window_days": 30}},
}


def portfolio(weight: float, **more: Any) -> Portfolio:
    """Two dimensions of a signal each, worth their value from 0 to 100."""
    curve = {"linear": {"zero": 0, "full": 100}}
    health = {
        "signals": SIGNALS,
        "dimensions": {
            "first": {"weight": weight, "signals": {"one": {"weight": 1, "curve": curve} | more}},
            "second": {"weight": 1 - weight, "signals": {"other": {"weight": 1, "curve": curve}}},
        },
        "tiers": {
            "levels": [
                {"name": "good", "at_least": 60, "is_healthy": True},
                {"name": "bad", "at_least": 0, "is_healthy": False},
            ]
        },
    }
    of = shipped("novacrm")
    assert of.health
    return of.model_copy(update={"health": type(of.health).model_validate(health)})


def scored(given: Portfolio, values: dict[tuple[date, str], tuple[float | None, float | None]]) -> dict[Any, Any]:
    """Day and account: score, tier, is_healthy by the settings."""
    scores = [{"scored_on": day, "account_id": a, "segment": "smb", "health_score": 1.0} for day, a in values]
    measured = [
        {"scored_on": day, "account_id": a, "signal": name, "value": value}
        for (day, a), both in values.items()
        for name, value in zip(SIGNALS, both, strict=True)
    ]
    history = [
        {"account_id": "A", "valid_from": date(2024, 1, 1), "valid_to": date(2025, 2, 10), "plan_tier": "starter"},
        {"account_id": "A", "valid_from": date(2025, 2, 10), "valid_to": None, "plan_tier": "growth"},
    ]
    tables = [
        ibis.memtable(pa.Table.from_pylist(rows, schema=contract.schema().to_pyarrow()))
        for contract, rows in (
            (contract_of("backtest_scores", given), scores),
            (contract_of("backtest_signals", given), measured),
            (contract_of("account_history", given), history),
        )
    ]
    found = executed(rescored(*tables, portfolio=given, days=DAYS)).to_pylist()
    return {(r["scored_on"], r["account_id"]): (r["health_score"], r["health_tier"], r["is_healthy"]) for r in found}


def test_scores_and_tiers_of_each_day_by_hand() -> None:
    values = {(DAYS[0], "A"): (80.0, 40.0), (DAYS[1], "A"): (20.0, 90.0), (DAYS[1], "B"): (None, 70.0)}
    assert scored(portfolio(0.5), values) == {
        (DAYS[0], "A"): (60.0, "good", True),  # 0.5 x 80 + 0.5 x 40
        (DAYS[1], "A"): (55.0, "bad", False),
        (DAYS[1], "B"): (70.0, "good", True),  # half of it is measured, which is enough
    }
    assert scored(portfolio(0.25), values) == {
        (DAYS[0], "A"): (50.0, "bad", False),  # 0.25 x 80 + 0.75 x 40
        (DAYS[1], "A"): (72.5, "good", True),
        (DAYS[1], "B"): (70.0, "good", True),
    }
    assert scored(portfolio(0.75), values)[DAYS[1], "B"] == (70.0, "unknown", None)  # a quarter is too little


def test_attributes_are_those_of_the_day() -> None:
    """The first signal is asked of growth plans alone, which the account has from 10 February on."""
    given = portfolio(0.5, applies_if={"plan_tier": "growth"})
    values = {(day, "A"): (80.0, 40.0) for day in DAYS}
    assert scored(given, values) == {(DAYS[0], "A"): (40.0, "bad", False), (DAYS[1], "A"): (60.0, "good", True)}


def test_what_is_not_kept_of_past_days_is_an_error() -> None:
    with pytest.raises(KeyError, match="'active_addon_count', which is not kept"):
        scored(portfolio(0.5, applies_if={"active_addon_count": {"more_than": 1}}), {(DAYS[0], "A"): (1.0, 1.0)})
