"""The first rows of files are cut off whole, and read as the file itself would be."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.formats import read_file
from cx_intel.sources.files.paths import source_files
from cx_intel.sources.files.samples import first_rows


def sample(path: Path, rows: int = 2, **layout: str) -> list[dict[str, str | None]]:
    files = FileSet(path=str(path), **layout)  # type: ignore[arg-type]
    (file,) = source_files(files, {}, "the test")
    content = read_file(first_rows(file, files, path.parent / "heads", rows), files)
    return [
        dict(zip(content.columns, row.values(), strict=False)) for row in content.table.drop(["row_number"]).to_pylist()
    ]


def test_rows_of_csv_are_whole_where_a_cell_spans_lines(tmp_path: Path) -> None:
    file = tmp_path / "notes.csv"
    file.write_text('id,note\n1,"two\nlines"\n2,b\n3,"c\n', encoding="utf-8")

    assert sample(file) == [{"id": "1", "note": "two\nlines"}, {"id": "2", "note": "b"}]


def test_encoding_delimiter_and_compression_stay_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "kunden.csv.gz"
    file.write_bytes(gzip.compress("id;ort\n1;Köln\n2;Bonn\n3;Ulm\n".encode("latin-1")))

    assert sample(file, encoding="latin-1", delimiter=";") == [{"id": "1", "ort": "Köln"}, {"id": "2", "ort": "Bonn"}]


def test_bytes_that_are_no_text_are_told_as_in_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "kunden.csv"
    file.write_bytes("id,ort\n1,Köln\n".encode("latin-1"))

    with pytest.raises(SourceError, match="row 1, column 2 is not utf-8 text"):
        sample(file)


@pytest.mark.parametrize("text", ['{"id": 1}\n\n{"id": 2}\n{"id": 3}\n', '[{"id": 1},\n {"id": 2}, {"id": 3}]'])
def test_objects_of_lines_and_of_one_document(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tickets.json"
    file.write_text(text, encoding="utf-8")

    assert [json.loads(row["id"] or "") for row in sample(file)] == [1, 2]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3]}), file)

    assert sample(file) == [{"id": "1"}, {"id": "2"}]
    assert pq.read_schema(tmp_path / "heads" / "events.parquet").field("id").type == pa.int64()


def test_an_empty_parquet_file_stays_empty(tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), file)

    assert sample(file) == []
