"""Playbooks and the intervention list: what is done, for whom first, and why in words."""

from typing import Any

import pytest

from cx_intel.contracts.renewals.layer import cs_intervention_list as contract
from cx_intel.models.renewals.actions import cs_intervention_list
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, shipped, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.renewal_tables import broken, days_from, drivers, pipeline_of, pipeline_rows

FLEET, NOVACRM = shipped("fleet"), shipped("novacrm")
RED, AMBER, GREEN = ({"health_tier": tier} for tier in ("Red", "Amber", "Green"))
ENTERPRISE, SMB = {"segment": "Enterprise"}, {"segment": "SMB"}


def signals(**given: float | None) -> dict[str, Any]:
    return {"signals": given}


@pytest.fixture(scope="module")
def chosen() -> dict[str, tuple[str, int, float]]:
    """Every branch of the playbooks of fleet, as one pipeline."""
    soon, later, far = ({"renewal_date": days_from(n)} for n in (30, 180, 181))
    given = {
        "critical large": RED | {"current_mrr": "416.67"},
        "critical": RED | {"current_mrr": "416.66"},
        "enterprise without QBR": AMBER | ENTERPRISE | signals(qbr_completed_this_quarter=0.0),
        "enterprise with QBR": AMBER | ENTERPRISE | signals(qbr_completed_this_quarter=1.0),
        "enterprise, QBR unknown": AMBER | ENTERPRISE | signals(qbr_completed_this_quarter=None),
        "SMB with low adoption": AMBER | SMB | signals(gps_adoption_pct=54.9),
        "Mid-Market with low adoption": AMBER | {"segment": "Mid-Market"} | signals(gps_adoption_pct=0.0),
        "SMB with adoption": AMBER | SMB | signals(gps_adoption_pct=55.0),
        "SMB, adoption unknown": AMBER | SMB,
        "medium, not logged in": AMBER | later | signals(days_since_last_login=31.0),
        "medium, logged in": AMBER | later | signals(days_since_last_login=30.0),
        "medium, far": AMBER | far | signals(days_since_last_login=31.0),
        "low": GREEN,
        "cancelled": GREEN | {"is_cancelled": True},
    }
    table = pipeline_of(FLEET, [{"account_id": k} | soon | v for k, v in given.items()])
    return values(table, "recommended_playbook", "due_in_days", "save_rate")


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("critical large", ("Executive escalation + emergency EBR", 3, 0.35)),
        ("critical", ("CSM-led emergency review", 3, 0.35)),
        ("enterprise without QBR", ("CSM-led QBR + executive sponsor outreach", 7, 0.30)),
        ("enterprise with QBR", ("CSM-led health review", 7, 0.30)),
        ("enterprise, QBR unknown", ("CSM-led health review", 7, 0.30)),
        ("SMB with low adoption", ("CSM check-in + product training session", 7, 0.30)),
        ("Mid-Market with low adoption", ("CSM check-in + product training session", 7, 0.30)),
        ("SMB with adoption", ("CSM-led health review", 7, 0.30)),
        ("SMB, adoption unknown", ("CSM-led health review", 7, 0.30)),
        ("medium, not logged in", ("Automated check-in sequence + feature nudge", 21, 0.20)),
        ("medium, logged in", ("CSM check-in", 21, 0.20)),
        ("medium, far", ("CSM check-in", 21, 0.20)),
        ("low", ("Automated renewal + expansion play", 60, 0.0)),
        ("cancelled", ("Win-back call", 3, 0.0)),
    ],
)
def test_first_playbook_that_fits(
    chosen: dict[str, tuple[str, int, float]], account: str, expected: tuple[str, int, float]
) -> None:
    assert chosen[account] == expected


def test_every_playbook_of_fleet_is_reached(chosen: dict[str, tuple[str, int, float]]) -> None:
    assert {action for action, _, _ in chosen.values()} == {p.action for p in FLEET.playbooks}


def listed(*given: dict[str, Any], why: tuple[dict[str, Any], ...] = (), of: Portfolio = FLEET) -> Any:
    return kept_once(cs_intervention_list, pipeline_rows(of, given), drivers(of, why), portfolio=of, as_of=AS_OF)


def with_capacity(number: int | None) -> Portfolio:
    return FLEET.model_copy(update={"renewals": FLEET.renewals.model_copy(update={"capacity_per_owner": number})})


def test_only_critical_and_high_within_the_window_in_order() -> None:
    table = listed(
        {"account_id": "d", "expected_arr_loss": 500},
        {"account_id": "c", "expected_arr_loss": 500},
        {"account_id": "b", "expected_arr_loss": 500, "days_to_renewal": 29},
        {"account_id": "a", "expected_arr_loss": 499.99, "renewal_risk": "Critical", "days_to_renewal": 0},
        {"account_id": "last day", "expected_arr_loss": 1, "days_to_renewal": 90},
        {"account_id": "late", "expected_arr_loss": 900, "days_to_renewal": 91},
        {"account_id": "medium", "expected_arr_loss": 900, "renewal_risk": "Medium"},
        {"account_id": "low", "expected_arr_loss": 900, "renewal_risk": "Low"},
    )
    assert values(table, "priority_rank") == {"b": 1, "c": 2, "d": 3, "a": 4, "last day": 5}


def test_due_by_the_playbook_the_day_before_the_renewal_or_tomorrow() -> None:
    given = {
        "playbook": (7, 8),
        "renewal": (7, 7),
        "two days": (7, 2),
        "tomorrow": (7, 1),
        "today": (0, 0),
        "late": (7, -9),
    }
    table = listed(
        *(
            {"account_id": k, "due_in_days": due, "renewal_date": days_from(days), "days_to_renewal": days}
            for k, (due, days) in given.items()
        )
    )
    expected = {"playbook": 7, "renewal": 6, "two days": 1, "tomorrow": 1, "today": 1, "late": 1}
    assert values(table, "due_date") == {k: days_from(v) for k, v in expected.items()}


def test_cancelled_accounts_come_first_and_take_no_capacity() -> None:
    cancelled = {"renewal_risk": "Cancelled", "is_cancelled": True, "renewal_probability": 0.0, "save_rate": 0.0}
    table = listed(
        {"account_id": "high", "owner": "A", "expected_arr_loss": 900},
        {"account_id": "less", "owner": "A", "expected_arr_loss": 800},
        {"account_id": "gone", "owner": "A", "expected_arr_loss": 10, **cancelled},
        {"account_id": "gone too", "owner": "A", "expected_arr_loss": 5, **cancelled},
        of=with_capacity(1),
    )
    assert values(table, "priority_rank", "is_within_capacity") == {
        "gone": (1, True),
        "gone too": (2, True),
        "high": (3, True),
        "less": (4, False),
    }


def test_capacity_is_each_owners_and_those_without_owner_share_one() -> None:
    owners = {"a1": "A", "a2": "A", "b1": "B", "n1": "(none)", "a3": "A", "n2": "(none)"}
    given = [
        {"account_id": name, "owner": owner, "expected_arr_loss": 100 - n}
        for n, (name, owner) in enumerate(owners.items())
    ]
    both = values(listed(*given, of=with_capacity(1)), "is_within_capacity")
    assert both == {"a1": True, "a2": False, "b1": True, "n1": True, "a3": False, "n2": False}
    assert all(values(listed(*given, of=with_capacity(None)), "is_within_capacity").values())


IN_WORDS = {
    "GPS adoption 22 % (benchmark 80 %)": {"signal": "gps_adoption_pct", "value": 22.0, "benchmark": 80.0},
    "GPS adoption 22.3 % (benchmark 80.5 %)": {"signal": "gps_adoption_pct", "value": 22.25, "benchmark": 80.5},
    "Mobile DAU/MAU 0.05 (benchmark 0.4)": {"signal": "mobile_dau_mau", "value": 0.045, "benchmark": 0.4},
    "Open support tickets 6 tickets": {"signal": "open_support_tickets", "value": 6.0},
    "Reports generated in 30 days 0 reports": {"signal": "reports_generated_30d", "value": 0.0},
    "QBR held this quarter: no": {"signal": "qbr_completed_this_quarter", "value": 0.0, "benchmark": 1.0},
    "QBR held this quarter: yes": {"signal": "qbr_completed_this_quarter", "value": 1.0},
}


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """What is said of each case of IN_WORDS, an account of its own."""
    why = tuple({"account_id": words, "points_lost": 9.0} | reason for words, reason in IN_WORDS.items())
    return values(listed(*({"account_id": words} for words in IN_WORDS), why=why), "primary_risk_signal")


@pytest.mark.parametrize("words", IN_WORDS)
def test_primary_risk_signal_in_words(words: str, said: dict[str, str]) -> None:
    assert said[words] == words


def test_amounts_below_zero_read_well() -> None:
    given = pipeline_rows(
        NOVACRM, [{"account_id": "a", "recommended_playbook": "CSM save plan", "health_tier": "neutral"}]
    )
    why = [{"account_id": "a", "signal": "net_mrr_change", "value": -50.0, "points_lost": 22.5}]
    table = cs_intervention_list(given, drivers(NOVACRM, why), portfolio=NOVACRM, as_of=AS_OF)
    assert values(table, "primary_risk_signal") == {"a": "MRR change in the last month -50 USD"}


def test_primary_risk_signal_is_measured_loses_most_and_ties_by_name() -> None:
    why = (
        {"account_id": "a", "signal": "nps_score", "value": 5.0, "points_lost": 3.0},
        {"account_id": "a", "signal": "csat_score", "value": 3.0, "points_lost": 3.0},
        {"account_id": "a", "signal": "gps_adoption_pct", "value": 70.0, "points_lost": 2.9},
        {"account_id": "a", "signal": "mobile_dau_mau", "points_lost": 9.0, "is_measured": False},
        {"account_id": "nothing lost", "signal": "csat_score", "value": 5.0},
    )
    table = listed({"account_id": "a"}, {"account_id": "nothing lost"}, {"account_id": "no drivers"}, why=why)
    assert values(table, "primary_signal", "primary_risk_signal") == {
        "a": ("csat_score", "CSAT in 90 days 3 of 5"),
        "nothing lost": (None, None),
        "no drivers": (None, None),
    }


def test_the_list_keeps_its_contract_and_its_rules_can_fail() -> None:
    pipeline = pipeline_of(FLEET, [{"account_id": k, **RED} for k in "abc"])
    table = kept_once(cs_intervention_list, pipeline, drivers(FLEET, []), portfolio=FLEET, as_of=AS_OF)
    of = contract(FLEET)
    assert broken(table, of, renewal_pipeline=pipeline) == []
    short = table.filter(table.account_id != "a")
    assert broken(short, of, renewal_pipeline=pipeline) == [
        "ranked_in_order",
        "listed_renewals_are_in_the_pipeline",
    ]
    late = table.mutate(due_date=days_from(31))
    assert broken(late, of, renewal_pipeline=pipeline) == ["due_before_renewal"]


def test_a_list_without_rows_is_held_against_the_pipeline_too() -> None:
    table = listed({"account_id": "a"})
    nobody = table.filter(table.account_id != "a")
    of = contract(FLEET)
    assert broken(nobody, of, renewal_pipeline=pipeline_rows(FLEET, [])) == []
    assert broken(nobody, of, renewal_pipeline=pipeline_rows(FLEET, [{"account_id": "a"}])) == [
        "listed_renewals_are_in_the_pipeline"
    ]
