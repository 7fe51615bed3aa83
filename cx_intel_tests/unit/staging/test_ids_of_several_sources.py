"""Rows of several sources beside each other: whose id is kept, and what the others are called instead."""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.staging.rows import judged
from cx_intel.models.staging.several_sources import SourceRows, united, with_additions
from cx_intel.settings.sources.base import TableSource
from cx_intel_tests.helpers.builders import fetched
from cx_intel_tests.helpers.made_once import kept_once
from cx_intel_tests.helpers.staged_rows import AS_OF, SMALL, accounts, raw

pytestmark = pytest.mark.slow

OWNED = ("renewal_date", "plan_tier")


def of_source(name: str, table: str, *given: dict[str, Any], owns: tuple[str, ...] = ()) -> SourceRows:
    sources = [
        s.model_copy(update={"owns": list(owns)}) if isinstance(s, TableSource) and s.table == table else s
        for s in SMALL.sources
    ]
    of = SMALL.model_copy(update={"sources": sources})
    rows = kept_once(judged, raw(given, f"{name}.csv"), table=table, portfolio=of, as_of=AS_OF, accounts=accounts())
    return SourceRows(name, rows, owns)


def contract(subscription_id: str, account_id: str = "A1") -> dict[str, Any]:
    return {"subscription_id": subscription_id, "account_id": account_id, "amount": "1", "start_date": "2024-01-01"}


def together(table: str, *parts: SourceRows) -> tuple[list[dict[str, Any]], ir.Table | None]:
    apart, conflicts = united(parts, contract_of(f"stg_{table}", SMALL))
    rows = ibis.union(*(part.rows for part in apart))
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
    everything = ibis.union(*(part.rows for part in united(parts, contract_of("stg_metrics", SMALL))[0]))
    reasons = fetched(everything.filter(everything["_reason"].notnull()).select("_reason", "_source_file"))
    assert reasons == [
        {"_reason": "another source has a row of the same account_id, metric, measured_on", "_source_file": "new.csv"}
    ]


def added(parts: list[SourceRows], *adding: SourceRows) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows with what is added to them, valid or not, and in what the sources differ."""
    rows, conflicts = with_additions(parts, adding, contract_of("stg_subscriptions", SMALL))
    assert conflicts is not None
    found = sorted(fetched(rows), key=lambda row: (row["subscription_id"], row["_source_file"]))
    return found, fetched(conflicts)


def of_crm(subscription_id: str, account_id: str = "A1", **more: str) -> dict[str, Any]:
    return {"subscription_id": subscription_id, "account_id": account_id} | more


def test_a_source_adds_what_it_owns_to_the_contracts_of_others_and_nothing_else():
    billing = of_source("billing", "subscriptions", contract("S1") | {"renewal_date": "2025-05-01"}, contract("S2"))
    given = [
        of_crm("S1", renewal_date="2025-06-01", amount="999", status="canceled", start_date="2020-01-01"),
        of_crm("S2", plan_tier="Gold"),
    ]
    rows, conflicts = added([billing], of_source("crm", "subscriptions", *given, owns=OWNED))
    assert [(r["subscription_id"], r["renewal_date"], r["plan_tier"], r["amount"], r["status"]) for r in rows] == [
        ("S1", date(2025, 6, 1), None, 1, None),
        ("S2", None, "gold", 1, None),
    ]
    assert conflicts == [
        {
            "source_table": "subscriptions",
            "row_key": "S1",
            "column_name": "renewal_date",
            "kept_source": "crm",
            "kept_value": "2025-06-01",
            "other_source": "billing",
            "other_value": "2025-05-01",
        }
    ]


def test_what_cannot_be_added_is_quarantined_and_the_contract_stays():
    billing = of_source("billing", "subscriptions", *(contract(f"S{n}") for n in (1, 2, 3)))
    given = [
        of_crm("S1", renewal_date="soon"),
        of_crm("S2", renewal_date="2025-06-01"),
        of_crm("S2", renewal_date="2025-07-01"),
        of_crm("S3", "gone", renewal_date="2025-08-01"),
        of_crm("S9", renewal_date="2025-09-01"),
    ]
    rows, conflicts = added([billing], of_source("crm", "subscriptions", *given, owns=OWNED))
    valid = {row["subscription_id"]: row["renewal_date"] for row in rows if row["_reason"] is None}
    assert valid == {"S1": None, "S2": None, "S3": None}
    two = (
        "another row of the file has other values for the same subscription_id, and none of valid_from, changed_at, "
        "updated_at says which is the newest: deliver one of them"
    )
    assert [row["_reason"] for row in rows if row["_reason"]] == [
        "renewal_date: 'soon' is not a date (YYYY-MM-DD, or as date_formats say)",
        two,
        two,
        "account_id 'gone' is not among the accounts",
        "no contract: no other source has the subscription_id 'S9'",
    ]
    assert conflicts == []


def test_another_account_in_the_source_that_adds_is_told_and_that_of_the_contract_holds():
    billing = of_source("billing", "subscriptions", contract("S1"))
    crm = of_source("crm", "subscriptions", of_crm("S1", "A2", renewal_date="2025-06-01"), owns=OWNED)
    ((row,), (conflict,)) = added([billing], crm)
    assert (row["account_id"], row["renewal_date"]) == ("A1", date(2025, 6, 1))
    assert (conflict["column_name"], conflict["kept_value"], conflict["other_value"]) == ("account_id", "A1", "A2")


def test_every_row_of_a_history_gets_what_is_added():
    old = contract("S1") | {"valid_from": "2024-01-01"}
    billing = of_source("billing", "subscriptions", old, old | {"amount": "2", "valid_from": "2024-06-01"})
    rows, _ = added([billing], of_source("crm", "subscriptions", of_crm("S1", plan_tier="Gold"), owns=OWNED))
    assert sorted((row["amount"], row["plan_tier"]) for row in rows) == [(1, "gold"), (2, "gold")]
