"""The outlook of NRR: closed forms worked by hand, and a simulation that agrees with them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cx_intel.contracts.renewals.layer import nrr_outlook as contract
from cx_intel.contracts.renewals.outlook import SCENARIOS
from cx_intel.models.renewals import outlook
from cx_intel.models.renewals.outlook import nrr_outlook, simulate
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, rows, shipped
from cx_intel_tests.helpers.renewal_tables import broken, pipeline_rows

FLEET = shipped("fleet")
SMB, ENTERPRISE = {"segment": "SMB"}, {"segment": "Enterprise"}
DUE = (
    {"account_id": "a", "current_mrr": 100, **SMB},  # Amber, High: 0.55, save rate 0.30
    {"account_id": "b", "current_mrr": 60, **SMB, "health_tier": "Green", "is_healthy": True}
    | {"renewal_risk": "Low", "renewal_probability": 0.92, "save_rate": 0.0},
    {"account_id": "c", "current_mrr": 40, **ENTERPRISE, "renewal_risk": "Critical"}
    | {"renewal_probability": 0.30, "save_rate": 0.35, "health_tier": "Red"},
)
LATER = {
    "account_id": "d",
    "current_mrr": 800,
    **ENTERPRISE,
    "days_to_renewal": 91,
    "is_within_window": False,
}


def small(draws: int = 1000) -> Portfolio:
    settings = FLEET.renewals.outlook.model_copy(update={"draws": draws})
    return FLEET.model_copy(update={"renewals": FLEET.renewals.model_copy(update={"outlook": settings})})


def outlook_of(
    pipeline: tuple[dict[str, Any], ...],
    *,
    listed: dict[str, bool],
    book: Any = None,
    of: Portfolio | None = None,
) -> pd.DataFrame:
    of = of or small()
    everyone = book or [{k: row[k] for k in ("account_id", "current_mrr", "segment")} for row in pipeline]
    interventions = pd.DataFrame({"account_id": list(listed), "is_within_capacity": list(listed.values())})
    snapshot = accounts(of, everyone).to_pandas()
    found = nrr_outlook(pipeline_rows(of, pipeline).to_pandas(), interventions, snapshot, portfolio=of, as_of=AS_OF)
    table = rows(contract(of), found.astype(object).where(found.notna(), None).to_dict("records"))
    assert broken(table, contract(of)) == []
    return found.set_index(["segment", "scenario"])


def test_closed_forms_of_segments_and_total() -> None:
    found = outlook_of((*DUE, LATER), listed={"a": True, "c": True})
    assert set(found.loc["all"].index) == set(SCENARIOS)
    ending = found["ending_mrr"].unstack()[["all_renew", "expected_no_action", "expected_with_playbooks", "worst_case"]]
    # SMB: 55 + 55.2, with playbooks 0.55 + 0.45 x 0.30 = 0.685; Enterprise: 12, 0.30 + 0.70 x 0.35 = 0.545;
    # worst case: a and c are not healthy, of b 0.92 stays
    assert ending.loc["SMB"].tolist() == [160, 110.2, 68.5 + 55.2, 55.2]
    assert ending.loc["Enterprise"].tolist() == [40, 12, 21.8, 0]
    assert ending.loc["all"].tolist() == [200, 122.2, 145.5, 55.2]
    total = found.loc[("all", "expected_no_action")]
    assert (total.renewals_due, total.starting_mrr, total.book_starting_mrr) == (3, 200, 1000)
    assert total.nrr_pct == pytest.approx(61.1, abs=1e-12)
    assert total.book_nrr_pct == pytest.approx(92.22, abs=1e-12)
    assert found.loc[("SMB", "worst_case"), "nrr_pct"] == 34.5


def test_playbooks_count_only_for_those_listed_within_capacity() -> None:
    found = outlook_of(DUE, listed={"a": False, "c": True})
    assert found.loc[("SMB", "expected_with_playbooks"), "ending_mrr"] == 110.2
    assert found.loc[("Enterprise", "expected_with_playbooks"), "ending_mrr"] == 21.8


def test_the_worst_case_of_a_healthy_book_is_what_is_expected() -> None:
    found = outlook_of(DUE[1:2], listed={})
    assert found.loc[("all", "worst_case"), "ending_mrr"] == 55.2
    assert found.loc[("all", "expected_no_action"), "ending_mrr"] == 55.2


def test_an_unknown_tier_is_not_lost_in_the_worst_case() -> None:
    unknown = DUE[0] | {
        "health_tier": "unknown",
        "is_healthy": None,
        "renewal_risk": "Medium",
        "renewal_probability": 0.75,
        "exposed_arr": 0,
    }
    assert outlook_of((unknown,), listed={}).loc[("all", "worst_case"), "ending_mrr"] == 75


def test_half_a_cent_is_rounded_up() -> None:
    given = DUE[0] | {"current_mrr": "0.10"}  # 0.055
    assert outlook_of((given,), listed={}).loc[("all", "expected_no_action"), "ending_mrr"] == 0.06


def test_the_book_is_who_pays_and_has_not_churned() -> None:
    book = [
        {"account_id": "a", "current_mrr": 100, **SMB},
        {"account_id": "gone", "current_mrr": 30, "is_churned": True, **SMB},
        {"account_id": "free", "current_mrr": 0, **SMB},
        {"account_id": "nowhere", "current_mrr": 7},
    ]
    found = outlook_of(DUE[:1], listed={}, book=book)["book_starting_mrr"]
    assert found.xs("all_renew", level="scenario").to_dict() == {"all": 107, "SMB": 100, "(none)": 7}
    including = small().model_copy(update={"include_churned": True})
    assert outlook_of(DUE[:1], listed={}, book=book, of=including).loc[("SMB", "all_renew"), "book_starting_mrr"] == 130


def test_segments_without_renewals_have_no_rate_of_them() -> None:
    found = outlook_of((LATER,), listed={})
    assert found["nrr_pct"].isna().all()
    assert set(found["book_nrr_pct"]) == {100.0}
    assert set(found["renewals_due"]) == {0}


def test_an_empty_book_has_a_total_of_nothing() -> None:
    none: tuple[dict[str, Any], ...] = ()
    of = small()
    found = nrr_outlook(
        pipeline_rows(of, none).to_pandas(),
        pd.DataFrame({"account_id": [], "is_within_capacity": []}),
        accounts(of, []).to_pandas(),
        portfolio=of,
        as_of=AS_OF,
    )
    assert found["segment"].tolist() == ["all"] * len(SCENARIOS)
    assert found["book_nrr_pct"].isna().all()


def test_two_accounts_are_drawn_as_their_probabilities_say() -> None:
    kept = simulate(np.array([10, 1]), np.array([0.5, 0.25]), np.array([0, 0]), segments=1, draws=200_000, seed=3)[0]
    shares = {amount: float((kept == amount).mean()) for amount in (0, 1, 10, 11)}
    assert shares == pytest.approx({0: 0.375, 1: 0.125, 10: 0.375, 11: 0.125}, abs=0.005)


def test_draws_are_near_the_closed_form_and_sum_over_segments() -> None:
    n = 300
    amounts, probabilities = np.arange(1, n + 1), np.tile([0.3, 0.55, 0.92], n // 3)
    codes = np.arange(n) % 2
    kept = simulate(amounts, probabilities, codes, segments=2, draws=4000, seed=5)
    spread = np.sqrt((amounts**2 * probabilities * (1 - probabilities)).sum())
    assert abs(kept.sum(axis=0).mean() - (amounts * probabilities).sum()) < 4 * spread / np.sqrt(4000)
    assert kept.sum(axis=0).std() == pytest.approx(spread, rel=0.05)


def test_certain_renewals_are_exact() -> None:
    given = (DUE[0] | {"renewal_probability": 1.0}, DUE[2] | {"renewal_probability": 0.0})
    found = outlook_of(given, listed={})
    for scenario in ("simulated_p10", "simulated_p50", "simulated_p90"):
        assert found.loc[("SMB", scenario), "ending_mrr"] == 100
        assert found.loc[("Enterprise", scenario), "ending_mrr"] == 0
        assert found.loc[("all", scenario), "ending_mrr"] == 100


def test_the_same_seed_gives_the_same_draws_however_accounts_are_chunked_and_ordered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = outlook_of(DUE, listed={})
    monkeypatch.setattr(outlook, "CELLS_AT_ONCE", 1)
    pd.testing.assert_frame_equal(whole, outlook_of(DUE[::-1], listed={}), check_like=True)


def test_quantiles_of_the_total_lie_around_its_expectation() -> None:
    many = tuple(DUE[0] | {"account_id": f"a{n:03}"} for n in range(200))
    total = outlook_of(many, listed={}).loc["all", "ending_mrr"]
    assert total["simulated_p10"] < total["expected_no_action"] < total["simulated_p90"]
    # normal: 11,000 -/+ 1.2816 x 100 x sqrt(200 x 0.55 x 0.45)
    assert total["simulated_p10"] == pytest.approx(11_000 - 901.7, abs=120)
    assert total["simulated_p90"] == pytest.approx(11_000 + 901.7, abs=120)


@pytest.mark.parametrize(
    ("scenario", "ending", "rule"),
    [
        ("worst_case", 51, "scenarios_in_order"),
        ("simulated_p50", 5, "scenarios_in_order"),
        ("all_renew", 201, "ends_within_start"),
    ],
)
def test_each_rule_of_the_outlook_can_fail(scenario: str, ending: float, rule: str) -> None:
    of = contract(FLEET)
    sound = {"as_of": AS_OF, "renewals_due": 1, "learned_renewals": 0, "starting_mrr": 100, "book_starting_mrr": 200}
    sound |= {"lapsed_mrr": 0, "announced_contraction_mrr": 0}
    ordinary = {"ending_mrr": 50, "nrr_pct": 50.0, "book_nrr_pct": 75.0}
    given = [
        {**sound, **ordinary, "segment": segment, "scenario": s} | ({"ending_mrr": 100} if s == "all_renew" else {})
        for segment in ("all", "SMB")
        for s in SCENARIOS
    ]
    assert broken(rows(of, given), of) == []
    wrong = [row | ({"ending_mrr": ending} if row["scenario"] == scenario else {}) for row in given]
    assert rule in broken(rows(of, wrong), of)
    assert broken(rows(of, given[: len(SCENARIOS)]), of) == ["segments_sum_to_total"]


CANCELLED = {"renewal_risk": "Cancelled", "is_cancelled": True, "renewal_probability": 0.0, "save_rate": 0.0}


def test_a_cancelled_account_is_lost_in_every_scenario() -> None:
    found = outlook_of((DUE[0] | CANCELLED | {"is_healthy": True}, LATER), listed={"a": True})
    assert set(found.loc["all", "ending_mrr"]) == {0}
    assert found.loc["all", "book_nrr_pct"].tolist() == pytest.approx([100 * 800 / 900] * len(SCENARIOS))


def test_announced_contractions_are_off_every_scenario_due_or_not() -> None:
    due, later = DUE[0] | {"announced_contraction_90d_mrr": 40}, LATER
    book = [
        {"account_id": "a", "current_mrr": 100, **SMB, "announced_contraction_90d_mrr": 40},
        {"account_id": "d", "current_mrr": 800, **ENTERPRISE, "announced_contraction_90d_mrr": 100},
    ]
    found = outlook_of((due, later), listed={}, book=book)
    # of a, 60 may stay, 0.55 of it is expected to; d loses 100 of its 800 and does not renew in the window
    assert found.loc[("all", "all_renew"), ["starting_mrr", "ending_mrr", "announced_contraction_mrr"]].tolist() == [
        100,
        60,
        140,
    ]
    assert found.loc[("all", "all_renew"), "book_nrr_pct"] == pytest.approx(100 * 760 / 900)
    assert found.loc[("all", "expected_no_action"), "book_nrr_pct"] == pytest.approx(100 * (33 + 700) / 900)
    assert found.loc[("Enterprise", "worst_case"), "book_nrr_pct"] == 87.5


def test_a_lapsed_term_is_among_the_renewals_due_and_outside_the_book() -> None:
    lapsed = DUE[0] | {"account_id": "z", "is_lapsed": True, "lapsed_mrr": 100, "is_healthy": None}
    book = [
        {"account_id": "a", "current_mrr": 100, **SMB},
        {"account_id": "z", "current_mrr": 0, **SMB, "lapsed_mrr": 100},
    ]
    total = outlook_of((DUE[0], lapsed), listed={}, book=book).loc[("all", "expected_no_action")]
    assert (total.renewals_due, total.starting_mrr, total.lapsed_mrr, total.ending_mrr) == (2, 200, 100, 110)
    assert (total.book_starting_mrr, total.book_nrr_pct) == (100, 55)
