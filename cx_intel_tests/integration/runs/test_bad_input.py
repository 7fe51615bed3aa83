"""Bad input: each fault of a file loads, is quarantined with its reason, or stops with a message naming the place."""

import gzip
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.reading import FilesRead, read_files
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.whole_graph import WholeGraph

FORMATS = ("csv", "parquet", "jsonl")
TABLES = ("invoices", "usage_events", "support_tickets")
BOOK = portfolio(TABLES, currency={"reporting": "EUR", "rates": {"CHF": 1.05}}, time_zone="Europe/Berlin")
Row = dict[str, str | None]
Company = dict[str, list[Row]]


def company() -> Company:
    """Two accounts, each with a row of every table, as texts."""
    both = ("A1", "A2")
    return {
        "accounts": [
            {"account_id": a, "account_name": f"Company {a}", "owner": "Ann", "employee_count": "10"} for a in both
        ],
        "subscriptions": [
            {
                "subscription_id": f"S-{a}",
                "account_id": a,
                "product_name": "suite",
                "amount": "100.00",
                "start_date": "2024-01-15",
                "end_date": None,
                "status": "active",
            }
            for a in both
        ],
        "invoices": [
            {
                "invoice_id": f"I-{a}",
                "account_id": a,
                "invoice_date": "2025-01-01",
                "amount": "100.00",
                "status": "paid",
            }
            for a in both
        ],
        "usage_events": [
            {
                "event_id": f"E-{a}",
                "account_id": a,
                "event_name": "login",
                "event_timestamp": "2025-01-15T09:00:00Z",
            }
            for a in both
        ],
        "support_tickets": [
            {
                "ticket_id": f"T-{a}",
                "account_id": a,
                "created_at": "2025-01-15T09:00:00Z",
                "resolved_at": "2025-01-15T11:00:00Z",
                "priority": "p1",
                "status": "resolved",
            }
            for a in both
        ],
    }


def write(file: Path, rows: list[Row]) -> Path:
    """The rows in the format of the file's ending, without any typing."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if file.suffix == ".parquet":
        pq.write_table(pa.table({c: pa.array([r.get(c) for r in rows], pa.string()) for c in columns}), file)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    else:
        quoted = [[(r.get(c) or "").replace('"', '""') for c in columns] for r in rows]
        lines = [",".join(columns), *(",".join(f'"{cell}"' if cell else "" for cell in row) for row in quoted)]
        file.write_bytes("".join(line + "\n" for line in lines).encode())
    return file


def read(file: Path, table: str, book: Portfolio = BOOK, **keys: Any) -> FilesRead:
    source = FilesSource.model_validate({"kind": "files", "table": table, "path": str(file), **keys})
    return read_files(source, contract=STAGING[table](book), environment={})


@cache
def graph() -> WholeGraph:
    return WholeGraph(BOOK)


STAGED = (*(f"stg_{table}" for table in company()), "quarantine")


@cache
def in_berlin() -> WholeGraph:
    """The same company with a source of events that writes times of Berlin."""
    keys = {"kind": "files", "table": "usage_events", "path": "x", "time_zone": "Europe/Berlin"}
    sources = [s for s in BOOK.sources if s.table != "usage_events"]
    berlin = BOOK.model_copy(update={"sources": [*sources, FilesSource.model_validate(keys)]})
    return WholeGraph(berlin, only=("stg_accounts", "stg_usage_events"))


class Staged:
    """What became of the company with one table read from a file."""

    def __init__(self, table: str, delivered: FilesRead, others: Company | None = None):
        rows = others or company()
        raw = {t: pa.Table.from_pylist(_marked(r)) for t, r in rows.items() if t != table}
        self.broken = graph().run({**raw, table: delivered.raw()}, only=STAGED)
        self.rows = graph().rows(f"stg_{table}")
        self.turned_away = {row: reason for t, row, reason in graph().quarantined() if t == table}
        assert self.broken == []
        assert len(self.rows) + len(self.turned_away) == delivered.raw().num_rows

    def values(self, column: str) -> list[Any]:
        return sorted((row[column] for row in self.rows), key=str)


def _marked(rows: list[Row]) -> list[dict[str, Any]]:
    return [row | {"_source_file": "x", "_row_number": n} for n, row in enumerate(rows, 1)]


def deliver(folder: Path, form: str, table: str, *changes: Mapping[str, str | None], **keys: Any) -> Staged:
    """The company's rows of a table, then one for each of the changes, like the first but for these cells."""
    rows = company()[table]
    return Staged(table, read(write(folder / f"{table}.{form}", [*rows, *({**rows[0], **c} for c in changes)]), table))


each_format = pytest.mark.parametrize("form", FORMATS)


@each_format
def test_a_missing_column_that_is_optional_is_null(tmp_path: Path, form: str) -> None:
    rows = [{k: v for k, v in row.items() if k != "owner"} for row in company()["accounts"]]
    assert Staged("accounts", read(write(tmp_path / f"a.{form}", rows), "accounts")).values("owner") == [None, None]


@each_format
def test_a_missing_or_renamed_column_that_is_required_stops_with_file_and_column(tmp_path: Path, form: str) -> None:
    rows = [{k: v for k, v in row.items() if k != "amount"} for row in company()["invoices"]]
    with pytest.raises(SourceError, match=rf"s\.{form}: has no column 'amount', which invoices requires"):
        read(write(tmp_path / f"s.{form}", rows), "invoices")
    renamed = [{"Amount": row["amount"]} | before for row, before in zip(company()["invoices"], rows, strict=True)]
    with pytest.raises(SourceError, match=r"has no column 'amount'.*did you mean 'Amount'\?.*Name the right one"):
        read(write(tmp_path / f"s.{form}", renamed), "invoices")
    mended = read(tmp_path / f"s.{form}", "invoices", columns={"amount": "Amount"})
    assert [float(value) for value in Staged("invoices", mended).values("amount")] == [100, 100]


@each_format
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
    ("usage_events", {"event_timestamp": "soon"}, "event_timestamp: 'soon' is not a time (YYYY-MM-DDTHH:MM:SS)"),
    # mixed formats of dates: ISO is read, others are not guessed at
    ("subscriptions", {"start_date": "15.01.2024"}, "start_date: '15.01.2024' is not a date (YYYY-MM-DD)"),
    ("subscriptions", {"start_date": "01/02/2024"}, "start_date: '01/02/2024' is not a date (YYYY-MM-DD)"),
    ("subscriptions", {"start_date": "45306"}, "start_date: '45306' is not a date (YYYY-MM-DD)"),
    ("subscriptions", {"end_date": "0001-01-01"}, "end_date: '0001-01-01' is not a date (YYYY-MM-DD)"),
    ("subscriptions", {"start_date": "2025-02-29"}, "start_date: '2025-02-29' is not a date (YYYY-MM-DD)"),
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


@each_format
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


@each_format
def test_of_equal_keys_the_last_is_kept(tmp_path: Path, form: str) -> None:
    staged = deliver(tmp_path, form, "invoices", {"amount": "70"})
    assert staged.turned_away == {1: f"duplicate of row 3 of invoices.{form}: the same invoice_id"}
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


@each_format
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


@each_format
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
    accounts = pa.Table.from_pylist(_marked(company()["accounts"]))
    assert local.run({"accounts": accounts, "usage_events": delivered.raw()}) == []
    found = {row["event_id"]: (row["event_timestamp"], row["event_date"]) for row in local.rows("stg_usage_events")}
    assert found["said"] == (datetime(2024, 10, 27, 1, 30), date(2024, 10, 27))
    assert found["before"] == (datetime(2025, 3, 30, 0, 59, 59), date(2025, 3, 30))
    assert found["gap"][1] == date(2025, 3, 30)
    assert found["gap"][0] in (datetime(2025, 3, 30, 0, 30), datetime(2025, 3, 30, 1, 30))
    assert found["twice"][1] == date(2024, 10, 27)
    assert found["twice"][0] in (datetime(2024, 10, 27, 0, 30), datetime(2024, 10, 27, 1, 30))


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_text_of_another_encoding_stops_and_a_byte_order_mark_does_not(tmp_path: Path, form: str) -> None:
    file = write(tmp_path / f"a.{form}", [{"account_id": "A1", "account_name": "Ada"}, {"account_id": "A2"}])
    plain = file.read_bytes()
    file.write_bytes(b"\xef\xbb\xbf" + plain)
    assert Staged("accounts", read(file, "accounts")).values("account_id") == ["A1", "A2"]
    file.write_bytes(plain.replace(b"Ada", b"K\xf6ln"))
    with pytest.raises(SourceError, match=rf"a\.{form}.*utf-8 text.*encoding.*latin-1"):
        read(file, "accounts")
    assert read(file, "accounts", encoding="latin-1").table["account_name"][0].as_py() == "Köln"


def test_other_bytes_in_a_ragged_row_stop_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"account_id,account_name\n\nA1,Ada\nA2,K\xf6ln,more\n")
    with pytest.raises(SourceError, match=r"a\.csv: row 2, column 2 is not utf-8 text; .*encoding.*latin-1"):
        read(tmp_path / "a.csv", "accounts")
    (tmp_path / "a.csv").write_bytes(b"account_id,K\xf6ln\nA1,Ada\n")
    with pytest.raises(SourceError, match=r"a\.csv: the header, column 2 is not utf-8 text"):
        read(tmp_path / "a.csv", "accounts")


def test_ragged_rows_are_quarantined_where_a_format_can_have_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account_id,account_name\nA1,Ada\nA2\nA3,Cy,more\n")
    staged = Staged("accounts", read(tmp_path / "a.csv", "accounts"))
    assert staged.turned_away == {
        2: "has 1 columns where the header has 2",
        3: "has 3 columns where the header has 2",
    }
    (tmp_path / "a.jsonl").write_text(
        '{"account_id": "A1"}\n[1, 2]\n{"account_id": "A2", "country": "DE"}\n{"account\n'
    )
    staged = Staged("accounts", read(tmp_path / "a.jsonl", "accounts"))
    assert staged.values("country") == ["DE", None]
    assert {row: reason.split(" (")[0] for row, reason in staged.turned_away.items()} == {
        2: "is no JSON object",
        4: "is no JSON object",
    }


@each_format
def test_an_empty_file_stops(tmp_path: Path, form: str) -> None:
    (tmp_path / f"a.{form}").write_bytes(b"")
    with pytest.raises(SourceError, match=rf"a\.{form}: (is empty|cannot be read as parquet)"):
        read(tmp_path / f"a.{form}", "accounts")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_header_alone_is_a_table_without_rows(tmp_path: Path, form: str) -> None:
    header = {"account_id": None, "account_name": None}
    if form == "csv":
        (tmp_path / "a.csv").write_text(",".join(header) + "\n")
    else:
        pq.write_table(pa.table({name: pa.array([], pa.string()) for name in header}), tmp_path / "a.parquet")
    others = {"accounts": [], "subscriptions": company()["subscriptions"]}
    staged = Staged("accounts", read(tmp_path / f"a.{form}", "accounts"), others)
    assert staged.rows == []
    assert [reason for _, _, reason in graph().quarantined()] == [
        "account_id 'A1' is not among the accounts",
        "account_id 'A2' is not among the accounts",
    ]


@each_format
def test_a_file_that_was_cut_off_stops(tmp_path: Path, form: str) -> None:
    rows = [{"account_id": f"A{n}", "account_name": f"{hash((n, 'x'))}"} for n in range(5000)]
    whole = write(tmp_path / f"whole.{form}", rows).read_bytes()
    if form == "parquet":
        (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(SourceError, match=r"a\.parquet: cannot be read as parquet.*fetch it again"):
            read(tmp_path / "a.parquet", "accounts")
        return
    packed = gzip.compress(whole)
    (tmp_path / f"a.{form}.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=rf"a\.{form}\.gz: the gzip file is damaged or cut off.*fetch it again"):
        read(tmp_path / f"a.{form}.gz", "accounts")


@each_format
@pytest.mark.slow  # every model step over two cells of 10 MB, in three formats
def test_a_cell_of_10_mb_goes_all_the_way(tmp_path: Path, form: str) -> None:
    staged = deliver(tmp_path, form, "subscriptions", {"subscription_id": "S3", "product_name": "x" * 10_000_000})
    assert sorted(len(name) for name in staged.values("product_name")) == [5, 5, 10_000_000]
    staged = deliver(tmp_path, form, "subscriptions", {"subscription_id": "S3", "amount": "9" * 10_000_000})
    assert staged.turned_away == {3: f"amount: '{'9' * 60}' is beyond the limit of 1,000,000,000,000"}
