"""Staging: what each raw row becomes, and the reason of each that is turned away. Values worked by hand."""

import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest

from cx_intel.contracts import operations
from cx_intel.contracts.staging import STAGING
from cx_intel.models import staging
from cx_intel.settings.loader import load_portfolio
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources import FilesSource
from cx_intel.sources.files import read_files
from cx_intel_tests.builders import portfolio, shipped

AS_OF = date(2025, 1, 31)
CON = ibis.duckdb.connect()
EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = portfolio(
    [
        "invoices",
        "mrr_history",
        "usage_events",
        "support_tickets",
        "nps_responses",
        "csm_activities",
        "metrics",
    ],
    currency={"reporting": "EUR", "rates": {"CHF": 1.05}},
    usage={"categories": {"tracking": ["gps_ping"]}},
    account_attributes={
        "vehicle_count": {"type": "integer", "description": "Vehicles."},
        "segment": {
            "rules": [{"if": {"employee_count": {"more_than": 500}}, "value": "large"}],
            "else": "small",
        },
        "size": {"rules": [{"if": {"segment": "large"}, "value": "XL"}], "else": "S"},
    },
)
BERLIN = SMALL.model_copy(update={"time_zone": "Europe/Berlin"})
ACCOUNTS = [{"account_id": "A1"}, {"account_id": "A2", "currency": "chf"}]


def raw(rows: Sequence[Mapping[str, str | None]], file: str = "x.csv") -> ir.Table:
    """A raw table of text from one file."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    marks = {
        "_source_file": pa.array([file] * len(rows), pa.string()),
        "_row_number": pa.array(range(1, len(rows) + 1), pa.int64()),
        "_raw_row": pa.array([str(n) for n in range(1, len(rows) + 1)], pa.string()),
    }
    return ibis.memtable(pa.table({**columns, **marks}))


def accounts(book: Portfolio = SMALL) -> ir.Table:
    table = staging.stg_accounts(raw(ACCOUNTS), portfolio=book, as_of=AS_OF)
    return ibis.memtable(CON.to_pyarrow(table))


def judged(table: str, rows: Sequence[Mapping[str, str | None]] | ir.Table, book: Portfolio = SMALL) -> list[Any]:
    """The rows of a table in order, each as a dict with its `_reason`."""
    given = rows if isinstance(rows, ir.Table) else raw(rows)
    known = None if table == "accounts" else accounts(book)
    result = staging.staged(given, table=table, portfolio=book, as_of=AS_OF, accounts=known)
    return sorted(CON.to_pyarrow(result).to_pylist(), key=lambda row: (row["_row_number"] or 0, str(row)))


def reasons(table: str, rows: Sequence[Mapping[str, str | None]]) -> list[str | None]:
    return [row["_reason"] for row in judged(table, rows)]


def test_accounts_are_trimmed_typed_and_segmented() -> None:
    (row, empty) = judged(
        "accounts",
        [
            {
                "account_id": " A1 ",
                "account_name": "Ada  ",
                "country": "deutschland",
                "employee_count": "501.0",
                "plan_tier": " Growth",
                "status": "ACTIVE",
                "signup_date": "2024-06-03T23:30:00",
                "currency": "eur",
                "vehicle_count": "7",
                "segment": "the rules win",
            },
            {"account_id": "A2"},
        ],
        BERLIN,
    )
    assert {k: v for k, v in row.items() if v is not None} == {
        "account_id": "A1",
        "account_name": "Ada",
        "segment": "large",
        "country": "DE",
        "employee_count": 501,
        "plan_tier": "growth",
        "status": "active",
        "signup_date": date(2024, 6, 4),  # half past one in Berlin
        "currency": "EUR",
        "vehicle_count": 7,
        "size": "XL",
        "_source_file": "x.csv",
        "_row_number": 1,
        "_raw_row": "1",
    }
    assert (empty["segment"], empty["size"], empty["_reason"]) == ("small", "S", None)


def subscription(**more: str | None) -> dict[str, str | None]:
    base = {"subscription_id": "S1", "account_id": "A1", "amount": "120", "start_date": "2024-01-01"}
    return base | more


def test_days_beyond_any_calendar_are_turned_away_and_never_is_an_open_end() -> None:
    turned_away = [subscription(start_date=day) for day in ("0204-01-01", "0001-01-01", "10000-01-01")]
    assert reasons("subscriptions", turned_away) == [
        f"start_date: '{row['start_date']}' is not a date (YYYY-MM-DD)" for row in turned_away
    ]
    rows = judged(
        "subscriptions", [subscription(), subscription(subscription_id="S2", end_date="9999-12-31T23:59:59-05:00")]
    )
    assert [(row["_reason"], row["is_active"], row["duration_days"]) for row in rows] == [(None, True, 397)] * 2


def test_subscriptions_in_force_and_their_days() -> None:
    cases = [
        ({}, True, 397),  # 2024 has 366 days; until the end of 31 January
        ({"end_date": "2025-01-31"}, False, 396),
        ({"end_date": "2025-02-01"}, True, 397),
        ({"end_date": "2025-12-31"}, True, 397),
        ({"status": "Trial"}, False, 397),
        ({"start_date": "2025-01-31"}, True, 1),
        ({"start_date": "2025-02-01"}, False, 0),
        ({"end_date": "2023-12-22"}, False, -10),
        ({"end_date": "2024-01-01"}, False, 0),
    ]
    rows = judged("subscriptions", [subscription(subscription_id=f"S{n}", **c[0]) for n, c in enumerate(cases)])
    assert [row["_reason"] for row in rows] == [None] * len(cases)
    assert [(row["is_active"], row["duration_days"]) for row in rows] == [c[1:] for c in cases]


def test_currency_is_the_rows_then_the_accounts_then_the_reporting_one() -> None:
    rows = judged(
        "subscriptions",
        [
            subscription(subscription_id="S1"),
            subscription(subscription_id="S2", account_id="A2"),
            subscription(subscription_id="S3", account_id="A2", currency="Eur"),
            subscription(subscription_id="S4", currency="CHF", billing_period_months="12"),
            subscription(subscription_id="S5", amount="1.39", currency="CHF", billing_period_months="2"),
        ],
    )
    found = [(row["currency"], row["amount"], row["billing_period_months"], row["mrr_amount"]) for row in rows]
    assert found == [
        ("EUR", Decimal("120.00"), 1, Decimal("120.00")),
        ("CHF", Decimal("126.00"), 1, Decimal("126.00")),
        ("EUR", Decimal("120.00"), 1, Decimal("120.00")),
        ("CHF", Decimal("126.00"), 12, Decimal("10.50")),
        ("CHF", Decimal("1.46"), 2, Decimal("0.73")),
    ]


def test_every_reason_of_a_subscription() -> None:
    cases: list[tuple[dict[str, str | None], str | None]] = [
        ({"subscription_id": "  "}, "subscription_id is missing"),
        ({"account_id": None}, "account_id is missing"),
        ({"account_id": "A9"}, "account_id 'A9' is not among the accounts"),
        ({"amount": ""}, "amount is missing"),
        ({"amount": "1,200"}, "amount: '1,200' is not a number (write 1234.50)"),
        ({"amount": "1e13"}, "amount: '1e13' is beyond the limit of 1,000,000,000,000"),
        ({"amount": "999999999999", "currency": "CHF"}, "amount: '999999999999' is above 1,000,000,000,000"),
        ({"amount": "-1"}, "amount: '-1' is below 0"),
        ({"start_date": "31/12/2024"}, "start_date: '31/12/2024' is not a date (YYYY-MM-DD)"),
        ({"start_date": None}, "start_date is missing"),
        ({"end_date": "soon"}, "end_date: 'soon' is not a date (YYYY-MM-DD)"),
        ({"billing_period_months": "0"}, "billing_period_months: '0' is below 1"),
        ({"billing_period_months": "1.5"}, "billing_period_months: '1.5' is not a whole number (write 1234)"),
        ({"billing_period_months": "5000"}, "billing_period_months: '5000' is above 1,200"),
        ({"currency": "GBP"}, "currency: 'GBP' has no rate under currency.rates"),
        (
            {"account_id": "A9", "end_date": "x" * 100},
            f"end_date: '{'x' * 60}' is not a date (YYYY-MM-DD); account_id 'A9' is not among the accounts",
        ),
        ({"status": "anything", "product_name": "?"}, None),
    ]
    rows = [subscription(**{"subscription_id": f"S{n}", **case[0]}) for n, case in enumerate(cases)]
    assert reasons("subscriptions", rows) == [case[1] for case in cases]


def test_the_last_of_equal_keys_is_kept() -> None:
    rows = [{"account_id": "A1", "account_name": n} for n in ("first", "second")]
    rows += [{"account_id": "A2"}, {"account_id": "A1", "employee_count": "many"}]
    assert reasons("accounts", rows) == [
        "duplicate of row 2 of x.csv: the same account_id",
        None,
        None,
        "employee_count: 'many' is not a whole number (write 1234)",
    ]


def test_a_later_file_wins_over_an_earlier_one() -> None:
    old = raw([{"account_id": "A1", "account_name": "old"}], "2024.csv")
    new = raw([{"account_id": "A1", "account_name": "new"}], "2025.csv")
    fitting = staging.stg_accounts(new.union(old), portfolio=SMALL, as_of=AS_OF)
    assert CON.to_pyarrow(fitting)["account_name"].to_pylist() == ["new"]


def test_invoices() -> None:
    base = {"account_id": "A1", "invoice_date": "2025-01-15", "amount": "-12.345", "status": "PAID"}
    cases = [{}, {"status": "open", "billing_period_months": "3"}, {"status": "strange"}, {"status": None}]
    rows = judged("invoices", [base | {"invoice_id": f"I{n}"} | case for n, case in enumerate(cases)])
    assert [row["_reason"] for row in rows] == [None, None, None, "status is missing"]
    assert [row["is_paid"] for row in rows[:3]] == [True, False, False]
    assert [(row["amount"], row["mrr_amount"]) for row in rows[:2]] == [
        (Decimal("-12.35"), Decimal("-12.35")),
        (Decimal("-12.35"), Decimal("-4.12")),  # -4.115 of the source's amount
    ]
    assert rows[0]["invoice_month"] == date(2025, 1, 1)


def test_months_of_the_mrr_history() -> None:
    months = ["2024-02", "2024-03-01", "2024-04-30T00:00:00", "2024-13"]
    rows = judged("mrr_history", [{"account_id": "A2", "month": month, "mrr": "100"} for month in months])
    assert [row["month"] for row in rows] == [date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1), None]
    assert [row["mrr"] for row in rows[:3]] == [Decimal("105.00")] * 3
    assert rows[3]["_reason"] == "month: '2024-13' is not a date (YYYY-MM-DD)"


def test_events_get_the_day_and_hour_of_the_portfolios_zone() -> None:
    times = ["2025-01-15T23:30:00", "2025-01-15T23:30:00+01:00", "1736983800000", "yesterday"]
    rows = judged(
        "usage_events",
        [
            {"event_id": f"E{n}", "account_id": "A1", "event_name": "GPS_ping", "event_timestamp": time}
            for n, time in enumerate(times)
        ]
        + [{"event_id": "E9", "account_id": "A1", "event_name": "x", "event_timestamp": times[0]}],
        BERLIN,
    )
    assert [(row["event_date"], row["event_hour"], row["event_category"]) for row in rows] == [
        (date(2025, 1, 16), 0, "tracking"),
        (date(2025, 1, 15), 23, "tracking"),
        (date(2025, 1, 16), 0, "tracking"),
        (None, None, "tracking"),
        (date(2025, 1, 16), 0, "other"),
    ]
    assert rows[0]["event_timestamp"] == datetime(2025, 1, 15, 23, 30)
    assert rows[3]["_reason"] == "event_timestamp: 'yesterday' is not a time (YYYY-MM-DDTHH:MM:SS)"


def test_equal_keys_of_events_are_compared_within_the_day() -> None:
    base = {"event_id": "E1", "account_id": "A1", "event_name": "x"}
    times = ["2025-01-15T10:00:00", "2025-01-15T11:00:00", "2025-01-16T10:00:00"]
    found = reasons("usage_events", [base | {"event_timestamp": time} for time in times])
    assert found == ["duplicate of row 2 of x.csv: the same event_id", None, None]


def test_tickets() -> None:
    base = {"account_id": "A1", "created_at": "2025-01-01T23:30:00", "status": "Resolved", "priority": "P1"}
    cases = [
        {"resolved_at": "2025-01-02T03:30:00"},
        {"resolved_at": "2025-01-02T04:00:00"},
        {"status": "open"},
        {"resolved_at": "2025-01-02T04:00:00", "priority": "urgent"},
        {"satisfaction_score": "6"},
        {"created_at": "2025-01-02T00:00:00Z", "resolved_at": "2025-01-01T23:00:00"},
    ]
    rows = judged("support_tickets", [base | {"ticket_id": f"T{n}"} | case for n, case in enumerate(cases)], BERLIN)
    columns = ("resolution_hours", "sla_target_hours", "is_sla_breach", "_reason")
    assert [tuple(row[c] for c in columns) for row in rows] == [
        (4.0, 4.0, False, None),
        (4.5, 4.0, True, None),
        (None, 4.0, None, None),
        (4.5, None, None, None),
        (None, 4.0, None, "satisfaction_score: '6' is above 5"),
        (-1.0, 4.0, False, None),  # a warning of the contract, not a reason
    ]
    assert rows[0]["created_date"] == date(2025, 1, 2)


def test_measured_figures_may_be_yes_or_no() -> None:
    base = {"account_id": "A1", "measured_on": "2025-01-31"}
    values = ["Yes", "0", "37.5", "many", None]
    rows = judged("metrics", [base | {"metric": f"QBR_{n}", "value": v} for n, v in enumerate(values)])
    assert [(row["metric"], row["value"]) for row in rows[:3]] == [
        ("qbr_0", 1),
        ("qbr_1", 0),
        ("qbr_2", 37.5),
    ]
    assert [row["_reason"] for row in rows[3:]] == [
        "value: 'many' is not a number (write 1234.5)",
        "value is missing",
    ]


def test_responses_and_activities() -> None:
    response = {"response_id": "R1", "account_id": "A1", "score": "11", "responded_at": "2025-01-01"}
    activity = {"activity_id": "C1", "account_id": "A1", "activity_type": "QBR", "status": "Done"}
    assert reasons("nps_responses", [response]) == ["score: '11' is above 10"]
    (row,) = judged("csm_activities", [activity])
    assert (row["activity_type"], row["status"], row["completed_at"], row["_reason"]) == (
        "qbr",
        "done",
        None,
        None,
    )


def test_typed_rows_need_no_marks() -> None:
    frame = pd.DataFrame(
        {
            "subscription_id": ["S1", "S2"],
            "account_id": ["A1", "A2"],
            "amount": [149.0, float("nan")],
            "start_date": pd.to_datetime(["2025-01-01", "2025-01-02"]).astype("datetime64[us]"),
            "end_date": pd.to_datetime([None, None]).astype("datetime64[us]"),
        }
    )
    first, second = judged("subscriptions", ibis.memtable(frame))
    assert (
        first["amount"],
        first["start_date"],
        first["end_date"],
        first["is_active"],
        first["_reason"],
    ) == (
        Decimal("149.00"),
        date(2025, 1, 1),
        None,
        True,
        None,
    )
    assert (first["_source_file"], first["_row_number"], first["_raw_row"]) == (None, None, None)
    assert second["_reason"] == "amount is missing"


@pytest.mark.parametrize("table", list(STAGING))
def test_each_model_gives_its_contracts_columns_of_nothing(table: str) -> None:
    contract = STAGING[table](SMALL)
    model = getattr(staging, f"stg_{table}")
    nothing = ibis.memtable(pa.table({"account_id": pa.array([], pa.string())}))
    read = (nothing,) if table == "accounts" else (nothing, accounts())
    result = model(*read, portfolio=SMALL, as_of=AS_OF)
    assert result.schema() == contract.schema()
    assert CON.to_pyarrow(result).num_rows == 0


def test_quarantine_holds_the_rows_turned_away_of_all_tables() -> None:
    nothing = ibis.memtable(pa.table({"account_id": pa.array([], pa.string())}))
    raws = dict.fromkeys(STAGING, nothing)
    raws["accounts"] = raw([*ACCOUNTS, {"account_id": None}], "accounts.csv")
    wide = {"account_id": "A1", "measured_on": "2025-01-31"}
    metrics = [wide | {"metric": m, "value": "?"} for m in ("gps", "nps")]
    raws["metrics"] = raw(metrics, "m.csv").mutate(_row_number=ibis.literal(5, "int64"))
    split = raw([{"subscription_id": None}], "s.csv").mutate(_reject=ibis.literal("has 2 columns"))
    raws["subscriptions"] = split
    result = staging.quarantine(*raws.values(), accounts(), portfolio=SMALL, as_of=AS_OF)
    assert result.schema() == operations.quarantine(SMALL).schema()
    columns = ("source_table", "source_file", "row_number", "occurrence", "reason", "raw_row")
    found = CON.to_pyarrow(result.order_by("source_table", "occurrence")).to_pylist()
    assert {row["as_of"] for row in found} == {AS_OF}
    assert [tuple(row[c] for c in columns) for row in found] == [
        ("accounts", "accounts.csv", 3, 1, "account_id is missing", "3"),
        ("metrics", "m.csv", 5, 1, "value: '?' is not a number (write 1234.5)", "1"),
        ("metrics", "m.csv", 5, 2, "value: '?' is not a number (write 1234.5)", "2"),
        ("subscriptions", "s.csv", 1, 1, "has 2 columns", "1"),
    ]


def test_currencies_without_a_rate_are_found_before_anything_is_written() -> None:
    rows = raw([{"currency": c} for c in ("gbp", "GBP ", "EUR", "chf", None, "", "JPY")])
    found = CON.to_pyarrow(staging.unknown_currencies(rows, SMALL).order_by("currency")).to_pylist()
    assert found == [{"currency": "GBP", "row_count": 2}, {"currency": "JPY", "row_count": 1}]
    message = staging.unknown_currency_message("invoices", [row["currency"] for row in found], SMALL)
    assert "invoices has amounts in GBP, JPY" in message
    assert "currency.rates" in message
    none = staging.unknown_currencies(raw([{"account_id": "A1"}]), SMALL)
    assert CON.to_pyarrow(none).num_rows == 0


def test_shipped_segments_of_novacrm() -> None:
    rows = [
        {"account_id": "A1", "plan_tier": "Enterprise", "employee_count": "5"},
        {"account_id": "A2", "plan_tier": "starter", "employee_count": "501"},
        {"account_id": "A3", "plan_tier": "starter", "employee_count": "51"},
        {"account_id": "A4", "plan_tier": "growth"},
        {"account_id": "A5", "plan_tier": "starter"},
    ]
    found = [row["segment"] for row in judged("accounts", rows, shipped("novacrm"))]
    assert found == ["enterprise", "enterprise", "mid_market", "mid_market", "smb"]


@pytest.mark.parametrize(
    ("name", "variable", "as_of", "expected"),
    [
        (
            "novacrm_csv",
            "NOVACRM_DATA",
            date(2025, 1, 31),
            {"accounts": 150, "subscriptions": 254, "invoices": 1707, "usage_events": 15_000, "support_tickets": 1314},
        ),
        (
            "fleet_csv",
            "FLEET_DATA",
            date(2024, 12, 31),
            {"accounts": 250, "subscriptions": 250, "mrr_history": 2750, "metrics": 2632},
        ),
    ],
)
def test_every_row_of_the_real_files_fits(name: str, variable: str, as_of: date, expected: dict[str, int]) -> None:
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    book = load_portfolio(EXAMPLES / f"{name}.yaml")
    known: ir.Table | None = None
    for table, row_count in expected.items():
        source = book.source_of(table)
        assert isinstance(source, FilesSource)
        given = read_files(source, contract=STAGING[table](book), environment=os.environ).raw()
        rows = staging.staged(ibis.memtable(given), table=table, portfolio=book, as_of=as_of, accounts=known)
        staged = CON.to_pyarrow(rows)
        assert (staged.num_rows, staged["_reason"].null_count) == (row_count, row_count)
        if table == "accounts":
            known = ibis.memtable(staged)
