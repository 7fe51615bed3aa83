"""Laws of the lot, and a simulated company whose calls have a known effect: the lot finds it, done against not done does not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.contracts.renewals.effects import intervention_entries
from cx_intel.models.renewals.effects import playbook_effects
from cx_intel.models.renewals.hold_out import lots_of, place_of
from cx_intel.settings.renewals import HoldOutSettings
from cx_intel_tests.helpers.builders import AS_OF, shipped

pytestmark = pytest.mark.slow  # ten thousand accounts, two hundred companies

FLEET = shipped("fleet")
IDS = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=30, unique=True)
FEW = settings(max_examples=25, deadline=None)


def held(ids: list[str], share: float, key: str = "cx_intel") -> set[str]:
    places = lots_of(ids, HoldOutSettings(share_pct=share, key=key)).to_pyarrow().to_pylist()
    return {row["_account"] for row in places if row["place"] * 100 < share}


@FEW
@given(ids=IDS, others=IDS, share=st.floats(0, 50))
def test_no_other_account_and_no_order_plays_a_part(ids: list[str], others: list[str], share: float) -> None:
    renamed = [f"renamed {one}" for one in others]
    assert held([*renamed, *reversed(ids)], share) & set(ids) == held(ids, share)


@FEW
@given(ids=IDS, less=st.floats(0, 50), more=st.floats(0, 50), key=st.text(min_size=1, max_size=80))
def test_who_is_held_out_at_a_share_is_at_a_larger_one(ids: list[str], less: float, more: float, key: str) -> None:
    low, high = sorted((less, more))
    assert held(ids, low, key) <= held(ids, high, key)
    assert all(0 <= place_of(one, key) < 1 for one in ids)


@pytest.mark.parametrize("name", ["CUST-{:05}", "{}", "0015g00000{:08x}AAB"])
def test_the_share_of_ten_thousand_accounts_is_near_the_one_stated(name: str) -> None:
    """Within four standard deviations; two keys agree on no more of them than chance has it."""
    ids = [name.format(n) for n in range(10_000)]
    for share in (1, 5, 10, 50):
        expected, deviation = 100 * share, (10_000 * share / 100 * (1 - share / 100)) ** 0.5
        assert abs(len(held(ids, share)) - expected) < 4 * deviation
    both = held(ids, 10) & held(ids, 10, "another")
    assert abs(len(both) - 100) < 40


CALLED_ANYWAY = 0.05


def listed(draw: np.random.Generator, accounts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lasting risk of losing each account, how likely one to call is called, and its score on a day when it is low.

    The score is what the risk says and the luck of the day. Called are above all those whose score fell suddenly: bad luck,
    of which they recover by themselves (regression to the mean).
    """
    risk, luck = draw.beta(2, 3, 6 * accounts), draw.normal(0, 20, 6 * accounts)
    score = 75 - 50 * risk + luck
    chosen = np.flatnonzero(score < 45)[:accounts]
    return risk[chosen], np.clip(-0.25 - luck[chosen] / 16, 0.05, 0.95), np.clip(score[chosen], 0, 100)


def company(seed: int, saves: float, accounts: int = 600) -> pd.DataFrame:
    """Entries of a company where a call averts the share `saves` of the losses, whomever it is made for.

    A quarter is held out by lot, of whom one in twenty is called all the same.
    """
    draw = np.random.default_rng(seed)
    risk, called_share, score = listed(draw, accounts)
    is_held = draw.random(accounts) < 0.25
    is_called = draw.random(accounts) < np.where(is_held, CALLED_ANYWAY, called_share)
    is_lost = draw.random(accounts) < risk * np.where(is_called, 1 - saves, 1)
    entries = pd.DataFrame(
        {
            "account_id": [f"A{n:05}" for n in range(accounts)],
            "renewal_date": AS_OF,
            "playbook": "Call",
            "renewal_risk": "High",
            "health_score": score,
            "days_to_renewal": draw.integers(1, 91, accounts),
            "current_arr": np.round(draw.lognormal(9, 0.6, accounts), 2),
            "status": np.where(is_called, "done", "open"),
            "is_held_out": is_held,
            "is_compared": True,
            "outcome": np.where(is_lost, "lost", "renewed"),
        }
    )
    return entries.reindex(columns=[*intervention_entries(FLEET).column_names])


def effects_of(entries: pd.DataFrame) -> pd.DataFrame:
    found = playbook_effects(entries, portfolio=FLEET, as_of=AS_OF)
    return found[found["playbook"] == "all"].set_index("comparison")


def expected_effects(saves: float) -> tuple[float, float]:
    """In points, over half a million accounts: what calling those to call keeps of all; and a call of those called."""
    risk, called_share, _ = listed(np.random.default_rng(0), 500_000)
    of_a_call = float(np.sum(risk * saves * called_share) / np.sum(called_share))
    return 100 * float(np.mean(risk * saves * (called_share - CALLED_ANYWAY))), 100 * of_a_call


@pytest.mark.parametrize(("saves", "companies"), [(0.0, 100), (0.3, 200)])
def test_the_lot_finds_a_known_effect_and_done_against_not_done_does_not(saves: float, companies: int) -> None:
    """A 90 % interval by lot covers the truth in about 90 of 100 companies; beside chosen ones it seldom does.

    Neither what calling those to call does, nor what a call does for those who are called.
    """
    truth, of_a_call = expected_effects(saves)
    covered = dict.fromkeys(("assigned", "by_arr", "similar", "done_or_not"), 0)
    for seed in range(companies):
        found = effects_of(company(seed, saves))
        by_lot = found.loc["assigned"]
        covered["assigned"] += by_lot["difference_low_points"] <= truth <= by_lot["difference_high_points"]
        covered["by_arr"] += by_lot["arr_difference_low_points"] <= truth <= by_lot["arr_difference_high_points"]
        for name in ("similar", "done_or_not"):
            low, high = found.loc[name, "difference_low_points"], found.loc[name, "difference_high_points"]
            covered[name] += low <= truth <= high or low <= of_a_call <= high
    share = {name: count / companies for name, count in covered.items()}
    assert 0.85 <= share["assigned"] <= 0.95, share
    assert 0.83 <= share["by_arr"] <= 0.96, share
    assert share["similar"] < 0.5, share
    assert share["done_or_not"] < 0.5, share


def test_without_any_effect_the_lot_sees_none_and_done_or_not_sees_help() -> None:
    found = effects_of(company(7, 0.0, accounts=4000))
    assert found.loc["assigned", "verdict"] == "not_shown"
    assert found.loc["done_or_not", "difference_low_points"] > 0
    assert found.loc["done_or_not", "verdict"] is None


def test_with_a_strong_effect_the_lot_says_that_calls_helped() -> None:
    found = effects_of(company(7, 0.6, accounts=4000))
    assert found.loc["assigned", "verdict"] == "helped"
