"""Rows of several sources beside each other: whose id is kept, and what the others are called instead."""

from typing import Any

import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.staging.rows import judged
from cx_intel.models.staging.several_sources import SourceRows, united
from cx_intel_tests.helpers.builders import fetched
from cx_intel_tests.helpers.staged_rows import AS_OF, SMALL, accounts, raw


def of_source(name: str, table: str, *given: dict[str, Any]) -> SourceRows:
    rows = judged(raw(given, f"{name}.csv"), table=table, portfolio=SMALL, as_of=AS_OF, accounts=accounts())
    return SourceRows(name, rows)


def contract(subscription_id: str, account_id: str = "A1") -> dict[str, Any]:
    return {"subscription_id": subscription_id, "account_id": account_id, "amount": "1", "start_date": "2024-01-01"}


def together(table: str, *parts: SourceRows) -> tuple[list[dict[str, Any]], ir.Table | None]:
    rows, conflicts = united(parts, contract_of(f"stg_{table}", SMALL))
    return fetched(rows.filter(rows["_reason"].isnull())), conflicts


def test_an_id_stays_with_the_first_source_that_has_it_which_the_conflict_names():
    parts = [
        of_source("old", "subscriptions", contract("S1")),
        of_source("new", "subscriptions", contract("S1", "A2"), contract("S2", "A2")),
        of_source("third", "subscriptions", contract("S1"), contract("S2"), contract("S3")),
    ]
    rows, conflicts = together("subscriptions", *parts)
    assert sorted(row["subscription_id"] for row in rows) == ["S1", "S2", "S3", "new-S1", "third-S1", "third-S2"]
    assert conflicts is not None
    told = {(c["kept_source"], c["kept_value"], c["other_source"], c["other_value"]) for c in fetched(conflicts)}
    assert told == {
        ("old", "S1", "new", "new-S1"),
        ("old", "S1", "third", "third-S1"),
        ("new", "S2", "third", "third-S2"),
    }


def test_an_id_of_a_rejected_row_is_free_for_the_next_source():
    parts = [
        of_source("old", "subscriptions", contract("S1", "gone")),
        of_source("new", "subscriptions", contract("S1")),
    ]
    rows, conflicts = together("subscriptions", *parts)
    assert [row["subscription_id"] for row in rows] == ["S1"]
    assert conflicts is not None
    assert fetched(conflicts) == []


def test_a_credit_note_names_the_invoice_of_its_own_source():
    invoice = {"invoice_id": "I1", "account_id": "A1", "invoice_date": "2025-01-01", "amount": "10", "status": "paid"}
    note = invoice | {"invoice_id": "I2", "amount": "-4", "credited_invoice_id": "I1"}
    parts = [of_source("old", "invoices", invoice), of_source("new", "invoices", invoice | {"account_id": "A2"}, note)]
    rows, _ = together("invoices", *parts)
    assert {row["invoice_id"]: row["credited_invoice_id"] for row in rows} == {
        "I1": None,
        "new-I1": None,
        "I2": "new-I1",
    }


def test_months_are_added_up_and_of_a_figure_that_two_measured_the_first_holds():
    month = {"account_id": "A1", "month": "2025-01", "mrr": "10"}
    rows, conflicts = together(
        "mrr_history", of_source("old", "mrr_history", month), of_source("new", "mrr_history", month)
    )
    assert sorted(row["occurrence"] for row in rows) == [1, 2]
    assert conflicts is None
    figure = {"account_id": "A1", "metric": "logins", "measured_on": "2025-01-31"}
    parts = [of_source(name, "metrics", figure | {"value": value}) for name, value in (("old", "1"), ("new", "2"))]
    rows, _ = together("metrics", *parts)
    assert [row["value"] for row in rows] == [1]
    everything = united(parts, contract_of("stg_metrics", SMALL))[0]
    reasons = fetched(everything.filter(everything["_reason"].notnull()).select("_reason", "_source_file"))
    assert reasons == [
        {"_reason": "another source has a row of the same account_id, metric, measured_on", "_source_file": "new.csv"}
    ]
