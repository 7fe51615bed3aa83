"""Bad input: each fault of a row loads, is quarantined with its reason, or stops with a message naming the place."""

import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.sources.errors import SourceError
from cx_intel_tests.helpers.delivered_files import (
    BOOK,
    STAGED,
    Row,
    Staged,
    company,
    deliver,
    each_format_staged,
    graph,
    in_berlin,
    marked,
    read,
    write,
)

pytestmark = pytest.mark.slow  # whole refreshes


@each_format_staged
def test_a_missing_column_that_is_optional_is_null(tmp_path: Path, form: str) -> None:
    rows = [{k: v for k, v in row.items() if k != "owner"} for row in company()["accounts"]]
    assert Staged("accounts", read(write(tmp_path / f"a.{form}", rows), "accounts")).values("owner") == [None, None]


@each_format_staged
def test_a_missing_or_renamed_column_that_is_required_stops_with_file_and_column(tmp_path: Path, form: str) -> None:
    rows = [{k: v for k, v in row.items() if k != "amount"} for row in company()["invoices"]]
    with pytest.raises(SourceError, match=rf"s\.{form}: has no column 'amount', which invoices requires"):
        read(write(tmp_path / f"s.{form}", rows), "invoices")
    renamed = [{"Amount": row["amount"]} | before for row, before in zip(company()["invoices"], rows, strict=True)]
    with pytest.raises(SourceError, match=r"has no column 'amount'.*did you mean 'Amount'\?.*Name the right one"):
        read(write(tmp_path / f"s.{form}", renamed), "invoices")
    mended = read(tmp_path / f"s.{form}", "invoices", columns={"amount": "Amount"})
    assert [float(value) for value in Staged("invoices", mended).values("amount")] == [100, 100]


@each_format_staged
def test_an_extra_column_is_named_and_kept_in_the_raw_row(tmp_path: Path, form: str) -> None:
    rows = [row | {"Shoe size": "44"} for row in company()["accounts"]]
    delivered = read(write(tmp_path / f"a.{form}", rows), "accounts")
    assert delivered.ignored_columns == ("Shoe size",)
    assert json.loads(delivered.table["_raw_row"][0].as_py())["Shoe size"] == "44"
    assert len(Staged("accounts", delivered).rows) == 2


NOT_A_NUMBER = "is not a number (write 1234.50)"


FAULTS: list[tuple[str, Row, str]] = [
    # wrong types
    ("subscriptions", {"amount": "a lot"}, f"amount: 'a lot' {NOT_A_NUMBER}"),
    ("subscriptions", {"amount": "NaN"}, f"amount: 'NaN' {NOT_A_NUMBER}"),
    ("accounts", {"employee_count": "ten"}, "employee_count: 'ten' is not a whole number (write 1234)"),
    (
        "usage_events",
        {"event_timestamp": "soon"},
        "event_timestamp: 'soon' is not a time (YYYY-MM-DDTHH:MM:SS, or as date_formats say)",
    ),
    # mixed formats of dates: ISO is read, others are not guessed at
    (
        "subscriptions",
        {"start_date": "15.01.2024"},
        "start_date: '15.01.2024' is not a date (YYYY-MM-DD, or as date_formats say)",
    ),
    (
        "subscriptions",
        {"start_date": "01/02/2024"},
        "start_date: '01/02/2024' is not a date (YYYY-MM-DD, or as date_formats say)",
    ),
    (
        "subscriptions",
        {"start_date": "45306"},
        "start_date: '45306' is not a date (YYYY-MM-DD, or as date_formats say)",
    ),
    (
        "subscriptions",
        {"end_date": "0001-01-01"},
        "end_date: '0001-01-01' is not a date (YYYY-MM-DD, or as date_formats say)",
    ),
    (
        "subscriptions",
        {"start_date": "2025-02-29"},
        "start_date: '2025-02-29' is not a date (YYYY-MM-DD, or as date_formats say)",
    ),
    # keys
    ("usage_events", {"account_id": "A9"}, "account_id 'A9' is not among the accounts"),
    ("usage_events", {"account_id": None}, "account_id is missing"),
    ("usage_events", {"event_id": None}, "event_id is missing"),
    ("accounts", {"account_id": None}, "account_id is missing"),
    ("accounts", {"account_id": "  "}, "account_id is missing"),
    # amounts
    ("subscriptions", {"amount": "1e13"}, "amount: '1e13' is beyond the limit of 1,000,000,000,000"),
    ("subscriptions", {"amount": "9" * 80}, f"amount: '{'9' * 60}' is beyond the limit of 1,000,000,000,000"),
    ("accounts", {"employee_count": "-1"}, "employee_count: '-1' is below 0"),
    # several faults at once
    (
        "subscriptions",
        {"account_id": None, "amount": "?"},
        f"account_id is missing; amount: '?' {NOT_A_NUMBER}",
    ),
]


@each_format_staged
def test_a_row_with_a_fault_is_quarantined_with_its_reason(tmp_path: Path, form: str) -> None:
    rows, expected = company(), []
    for n, (table, change, reason) in enumerate(FAULTS):
        key = STAGING[table](BOOK).grain[0]
        rows[table].append(rows[table][0] | {key: f"new {n}"} | change)
        expected.append((table, len(rows[table]), reason))
    delivered = {t: read(write(tmp_path / f"{t}.{form}", r), t).raw() for t, r in rows.items()}
    assert graph().run(delivered, only=STAGED) == []
    assert graph().quarantined() == sorted(expected)
    assert {t: len(graph().rows(f"stg_{t}")) for t in rows} == dict.fromkeys(rows, 2)


@each_format_staged
def test_of_equal_keys_the_last_is_kept(tmp_path: Path, form: str) -> None:
    staged = deliver(tmp_path, form, "invoices", {"amount": "70"})
    assert staged.quarantined == {1: f"duplicate of row 3 of invoices.{form}: the same invoice_id"}
    assert [float(amount) for amount in staged.values("amount")] == [100, 70]


UNUSUAL: list[tuple[str, Row, str, str | None]] = [
    ("invoices", {"amount": "-250.00"}, "amount", "-250.00"),
    ("invoices", {"amount": "999999999999.99"}, "amount", "999999999999.99"),
    ("support_tickets", {"priority": "urgent"}, "priority", "urgent"),
    ("support_tickets", {"status": "Parked", "resolved_at": ""}, "unknown_status", "parked"),
    ("usage_events", {"event_name": "Never_Heard_Of"}, "event_name", "never_heard_of"),
    ("subscriptions", {"start_date": "2099-01-01"}, "start_date", "2099-01-01"),
    ("subscriptions", {"end_date": "9999-12-31T23:59:59-05:00"}, "end_date", "9999-12-31"),
    ("support_tickets", {"resolved_at": "9999-12-31T23:59:59Z"}, "resolved_at", "9999-12-31 00:00:00"),
    ("usage_events", {"event_timestamp": "9999-12-31T23:59:59Z"}, "event_date", "9999-12-31"),
    ("subscriptions", {"start_date": "2024-02-29"}, "start_date", "2024-02-29"),
    ("accounts", {"account_name": 'Smith "&" Söhne,\nLtd; 株式会社 🚚'}, "account_name", None),
]


def test_an_event_that_comes_again_on_another_day_is_another_row(tmp_path: Path) -> None:
    staged = deliver(tmp_path, "csv", "usage_events", {"event_timestamp": "2025-01-16T09:00:00Z"})
    assert staged.values("event_id") == ["E-A1", "E-A1", "E-A2"]


@each_format_staged
def test_what_is_unusual_and_no_fault_is_loaded(tmp_path: Path, form: str) -> None:
    rows, expected = company(), {}
    for n, (table, change, column, value) in enumerate(UNUSUAL):
        key = STAGING[table](BOOK).grain[0]
        rows[table].append(rows[table][0] | {key: f"new {n}"} | change)
        expected[f"new {n}", column] = value or change[column]
    delivered = {t: read(write(tmp_path / f"{t}.{form}", r), t).raw() for t, r in rows.items()}
    assert graph().run(delivered, only=STAGED) == []
    assert graph().quarantined() == []
    staged = {row[STAGING[t](BOOK).grain[0]]: row for t in rows for row in graph().rows(f"stg_{t}")}
    assert {(key, column): str(staged[key][column]) for key, column in expected} == expected


@each_format_staged
def test_local_times_of_the_days_on_which_clocks_change(tmp_path: Path, form: str) -> None:
    """02:30 does not occur on 30 March 2025 in Berlin and occurs twice on 27 October 2024: neither is lost."""
    moments = {
        "gap": "2025-03-30T02:30:00",
        "twice": "2024-10-27T02:30:00",
        "said": "2024-10-27T02:30:00+01:00",
        "before": "2025-03-30T01:59:59",
    }
    rows = [company()["usage_events"][0] | {"event_id": e, "event_timestamp": t} for e, t in moments.items()]
    delivered = read(write(tmp_path / f"e.{form}", rows), "usage_events")
    local = in_berlin()
    accounts = pa.Table.from_pylist(marked(company()["accounts"]))
    assert local.run({"accounts": accounts, "usage_events": delivered.raw()}) == []
    found = {row["event_id"]: (row["event_timestamp"], row["event_date"]) for row in local.rows("stg_usage_events")}
    assert found["said"] == (datetime(2024, 10, 27, 1, 30), date(2024, 10, 27))
    assert found["before"] == (datetime(2025, 3, 30, 0, 59, 59), date(2025, 3, 30))
    assert found["gap"][1] == date(2025, 3, 30)
    assert found["gap"][0] in (datetime(2025, 3, 30, 0, 30), datetime(2025, 3, 30, 1, 30))
    assert found["twice"][1] == date(2024, 10, 27)
    assert found["twice"][0] in (datetime(2024, 10, 27, 0, 30), datetime(2024, 10, 27, 1, 30))
