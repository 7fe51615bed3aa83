"""Rows that are not valid, rows of no account and of none at all, and rows of the real files, which are all valid."""

import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest

import cx_intel
from cx_intel.contracts import operations
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging import rows
from cx_intel.models.staging import tables as staging
from cx_intel.models.staging import unknown_currencies as unknown
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel_tests.helpers.staged_rows import ACCOUNTS, AS_OF, CON, SMALL, WITHOUT_ACCOUNT, accounts, judged, raw

EXAMPLES = Path(cx_intel.__file__).parents[1] / "examples"


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


@pytest.mark.parametrize(
    "table", [t if t in ("subscriptions", "metrics") else pytest.param(t, marks=pytest.mark.slow) for t in STAGING]
)
def test_each_model_gives_its_contracts_columns_of_nothing(table: str) -> None:
    contract = STAGING[table](SMALL)
    model = getattr(staging, f"stg_{table}")
    key = "external_id" if table == "identity_links" else "account_id"
    nothing = ibis.memtable(pa.table({key: pa.array([], pa.string())}))
    read = (nothing,) if table in WITHOUT_ACCOUNT else (nothing, accounts())
    result = model(*read, portfolio=SMALL, as_of=AS_OF)
    assert result.schema() == contract.schema()
    assert CON.to_pyarrow(result).num_rows == 0


def rejected(given: dict[str, ir.Table]) -> ir.Table:
    """What staging rejects of these raw tables, as it is collected for the quarantine."""
    found = []
    for table, delivered in given.items():
        known = None if table == "accounts" else accounts()
        judged_rows = rows.judged(delivered, table=table, portfolio=SMALL, as_of=AS_OF, accounts=known)
        found.append(staging.rejected_rows(judged_rows, table=table, portfolio=SMALL))
    return ibis.union(*found) if len(found) > 1 else found[0]


@pytest.mark.slow
def test_quarantine_holds_the_rejected_rows_of_all_tables() -> None:
    raws = {"usage_events": raw([{"event_id": "E1"}], "e.csv")}
    raws["accounts"] = raw([*ACCOUNTS, {"account_id": None}], "accounts.csv")
    wide = {"account_id": "A1", "measured_on": "2025-01-31"}
    metrics = [wide | {"metric": m, "value": "?"} for m in ("gps", "nps")]
    raws["metrics"] = raw(metrics, "m.csv").mutate(_row_number=ibis.literal(5, "int64"))
    split = raw([{"subscription_id": None}], "s.csv").mutate(_reject=ibis.literal("has 2 columns"))
    raws["subscriptions"] = split
    result = staging.quarantine(rejected(raws), portfolio=SMALL, as_of=AS_OF)
    assert result.schema() == operations.quarantine(SMALL).schema()
    columns = ("source_table", "source_file", "row_number", "occurrence", "reason", "raw_row")
    found = CON.to_pyarrow(result.order_by("source_table", "occurrence")).to_pylist()
    assert {row["as_of"] for row in found} == {AS_OF}
    assert [tuple(row[c] for c in columns) for row in found] == [
        ("accounts", "accounts.csv", 3, 1, "account_id is missing", "3"),
        ("metrics", "m.csv", 5, 1, "value: '?' is not a number (write 1234.5)", "1"),
        ("metrics", "m.csv", 5, 2, "value: '?' is not a number (write 1234.5)", "2"),
        ("subscriptions", "s.csv", 1, 1, "has 2 columns", "1"),
        (
            "usage_events",
            "e.csv",
            1,
            1,
            "account_id is missing; event_name is missing; event_timestamp is missing",
            "1",
        ),
    ]


def test_what_a_source_rejects_keeps_its_own_day_and_the_day_that_delivered_it() -> None:
    late = [{"event_id": "E1", "account_id": "X", "event_name": "login", "event_timestamp": "2025-01-30T23:00:00Z"}]
    delivered = raw(late).mutate(_day=ibis.literal(date(2025, 1, 31)))
    (found,) = CON.to_pyarrow(rejected({"usage_events": delivered})).to_pylist()
    assert (found["day"], found["delivered_day"]) == (date(2025, 1, 30), date(2025, 1, 31))
    assert found["reason"] == "account_id 'X' is not among the accounts"


def test_of_a_source_that_delivers_days_the_newest_are_in_quarantine() -> None:
    one = rejected({"usage_events": raw([{"event_id": "E1"}], "e.csv")})
    (row,) = CON.to_pyarrow(one).to_pylist()
    days = [date(2025, 1, 31), date(2025, 1, 24), date(2025, 1, 23), None]
    given = [row | {"row_number": n, "delivered_day": day} for n, day in enumerate(days)]

    def there(**same: Any) -> set[date | None]:
        """Of the days, those whose rows are in quarantine."""
        delivered = ibis.memtable([row | same for row in given], schema=one.schema())
        found = CON.to_pyarrow(staging.quarantine(delivered, portfolio=SMALL, as_of=AS_OF))
        return {days[number] for number in found["row_number"].to_pylist()}

    assert there(source_file="") == {date(2025, 1, 31), date(2025, 1, 24), None}
    assert there() == set(days)  # files are read once, and what is wrong with them is told until it is mended


def test_currencies_without_a_rate_are_found_before_anything_is_written() -> None:
    given = raw([{"currency": c} for c in ("gbp", "GBP ", "EUR", "chf", None, "", "JPY")])
    found = CON.to_pyarrow(unknown.unknown_currencies(given, SMALL).order_by("currency")).to_pylist()
    assert found == [{"currency": "GBP", "row_count": 2}, {"currency": "JPY", "row_count": 1}]
    message = unknown.unknown_currency_message("invoices", [row["currency"] for row in found], SMALL)
    assert "invoices has amounts in GBP, JPY" in message
    assert "currency.rates" in message
    none = unknown.unknown_currencies(raw([{"account_id": "A1"}]), SMALL)
    assert CON.to_pyarrow(none).num_rows == 0


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
def test_every_row_of_the_real_files_is_valid(name: str, variable: str, as_of: date, expected: dict[str, int]) -> None:
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    book = load_portfolio(EXAMPLES / f"{name}.yaml")
    known: ir.Table | None = None
    for table, row_count in expected.items():
        source = book.source_of(table)
        assert isinstance(source, FilesSource)
        given = read_files(source, contract=STAGING[table](book), environment=os.environ).raw()
        found = rows.judged(ibis.memtable(given), table=table, portfolio=book, as_of=as_of, accounts=known)
        staged = CON.to_pyarrow(found)
        assert (staged.num_rows, staged["_reason"].null_count) == (row_count, row_count)
        if table == "accounts":
            known = ibis.memtable(staged)
