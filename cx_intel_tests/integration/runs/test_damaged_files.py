"""Damaged, ragged, empty or very large files, and other encodings: they load, or stop with a message naming the place."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.sources.errors import SourceError
from cx_intel_tests.helpers.delivered_files import Staged, company, deliver, each_format, graph, read, write

pytestmark = pytest.mark.slow  # whole refreshes


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
    assert staged.quarantined == {
        2: "has 1 columns where the header has 2",
        3: "has 3 columns where the header has 2",
    }
    (tmp_path / "a.jsonl").write_text(
        '{"account_id": "A1"}\n[1, 2]\n{"account_id": "A2", "country": "DE"}\n{"account\n'
    )
    staged = Staged("accounts", read(tmp_path / "a.jsonl", "accounts"))
    assert staged.values("country") == ["DE", None]
    assert {row: reason.split(" (")[0] for row, reason in staged.quarantined.items()} == {
        2: "is no JSON object",
        4: "is no JSON object",
    }


@each_format
def test_an_empty_file_stops(tmp_path: Path, form: str) -> None:
    (tmp_path / f"a.{form}").write_bytes(b"")
    with pytest.raises(SourceError, match=rf"a\.{form}: (is empty|cannot be read as parquet)"):
        read(tmp_path / f"a.{form}", "accounts")


@pytest.mark.parametrize("form", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
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


def test_a_cell_of_10_mb_goes_all_the_way(tmp_path: Path) -> None:
    staged = deliver(tmp_path, "csv", "subscriptions", {"subscription_id": "S3", "product_name": "x" * 10_000_000})
    assert sorted(len(name) for name in staged.values("product_name")) == [5, 5, 10_000_000]
    staged = deliver(tmp_path, "csv", "subscriptions", {"subscription_id": "S3", "amount": "9" * 10_000_000})
    assert staged.quarantined == {3: f"amount: '{'9' * 60}' is beyond the limit of 1,000,000,000,000"}


@each_format
def test_a_cell_of_10_mb_is_read(tmp_path: Path, form: str) -> None:
    file = write(tmp_path / f"a.{form}", [{"account_id": "A1", "account_name": "x" * 10_000_000}])
    assert len(read(file, "accounts").table["account_name"][0].as_py()) == 10_000_000
