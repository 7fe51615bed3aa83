"""Excel files: a sheet by name, values as people see them, faults named."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook

from cx_intel.contracts.staging.reasons import told_of_row
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.reading import FilesRead, read_files
from cx_intel.warehouse.duckdb.queries.queries import read_query
from cx_intel_tests.helpers.builders import portfolio


def write(path: Path, **sheets: list[list[Any]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def read(path: Path, table: str = "accounts", **keys: Any) -> FilesRead:
    source = FilesSource.model_validate({"kind": "files", "table": table, "path": str(path), **keys})
    return read_files(source, contract=STAGING[table](portfolio()), environment={})


HEADER = ["subscription_id", "account_id", "amount", "start_date"]


def test_values_as_people_see_them(tmp_path: Path) -> None:
    rows = [
        [1001, "A1", 19.99, date(2025, 1, 31)],
        ["S2", "A2", 24000, datetime(2025, 2, 1, 9, 30)],
        ["S3", "A3", "1.234,50", "01.03.2025"],
        [True, None, 1.234, None],
        [1042.0, 12345678901.0, -0.0, None],
    ]
    file = write(tmp_path / "a.xlsx", contracts=[HEADER, *rows])
    found = read(file, "subscriptions", decimal=",", date_formats=["%d.%m.%Y"])
    assert [list(r.values()) for r in found.table.select(HEADER).to_pylist()] == [
        ["1001", "A1", "19.99", "2025-01-31"],
        ["S2", "A2", "24000", "2025-02-01T09:30:00"],
        ["S3", "A3", "1234.50", "2025-03-01"],
        ["true", None, "1.234", None],
        ["1042", "12345678901", "0", None],
    ]


def test_a_sheet_by_name_and_the_first_by_default(tmp_path: Path) -> None:
    file = write(tmp_path / "a.xlsx", Notes=[["account_id"], ["N1"]], Accounts=[["account_id"], ["A1"]])
    assert read(file, sheet="Accounts").table["account_id"].to_pylist() == ["A1"]
    assert read(file).table["account_id"].to_pylist() == ["N1"]
    with pytest.raises(
        SourceError, match="has no sheet 'Konten', which the source of accounts reads; there are Notes, Acc"
    ):
        read(file, sheet="Konten")


def test_empty_rows_and_columns_around_the_table(tmp_path: Path) -> None:
    rows = [[], ["account_id", " account_name ", None], ["A1", "Alder"], [], [None, None, None], ["A2"]]
    found = read(write(tmp_path / "a.xlsx", s=rows))
    assert found.table.select(["account_id", "account_name", "_row_number"]).to_pylist() == [
        {"account_id": "A1", "account_name": "Alder", "_row_number": 1},
        {"account_id": "A2", "account_name": None, "_row_number": 4},
    ]


def test_a_value_without_a_name_is_a_reject(tmp_path: Path) -> None:
    found = read(write(tmp_path / "a.xlsx", s=[["account_id"], ["A1"], ["A2", None, "left over"]]))
    assert found.table["account_id"].to_pylist() == ["A1"]
    (reject,) = found.rejects.to_pylist()
    assert (reject["row_number"], reject["reason"]) == (2, told_of_row("nameless_column", column=3))


@pytest.mark.slow
def test_many_rows(tmp_path: Path) -> None:
    found = read(write(tmp_path / "a.xlsx", s=[["account_id"], *([f"A{n}"] for n in range(20_001))]))
    assert found.table["account_id"].to_pylist()[-1] == "A20000"


@pytest.mark.parametrize("content", [b"", b"account_id\nA1\n", b"PK\x03\x04 cut off"])
def test_what_is_no_workbook(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.xlsx: cannot be read as xlsx .*; save it as an Excel workbook again"):
        read(tmp_path / "a.xlsx")


def test_an_empty_sheet(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is empty, without even a header row"):
        read(write(tmp_path / "a.xlsx", s=[]))


def test_marks_of_open_files_are_no_files(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", s=[["account_id"], ["A1"]])
    (tmp_path / "~$a.xlsx").write_bytes(b"")
    assert read(tmp_path).files == ("a.xlsx",)


def test_in_a_query(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", x=[["n"], [1]], y=[["Record ID"], [7]])
    files = {"t": {"path": str(tmp_path / "a.xlsx"), "sheet": "y"}}
    query = 'select "Record ID" as account_id from t'
    source = SqlSource.model_validate({"kind": "sql", "table": "accounts", "files": files, "query": query})
    found = read_query(source, contract=STAGING["accounts"](portfolio()), environment={})
    assert found.table["account_id"].to_pylist() == ["7"]


def test_names_of_columns_below_a_title(tmp_path: Path) -> None:
    file = write(tmp_path / "a.xlsx", Accounts=[["Customers as of", date(2026, 11, 25)], [], ["account_id"], ["A1"]])

    found = read(file, header_row=3)

    assert found.table.select(["account_id", "_row_number"]).to_pylist() == [{"account_id": "A1", "_row_number": 1}]


def test_formulas_that_no_program_calculated_are_no_empty_cells(tmp_path: Path) -> None:
    """A discount that is not there would be a price without one, and no word said."""
    rows = [["S1", "A1", "=100*2", "2025-01-31", "=5*2"], ["S2", "A2", 100, "2025-01-31", None]]
    found = read(write(tmp_path / "a.xlsx", x=[[*HEADER, "discount_pct"], *rows]), "subscriptions")
    cells = found.table.select(["amount", "discount_pct"]).to_pylist()
    assert cells == [{"amount": "=100*2", "discount_pct": "=5*2"}, {"amount": "100", "discount_pct": None}]


def cell(at: str, attributes: str, formula: str, value: str) -> str:
    return f'<c r="{at}"{attributes}><f>{formula}</f>{value}</c>'


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((cell("C2", "", "50*2", "<v>100</v>"), cell("D2", "", "A9", "")), ("100", None)),  # it was calculated
        ((cell("C2", "", "50*2", "<v/>"), cell("D2", ' t="str"', "A9", "<v></v>")), ("=50*2", "=A9")),
        (('<c r="C2"><v>7</v></c>', cell("D2", ' t="str"', "A9", "<v></v>")), ("7", None)),  # it gave an empty text
        ((cell("C2", ' s="0"', "50*2", ""), '<c r="D2" s="0"/>'), ("=50*2", None)),
    ],
)
def test_what_formulas_gave_counts_where_any_has_a_value(
    tmp_path: Path, cells: tuple[str, str], expected: tuple[str, str | None]
) -> None:
    plain, made = write(tmp_path / "plain.xlsx", x=[HEADER, ["S1", "A1", "HERE"]]), tmp_path / "a.xlsx"
    with ZipFile(plain) as packed, ZipFile(made, "w") as written:
        for name in packed.namelist():
            part = packed.read(name).decode()
            if name.startswith("xl/worksheets/"):
                part = re.sub(r'<c r="C2".*?</c>', "".join(cells), part)
            written.writestr(name, part)
    (row,) = read(made, "subscriptions").table.to_pylist()
    assert (row["amount"], row["start_date"]) == expected
