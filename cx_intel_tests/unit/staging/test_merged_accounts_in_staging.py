"""Merged accounts in staging: chains, circles, several targets, unknown survivors, and rows under the surviving id."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.contracts.staging.accounts import stg_account_aliases as contract_of_aliases
from cx_intel.models.staging import rows as staging_rows
from cx_intel.models.staging.aliases import delivered_accounts
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.made_once import made
from cx_intel_tests.helpers.staged_rows import AS_OF, CON, SMALL, raw

Row = Mapping[str, str | None]
KEYED = portfolio(
    currency={"reporting": "EUR"},
    sources=[
        {"kind": "files", "table": "accounts", "path": "accounts.csv"},
        {"kind": "files", "table": "subscriptions", "path": "subscriptions.csv"},
        {"kind": "files", "table": "usage_events", "path": "e.csv", "key": ["account_id", "event_id"]},
    ],
)


def merges(pairs: Sequence[tuple[str, str]], accounts: Sequence[Row]) -> dict[str, tuple[Any, str | None]]:
    """Old account: where it leads, and the reason why it does not."""
    given = raw([{"old_account_id": old, "account_id": new} for old, new in pairs])
    return {r["old_account_id"]: (r["account_id"], r["_reason"]) for r in judged_merges(given, accounts)}


def judged_merges(given: ir.Table, accounts: Sequence[Row]) -> list[dict[str, Any]]:
    at = {"table": "account_aliases", "portfolio": SMALL, "as_of": AS_OF}
    return made(staging_rows.judged, given, accounts=delivered_accounts(raw(accounts)), **at).to_pylist()


def known(*ids: str) -> list[Row]:
    return [{"account_id": account} for account in ids]


def aliases(*pairs: tuple[str, str], **more: Any) -> ir.Table:
    given = [{"old_account_id": old, "account_id": new} | more for old, new in pairs]
    return rows(contract_of_aliases(SMALL), given)


def judged(
    table: str, given: Sequence[Row] | ir.Table, merged: ir.Table, book: Portfolio = SMALL, ids: Sequence[Row] = ()
) -> list[dict[str, Any]]:
    delivered = given if isinstance(given, ir.Table) else raw(given)
    accounts = None if table == "accounts" else delivered_accounts(raw([*ids, *known("B")]))
    at = {"table": table, "portfolio": book, "as_of": AS_OF}
    found = made(staging_rows.judged, delivered, accounts=accounts, aliases=merged, **at)
    return sorted(found.to_pylist(), key=lambda row: (row["_source_file"], row["_row_number"]))


def test_a_chain_of_three_leads_to_its_end():
    found = merges([("A", "B"), ("B", "C"), ("C", "D")], known("D"))
    assert found == {"A": ("D", None), "B": ("D", None), "C": ("D", None)}


@pytest.mark.parametrize(("merged", "resolved"), [(64, True), (65, False)])
def test_chains_are_followed_over_64_merges(merged: int, resolved: bool):
    ids = [f"A{n}" for n in range(merged + 1)]
    target, reason = merges(list(pairwise(ids)), known(ids[-1]))["A0"]
    assert (target == ids[-1], reason is None) == (resolved, resolved)
    if reason:
        assert reason.startswith("old_account_id 'A0' is merged in a circle, or over more than 64 merges: write")


def test_a_circle_is_quarantined_with_all_that_lead_into_it():
    found = merges([("A", "B"), ("B", "A"), ("C", "A"), ("D", "E")], known("A", "B", "E"))
    circle = "old_account_id '{}' is merged in a circle, or over more than 64 merges: write the account that survives"
    assert {old: reason for old, (_, reason) in found.items()} == {
        **{old: circle.format(old) for old in "ABC"},
        "D": None,
    }


def test_who_is_merged_into_itself_or_into_several_is_quarantined():
    found = merges([("A", "A"), ("B", "X"), ("C", "B")], known("A", "B", "X"))
    assert found["A"][1] == (
        "old_account_id 'A' is merged into itself: leave the row out, or write the account that survives"
    )
    assert found["C"] == ("X", None)
    several = merges([("A", "B"), ("A", "C"), ("D", "A")], known("A", "B", "C"))
    assert several["A"][1] == (
        "old_account_id 'A' is merged into several accounts: deliver one row for it, with the account that survives"
    )
    assert several["D"] == ("A", None), "A itself was not merged, so it survives"


def test_the_same_row_twice_is_one_merge():
    given = raw([{"old_account_id": "A", "account_id": "B"}] * 2)
    reasons = sorted((row["_reason"] for row in judged_merges(given, known("B"))), key=str)
    assert reasons == [None, "duplicate of row 2 of x.csv: the same old_account_id"]


def test_a_survivor_that_is_not_delivered_is_quarantined_by_its_name():
    found = merges([("A", "B"), ("B", "Z")], known("A", "B"))
    assert {reason for _, reason in found.values()} == {"account_id 'Z' is not among the accounts"}


def test_the_row_of_a_merged_account_leaves_and_the_survivor_has_the_earlier_signup_and_no_parent_of_its_own():
    given: list[Row] = [
        {"account_id": "A", "signup_date": "2023-05-01", "parent_account_id": "P"},
        {"account_id": "B", "signup_date": "2024-01-01", "parent_account_id": "A"},
        {"account_id": "C", "signup_date": "2024-02-01", "parent_account_id": "A"},
    ]
    found = {row["account_id"]: row for row in judged("accounts", given, aliases(("A", "B")))}
    assert found["A"]["_reason"] == "merged into 'B' by account_aliases"
    kept = {k: (v["signup_date"], v["parent_account_id"], v["_reason"]) for k, v in found.items() if k != "A"}
    assert kept == {"B": (date(2023, 5, 1), None, None), "C": (date(2024, 2, 1), "B", None)}


@pytest.mark.slow
def test_rows_of_a_merged_account_are_the_survivors_in_the_old_accounts_currency():
    given: list[Row] = [
        {"subscription_id": "S1", "account_id": "A", "amount": "100", "start_date": "2024-01-01"},
        {"subscription_id": "S2", "account_id": "B", "amount": "100", "start_date": "2024-01-01"},
        {"subscription_id": "S3", "account_id": "Z", "amount": "100", "start_date": "2024-01-01"},
    ]
    found = judged("subscriptions", given, aliases(("A", "B"), currency="CHF"))
    assert [(r["account_id"], r["currency"], float(r["mrr_amount"])) for r in found[:2]] == [
        ("B", "CHF", 105.0),
        ("B", "EUR", 100.0),
    ]
    assert found[2]["_reason"] == "account_id 'Z' is not among the accounts"


def test_measured_figures_of_the_survivor_hold_where_both_have_one():
    given: list[Row] = [
        {"account_id": "B", "metric": "seats", "measured_on": "2025-01-01", "value": "5"},
        {"account_id": "A", "metric": "seats", "measured_on": "2025-01-01", "value": "7"},
        {"account_id": "A", "metric": "seats", "measured_on": "2024-12-01", "value": "6"},
    ]
    found = judged("metrics", given, aliases(("A", "B")))
    assert [(r["account_id"], r["value"], r["_reason"] is None) for r in found] == [
        ("B", 5.0, True),
        ("B", 7.0, False),
        ("B", 6.0, True),
    ]
    assert found[1]["_reason"].startswith("merged into 'B', which has a row of its own: duplicate of row 1 of x.csv")


def test_months_of_both_accounts_are_kept_each_as_delivered_last():
    def month(account: str, mrr: str) -> Row:
        return {"account_id": account, "month": "2025-01-01", "mrr": mrr}

    both = raw([month("A", "100"), month("B", "50")], "1.csv").union(raw([month("A", "120")], "2.csv"))
    found = judged("mrr_history", both, aliases(("A", "B")))
    valid = [(float(row["mrr"]), row["occurrence"]) for row in found if row["_reason"] is None]
    assert sorted(valid) == [(50.0, 2), (120.0, 1)]
    (left_out,) = (row for row in found if row["_reason"])
    assert left_out["_reason"].startswith("duplicate of row 1 of 2.csv")


def test_ids_that_are_unique_within_an_account_stay_apart():
    def event(account: str) -> Row:
        return {
            "event_id": "1",
            "account_id": account,
            "event_name": "login",
            "event_timestamp": "2025-01-05T08:00:00Z",
        }

    found = judged("usage_events", [event("A"), event("B")], aliases(("A", "B")), KEYED)
    assert [(r["account_id"], r["event_id"], r["_reason"]) for r in found] == [("B", "A-1", None), ("B", "1", None)]


def test_without_merges_nothing_changes():
    given: list[Row] = [{"account_id": "B", "metric": "seats", "measured_on": "2025-01-01", "value": "5"}]
    plain = staging_rows.judged(
        raw(given), table="metrics", portfolio=SMALL, as_of=AS_OF, accounts=delivered_accounts(raw(known("B")))
    )
    assert judged("metrics", given, aliases()) == ibis.memtable(CON.to_pyarrow(plain)).to_pyarrow().to_pylist()
