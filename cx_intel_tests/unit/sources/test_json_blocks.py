"""JSON lines in blocks: columns may come late in a file, and lines keep the numbers that they have in it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.files import FileSet, FilesSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.formats.json_lines import BLOCK_ROWS, json_blocks, read_json_lines
from cx_intel.sources.files.paths import SourceFile
from cx_intel.warehouse.duckdb.files.reading import FileReading
from cx_intel_tests.helpers.builders import portfolio

EVENT = {"id": "E1", "at": "2025-01-06T08:00:00Z"}
COLUMNS = {"event_id": "id", "event_timestamp": "at", "account_id": "group.id", "event_name": "event"}


def written(folder: Path, *lines: str, name: str = "calls.jsonl") -> SourceFile:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SourceFile(file, file.name, "jsonl", "the source of usage_events")


def batches(file: SourceFile, **keys: object) -> Iterator[pa.RecordBatch]:
    stated = {"kind": "files", "table": "usage_events", "path": str(file.path), "columns": COLUMNS}
    return FileReading(FilesSource.model_validate(stated | keys), STAGING["usage_events"](portfolio()), "").batches(
        [file]
    )


FILLED = [json.dumps(EVENT)] * BLOCK_ROWS


def test_a_column_may_come_with_a_later_block(tmp_path: Path) -> None:
    late = json.dumps(EVENT | {"id": "E2", "group": {"id": "A"}, "event": "login", "properties": {"n": 1.50}})
    found = [row for batch in batches(written(tmp_path, *FILLED, late)) for row in batch.slice(0, 1).to_pylist()]
    named = [tuple(row[name] for name in ("event_id", "account_id", "event_name", "properties")) for row in found]
    assert named == [("E1", None, None, None), ("E2", "A", "login", '{"n": "1.5"}')]


def test_rows_that_a_late_column_makes_count(tmp_path: Path) -> None:
    late = json.dumps(EVENT | {"id": "E2", "group": {"id": "A"}, "event": "login"})
    rows = batches(written(tmp_path, *FILLED, late), where={"group.id": {"not": None}})
    assert pa.Table.from_batches(rows)["event_id"].to_pylist() == ["E2"]


@pytest.mark.parametrize("lines", [FILLED, [*FILLED, json.dumps(EVENT)]])
def test_a_column_that_no_block_has_is_told(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(SourceError, match=r"calls\.jsonl: has no column 'group\.id'"):
        list(batches(written(tmp_path, *lines)))


def test_a_required_column_that_no_block_has_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, *FILLED, json.dumps(EVENT | {"account_id": "A", "event_name": "login"}))
    with pytest.raises(SourceError, match=r"has no column 'event_id', which usage_events requires"):
        list(batches(file, columns={"event_timestamp": "at"}))


def test_lines_keep_their_numbers_in_the_file(tmp_path: Path) -> None:
    blocks = list(json_blocks(written(tmp_path, *FILLED, "{", "", '{"id": "E2"}'), FileSet(path="")))
    assert [block.table.num_rows for block in blocks] == [BLOCK_ROWS, 1]
    assert blocks[1].table["row_number"].to_pylist() == [BLOCK_ROWS + 2]
    assert blocks[1].rejects.select(["row_number", "raw_row"]).to_pylist() == [
        {"row_number": BLOCK_ROWS + 1, "raw_row": "{"}
    ]
    assert [block.is_part for block in blocks] == [True, False]


def test_long_lines_fill_a_block_sooner(tmp_path: Path) -> None:
    file = written(tmp_path, *[json.dumps({"id": "E1", "text": "x" * 6_000_000})] * 4)
    assert [block.table.num_rows for block in json_blocks(file, FileSet(path=""))] == [3, 1]


def test_all_blocks_at_once_have_all_columns(tmp_path: Path) -> None:
    whole = read_json_lines(written(tmp_path, *FILLED, '{"id": "E2", "late": true}'), FileSet(path=""))
    assert whole.columns == ("id", "at", "late")
    assert whole.table["c2"].to_pylist()[-2:] == [None, "true"]
    assert whole.raw_rows is not None
    assert whole.raw_rows.to_pylist()[-1] == '{"id": "E2", "late": true}'


@pytest.mark.parametrize("separator", ["\u2028", "\x85"])
def test_signs_within_a_text_part_no_lines(tmp_path: Path, separator: str) -> None:
    line = json.dumps({"id": f"a{separator}b"}, ensure_ascii=False)
    text = json.loads(line)["id"]
    for document in (
        f"{line}\n{line}",
        f"[{line},\n{line}]",
        f'{{"id": \n{line}}}'.replace(line, json.dumps(text, ensure_ascii=False)),
    ):
        content = read_json_lines(written(tmp_path, document, name="calls.json"), FileSet(path=""))
        assert set(content.table["c0"].to_pylist()) == {text}
        assert content.rejects.num_rows == 0
