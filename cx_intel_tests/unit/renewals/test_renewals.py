"""The pipeline: how likely a renewal is, and what is at stake. Dates are in `test_dates.py`."""

from datetime import date
from typing import Any

import pytest

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.renewals.layer import renewal_pipeline as contract
from cx_intel.models.renewals.pipeline import renewal_pipeline
from cx_intel_tests.helpers.builders import AS_OF, accounts, rows, shipped, values
from cx_intel_tests.helpers.renewal_tables import (
    broken,
    days_from,
    no_churn_risk,
    nothing_learned,
    pipeline_of,
    revenue,
    scores,
    signals,
)

FLEET, NOVACRM = shipped("fleet"), shipped("novacrm")


def test_risk_probability_and_amounts_of_every_level() -> None:
    due, later = {"renewal_date": days_from(90)}, {"renewal_date": days_from(91)}
    money = {"current_mrr": "83.34"}  # 1000.08 a year
    table = pipeline_of(
        FLEET,
        [
            {"account_id": "red due", "health_tier": "Red", **due, **money},
            {"account_id": "red later", "health_tier": "Red", **later, **money},
            {"account_id": "amber due", "health_tier": "Amber", **due, **money},
            {"account_id": "amber later", "health_tier": "Amber", **later, **money},
            {"account_id": "green", "health_tier": "Green", **due, **money},
            {"account_id": "unknown", "health_tier": "unknown", **due, **money},
            {"account_id": "unscored", **due, **money},
        ],
    )
    columns = (
        "renewal_risk",
        "renewal_probability",
        "expected_renewal_arr",
        "expected_arr_loss",
        "exposed_arr",
    )
    assert values(table, *columns) == {
        "red due": ("Critical", 0.30, 300.02, 700.06, 1000.08),
        "red later": ("High", 0.55, 550.04, 450.04, 0),
        "amber due": ("High", 0.55, 550.04, 450.04, 1000.08),
        "amber later": ("Medium", 0.75, 750.06, 250.02, 0),
        "green": ("Low", 0.92, 920.07, 80.01, 0),
        "unknown": ("Medium", 0.75, 750.06, 250.02, 0),
        "unscored": ("Medium", 0.75, 750.06, 250.02, 0),
    }
    assert values(table, "health_tier", "health_score")["unscored"] == ("unknown", None)
    assert broken(table, contract(FLEET)) == []


def test_half_a_cent_is_rounded_up_and_the_parts_still_sum() -> None:
    # 0.06 x 0.75 = 0.045; floats would make it 0.04499
    table = pipeline_of(
        FLEET,
        [
            {
                "account_id": "a",
                "health_tier": "Amber",
                "current_mrr": "0.01",
                "current_arr": "0.06",
                "renewal_date": days_from(100),
            }
        ],
    )
    assert values(table, "expected_renewal_arr", "expected_arr_loss") == {"a": (0.05, 0.01)}


def test_the_pipeline_reaches_from_today_to_270_days() -> None:
    given = {"31 days ago": -31, "30 days ago": -30, "today": 0, "window": 90, "after": 91, "end": 270, "beyond": 271}
    table = pipeline_of(FLEET, [{"account_id": k, "renewal_date": days_from(v)} for k, v in given.items()])
    assert values(table, "days_to_renewal", "months_to_renewal", "is_within_window") == {
        "30 days ago": (-30, 0, True),
        "today": (0, 0, True),
        "window": (90, 4, True),  # 1 May, and 31 January + 3 months is 30 April
        "after": (91, 4, False),
        "end": (270, 9, False),
    }


def test_months_to_renewal_count_started_months() -> None:
    given = {"a": date(2025, 1, 31), "b": date(2025, 2, 1), "c": date(2025, 2, 28), "d": date(2025, 3, 1)}
    table = pipeline_of(FLEET, [{"account_id": k, "renewal_date": v} for k, v in given.items()])
    assert values(table, "months_to_renewal") == {"a": 0, "b": 1, "c": 1, "d": 2}


def test_only_those_who_pay_and_have_not_churned() -> None:
    given = [
        {"account_id": "pays", "health_tier": "Green"},
        {"account_id": "pays nothing", "current_mrr": 0},
        {"account_id": "churned", "is_churned": True},
        {"account_id": "undated", "renewal_date": None},
    ]
    assert set(values(pipeline_of(FLEET, given), "current_arr")) == {"pays"}
    including = FLEET.model_copy(update={"include_churned": True})
    assert set(values(pipeline_of(including, given), "current_arr")) == {"pays", "churned"}


def test_novacrm_renewal_risk_is_the_churn_risk_level() -> None:
    levels = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
    table = pipeline_of(
        NOVACRM,
        [{"account_id": k, "health_tier": "healthy", "risk_level": k} for k in levels]
        + [{"account_id": "none", "health_tier": "healthy"}],
    )
    assert values(table, "renewal_risk") == levels | {"none": "Medium"}
    assert values(table, "recommended_playbook") == {
        "critical": "Executive call",
        "high": "CSM save plan",
        "medium": "CSM check-in",
        "low": "Automated renewal",
        "none": "CSM check-in",
    }
    assert broken(table, contract(NOVACRM)) == []


def test_expansion_potential_is_of_the_three_months_to_the_horizon() -> None:
    months = {date(2024, 10, 1): 1, date(2024, 11, 1): 20, date(2025, 1, 1): 300, date(2025, 2, 1): 4000}
    table = renewal_pipeline(
        accounts(FLEET, [{"account_id": k, "renewal_date": days_from(9), "is_overdue": True} for k in "ab"]),
        scores(FLEET, []),
        no_churn_risk(),
        signals(FLEET, {}),
        revenue(
            FLEET,
            [{"account_id": "a", "revenue_month": m, "expansion_mrr": amount} for m, amount in months.items()],
        ),
        nothing_learned(FLEET),
        portfolio=FLEET,
        as_of=AS_OF,
    )
    assert values(table, "expansion_potential_arr", "is_overdue") == {"a": (12 * 320, True), "b": (0, True)}


def test_account_attributes_are_carried() -> None:
    table = pipeline_of(FLEET, [{"account_id": "a", "legacy_system": "Vimcar", "vehicle_count": 7, "country": "AT"}])
    assert values(table, "legacy_system", "vehicle_count", "country") == {"a": ("Vimcar", 7, "AT")}


def test_rules_may_ask_for_attributes_and_signals_and_a_wrong_name_is_told() -> None:
    def with_rule(condition: dict[str, Any]) -> Any:
        given = FLEET.renewals.model_dump(by_alias=True) | {"risk": [{"if": condition, "risk": "Critical"}]}
        return FLEET.model_copy(update={"renewals": type(FLEET.renewals).model_validate(given)})

    ruled = with_rule({"gps_adoption_pct": {"less_than": 10}, "legacy_system": "Vimcar"})
    low = {"signals": {"gps_adoption_pct": 5.0}, "health_tier": "Green"}
    table = pipeline_of(ruled, [{"account_id": "a", "legacy_system": "Vimcar", **low}, {"account_id": "b", **low}])
    assert values(table, "renewal_risk") == {"a": "Critical", "b": "Medium"}
    with pytest.raises(KeyError, match="gps_adoptoin_pct"):
        pipeline_of(with_rule({"gps_adoptoin_pct": 1}), [])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"expected_arr_loss": 541}, "expected_parts_sum_to_arr"),
        ({"exposed_arr": 0}, "exposed_when_at_risk_and_due"),
        ({"health_tier": "unknown"}, "unknown_is_medium"),
        ({"days_to_renewal": 31}, "days_lead_to_the_date"),
        ({"days_to_renewal": 271}, "days_to_renewal: maximum"),
        ({"days_to_renewal": -31}, "days_to_renewal: minimum"),
        ({"is_cancelled": True}, "cancelled_is_lost"),
        ({"is_cancelled": True, "renewal_risk": "Cancelled"}, "cancelled_is_lost"),
    ],
)
def test_each_rule_of_the_pipeline_can_fail(change: dict[str, Any], rule: str) -> None:
    sound = {
        "as_of": AS_OF,
        "account_id": "a",
        "current_mrr": 100,
        "current_arr": 1200,
        "health_tier": "Amber",
        "is_healthy": False,
        "renewal_date": days_from(30),
        "is_overdue": False,
        "is_cancelled": False,
        "is_lapsed": False,
        **dict.fromkeys(("announced_contraction_mrr", "announced_contraction_90d_mrr", "lapsed_mrr"), 0),
        **dict.fromkeys(("segment", "country", "owner"), "(none)"),
        "days_to_renewal": 30,
        "months_to_renewal": 1,
        "is_within_window": True,
        "renewal_risk": "High",
        "renewal_probability": 0.55,
        "map_probability": 0.55,
        "probability_from": "map",
        "expected_renewal_arr": 660,
        "expected_arr_loss": 540,
        "exposed_arr": 1200,
        "expansion_potential_arr": 0,
        "recommended_playbook": "CSM-led health review",
        "due_in_days": 7,
        "save_rate": 0.3,
        "effort_hours": 1.0,
    }
    of: Contract = contract(FLEET)
    assert broken(rows(of, [sound]), of) == []
    assert rule in broken(rows(of, [sound | change]), of)


def test_a_cancelled_account_is_lost_whatever_its_tier() -> None:
    ends = {"is_cancelled": True, "announced_end_date": days_from(30)}
    later = ends | {"renewal_date": days_from(91)}
    given = [
        {"account_id": "green", "health_tier": "Green", **ends},
        {"account_id": "unscored", **ends},
        {"account_id": "later", "health_tier": "Green", **later},
    ]
    table = pipeline_of(FLEET, given)
    columns = ("renewal_risk", "renewal_probability", "expected_arr_loss", "exposed_arr", "due_in_days", "save_rate")
    assert values(table, *columns) == {
        "green": ("Cancelled", 0, 1200, 1200, 3, 0),
        "unscored": ("Cancelled", 0, 1200, 1200, 3, 0),
        "later": ("Cancelled", 0, 1200, 0, 3, 0),
    }
    assert set(values(table, "recommended_playbook").values()) == {"Win-back call"}
    assert broken(table, contract(FLEET)) == []


def test_a_lapsed_term_is_kept_with_its_last_mrr_outside_the_book() -> None:
    lapsed = {"lapsed_mrr": 50, "renewal_date": days_from(-5), "is_overdue": True}
    given = [
        {"account_id": "gone", "current_mrr": 0, "is_churned": True, **lapsed},
        {"account_id": "pays on", "health_tier": "Green", **lapsed},
    ]
    table = pipeline_of(FLEET, given)
    columns = (
        "is_lapsed",
        "current_mrr",
        "current_arr",
        "lapsed_mrr",
        "days_to_renewal",
        "renewal_risk",
        "exposed_arr",
    )
    assert values(table, *columns) == {
        "gone": (True, 50, 600, 50, -5, "Medium", 0),
        "pays on": (False, 100, 1200, 50, -5, "Low", 0),
    }
    assert broken(table, contract(FLEET)) == []
