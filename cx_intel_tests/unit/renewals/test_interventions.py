"""What was done with the intervention list: who stays off it for how long, and what came of the renewal."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import permutations
from typing import Any

import ibis.expr.types as ir
import pytest

from cx_intel.contracts.renewals import interventions as contracts
from cx_intel.contracts.renewals.effects import intervention_entries as entries_contract
from cx_intel.contracts.renewals.hold_out import hold_out_assignments
from cx_intel.contracts.renewals.layer import cs_intervention_list as list_contract
from cx_intel.contracts.staging.activity import stg_actions
from cx_intel.models.renewals.actions import cs_intervention_list
from cx_intel.models.renewals.interventions import actions
from cx_intel.models.renewals.outcomes import intervention_entries, playbook_outcomes
from cx_intel.models.renewals.outlook import nrr_outlook
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, fetched, rows, shipped, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.renewal_tables import broken, days_from, drivers, kept, pipeline_rows, revenue

FLEET = shipped("fleet")
RENEWAL = days_from(30)
PLAYBOOK = "CSM-led health review"


def acted(*given: dict[str, Any]) -> ir.Table:
    """Rows of `actions`: account a, its renewal in 30 days, acted on ten days ago at High risk, nothing newer known."""
    ordinary = {
        "account_id": "a",
        "renewal_date": RENEWAL,
        "status": "done",
        "acted_on": days_from(-10),
        "renewal_risk": "High",
        "is_newest": True,
        "outcome": "open",
    }
    return rows(contracts.actions(FLEET), [{"action_id": f"x{n}"} | ordinary | row for n, row in enumerate(given)])


DUE: dict[str, tuple[dict[str, Any] | None, dict[str, Any], str]] = {
    "not acted on": (None, {}, "new"),
    "done": ({}, {}, "off"),
    "done 29 days ago": ({"acted_on": days_from(-29)}, {}, "off"),
    "done 30 days ago": ({"acted_on": days_from(-30)}, {}, "still_at_risk"),
    "done, and worse since": ({}, {"renewal_risk": "Critical"}, "risk_is_worse"),
    "done, and better since": ({"renewal_risk": "Critical"}, {}, "off"),
    "done at an unknown risk": ({"renewal_risk": None}, {"renewal_risk": "Critical"}, "off"),
    "another renewal": ({}, {"renewal_date": days_from(31), "days_to_renewal": 31}, "new"),
    "another account": ({"account_id": "b"}, {}, "new"),
    "done tomorrow": ({"acted_on": days_from(1)}, {}, "new"),
    "snoozed": ({"status": "snoozed", "snoozed_until": days_from(1)}, {}, "off"),
    "snoozed until today": ({"status": "snoozed", "snoozed_until": AS_OF}, {}, "snooze_ended"),
    "snoozed, and cancelled since": (
        {"status": "snoozed", "snoozed_until": days_from(9)},
        {"renewal_risk": "Cancelled"},
        "risk_is_worse",
    ),
    "dismissed": ({"status": "dismissed", "acted_on": days_from(-300)}, {}, "off"),
    "dismissed, and worse since": ({"status": "dismissed"}, {"renewal_risk": "Critical"}, "risk_is_worse"),
    "reopened": ({"status": "open"}, {}, "new"),
}


@pytest.fixture(scope="module")
def due_again() -> dict[str, Any]:
    """Of the cases of DUE, each an account of its own, those on the list, and why they are back on it."""
    pipeline = pipeline_rows(FLEET, [{"account_id": case} | renewal for case, (_, renewal, _) in DUE.items()])
    done = acted(*({"account_id": case} | action for case, (action, _, _) in DUE.items() if action is not None))
    table = kept_once(cs_intervention_list, pipeline, drivers(FLEET, []), actions=done, portfolio=FLEET, as_of=AS_OF)
    assert broken(table, list_contract(FLEET), renewal_pipeline=pipeline, actions=done) == []
    return values(table, "due_again")


@pytest.mark.parametrize("case", DUE)
def test_an_entry_stays_off_the_list_until_it_is_due_again(case: str, due_again: dict[str, Any]) -> None:
    """New on the list where nothing says why it is back."""
    assert ((due_again[case] or "new") if case in due_again else "off") == DUE[case][-1]


@pytest.mark.slow
def test_the_newest_action_counts_whatever_the_order_of_the_rows() -> None:
    """Done and reopened on one day; done again five days later, which the list of an earlier day does not know."""
    on, later = date(2025, 1, 21), date(2025, 1, 26)
    done = {"acted_at": datetime(2025, 1, 21, 8)}
    reopened = {"acted_at": datetime(2025, 1, 21, 20), "status": "open"}
    again = {"acted_at": datetime(2025, 1, 26, 8)}
    before = [{"account_id": "a", "as_of": days_from(-30)}]
    known = {on: {"a": f"a@{RENEWAL}"}, later: {}, AS_OF: {}}
    for stated in permutations([done, reopened, again]):
        acts = kept(
            actions(
                rows(stg_actions(FLEET), []),
                given(*stated),
                pipeline_rows(FLEET, before),
                accounts(FLEET, [{"account_id": "a", "renewal_date": RENEWAL}]),
                revenue(FLEET, []),
                portfolio=FLEET,
                as_of=AS_OF,
                previous=rows(contracts.actions(FLEET), []),
            )
        )
        for day, expected in known.items():
            pipeline = pipeline_rows(FLEET, [{"account_id": "a", "as_of": day}])
            table = cs_intervention_list(pipeline, drivers(FLEET, []), acts, portfolio=FLEET, as_of=day)
            assert values(table, "entry_id") == expected


def test_ranks_and_capacity_count_those_who_are_due() -> None:
    of = FLEET.model_copy(update={"renewals": FLEET.renewals.model_copy(update={"capacity_per_owner": 1})})  # type: ignore[union-attr]
    pipeline = pipeline_rows(of, [{"account_id": "a", "expected_arr_loss": 900}, {"account_id": "b"}])
    table = cs_intervention_list(pipeline, drivers(of, []), acted({}), portfolio=of, as_of=AS_OF)
    assert values(table, "priority_rank", "is_within_capacity") == {"b": (1, True)}


def test_a_call_that_was_made_still_counts_in_the_outlook() -> None:
    """100 MRR at 0.55, and a playbook that saves 30 % of the loss: 55 without it, 68.5 with it."""
    pipeline = pipeline_rows(FLEET, [{"account_id": "a"}])
    nobody = cs_intervention_list(pipeline, drivers(FLEET, []), acted({}), portfolio=FLEET, as_of=AS_OF).to_pandas()
    snapshot = accounts(FLEET, [{"account_id": "a"}]).to_pandas()

    def expected(*given: dict[str, Any]) -> float:
        found = nrr_outlook(
            pipeline.to_pandas(), nobody, snapshot, acted(*given).to_pandas(), portfolio=FLEET, as_of=AS_OF
        )
        chosen = found[(found["segment"] == "all") & (found["scenario"] == "expected_with_playbooks")]
        return float(chosen["ending_mrr"].iloc[0])

    assert expected({}) == 68.5
    assert expected({"status": "snoozed", "snoozed_until": days_from(5)}) == 55.0
    assert expected({"acted_on": days_from(1)}) == 55.0
    followed, reopened = {"valid_to": days_from(-5), "is_newest": False}, {"status": "open", "acted_on": days_from(-5)}
    assert expected(followed, reopened) == 55.0
    assert expected({"valid_to": days_from(1), "is_newest": False}, reopened | {"acted_on": days_from(1)}) == 68.5


def given(*stated: dict[str, Any], of: Portfolio = FLEET) -> ir.Table:
    """Rows of given_actions: account a, its renewal in 30 days, done on the day at noon."""
    ordinary = {"account_id": "a", "renewal_date": RENEWAL, "status": "done", "acted_at": datetime(2025, 1, 31, 12)}
    return rows(contracts.given_actions(of), [{"action_id": f"g{n}"} | ordinary | row for n, row in enumerate(stated)])


def made(
    delivered: Iterable[dict[str, Any]] = (),
    commands: ir.Table | None = None,
    pipeline: Iterable[dict[str, Any]] = ({"account_id": "a"},),
    previous: Iterable[dict[str, Any]] = (),
    snapshot: Iterable[dict[str, Any]] = ({"account_id": "a", "renewal_date": RENEWAL},),
    ledger: Iterable[dict[str, Any]] = (),
) -> dict[str, dict[str, Any]]:
    """The table, by action_id; every contract rule holds but the one that warns."""
    table = kept_once(
        actions,
        rows(stg_actions(FLEET), delivered),
        commands if commands is not None else given(),
        pipeline_rows(FLEET, pipeline),
        accounts(FLEET, snapshot),
        revenue(FLEET, ledger),
        portfolio=FLEET,
        as_of=AS_OF,
        previous=rows(contracts.actions(FLEET), previous),
    )
    assert set(broken(table, contracts.actions(FLEET))) <= {"actions_are_about_a_renewal"}
    return {row["action_id"]: row for row in fetched(table)}


def test_an_action_knows_the_renewal_it_is_about() -> None:
    """The pipeline had another date and risk before the action, and another risk after it."""
    pipeline = [
        {"account_id": "a", "as_of": days_from(-20), "renewal_date": days_from(3), "renewal_risk": "Low"},
        {"account_id": "a", "as_of": days_from(-9), "renewal_risk": "High", "recommended_playbook": PLAYBOOK},
        {"account_id": "a", "as_of": AS_OF, "renewal_risk": "Critical"},
    ]
    at = datetime(2025, 1, 26, 9)
    row = {"action_id": "d", "account_id": "a", "status": "done", "acted_at": at, "acted_by": "Kim"}
    found = made([row], pipeline=pipeline)["d"]
    assert (found["entry_id"], found["renewal_risk"], found["playbook"]) == (f"a@{RENEWAL}", "High", PLAYBOOK)
    assert (found["acted_on"], found["acted_by"], found["is_newest"]) == (date(2025, 1, 26), "Kim", True)
    named = made([row | {"entry_id": f"a@{days_from(3)}", "renewal_date": days_from(3)}], pipeline=pipeline)["d"]
    assert (named["entry_id"], named["renewal_risk"]) == (f"a@{days_from(3)}", "Low")


def test_an_action_about_no_renewal_is_kept_and_told() -> None:
    row = {"action_id": "d", "account_id": "z", "status": "done"}
    found = made([row])["d"]
    assert (found["entry_id"], found["outcome"], found["is_newest"]) == (None, "open", True)


def test_an_action_without_a_time_is_of_the_load_that_first_showed_it() -> None:
    row = {"action_id": "d", "account_id": "a", "status": "done"}
    before = {"action_id": "d", "account_id": "a", "acted_on": days_from(-4), "is_newest": True, "outcome": "open"}
    assert made([row])["d"]["acted_on"] == AS_OF
    assert made([row], previous=[before | {"status": "done"}])["d"]["acted_on"] == days_from(-4)
    assert made([row], previous=[before | {"status": "open"}])["d"]["acted_on"] == AS_OF


def test_the_newest_action_of_an_entry_says_its_status() -> None:
    later = {"status": "snoozed", "snoozed_until": days_from(9), "acted_at": datetime(2025, 1, 31, 13)}
    found = made(commands=given({}, later))
    assert {name: (row["is_newest"], row["valid_to"]) for name, row in found.items()} == {
        "g0": (False, AS_OF),
        "g1": (True, None),
    }


def test_of_one_id_delivered_and_given_the_newer_counts() -> None:
    row = {"action_id": "g0", "account_id": "a", "status": "open", "acted_at": datetime(2025, 1, 31, 13)}
    assert made([row], commands=given({}))["g0"]["status"] == "open"
    assert made([row | {"acted_at": datetime(2025, 1, 31, 11)}], commands=given({}))["g0"]["status"] == "done"


MONTHS = {"account_id": "a", "revenue_movement": "flat"}
LONG_AGO = {"renewal_date": date(2024, 12, 1)}  # with 30 days it is decided by the ledger of December 2024
JUST = {"renewal_date": date(2025, 1, 20)}  # decided by the ledger of February, which is not there yet


CAME: dict[str, tuple[dict[str, Any], dict[str, Any], float | None, tuple[str, float | None]]] = {
    "due in 30 days": ({}, {}, None, ("open", None)),
    "early": ({}, {"renewal_date": days_from(395)}, None, ("renewed", 1200)),
    "early, for more": ({}, {"renewal_date": days_from(395), "current_mrr": 200}, None, ("expanded", 2400)),
    "long ago": (LONG_AGO, {}, 1200, ("renewed", 1200)),
    "long ago, gone since": (LONG_AGO, {"current_mrr": 0, "is_churned": True}, 900, ("renewed", 900)),
    "long ago, for a cent more": (LONG_AGO, {}, 1200.01, ("expanded", 1200.01)),
    "long ago, without revenue": (LONG_AGO, {}, None, ("lost", 0)),
    "just now": (JUST, {"renewal_date": days_from(354)}, None, ("renewed", 1200)),
    "just now, not renewed": (JUST, {"current_mrr": 0, "renewal_date": None}, None, ("lost", 0)),
    "just now, churned": (
        JUST,
        {"current_mrr": 0, "is_churned": True, "renewal_date": JUST["renewal_date"]},
        None,
        ("lost", 0),
    ),
}


@pytest.fixture(scope="module")
def came() -> dict[str, dict[str, Any]]:
    """The action of each case of CAME, an account of its own."""
    ledger = [
        MONTHS | {"account_id": case, "revenue_month": date(2024, 12, 1), "mrr": 100, "arr": arr_in_december}
        for case, (_, _, arr_in_december, _) in CAME.items()
        if arr_in_december
    ]
    acted_at = {"acted_at": datetime(2024, 11, 20)}
    found = made(
        commands=given(*({"account_id": case} | acted_at | entry for case, (entry, *_) in CAME.items())),
        pipeline=[{"account_id": case, "as_of": days_from(-90)} | entry for case, (entry, *_) in CAME.items()],
        snapshot=[{"account_id": c, "renewal_date": RENEWAL} | account for c, (_, account, *_) in CAME.items()],
        ledger=ledger,
    )
    return {row["account_id"]: row for row in found.values()}


@pytest.mark.parametrize("case", CAME)
def test_what_came_of_a_renewal(case: str, came: dict[str, dict[str, Any]]) -> None:
    """1,200 ARR when it was acted on. By the ledger where it reaches, before that by the day."""
    arr = came[case]["outcome_arr"]
    assert (came[case]["outcome"], None if arr is None else float(arr)) == CAME[case][-1]


def test_an_overdue_renewal_is_open_while_the_pipeline_keeps_it() -> None:
    overdue = {"account_id": "a", "renewal_date": JUST["renewal_date"], "days_to_renewal": -11, "is_overdue": True}
    snapshot = [{"account_id": "a", "current_mrr": 0, "renewal_date": JUST["renewal_date"]}]
    found = made(commands=given(JUST), pipeline=[overdue], snapshot=snapshot)["g0"]
    assert (found["outcome"], found["outcome_arr"]) == ("open", None)


def test_playbooks_are_counted_by_what_was_done_and_what_came_of_it() -> None:
    """Play: a done and renewed, b done and lost, c not done and lost, d open. Unlisted e was done anyway."""
    days = {"a": LONG_AGO, "b": LONG_AGO, "c": LONG_AGO, "d": {"renewal_date": RENEWAL}}
    arr = {"a": 900, "b": 100, "c": 500, "d": 700}
    entries = [
        {"as_of": day, "account_id": name, "current_arr": arr[name], "recommended_playbook": play} | at
        for day, play in ((date(2024, 11, 1), PLAYBOOK), (date(2024, 11, 2), "CSM check-in"))
        for name, at in days.items()
    ]
    done = acted(
        *({"account_id": name, "acted_on": date(2024, 11, 3)} | LONG_AGO for name in ("a", "b")),
        {"account_id": "a", "status": "open", "is_newest": False} | LONG_AGO,
        {"account_id": "e", "current_arr": 50},
    )
    done = done.mutate(entry_id=done.account_id)
    ledger = [MONTHS | {"revenue_month": date(2024, 12, 1), "mrr": 75, "arr": 900}]
    listed_rows = [
        {"priority_rank": 1, "renewal_risk": "High", "entry_id": row["account_id"], "due_date": RENEWAL} | row
        for row in entries
    ]
    entries_made = kept(
        intervention_entries(
            rows(list_contract(FLEET), listed_rows),
            done,
            rows(hold_out_assignments(FLEET), []),
            pipeline_rows(FLEET, []),
            accounts(FLEET, [{"account_id": name, "renewal_date": RENEWAL} for name in "abcde"]),
            revenue(FLEET, ledger),
            portfolio=FLEET,
            as_of=AS_OF,
        )
    )
    assert broken(entries_made, entries_contract(FLEET)) == []
    assert values(entries_made, "first_listed_on", "status") == {
        **dict.fromkeys("ab", (date(2024, 11, 1), "done")),
        **dict.fromkeys("cd", (date(2024, 11, 1), "open")),
        "e": (None, "done"),
    }
    table = kept(playbook_outcomes(entries_made, portfolio=FLEET))
    assert broken(table, contracts.playbook_outcomes(FLEET)) == []
    found = {row["playbook"]: row for row in fetched(table)}
    counts = ("entries", "open_entries", "done_entries", "undecided", "renewed", "expanded", "lost")
    assert {name: tuple(row[c] for c in counts) for name, row in found.items()} == {
        PLAYBOOK: (4, 2, 2, 1, 1, 0, 2),
        "(none)": (1, 0, 1, 1, 0, 0, 0),
    }
    play = found[PLAYBOOK]
    assert tuple(float(play[c]) for c in ("listed_arr", "kept_arr", "lost_arr")) == (2200, 900, 600)
    assert (play["kept_done_pct"], play["kept_not_done_pct"]) == (90.0, 0.0)  # 900 of 1,000; 0 of 500
    assert (found["(none)"]["kept_done_pct"], found["(none)"]["kept_not_done_pct"]) == (None, None)
