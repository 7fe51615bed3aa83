"""Accounts rolled up to their ultimate parents, worked by hand."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir
import pytest

from cx_intel.contracts.renewals.families import CIRCLE, OWN_PARENT
from cx_intel.contracts.renewals.layer import parent_rollup as contract
from cx_intel.models.renewals.families import parent_rollup
from cx_intel_tests.helpers.builders import AS_OF, accounts, rows, shipped, values
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.renewal_tables import broken, pipeline_rows, revenue, scores

FLEET = shipped("fleet")
NOW, THEN = date(2025, 1, 1), date(2024, 1, 1)
Row = Mapping[str, Any]


def rollup(book: Mapping[str, Row], ledger: Mapping[str, tuple[float, float]] | None = None) -> ir.Table:
    """Of accounts with their parent, ARR, score, tier and exposure; the ledger has their MRR a year ago and now."""
    named = ("parent_account_id", "current_mrr")
    given = [{"account_id": a} | {k: row[k] for k in named} for a, row in book.items()]
    judged = [
        {"account_id": a, "health_tier": row.get("tier", "Green"), "health_score": row["score"]}
        for a, row in book.items()
        if "score" in row
    ]
    due = [
        {"account_id": a, "exposed_arr": row["exposed"], "current_arr": 12 * row["current_mrr"]}
        for a, row in book.items()
        if "exposed" in row
    ]
    months = [
        {"account_id": a, "revenue_month": month, "mrr": mrr}
        for a, two in (ledger or {}).items()
        for month, mrr in zip((THEN, NOW), two, strict=True)
    ]
    return kept_once(
        parent_rollup,
        accounts(FLEET, given),
        scores(FLEET, judged),
        pipeline_rows(FLEET, due),
        revenue(FLEET, months),
        portfolio=FLEET,
        as_of=AS_OF,
    )


def child(of: str | None, mrr: float = 100, **more: Any) -> dict[str, Any]:
    return {"parent_account_id": of, "current_mrr": mrr, **more}


def families(table: ir.Table) -> dict[str, float]:
    return values(table, "accounts", by="parent_account_id")


def test_a_chain_rolls_up_to_its_ultimate_parent_with_health_weighted_by_arr() -> None:
    table = rollup(
        {
            "top": child(None, 100, score=90.0),
            "middle": child("top", 300, score=50.0, exposed=3600),
            "leaf": child("middle", 200, score=10.0, tier="unknown"),
            "alone": child(None, 50),
        }
    )
    columns = ("accounts", "arr", "health_score", "exposed_arr", "parent_fault")
    assert values(table, *columns, by="parent_account_id") == {
        "top": (3, 7200, 60.0, 3600, None),  # (90 x 1,200 + 50 x 3,600) / 4,800; the leaf's tier is unknown
        "alone": (1, 600, None, 0, None),
    }
    assert broken(table, contract(FLEET)) == []


@pytest.mark.parametrize("levels", [1, 2, 3, 7, 12])
def test_chains_of_any_usual_length_resolve(levels: int) -> None:
    chain = {f"a{n}": child(f"a{n - 1}" if n else None) for n in range(levels + 1)}
    assert families(rollup(chain)) == {"a0": levels + 1}


def test_a_contract_that_moves_within_a_family_is_no_churn() -> None:
    book = {"a": child("top"), "b": child("top", 0), "c": child(None), "d": child(None, 0)}
    ledger = {"a": (0, 120), "b": (100, 0), "c": (0, 10), "d": (40, 0)}
    found = values(rollup(book, ledger), "accounts", "nrr_ttm_pct", by="parent_account_id")
    assert found == {"top": (1, 120.0), "c": (1, None), "d": (0, 0.0)}


def test_a_parent_may_be_no_customer() -> None:
    assert families(rollup({"a": child("holding"), "b": child("holding")})) == {"holding": 2}


def test_who_names_itself_or_runs_in_a_circle_stands_alone_and_is_told() -> None:
    book = {
        "self": child("self"),
        "under_self": child("self"),
        "x": child("y"),
        "y": child("z"),
        "z": child("x"),
        "below": child("x"),
        "sound": child("top"),
    }
    table = rollup(book)
    assert values(table, "accounts", "parent_fault", by="parent_account_id") == {
        "self": (2, OWN_PARENT),
        "x": (1, CIRCLE),
        "y": (1, CIRCLE),
        "z": (1, CIRCLE),
        "below": (1, CIRCLE),
        "top": (1, None),
    }
    assert broken(table, contract(FLEET)) == ["parents_lead_to_an_ultimate_parent"]


def test_without_parents_there_are_no_families_and_the_erased_have_none() -> None:
    assert families(rollup({"a": child(None), "b": child(None)})) == {}
    assert families(rollup({"a": child("top"), "erased-1": child(None)})) == {"top": 1}


def test_each_rule_can_fail() -> None:
    of = contract(FLEET)
    sound = {"as_of": AS_OF, "parent_account_id": "a", "accounts": 1, "arr": 1200, "exposed_arr": 0}
    changes: Iterable[tuple[Row, list[str]]] = (
        ({}, []),
        ({"exposed_arr": 1201}, ["exposed_within_arr"]),
        ({"parent_fault": CIRCLE}, ["parents_lead_to_an_ultimate_parent"]),
    )
    for change, rules in changes:
        assert broken(rows(of, [sound | change]), of) == rules
