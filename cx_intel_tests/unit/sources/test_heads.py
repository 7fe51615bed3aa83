"""The first rows of files, cut so that the readers of whole files read them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.formats.by_format import read_file
from cx_intel.sources.files.heads import Heads, name_of_head, with_heads
from cx_intel.sources.files.paths import source_files


def heads(path: Path, rows: int, **more: Any) -> tuple[list[list[str]], Heads]:
    """The cells of the first column of each file's head, and what is said of the heads."""
    folder = path.parent / "heads" if not path.is_dir() else path.parent / "of_folder"
    folder.mkdir()
    cut, told = with_heads(FileSet(path=str(path), **more), {}, "the source", folder, rows)
    return [read_file(f, cut).table["c0"].to_pylist() for f in source_files(cut, {}, "the source")], told


def test_a_csv_ends_after_so_many_rows_where_no_quote_is_open(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('id,text\n1,plain\n2,"two\nlines"\n3,more\n4,more\n')
    assert heads(file, 2) == ([["1", "2"]], Heads(1, 1, False))


def test_a_file_with_fewer_rows_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id\n1\n2\n")
    assert heads(file, 2) == ([["1", "2"]], Heads(1, 1, True))


def test_gzip_encodings_and_bytes_that_are_no_text_are_cut_as_they_stand(tmp_path: Path) -> None:
    zipped = tmp_path / "a.csv.gz"
    zipped.write_bytes(gzip.compress("id\nä\nö\nü\n".encode("latin-1")))
    assert heads(zipped, 2, encoding="latin-1") == ([["ä", "ö"]], Heads(1, 1, False))
    other = tmp_path / "other" / "b.csv"
    other.parent.mkdir()
    other.write_bytes("id\nä\nö\n".encode("latin-1"))
    with pytest.raises(SourceError, match="row 1, column 1 is not utf-8 text"):
        heads(other, 1)


def test_json_lines_are_cut_and_a_document_is_looked_at_whole(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps({"id": n}) + "\n" for n in range(5)))
    assert heads(lines, 2) == ([["0", "1", "2"]], Heads(1, 1, False))  # one line more, since others have a header
    document = tmp_path / "document" / "b.json"
    document.parent.mkdir()
    document.write_text(json.dumps([{"id": n} for n in range(5)], indent=1))
    assert heads(document, 2) == ([["0", "1", "2", "3", "4"]], Heads(1, 1, True))


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": pa.array(range(5), pa.int16())}), file)
    assert heads(file, 2) == ([["0", "1"]], Heads(1, 1, False))


def test_of_many_files_the_first_and_the_last_are_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    for n in range(4):
        (folder / f"day_{n}.csv").write_text(f"id\n{n}\n")
    assert heads(folder, 2) == ([["0"], ["3"]], Heads(4, 2, False))


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.csv.gz", "a.csv"),
        ("a.jsonl", "a.jsonl"),
        ("a.parquet.gz", "a.parquet.gz"),
        ("a.1.gz", "a.1.jsonl"),
        ("a.tar.gz", "a.tar"),
    ],
)
def test_the_name_of_a_head_tells_its_format(name: str, head: str) -> None:
    assert name_of_head(name) == head
