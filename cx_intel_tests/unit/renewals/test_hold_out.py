"""Who is left without a call by lot: drawn once, kept for good, never work; and what the playbooks saved by that measure."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
from pydantic import ValidationError

from cx_intel.contracts.renewals import hold_out as contracts
from cx_intel.contracts.renewals.layer import cs_intervention_list as list_contract
from cx_intel.models.core.merged_accounts import under_surviving_ids
from cx_intel.models.renewals.actions import cs_intervention_list
from cx_intel.models.renewals.hold_out import hold_out_assignments, place_of, playbook_save_rates
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import HoldOutSettings, Playbook, RenewalSettings
from cx_intel_tests.helpers.builders import AS_OF, accounts, fetched, rows, shipped, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.renewal_tables import broken, days_from, drivers, kept, pipeline_rows, revenue

FLEET = shipped("fleet")
PLAYBOOK = "CSM-led health review"
RENEWAL = days_from(30)
HELD, CALLED = "a", "b"  # by the key below at 50 %
KEY = next(f"k{n}" for n in range(99) if place_of(HELD, f"k{n}") < 0.05 and place_of(CALLED, f"k{n}") > 0.6)


def fleet(ranked_by: str = "loss", capacity: int | None = None, **hold_out: Any) -> Portfolio:
    assert FLEET.renewals is not None
    settings = HoldOutSettings.model_validate({"share_pct": 50, "key": KEY} | hold_out)
    changes = {"hold_out": settings, "ranked_by": ranked_by, "capacity_per_owner": capacity}
    return FLEET.model_copy(update={"renewals": FLEET.renewals.model_copy(update=changes)})


def lot(account: str, *, held: bool, **more: Any) -> dict[str, Any]:
    """A row of hold_out_assignments: drawn twenty days ago for the renewal in 30 days, which is open."""
    row = {"account_id": account, "assigned_on": days_from(-20), "place": 0.0 if held else 0.9, "share_pct": 5.0}
    row |= {"is_held_out": held, "is_compared": True, "renewal_date": RENEWAL, "playbook": PLAYBOOK}
    row |= {"renewal_risk": "High", "days_to_renewal": 50, "current_arr": 1200, "outcome": "open"}
    return row | more


def lots(*given: dict[str, Any]) -> ir.Table:
    return rows(contracts.hold_out_assignments(FLEET), given)


def drawn(
    of: Portfolio, pipeline: Iterable[dict[str, Any]], *before: dict[str, Any], as_of: date = AS_OF
) -> dict[str, dict[str, Any]]:
    history = pipeline_rows(of, pipeline)
    table = kept(
        hold_out_assignments(
            history.filter(history.as_of == as_of).to_pandas(),
            history,
            accounts(of, [{"account_id": name, "renewal_date": RENEWAL} for name in "abc"]),
            revenue(of),
            portfolio=of,
            as_of=as_of,
            previous=lots(*before),
        )
    )
    assert broken(table, contracts.hold_out_assignments(of)) == []
    return {row["account_id"]: row for row in fetched(table)}


def test_accounts_are_drawn_when_they_are_first_at_risk() -> None:
    far = {"account_id": "c", "days_to_renewal": 91, "is_within_window": False}
    found = drawn(fleet(), [{"account_id": HELD}, {"account_id": CALLED}, far])
    assert {name: (row["is_held_out"], row["is_compared"]) for name, row in found.items()} == {
        HELD: (True, True),
        CALLED: (False, True),
    }
    one = found[HELD]
    assert (one["assigned_on"], one["renewal_date"], one["playbook"], one["share_pct"]) == (
        AS_OF,
        RENEWAL,
        PLAYBOOK,
        50,
    )
    assert (one["outcome"], one["outcome_arr"], float(one["current_arr"])) == ("open", None, 1200)


def test_a_renewal_that_was_listed_before_is_drawn_and_not_compared() -> None:
    pipeline = [{"account_id": HELD}, {"account_id": HELD, "as_of": days_from(-1), "days_to_renewal": 31}]
    found = drawn(fleet(), pipeline)
    assert (found[HELD]["is_held_out"], found[HELD]["is_compared"]) == (True, False)


@pytest.mark.slow
def test_what_was_drawn_stays_whatever_share_and_key_are_now() -> None:
    pipeline = [{"account_id": HELD}, {"account_id": CALLED}]
    before = [lot(HELD, held=False), lot(CALLED, held=True)]
    for of in (fleet(), fleet(share_pct=0), fleet(share_pct=5, key="another"), fleet(ended_on=days_from(-1)), FLEET):
        found = drawn(of, pipeline, *before)
        assert {name: row["is_held_out"] for name, row in found.items()} == {HELD: False, CALLED: True}
        assert found[HELD]["assigned_on"] == days_from(-20)


@pytest.mark.parametrize(
    "changes", [{"share_pct": 0}, {"ended_on": days_from(-1)}], ids=["a share of nothing", "after its end"]
)
def test_nobody_is_drawn(changes: dict[str, Any]) -> None:
    assert drawn(fleet(**changes), [{"account_id": HELD}]) == {}


def test_large_accounts_may_be_exempt() -> None:
    found = drawn(fleet(up_to_arr=1199), [{"account_id": HELD}])
    assert (found[HELD]["is_held_out"], found[HELD]["is_compared"]) == (False, False)
    assert drawn(fleet(up_to_arr=1200), [{"account_id": HELD}])[HELD]["is_held_out"]


def test_of_merged_accounts_the_survivors_lot_holds_and_two_lots_are_not_compared() -> None:
    aliases = rows_of_aliases({"b": "a", "d": "c", "f": "e"})
    table = under_surviving_ids(
        lots(
            lot("a", held=False, assigned_on=days_from(-5)),
            lot("b", held=True),
            lot("d", held=True),
            lot("e", held=True),
            lot("f", held=True),
        ),
        aliases,
        contracts.hold_out_assignments(FLEET),
    )
    assert values(table, "is_held_out", "is_compared") == {"a": (False, False), "c": (True, True), "e": (True, True)}


def rows_of_aliases(survivors: dict[str, str]) -> ir.Table:
    return ibis.memtable(
        pd.DataFrame({"old_account_id": list(survivors), "account_id": list(survivors.values())}),
        schema={"old_account_id": "string", "account_id": "string"},
    )


def listed(of: Portfolio, pipeline: Iterable[dict[str, Any]], *given: dict[str, Any], rates: Any = ()) -> ir.Table:
    due, assigned = pipeline_rows(of, pipeline), lots(*given)
    measured = rows(contracts.playbook_save_rates(of), rates)
    drawn_for = {"hold_out_assignments": assigned, "playbook_save_rates": measured}
    table = kept_once(cs_intervention_list, due, drivers(of, []), **drawn_for, portfolio=of, as_of=AS_OF)
    assert broken(table, list_contract(of), renewal_pipeline=due, hold_out_assignments=assigned) == []
    return table


def test_a_held_out_account_stays_listed_last_and_takes_no_capacity() -> None:
    """a loses most and is held out; b and c are within the capacity of two."""
    pipeline = [{"account_id": name, "expected_arr_loss": loss} for name, loss in (("a", 900), ("b", 500), ("c", 400))]
    table = listed(fleet(capacity=2), pipeline, lot("a", held=True), lot("b", held=False))
    assert values(table, "priority_rank", "is_held_out", "is_within_capacity") == {
        "b": (1, False, True),
        "c": (2, False, True),
        "a": (3, True, False),
    }


@pytest.mark.slow
def test_nobody_is_held_out_before_it_was_drawn_nor_after_the_end_nor_without_a_hold_out() -> None:
    tomorrow = lot("a", held=True, assigned_on=days_from(1))
    assert values(listed(fleet(), [{"account_id": "a"}], tomorrow), "is_held_out") == {"a": False}
    held = lot("a", held=True)
    assert values(listed(fleet(ended_on=days_from(-1)), [{"account_id": "a"}], held), "is_held_out") == {"a": False}
    assert values(listed(fleet(ended_on=AS_OF), [{"account_id": "a"}], held), "is_held_out") == {"a": True}
    assert values(listed(FLEET, [{"account_id": "a"}], held), "is_held_out") == {"a": False}


@pytest.mark.slow
def test_a_list_that_forgets_who_is_held_out_breaks_its_rules() -> None:
    of, assigned = fleet(), lots(lot("a", held=True))
    table = kept(
        cs_intervention_list(pipeline_rows(of, [{"account_id": "a"}]), drivers(of, []), portfolio=of, as_of=AS_OF)
    )
    given = {"renewal_pipeline": pipeline_rows(of, [{"account_id": "a"}]), "hold_out_assignments": assigned}
    assert broken(table, list_contract(of), **given) == ["held_out_as_drawn"]
    worked = table.mutate(is_held_out=True)
    assert broken(worked, list_contract(of), **given) == ["held_out_is_no_work"]


def decided(side: bool, kept_ones: int, lost_ones: int, **more: Any) -> list[dict[str, Any]]:
    came = ["renewed"] * kept_ones + ["lost"] * lost_ones
    return [
        lot(f"{side}{n}{more.get('playbook', '')}", held=side, outcome=one, outcome_arr=1200 * (one != "lost")) | more
        for n, one in enumerate(came)
    ]


def test_save_rates_are_measured_by_assignment() -> None:
    """Lost: 4 of 40 to call, 5 of 20 held out: 0.1 / 0.25, so that 60 % of the losses were averted; 20 accounts count."""
    given = [*decided(False, 36, 4), *decided(True, 15, 5)]
    unseen = [lot("open", held=True), lot("before", held=True, is_compared=False, outcome="lost", outcome_arr=0)]
    of = fleet()
    table = kept(playbook_save_rates(lots(*given, *unseen), portfolio=of))
    assert broken(table, contracts.playbook_save_rates(of)) == []
    assert fetched(table) == [
        {"playbook": PLAYBOOK, "called": 40, "called_lost": 4, "held_out": 20, "held_out_lost": 5}
        | {"measured_save_rate": pytest.approx(0.6), "counts_as": 20, "is_enough": True}
    ]
    fewer = playbook_save_rates(lots(*given[:-1]), portfolio=of)
    assert values(fewer, "counts_as", "is_enough", by="playbook") == {PLAYBOOK: (19, False)}
    ended = playbook_save_rates(lots(*given), portfolio=fleet(ended_on=days_from(29)))
    assert fetched(ended) == []


@pytest.mark.slow
def test_calls_that_lose_more_save_nothing_and_no_loss_measures_nothing() -> None:
    worse, none = [*decided(False, 1, 3), *decided(True, 3, 1)], [*decided(False, 1, 1), *decided(True, 2, 0)]
    found = [fetched(playbook_save_rates(lots(*given), portfolio=fleet()))[0] for given in (worse, none)]
    assert [row["measured_save_rate"] for row in found] == [0.0, None]


RATES = {"called": 40, "called_lost": 4, "held_out": 20, "held_out_lost": 5, "measured_save_rate": 0.6, "counts_as": 20}
PAIR = [
    {"account_id": "a", "expected_arr_loss": 900, "effort_hours": 4.0, "recommended_playbook": "CSM check-in"},
    {"account_id": "b", "expected_arr_loss": 500, "effort_hours": 2.0, "recommended_playbook": PLAYBOOK},
]


def test_the_list_is_ranked_by_what_an_hour_saves_where_enough_is_measured() -> None:
    """b: (0.6 x 20 + 0.3 x 20) / 40 = 0.45; 500 x 0.45 / 2 = 112.50. a is not measured: 900 x 0.3 / 4 = 67.50."""
    rates = [{"playbook": PLAYBOOK, "is_enough": True} | RATES]
    table = listed(fleet("saved_per_hour"), PAIR, rates=rates)
    found = values(table, "priority_rank", "expected_save_rate", "saved_arr_per_hour", "ranked_by")
    assert {name: (rank, rate, float(arr), by) for name, (rank, rate, arr, by) in found.items()} == {
        "b": (1, pytest.approx(0.45), 112.5, "saved_per_hour"),
        "a": (2, 0.3, 67.5, "saved_per_hour"),
    }


@pytest.mark.slow
@pytest.mark.parametrize(("wanted", "enough"), [("loss", True), ("saved_per_hour", False)])
def test_otherwise_it_is_ranked_by_the_expected_loss_and_says_so(wanted: str, enough: bool) -> None:
    table = listed(fleet(wanted), PAIR, rates=[{"playbook": PLAYBOOK, "is_enough": enough} | RATES])
    assert values(table, "priority_rank", "ranked_by") == {"a": (1, "loss"), "b": (2, "loss")}


def test_a_cancelled_account_stays_first_and_saves_nothing() -> None:
    lost = {"account_id": "z", "renewal_risk": "Cancelled", "renewal_probability": 0, "save_rate": 0.0}
    lost |= {"is_cancelled": True, "recommended_playbook": PLAYBOOK}
    table = listed(fleet("saved_per_hour"), [*PAIR, lost], rates=[{"playbook": PLAYBOOK, "is_enough": True} | RATES])
    assert values(table, "priority_rank", "expected_save_rate")["z"] == (1, 0.0)


def test_settings_that_cannot_be_meant_are_refused() -> None:
    assert FLEET.renewals is not None
    plain = FLEET.renewals.model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="saved_per_hour needs `hold_out`"):
        RenewalSettings.model_validate(plain | {"ranked_by": "saved_per_hour"})
    for wrong in ({"share_pct": 51}, {"share_pct": -1}, {}, {"share_pct": 5, "key": ""}):
        with pytest.raises(ValidationError):
            HoldOutSettings.model_validate(wrong)
    with pytest.raises(ValidationError):
        Playbook.model_validate({"risk": "High", "action": "Call", "due_in_days": 1, "effort_hours": 0})
