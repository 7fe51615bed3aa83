"""Dates and numbers as a country writes them, in the files of a source."""

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.files import FilesSource
from cx_intel.warehouse.duckdb.files.local_spellings import iso_time, plain_number
from cx_intel.warehouse.duckdb.files.reading import FilesRead, read_files
from cx_intel_tests.helpers.builders import portfolio

GERMAN = {"date_formats": ["%d.%m.%Y", "%d.%m.%Y %H:%M"], "decimal": ","}


def read(path: Path, table: str, **keys: Any) -> FilesRead:
    source = FilesSource.model_validate({"kind": "files", "table": table, "path": str(path), **keys})
    return read_files(source, contract=STAGING[table](portfolio()), environment={})


def evaluated(expression: Callable[[str], str], cells: list[str]) -> list[str | None]:
    with duckdb.connect() as con:
        con.register("cells", pa.table({"n": range(len(cells)), "cell": pa.array(cells, pa.string())}))
        return [value for (value,) in con.execute(f"SELECT {expression('cell')} FROM cells ORDER BY n").fetchall()]


def numbers(decimal: str | None, cells: Iterable[str]) -> list[str | None]:
    return evaluated(lambda cell: plain_number(cell, decimal), list(cells))


def times(formats: list[str], *cells: str) -> list[str | None]:
    return evaluated(lambda cell: iso_time(cell, formats), list(cells))


COMMA = {
    "24.000,50": "24000.50",
    "1.234.567,8": "1234567.8",
    "24 000,50": "24000.50",
    "24\u00a0000": "24000",
    "24\u202f000,5": "24000.5",
    "24'000,50": "24000.50",
    "24\u2019000": "24000",
    "-24.000": "-24000",
    "24.000,50 €": "24000.50",
    "(24.000,50)": "-24000.50",
    "+7,5": "7.5",
    ",5": ".5",
    "1234,50": "1234.50",
    " 12 ": "12",
    "0": "0",
    "1e3": "1e3",
    # no German numbers: each stays what it is, which staging refuses
    "24,000,50": "24,000,50",
    "24.00,50": "24.00,50",
    "1.2345,6": "1.2345,6",
    "1234.567,8": "1234.567,8",
    "1.234 567": "1.234 567",
    "ten": "ten",
    ",": ",",
    "": "",
    # plain decimals with a dot would be read as they stand: a note keeps them from it
    "24.5": '24.5 (decimal: ",")',
    "24,000.50": '24,000.50 (decimal: ",")',
    "24000.50": '24000.50 (decimal: ",")',
    "0.500": '0.500 (decimal: ",")',
    "1234.567": '1234.567 (decimal: ",")',
    "-.5": '-.5 (decimal: ",")',
    "1.5e3": '1.5e3 (decimal: ",")',
}


def test_numbers_with_a_decimal_comma() -> None:
    assert dict(zip(COMMA, numbers(",", COMMA), strict=True)) == COMMA


UNSTATED = {
    "1,234.56": "1234.56",
    "1.234,56 €": "1234.56",
    "1,234,567": "1234567",
    "1,00,000": "100000",  # a lakh, as in India
    "₹ 12,34,567.50": "1234567.50",
    "1,00,00": "1,00,00",
    "1.234.567": "1234567",
    "24,50": "24.50",
    "24.5": "24.5",
    "0.123": "0.123",  # no group of thousands begins with 0
    "1234.567": "1234.567",  # nor has one four digits
    "1'234.50": "1234.50",
    "1 234,56": "1234.56",
    "1.234e-05": "1.234e-05",
    "$99.00": "99.00",
    "US$ 1,000.00": "1000.00",
    "€ 1.234,5": "1234.5",
    "(50.00)": "-50.00",
    "($50.00)": "-50.00",
    "-$50": "-50",
    "$-50": "-50",
    # either way
    "1,234": '1,234 (state decimal: "." or ",")',
    "1.234": '1.234 (state decimal: "." or ",")',
    "-12.345": '-12.345 (state decimal: "." or ",")',
    # no numbers
    "(-50)": "(-50)",
    "(50": "(50",
    "50)": "50)",
    "--5": "--5",
    "12.34.56": "12.34.56",
    "99 %": "99 %",
    "$": "$",
    "": "",
}


def test_numbers_are_read_as_they_can_only_be_meant_where_nothing_is_stated() -> None:
    assert dict(zip(UNSTATED, numbers(None, UNSTATED), strict=True)) == UNSTATED


def test_amounts_keep_the_sign_or_code_of_their_currency() -> None:
    cells = {
        "$1,234.56": "1234.56 $",
        "1.234,56 €": "1234.56 €",
        "EUR 99.50": "99.50 EUR",
        "12 EUR": "12 EUR",
        "$12.00 USD": "12.00 USD",
        "(€50.00)": "-50.00 €",
        "CHF 1’250.00": "1250.00 CHF",
        "100 kr": "100 kr",
        "100": "100",
        "1,234 EUR": '1,234 EUR (state decimal: "." or ",")',
    }
    found = evaluated(lambda cell: plain_number(cell, None, keeps_currency=True), list(cells))
    assert dict(zip(cells, found, strict=True)) == cells


def test_a_stated_decimal_point_makes_a_comma_part_thousands() -> None:
    cells = {
        "1,234": "1234",
        "1.234": "1.234",
        "$1,234.5": "1234.5",
        "24,50": '24,50 (decimal: ".")',
        "24.000,50": '24.000,50 (decimal: ".")',
    }
    assert dict(zip(cells, numbers(".", cells), strict=True)) == cells


def test_typed_numbers_have_no_spelling(tmp_path: Path) -> None:
    lines = [{"account_id": "A1", "metric": "gps", "measured_on": "2025-01-31", "value": v} for v in (1.234, "1.234")]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = read(tmp_path / "m.jsonl", "metrics").table["value"].to_pylist()
    assert found == ["1.234", '1.234 (state decimal: "." or ",")']


TIMES = {
    "31.12.2025": "2025-12-31",
    "1.2.2025": "2025-02-01",
    " 01.02.2025 ": "2025-02-01",
    "31.12.2025 09:00": "2025-12-31T09:00:00",
    "31.12.2025 9:05": "2025-12-31T09:05:00",
    "31.12.9999": "9999-12-31",
    "29.02.2024": "2024-02-29",
    # ISO 8601 is left to staging
    "2025-12-31": "2025-12-31",
    "2025-12-31T09:00:00Z": "2025-12-31T09:00:00Z",
    # fits no format entirely, or is no day
    "29.02.2025": "29.02.2025",
    "31.12.25": "31.12.25",
    "31.12.20251": "31.12.20251",
    "12.31.2025": "12.31.2025",
    "31.12.0025": "31.12.0025",
    "31.12.2025 24:00": "31.12.2025 24:00",
    "31.12.2025 09:00:00": "31.12.2025 09:00:00",
    "31-12-2025": "31-12-2025",
    "x31.12.2025": "x31.12.2025",
    "": "",
}


def test_dates_and_times_by_the_first_format_that_fits() -> None:
    assert dict(zip(TIMES, times(GERMAN["date_formats"], *TIMES), strict=True)) == TIMES  # type: ignore[arg-type]
    assert times(["%m/%d/%Y", "%d/%m/%Y"], "02/03/2025", "13/03/2025") == ["2025-02-03", "2025-03-13"]
    assert times(["%d/%m/%Y", "%m/%d/%Y"], "02/03/2025") == ["2025-03-02"]


@pytest.mark.parametrize(
    ("date_format", "cell", "iso"),
    [
        ("%Y%m%d", "20251231", "2025-12-31"),
        ("%Y%m%d", "2025111", "2025111"),
        ("%Y%m%d%H%M", "202512310900", "2025-12-31T09:00:00"),
        ("%d.%m.%y", "31.12.68", "2068-12-31"),
        ("%d.%m.%y", "31.12.69", "1969-12-31"),
        ("%d-%b-%Y", "03-Mar-2025", "2025-03-03"),
        ("%B %d, %Y", "SEPTEMBER 3, 2025", "2025-09-03"),
        ("%d-%b-%Y", "03-Mär-2025", "03-Mär-2025"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 12:05 AM", "2025-12-31T00:05:00"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 9:05 p.m.", "2025-12-31T21:05:00"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 13:05 PM", "12/31/2025 13:05 PM"),
        ("%d.%m.%Y %H:%M:%S,%f", "31.12.2025 09:00:01,5", "2025-12-31T09:00:01.5"),
        ("%d/%m/%Y:%H:%M:%S %z", "31/12/2025:09:00:01 +0100", "2025-12-31T09:00:01+0100"),
        ("%d. %m. %Y", "31.\u00a012.  2025", "2025-12-31"),
        ("%d.%m.%Y 100%%", "31.12.2025 100%", "2025-12-31"),
        ("it's %d (%m) %Y", "it's 1 (2) 2025", "2025-02-01"),
    ],
)
def test_each_directive(date_format: str, cell: str, iso: str) -> None:
    assert times([date_format], cell) == [iso]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"date_formats": ["%d.%m.%Q"]}, "%Q is not known; there are %d, %m"),
        ({"date_formats": ["%d.%m.%Y %"]}, "% is not known"),
        ({"date_formats": ["DD.MM.YYYY"]}, "states no day; write one such as '%d.%m.%Y'"),
        ({"date_formats": ["%m.%Y"]}, "states no day"),
        ({"date_formats": ["%d.%Y"]}, "states no month"),
        ({"date_formats": ["%d.%m."]}, "states no year"),
        ({"date_formats": ["%d.%m.%Y %y"]}, "states the year twice"),
        ({"date_formats": ["%d.%m.%Y %M"]}, "states the minute and no hour"),
        ({"date_formats": ["%d.%m.%Y %I:%M"]}, "%I, the hour from 1 to 12, and %p, AM or PM, go together"),
        ({"decimal": ";"}, "'.' or ','"),
    ],
)
def test_settings_that_cannot_be(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        FilesSource.model_validate({"kind": "files", "table": "accounts", "path": "a.csv", **keys})
    assert message in str(error.value)


def test_csv_with_mapping_constants_null_text_and_values(tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    file.write_text(
        "Nr;Kunde;Betrag;ab;bis;Produkt\n"
        "1.000;A1;24.000,50;31.12.2025;n/a;1.2.2025\n"
        "2;A2;gratis;2025-12-31;01.02.2026 09:00;3,5\n"
        "3;A3;24,000.50;32.12.2025;;x\n"
    )
    names = {"subscription_id": "Nr", "account_id": "Kunde", "amount": "Betrag", "start_date": "ab", "end_date": "bis"}
    result = read(
        file,
        "subscriptions",
        delimiter=";",
        null_text=["", "n/a"],
        columns=names | {"product_name": "Produkt"},
        constants={"billing_period_months": 12, "renewal_date": "2026-12-31"},
        values={"amount": {"gratis": "0"}},
        **GERMAN,
    )
    # ids and names are text: nothing in them is a number or a date
    columns = [*names, "product_name", "billing_period_months", "renewal_date"]
    assert [tuple(row.values()) for row in result.table.select(columns).to_pylist()] == [
        ("1.000", "A1", "24000.50", "2025-12-31", None, "1.2.2025", "12", "2026-12-31"),
        ("2", "A2", "0", "2025-12-31", "2026-02-01T09:00:00", "3,5", "12", "2026-12-31"),
        ("3", "A3", '24,000.50 (decimal: ",")', "32.12.2025", None, "x", "12", "2026-12-31"),
    ]
    assert json.loads(result.table["_raw_row"][0].as_py())["Betrag"] == "24.000,50"


def test_wide_columns_named_by_days_and_the_values_in_them(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("account_id;31.01.2025;28.02.2025\nA1;1.200,5;\nA2;;7\n")
    result = read(
        file,
        "mrr_history",
        delimiter=";",
        unpivot={"columns": ["31.01.2025", "28.02.2025"], "name_to": "month", "value_to": "mrr"},
        **GERMAN,
    )
    assert [tuple(r.values()) for r in result.table.select(["account_id", "month", "mrr"]).to_pylist()] == [
        ("A1", "2025-01-31", "1200.5"),
        ("A2", "2025-02-28", "7"),
    ]


def test_json_texts_are_read_so_and_json_numbers_as_they_are(tmp_path: Path) -> None:
    lines = [
        {"account_id": "A1", "measured_on": "31.12.2025", "gps": "1.234", "csat": 1.234},
        {"account_id": "A2", "measured_on": "2025-12-31", "gps": 24.125, "csat": "4,5"},
    ]
    file = tmp_path / "m.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    wide = {"columns": ["gps", "csat"], "name_to": "metric", "value_to": "value"}
    result = read(file, "metrics", unpivot=wide, **GERMAN)
    assert [tuple(r.values()) for r in result.table.select(["measured_on", "metric", "value"]).to_pylist()] == [
        ("2025-12-31", "gps", "1234"),
        ("2025-12-31", "csat", "1.234"),
        ("2025-12-31", "gps", "24.125"),
        ("2025-12-31", "csat", "4.5"),
    ]
    assert json.loads(result.table["_raw_row"][0].as_py()) == lines[0]
    plain = tmp_path / "n.jsonl"
    plain.write_text('{"account_id": "A1", "metric": "gps", "measured_on": 202512310900, "value": 24.125}\n')
    row = read(plain, "metrics", date_formats=["%Y%m%d%H%M"], decimal=",").table.to_pylist()[0]
    assert (row["measured_on"], row["value"]) == ("202512310900", "24.125")


def test_parquet_texts_are_read_so_and_typed_columns_as_they_are(tmp_path: Path) -> None:
    columns = {
        "account_id": ["A1"],
        "metric": ["gps"],
        "measured_on": pa.array(["31.12.2025"]).dictionary_encode(),
        "value": pa.array([Decimal("24.125")], pa.decimal128(9, 3)),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    columns |= {"measured_on": [date(2025, 3, 4)], "value": ["1.234"]}
    pq.write_table(pa.table(columns), tmp_path / "b.parquet")
    columns |= {"measured_on": [datetime(2025, 3, 4, 9)], "value": [24.5]}
    pq.write_table(pa.table(columns), tmp_path / "c.parquet")
    result = read(tmp_path, "metrics", date_formats=["%d.%m.%Y", "%Y-%d-%m"], decimal=",")
    assert [tuple(r.values()) for r in result.table.select(["measured_on", "value"]).to_pylist()] == [
        ("2025-12-31", "24.125"),
        ("2025-03-04", "1234"),
        ("2025-03-04 09:00:00.000000", "24.5"),
    ]


def test_days_as_excel_counts_them_are_read_where_the_source_says_so() -> None:
    """45231 is 1 November 2023; .75 of a day is 18:00; what is no such day stays."""
    assert times(["excel"], "45231", "45231.75", "452", "2023-11-01") == [
        "2023-11-01T00:00:00",
        "2023-11-01T18:00:00",
        "452",
        "2023-11-01",
    ]
    assert times(["%d.%m.%Y", "excel"], "01.11.2023", " 45231 ") == ["2023-11-01", "2023-11-01T00:00:00"]
