"""Whether calls made the difference: by lot and beside similar accounts, with intervals worked by hand."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd
import pytest

from cx_intel.contracts.renewals import effects as contracts
from cx_intel.models.backtest.rates import wilson
from cx_intel.models.renewals.effects import newcombe, playbook_effects
from cx_intel_tests.helpers.builders import AS_OF, rows, shipped
from cx_intel_tests.helpers.renewal_tables import broken, days_from

FLEET = shipped("fleet")
PLAY, OTHER = "CSM-led health review", "CSM check-in"


def entry(account: str, **more: Any) -> dict[str, Any]:
    """An entry of 1,000 ARR at High risk with score 40, 60 days before its renewal, that renewed and was not done."""
    row = {"account_id": account, "renewal_date": date(2024, 12, 1), "playbook": PLAY, "renewal_risk": "High"}
    row |= {"health_score": 40.0, "days_to_renewal": 60, "current_arr": 1000, "status": "open", "outcome": "renewed"}
    return row | {"is_compared": False, "entry_id": account} | more


def drawn(name: str, held: bool, kept: int, lost: int, **more: Any) -> list[dict[str, Any]]:
    came = ["renewed"] * kept + ["lost"] * lost
    return [entry(f"{name}{n}", is_held_out=held, is_compared=True, outcome=one, **more) for n, one in enumerate(came)]


def effects(given: Iterable[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    entries = rows(contracts.intervention_entries(FLEET), given).to_pandas()
    frame = playbook_effects(entries, portfolio=FLEET, as_of=AS_OF)
    found = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert broken(rows(contracts.playbook_effects(FLEET), found), contracts.playbook_effects(FLEET)) == []
    return {(row["playbook"], row["comparison"]): row for row in found}


def test_the_intervals_are_those_of_the_textbooks() -> None:
    """Wilson, 90 %: of 8 in 10 0.5408 to 0.9315; Newcombe (1998), 95 %: 56/70 less 48/80 is 0.2, from 0.0524 to 0.3339."""
    assert wilson(0.8, 10) == pytest.approx((0.5408, 0.9315), abs=1e-4)
    assert wilson(0.0, 5)[0] == 0
    assert wilson(1.0, 5)[1] == pytest.approx(1)
    found = newcombe(56, 70, 48, 80)
    assert found is not None
    difference, low, high = found
    assert difference == pytest.approx(0.2)
    assert 0.0524 < low < high < 0.3339  # 90 % lies within 95 %
    assert newcombe(0, 0, 1, 2) is None


def test_by_lot_whoever_was_to_be_called_counts_as_called() -> None:
    """Kept: 36 of 40 to call, of whom one was not called; 10 of 20 held out, of whom two were called all the same."""
    given = [
        *drawn("c", False, 35, 4, status="done"),
        *drawn("x", False, 1, 0),
        *drawn("h", True, 9, 9),
        *drawn("y", True, 1, 1, status="done"),
        entry("open", is_held_out=False, is_compared=True, outcome="open"),
        entry("before", is_held_out=True, is_compared=False, outcome="lost"),
    ]
    found = effects(given)["all", "assigned"]
    counts = ("acted_accounts", "acted_lost", "acted_done", "other_accounts", "other_lost", "other_done")
    assert tuple(found[name] for name in counts) == (40, 4, 39, 20, 10, 2)
    assert (found["acted_kept_pct"], found["other_kept_pct"], found["difference_points"]) == (90.0, 50.0, 40.0)
    assert (found["undecided"], found["missing"], found["verdict"]) == (1, 0, "helped")
    # by hand: Wilson of 36/40 is 0.796 to 0.954, of 10/20 0.327 to 0.673
    assert found["difference_low_points"] == pytest.approx(
        100 * (0.4 - ((0.9 - 0.796) ** 2 + (0.673 - 0.5) ** 2) ** 0.5), abs=0.2
    )
    assert found["difference_high_points"] == pytest.approx(
        100 * (0.4 + ((0.954 - 0.9) ** 2 + (0.5 - 0.327) ** 2) ** 0.5), abs=0.2
    )


@pytest.mark.parametrize(
    ("called", "held", "verdict", "missing"),
    [
        ((20, 0), (0, 19), "withheld", 1),
        ((5, 0), (0, 30), "withheld", 15),
        ((20, 0), (0, 20), "helped", 0),
        ((0, 20), (20, 0), "harmed", 0),
        ((10, 10), (10, 10), "not_shown", 0),
    ],
)
def test_a_verdict_needs_twenty_decided_accounts_on_each_side(
    called: tuple[int, int], held: tuple[int, int], verdict: str, missing: int
) -> None:
    found = effects([*drawn("c", False, *called), *drawn("h", True, *held)])["all", "assigned"]
    assert (found["verdict"], found["missing"]) == (verdict, missing)


def test_while_nothing_is_decided_it_says_how_many_are_missing() -> None:
    found = effects(entry(name, is_held_out=name == "a", is_compared=True, outcome="open") for name in "abc")
    assert list(found) == [("all", "assigned"), (PLAY, "assigned")]
    row = found["all", "assigned"]
    assert (row["undecided"], row["missing"], row["verdict"], row["difference_points"]) == (3, 20, "withheld", None)


def test_shares_of_arr_weigh_accounts_by_their_arr() -> None:
    """To call: 9,000 of 10,000 kept; held out: 1,000 of 4,000. All of it is resampled the same way each time."""
    given = [
        entry("a", current_arr=9000, is_held_out=False, is_compared=True),
        entry("b", current_arr=1000, is_held_out=False, is_compared=True, outcome="lost"),
        entry("c", current_arr=3000, is_held_out=True, is_compared=True, outcome="lost"),
        entry("d", current_arr=1000, is_held_out=True, is_compared=True),
    ]
    row = effects(given)["all", "assigned"]
    assert (row["acted_kept_arr_pct"], row["other_kept_arr_pct"], row["arr_difference_points"]) == (90.0, 25.0, 65.0)
    assert row["arr_difference_low_points"] <= 65 <= row["arr_difference_high_points"]
    assert effects(reversed(given)) == effects(given)


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"health_score": 50.0, "current_arr": 2000, "days_to_renewal": 90}, True),
        ({"health_score": 50.1}, False),
        ({"health_score": None}, False),
        ({"current_arr": 2001}, False),
        ({"current_arr": 499}, False),
        ({"days_to_renewal": 29}, False),
        ({"playbook": OTHER}, False),
        ({"renewal_risk": "Critical"}, False),
        ({"outcome": "open"}, False),
        ({"status": "done"}, False),
    ],
)
def test_similar_is_of_the_same_playbook_and_risk_and_near_in_score_arr_and_days(
    change: dict[str, Any], fits: bool
) -> None:
    found = effects([entry("a", status="done"), entry("b", **{"outcome": "lost"} | change)])
    row = found["all", "similar"]
    assert (row["acted_accounts"], row["unmatched"]) == ((1, 0) if fits else (0, 2 if change.get("status") else 1))
    assert row["verdict"] is None
    if fits:
        assert (row["acted_lost"], row["other_lost"], row["difference_points"]) == (0, 1, 100.0)


def test_each_account_is_compared_with_the_nearest_and_taken_once() -> None:
    """a lies 1 point from x and b lies 4: x goes to a, and b gets y, which is 6 points away."""
    given = [
        entry("a", status="done", health_score=41.0),
        entry("b", status="done", health_score=44.0),
        entry("x", health_score=40.0, outcome="lost"),
        entry("y", health_score=50.0),
        entry("far", health_score=90.0, outcome="lost"),
    ]
    row = effects(given)["all", "similar"]
    assert (row["acted_accounts"], row["other_accounts"], row["other_lost"], row["unmatched"]) == (2, 2, 1, 0)
    plain = effects(given)["all", "done_or_not"]
    assert (plain["other_accounts"], plain["other_lost"], plain["verdict"]) == (3, 2, None)


def test_accounts_without_a_score_are_similar_to_each_other() -> None:
    given = [entry("a", status="done", health_score=None), entry("b", health_score=None)]
    assert effects(given)["all", "similar"]["acted_accounts"] == 1


def test_an_account_counts_once_by_the_first_of_its_decided_renewals() -> None:
    given = [
        entry("a", status="done", renewal_date=date(2023, 12, 1), outcome="lost"),
        entry("a", status="done", renewal_date=date(2024, 12, 1)),
        entry("b", status="done", renewal_date=date(2023, 6, 1), outcome="open"),
        entry("b", status="done", renewal_date=date(2024, 6, 1)),
        entry("a", renewal_date=date(2022, 12, 1)),
    ]
    row = effects(given)["all", "done_or_not"]
    assert (row["acted_accounts"], row["acted_lost"], row["other_accounts"]) == (2, 1, 0)


def test_each_playbook_has_its_own_rows_and_an_empty_book_none() -> None:
    """Of a playbook with which nothing was done there is nothing to compare, unless it was drawn for."""
    found = effects(
        [entry("a", status="done"), entry("b", status="done", playbook=OTHER), entry("c", playbook="third")]
    )
    assert {key for key in found if key[1] == "done_or_not"} == {(play, "done_or_not") for play in ("all", PLAY, OTHER)}
    assert effects([]) == {}


def test_rules_of_the_effects_can_fail() -> None:
    of = contracts.playbook_effects(FLEET)
    row = effects([*drawn("c", False, 20, 0), *drawn("h", True, 0, 20)])["all", "assigned"]
    for change, rule in (
        ({"verdict": None}, "verdict_by_lot_alone"),
        ({"missing": 1}, "withheld_below_enough"),
        ({"difference_low_points": 100.0, "difference_points": 99.0}, "interval_around_difference"),
    ):
        assert rule in broken(rows(of, [row | change]), of)
    entries = contracts.intervention_entries(FLEET)
    assert broken(rows(entries, [entry("a", status="done", acted_on=None)]), entries) == [
        "outcome_has_arr",
        "acted_on_has_a_day",
    ]


def test_frames_of_drivers_with_nulls_of_their_own_are_read_alike() -> None:
    given = [entry("a", status="done", health_score=None), entry("b", renewal_date=days_from(-60))]
    frame = rows(contracts.intervention_entries(FLEET), given).to_pandas()
    plain, floats = (playbook_effects(one, portfolio=FLEET, as_of=AS_OF) for one in (frame, frame.astype(object)))
    pd.testing.assert_frame_equal(plain, floats)
