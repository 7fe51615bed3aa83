"""What a file may be: what no true export is gets refused with its place, before it takes the memory of the process."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from cx_intel.contracts.staging.reasons import told_of_row
from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files import limits
from cx_intel.sources.files.content import Content
from cx_intel.sources.files.formats.by_format import read_file
from cx_intel.sources.files.paths import SourceFile, format_by_ending

SHEET = "xl/worksheets/sheet1.xml"
XML = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def read(folder: Path, name: str, content: bytes | str) -> Content:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    kind = format_by_ending(file)
    assert kind
    return read_file(SourceFile(file, name, kind, "the source of accounts"), FileSet(path=str(file)))


def workbook(sheet: str = "") -> bytes:
    book, written = io.BytesIO(), io.BytesIO()
    Workbook().save(book)
    with zipfile.ZipFile(book) as given, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as made:
        for part in given.namelist():
            made.writestr(part, XML.format(sheet) if part == SHEET else given.read(part))
    return written.getvalue()


def cell(place: str, text: str = "x") -> str:
    number = "".join(sign for sign in place if sign.isdigit())
    return f'<row r="{number}"><c r="{place}" t="inlineStr"><is><t>{text}</t></is></c></row>'


@pytest.mark.slow
def test_a_gzip_file_that_unpacks_to_far_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXPANSION_FROM", 1_000_000)
    packed = gzip.compress(b"id,n\n" + b"A,1\n" * 2_000_000)
    with pytest.raises(SourceError, match=r"a\.csv\.gz: its [\d,]+ bytes unpack to more than 200 times as much"):
        read(tmp_path, "a.csv.gz", packed)
    with pytest.raises(SourceError, match="unpack to more than 200 times"):
        read(tmp_path, "a.jsonl.gz", gzip.compress(b'{"id": "A"}\n' * 2_000_000))


def test_a_gzip_file_in_another_encoding_is_refused_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EXPANSION_FROM", 1_000_000)
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"id,n\n" + b"A,1\n" * 2_000_000))
    with pytest.raises(SourceError, match="unpack to more than 200 times"):
        read_file(SourceFile(file, file.name, "csv", "the source of x"), FileSet(path="", encoding="latin-1"))


def test_a_workbook_that_unpacks_to_far_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXPANSION_FROM", 1_000_000)
    with pytest.raises(SourceError, match=r"a\.xlsx: its [\d,]+ bytes unpack to more than 200 times"):
        read(tmp_path, "a.xlsx", workbook(cell("A1", "x" * 20_000_000)))


@pytest.mark.parametrize(
    ("sheet", "text"),
    [
        pytest.param(cell("A1") + cell("A2000000000"), "states rows beyond 1,048,576", marks=pytest.mark.slow),
        (cell("A1") + cell("XFD2"), "has 16,384 columns, more than 10,000"),
        (cell("XFD1"), "has 16,384 columns, more than 10,000"),
        (cell("A1", "x" * 20_000), "the name of column 1 has 20,000 characters, more than 10,000"),
    ],
)
def test_a_sheet_that_no_workbook_has_is_refused(tmp_path: Path, sheet: str, text: str) -> None:
    with pytest.raises(SourceError, match=rf"a\.xlsx: {text}"):
        read(tmp_path, "a.xlsx", workbook(sheet))


@pytest.mark.parametrize(("at", "value"), [(8, 1), (10, 99), (6, 99)])
def test_a_workbook_that_is_packed_as_none_is_refused(tmp_path: Path, at: int, value: int) -> None:
    packed, place = bytearray(workbook(cell("A1"))), 0
    while (place := packed.find(b"PK\x01\x02", place)) >= 0:  # encrypted, of an unknown method, of an unknown version
        packed[place + at] = value
        place += 4
    with pytest.raises(SourceError, match=r"a\.xlsx: cannot be read as xlsx .*; save it as an Excel workbook again"):
        read(tmp_path, "a.xlsx", bytes(packed))


@pytest.mark.slow
def test_keys_of_json_that_are_data_are_refused(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({f"customer_{n}": 1}) for n in range(10_001))
    with pytest.raises(SourceError, match=r"has 10,001 columns, more than 10,000.* names of columns are data"):
        read(tmp_path, "a.jsonl", lines)


@pytest.mark.parametrize("depth", [201, 990, 100_000])
def test_a_line_of_json_that_is_nested_too_deep_is_rejected(tmp_path: Path, depth: int) -> None:
    deep = '{"id": "\\u00e4", "properties": ' + "[" * depth + "]" * depth + "}"
    content = read(tmp_path, "a.jsonl", deep + '\n{"id": "A", "text": "' + "[" * depth + '"}\n')
    assert content.rejects["reason"].to_pylist() == [told_of_row("no_json", error="nested in more than 200 levels")]
    assert content.table["row_number"].to_pylist() == [2]


def test_a_long_line_and_a_large_document_of_json_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cx_intel.sources.files.formats.json_lines.LONGEST_CELL", 1_000)
    with pytest.raises(SourceError, match=r"a\.jsonl: row 2 has 2,0\d\d characters, more than 0 MB"):
        read(tmp_path, "a.jsonl", '{"id": "A"}\n' + json.dumps({"id": "x" * 2_000}))
    monkeypatch.setattr("cx_intel.sources.files.formats.json_documents.LARGEST_DOCUMENT", 1_000)
    with pytest.raises(SourceError, match=r"a\.json: is one document of over 1,000 characters.*JSON lines"):
        read(tmp_path, "a.json", json.dumps([{"id": "A" * 500}] * 3, indent=1))


def test_a_cell_longer_than_any_true_one_is_refused_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONGEST_CELL", 1_000)
    text = r"row 2, column 'note' is 2,000 bytes long"
    with pytest.raises(SourceError, match=rf"a\.csv: {text}"):
        read(tmp_path, "a.csv", f"id,note\nA,x\nB,{'x' * 2_000}\n")
    pq.write_table(pa.table({"id": ["A", "B"], "note": ["x", "x" * 2_000]}), tmp_path / "made.parquet")
    with pytest.raises(SourceError, match=rf"a\.parquet: {text}"):
        read(tmp_path, "a.parquet", (tmp_path / "made.parquet").read_bytes())


def test_a_cell_for_a_query_is_no_deep_json(tmp_path: Path) -> None:
    """DuckDB's json_contains ends the process at some millions of levels."""
    file, deep = SourceFile(tmp_path / "a.csv", "a.csv", "csv", "x"), "[" * 60_000 + "]" * 60_000
    limits.refuse_deep_cells(pa.table({"id": ["A"], "text": ["[] " * 60_000]}), file)
    with pytest.raises(SourceError, match=r"a\.csv: a cell of 'properties' is JSON of more than 50,000 levels"):
        limits.refuse_deep_cells(pa.table({"id": ["A", "B"], "properties": [None, deep]}), file)


def test_what_is_held_whole_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_AT_ONCE", 100_000)
    pq.write_table(pa.table({"id": ["A" * 100] * 20_000}), tmp_path / "made.parquet")  # a few hundred bytes
    with pytest.raises(SourceError, match=r"a\.parquet: holds over 0 GB of text.* Split it into several files"):
        read(tmp_path, "a.parquet", (tmp_path / "made.parquet").read_bytes())
    with pytest.raises(SourceError, match=r"a\.csv: holds over 0 GB"):
        read(tmp_path, "a.csv", "id\n" + "A\n" * 50_000)


@pytest.mark.parametrize("line", ['A2,"x', 'A2,5,"x', '"A2,x'])
@pytest.mark.parametrize("ending", ["", "\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_ends_within_a_quoted_cell_is_refused(
    tmp_path: Path, line: str, ending: str, *, packed: bool
) -> None:
    """What stands below the quote would be one cell, and its rows lost."""
    text = ("id,note\nA1,x\n" + line + "\nA3,y\nA4,z" + ending).encode()
    with pytest.raises(SourceError, match=r"a quote in row 2 is never closed, so that 2 lines after it are one cell"):
        read(tmp_path, "a.csv.gz" if packed else "a.csv", gzip.compress(text) if packed else text)


@pytest.mark.parametrize("last", ['A2,"x\ny"', 'A2,"x\n\n"\n', 'A2,"x\r\ny" \r\n', 'A2,"5"" pipe\nx""y"\n', 'A2,"'])
def test_a_closed_cell_of_several_lines_may_end_a_file(tmp_path: Path, last: str) -> None:
    assert read(tmp_path, "a.csv", "id,note\nA1,x\n" + last).table["c0"].to_pylist() == ["A1", "A2"]


def test_a_header_whose_quote_is_never_closed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a\.csv: its header cannot be split .*a quote in it is never closed"):
        read(tmp_path, "a.csv", '"id,note\n' + "A,x\n" * 100_000)
    with pytest.raises(SourceError, match=r"a\.csv: the name of column 1 has 40,008 characters"):
        read(tmp_path, "a.csv", '"id,note\n' + "A,x\n" * 10_000)


def test_parquet_in_blocks_numbers_its_rows_on(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [n / 2 for n in range(40_000)]}), tmp_path / "made.parquet")
    content = read(tmp_path, "a.parquet", (tmp_path / "made.parquet").read_bytes())
    assert content.table["row_number"].to_pylist() == list(range(1, 40_001))
    assert content.table["c0"][39_999].as_py() == "19999.5"


def test_parquet_without_a_row_has_its_columns(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": pa.array([], pa.string()), "n": pa.array([], pa.int64())}), tmp_path / "made.parquet"
    )
    content = read(tmp_path, "a.parquet", (tmp_path / "made.parquet").read_bytes())
    assert (content.columns, content.table.num_rows) == (("id", "n"), 0)
