"""Past renewals as the model is fitted to them, its terms applied to accounts of today, and where the pipeline takes them."""

import math
from datetime import date
from typing import Any

import ibis.expr.types as ir
import pytest

from cx_intel.contracts.backtest import past
from cx_intel.contracts.core import fct_usage
from cx_intel.contracts.renewals import learned as contracts
from cx_intel.contracts.renewals.layer import renewal_pipeline as pipeline_contract
from cx_intel.models.renewals.actions import cs_intervention_list
from cx_intel.models.renewals.learned.observations import renewal_observations
from cx_intel.models.renewals.learned.probabilities import renewal_probabilities
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, fetched, rows, shipped, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.renewal_tables import broken, days_from, drivers, pipeline_of, scores

FLEET, NOVACRM = shipped("fleet"), shipped("novacrm")
MONTH_END = date(2024, 8, 31)


def learning(of: Portfolio) -> Portfolio:
    assert of.renewals is not None
    return of.model_copy(update={"renewals": of.renewals.model_copy(update={"probability_from": "learned"})})


def term(name: str, weight: float, **more: Any) -> dict[str, Any]:
    measure = name.split("=", maxsplit=1)[0]
    ordinary = {"fitted_for": "in_use", "term": name, "measure": measure, "shrinkage": 1.0, "calibration_slope": 1.0}
    return {"as_of": days_from(-31), **ordinary, "weight": weight} | more


TERMS = [
    term("intercept", 1.0),
    term("health_score", 0.8, center=50.0, scale=20.0),
    term("tenure", 0.5, center=math.log(2), scale=0.5),
    term("segment=SMB", -0.4, segment="SMB"),
    term("intercept", 9.0, as_of=days_from(-60)),
    term("intercept", 7.0, as_of=days_from(1)),
    term("intercept", 8.0, fitted_for="judged"),
]


def said(given: list[dict[str, Any]], terms: list[dict[str, Any]] = TERMS) -> ir.Table:
    models = [
        {"as_of": day, "model_version": f"v{day}", "verdict": "better", "lost_accounts_missing": 0}
        for day in {row["as_of"] for row in terms}
    ]
    score = ("health_tier", "health_score")
    given = [{"health_tier": "Amber", "health_score": 50.0} | row for row in given]
    return kept_once(
        renewal_probabilities,
        accounts(FLEET, [{k: v for k, v in row.items() if k not in score} for row in given]),
        scores(FLEET, [{k: row[k] for k in ("account_id", *score)} for row in given]),
        rows(fct_usage(FLEET), []),
        rows(contracts.renewal_model(FLEET), models),
        rows(contracts.renewal_model_terms(FLEET), terms),
        portfolio=FLEET,
        as_of=AS_OF,
    )


def probability(log_odds: float) -> float:
    return round(1 / (1 + math.exp(-log_odds)), 4)


def test_the_newest_terms_of_the_day_are_applied() -> None:
    due = {"renewal_date": days_from(30), "segment": "Other", "tenure_days": None}
    table = said(
        [
            {"account_id": "average", **due},
            {"account_id": "scored", **due, "health_score": 75.0},
            {"account_id": "long", **due, "tenure_days": 365 * 3},
            {"account_id": "small", **due, "segment": "SMB"},
        ]
    )
    assert values(table, "learned_probability") == {
        "average": probability(1),
        "scored": probability(1 + 0.8 * 25 / 20),
        "long": probability(1 + 0.5 * (math.log(4) - math.log(2)) / 0.5),
        "small": probability(1 - 0.4),
    }
    assert {row["model_as_of"] for row in fetched(table)} == {days_from(-31)}
    assert broken(table, contracts.renewal_probabilities(FLEET)) == []


def test_only_renewals_such_as_were_learnt_from_of_the_book_and_ahead_within_the_window() -> None:
    table = said(
        [
            {"account_id": "due", "renewal_date": days_from(90)},
            {"account_id": "later", "renewal_date": days_from(91)},
            {"account_id": "tomorrow", "renewal_date": days_from(1)},
            {"account_id": "today", "renewal_date": days_from(0)},
            {"account_id": "overdue", "renewal_date": days_from(-3)},
            {"account_id": "cancelled", "renewal_date": days_from(20), "is_cancelled": True},
            {"account_id": "unknown", "renewal_date": days_from(20), "health_tier": "unknown"},
            {"account_id": "left", "renewal_date": days_from(20), "current_mrr": 0},
        ]
    )
    assert set(values(table, "learned_probability")) == {"due", "tomorrow"}


def test_nothing_is_certain_and_nothing_is_said_without_a_model() -> None:
    given = [{"account_id": "due", "renewal_date": days_from(9)}]
    assert values(said(given, [term("intercept", 400.0)]), "learned_probability") == {"due": 0.99}
    assert values(said(given, [term("intercept", -400.0)]), "learned_probability") == {"due": 0.01}
    assert values(said(given, [term("intercept", 1.0, as_of=days_from(1))]), "learned_probability") == {}


GIVEN = [
    {"account_id": "better", "health_tier": "Red", "learned": ("better", 0.8123)},
    {"account_id": "worse", "health_tier": "Red", "learned": ("not_better", 0.8123)},
    {"account_id": "unlearned", "health_tier": "Red"},
    {"account_id": "later", "health_tier": "Red", "learned": ("better", 0.8), "renewal_date": days_from(91)},
    {
        "account_id": "cancelled",
        "health_tier": "Red",
        "learned": ("better", 0.8),
        "is_cancelled": True,
        "announced_end_date": days_from(30),
    },
]
COLUMNS = ("renewal_probability", "probability_from", "map_probability", "expected_renewal_arr", "expected_arr_loss")


def test_the_pipeline_takes_the_learnt_probability_where_asked_and_better() -> None:
    table = pipeline_of(learning(FLEET), GIVEN)
    assert values(table, *COLUMNS) == {
        "better": (0.8123, "learned", 0.3, 974.76, 225.24),
        "worse": (0.3, "map", 0.3, 360, 840),
        "unlearned": (0.3, "map", 0.3, 360, 840),
        "later": (0.55, "map", 0.55, 660, 540),
        "cancelled": (0.0, "announced_end", 0.0, 0, 1200),
    }
    assert values(table, "learned_probability")["later"] is None
    assert broken(table, pipeline_contract(learning(FLEET))) == []


def test_without_being_asked_it_stands_beside_the_map() -> None:
    table = pipeline_of(FLEET, GIVEN)
    assert values(table, "renewal_probability", "probability_from", "learned_probability")["better"] == (
        0.3,
        "map",
        0.8123,
    )


def test_the_list_says_which_and_follows_it() -> None:
    of = learning(FLEET)
    table = cs_intervention_list(pipeline_of(of, GIVEN[:2]), drivers(of, []), portfolio=of, as_of=AS_OF)
    assert values(table, "priority_rank", "expected_arr_loss", "probability_from") == {
        "worse": (1, 840, "map"),
        "better": (2, 225.24, "learned"),
    }


def observed(given: list[dict[str, Any]], as_of: date = AS_OF) -> ir.Table:
    """What is learnt from: each account scored on the month end, with a renewal within 90 days, kept unless said."""
    ordinary = {
        "scored_on": MONTH_END,
        "as_of": as_of,
        "current_arr": 1200,
        "days_to_renewal": 30,
        "renewal_risk": "High",
        "health_tier": "Amber",
    }
    followed = [
        {
            "scored_on": MONTH_END,
            "account_id": row["account_id"],
            "as_of": as_of,
            "window_days": days,
            "is_churned": False,
        }
        | {"is_not_renewed": row.get("is_not_renewed", False)}
        for row in given
        for days in (30, 90)
    ]
    scored = [ordinary | {k: v for k, v in row.items() if k != "is_not_renewed"} for row in given]
    return renewal_observations(
        rows(past.backtest_scores(FLEET), scored),
        rows(past.backtest_outcomes(FLEET), followed),
        portfolio=FLEET,
        as_of=as_of,
    )


def test_past_renewals_are_measured_as_accounts_of_today_are() -> None:
    table = observed(
        [
            {"account_id": "a", "health_score": 61.5, "tenure_days": 730, "usage_events_30d": 9, "segment": "SMB"},
            {"account_id": "b", "days_to_renewal": 2, "is_not_renewed": True, "renewal_risk": "Critical"},
        ]
    )
    columns = ("segment", "health_score", "tenure", "usage", "map_probability", "is_renewed")
    found = values(table, *columns)
    assert found["a"] == ("SMB", 61.5, pytest.approx(math.log(3)), pytest.approx(math.log(10)), 0.55, True)
    assert found["b"] == ("(none)", None, None, None, 0.3, False)
    assert values(table, "arr")["a"] == pytest.approx(math.log(1201))


@pytest.mark.parametrize(
    "change",
    [{"health_tier": "unknown"}, {"renewal_risk": "Cancelled"}, {"renewal_risk": None}, {"is_not_renewed": None}],
)
def test_nobody_learns_from_what_was_announced_or_not_due(change: dict[str, Any]) -> None:
    assert values(observed([{"account_id": "a", **change}]), "is_renewed") == {}


def test_a_window_that_is_not_over_teaches_nothing() -> None:
    assert values(observed([{"account_id": "a"}], date(2024, 11, 28)), "is_renewed") == {}  # 89 days
    assert values(observed([{"account_id": "a"}], date(2024, 11, 29)), "is_renewed") == {"a": True}
