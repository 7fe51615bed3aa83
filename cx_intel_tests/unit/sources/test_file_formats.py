"""Rows of a file as its format has them: encodings, quotes, compression, JSON lines, Parquet."""

import gzip
import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.contracts.staging.reasons import told_of_row
from cx_intel.sources.errors import SourceError
from cx_intel_tests.helpers.read_files import read, rows, write

HEADER = "account_id,account_name\n"


def test_csv_rows_carry_file_row_number_and_raw_text(tmp_path: Path) -> None:
    result = read(write(tmp_path / "a.csv", "account_id,account_name,Notes\nA1, Ada ,x\nA2,,\n"))
    assert result.table.to_pylist() == [
        {
            "account_id": "A1",
            "account_name": " Ada ",
            "_source_file": "a.csv",
            "_row_number": 1,
            "_raw_row": '{"account_id":"A1","account_name":" Ada ","Notes":"x"}',
        },
        {
            "account_id": "A2",
            "account_name": None,
            "_source_file": "a.csv",
            "_row_number": 2,
            "_raw_row": '{"account_id":"A2","account_name":"","Notes":""}',
        },
    ]
    assert result.ignored_columns == ("Notes",)
    assert result.files == ("a.csv",)
    assert result.rejects.num_rows == 0


def test_quotes_newlines_and_delimiters_within_cells(tmp_path: Path) -> None:
    text = 'account_id;account_name\n"A;1";"Smith ""&"" Sons\r\nLtd"\nA2;\'x\'\n'
    result = read(write(tmp_path / "a.csv", text), delimiter=";")
    assert rows(result) == [("A;1", 'Smith "&" Sons\r\nLtd'), ("A2", "'x'")]


def test_a_ragged_row_is_rejected_and_shifts_nothing(tmp_path: Path) -> None:
    text = "account_id,account_name,status\nA1,Ada,active\n\nA2,Bo\nA3,Cy,active,extra\nA4,Di,trial\n"
    result = read(write(tmp_path / "a.csv", text))
    assert rows(result, "account_id", "status", "_row_number") == [("A1", "active", 1), ("A4", "trial", 4)]
    assert result.rejects.to_pylist() == [
        {
            "source_file": "a.csv",
            "row_number": 2,
            "reason": told_of_row("other_columns", columns=2, header=3),
            "raw_row": "A2,Bo",
        },
        {
            "source_file": "a.csv",
            "row_number": 3,
            "reason": told_of_row("other_columns", columns=4, header=3),
            "raw_row": "A3,Cy,active,extra",
        },
    ]
    raw = result.raw().to_pylist()
    assert [(row["account_id"], row["_row_number"], row["_reject"]) for row in raw] == [
        ("A1", 1, None),
        ("A4", 4, None),
        (None, 2, told_of_row("other_columns", columns=2, header=3)),
        (None, 3, told_of_row("other_columns", columns=4, header=3)),
    ]


def test_a_quote_that_takes_lines_together_is_rejected_with_a_hint(tmp_path: Path) -> None:
    result = read(write(tmp_path / "a.csv", HEADER + 'A1,Ada\n"A2,Bo\nA3,Cy\nA4,Di"\nA5,El\n'))
    assert result.table["account_id"].to_pylist() == ["A1", "A5"]
    assert result.rejects["reason"].to_pylist() == [told_of_row("unclosed_quote", columns=1, header=2, lines=3)]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"\xef\xbb\xbf" + HEADER.encode() + "A1,Köln".encode(), "utf-8"),
        (HEADER.encode() + "A1,Köln\n".encode("latin-1"), "latin-1"),
        (HEADER.encode() + "A1,Köln\n".encode("cp1252"), "cp1252"),
        ((HEADER + "A1,Köln\n").encode("utf-16"), "utf-16"),
        ((HEADER + "A1,Köln\n").replace("\n", "\r\n").encode(), "utf-8"),
        ((HEADER + "A1,Köln\n").replace("\n", "\r").encode(), "utf-8"),
    ],
)
def test_encodings_marks_and_line_ends(tmp_path: Path, content: bytes, encoding: str) -> None:
    for name in ("a.csv", "a.csv.gz"):
        assert rows(read(write(tmp_path / name, content), encoding=encoding)) == [("A1", "Köln")]


def test_the_wrong_encoding_is_named_with_row_and_column(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", HEADER.encode() + b"A1,Ada\nA2,K\xf6ln\n")
    with pytest.raises(SourceError, match=r"a\.csv: row 2, column 2 is not utf-8 text; .*encoding.*latin-1"):
        read(file)
    with pytest.raises(SourceError, match=r"a\.jsonl: is not utf-8 text"):
        read(write(tmp_path / "a.jsonl", b'{"account_id": "K\xf6ln"}\n'))


@pytest.mark.parametrize(
    "text", ["account_id,account_name", "account_id,account_name\n", "account_id,account_name\r\n\r\n"]
)
def test_a_header_alone_is_a_table_without_rows(tmp_path: Path, text: str) -> None:
    assert read(write(tmp_path / "a.csv", text)).table.num_rows == 0


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(SourceError, match=rf"{name}: is empty"):
        read(write(tmp_path / name, text))


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.gz"])
def test_a_gzip_file_cut_off_is_an_error(tmp_path: Path, name: str) -> None:
    body = os.urandom(300_000).hex().encode()
    text = HEADER.encode() + b"A1," + body if "csv" in name else b'{"account_id": "' + body + b'"}'
    whole = gzip.compress(text)
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=rf"{name}: the gzip file is damaged or cut off"):
        read(tmp_path / name)
    (tmp_path / name).write_bytes(b"no gzip at all")
    with pytest.raises(SourceError, match=rf"{name}: the gzip file is damaged or cut off"):
        read(tmp_path / name)


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"account_id": "A1", "employee_count": 1.10, "account_name": "Köln", "status": true}',
        '{"account_id": 7, "region": {"a": [1]}, "status": null}',
        '["no object"]',
        "",
        '{"account_id": "A3"',
        '{"account_id": "\\ud800"}',
    ]
    for name in ("a.jsonl", "a.ndjson.gz"):
        result = read(write(tmp_path / name, "\n".join(lines)))
        assert rows(result, "account_id", "employee_count", "account_name", "status", "region") == [
            ("A1", "1.10", "Köln", "true", None),
            ("7", None, None, None, '{"a": ["1"]}'),
        ]
        assert result.table["_raw_row"].to_pylist() == lines[:2]
        assert result.rejects["row_number"].to_pylist() == [3, 4, 5]
        assert all(reason.startswith("is no JSON object") for reason in result.rejects["reason"].to_pylist())


def test_parquet_values_become_iso_text(tmp_path: Path) -> None:
    moment = datetime(2025, 1, 2, 3, 4, 5, 600000)
    pq.write_table(
        pa.table(
            {
                "ticket_id": [1],
                "account_id": pa.array(["A1"]).dictionary_encode(),
                "created_at": pa.array([moment], pa.timestamp("ns")),
                "resolved_at": pa.array([moment.replace(tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin")),
                "priority": [True],
                "category": pa.array([date(2025, 1, 2)]),
                "status": pa.array([Decimal("1.50")]),
                "satisfaction_score": pa.array([float("nan")]),
            }
        ),
        tmp_path / "t.parquet",
    )
    (row,) = read(tmp_path / "t.parquet", table="support_tickets").table.to_pylist()
    assert row["ticket_id"] == "1"
    assert row["account_id"] == "A1"
    assert row["created_at"] == "2025-01-02 03:04:05.600000"
    assert row["resolved_at"] == "2025-01-02 03:04:05.600000Z"
    assert (row["priority"], row["category"], row["status"]) == ("true", "2025-01-02", "1.50")
    assert row["satisfaction_score"] is None
    assert json.loads(row["_raw_row"])["status"] == "1.50"
    with pytest.raises(SourceError, match=r"b\.parquet: cannot be read as parquet"):
        read(write(tmp_path / "b.parquet", "no parquet"))


def test_ids_that_parquet_has_as_floats_are_written_without_point_and_exponent(tmp_path: Path) -> None:
    """As pandas writes whole numbers of a column with gaps."""
    ids = [12345678901.0, None, 7.0, 1.5, 2.0**53, 1e17, float("inf")]
    columns = {"ticket_id": ["T"] * len(ids), "account_id": ids, "created_at": ["2025-01-01"] * len(ids)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet", table="support_tickets").table["account_id"].to_pylist()
    assert found == ["12345678901", None, "7", "1.5", "9007199254740992", "1e+17", "inf"]


def test_a_cell_of_10_mb_is_read_whole(tmp_path: Path) -> None:
    big = "x" * 10_000_000
    result = read(write(tmp_path / "a.csv", f"{HEADER}A1,{big}\nA2,Bo\n"))
    assert [len(name) for name in result.table["account_name"].to_pylist()] == [10_000_000, 2]


def test_a_row_beyond_the_block_is_read_with_a_larger_one(tmp_path: Path) -> None:
    big = "x" * 20_000_000
    result = read(write(tmp_path / "a.csv", f"{HEADER}A1,{big}\nA2,Bo\n"))
    assert [len(name) for name in result.table["account_name"].to_pylist()] == [20_000_000, 2]
