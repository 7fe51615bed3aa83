"""JSON files that are one document, as APIs answer, beside those of lines."""

import gzip
from pathlib import Path

import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.reading import FilesRead, read_files
from cx_intel.warehouse.duckdb.files.samples import read_sample
from cx_intel.warehouse.duckdb.queries.queries import read_query
from cx_intel_tests.helpers.builders import portfolio

SOURCE = {"kind": "files", "table": "accounts", "columns": {"account_id": "n"}}


def read(path: Path) -> FilesRead:
    source = FilesSource.model_validate(SOURCE | {"path": str(path)})
    return read_files(source, contract=STAGING["accounts"](portfolio()), environment={})


TWO = '{"n": 1.50, "account_name": "a, [b]"}'


@pytest.mark.parametrize(
    "document",
    [
        f'[{TWO}, {{"n": 2}}]',
        f'\n[\n  {TWO},\n  {{\n    "n": 2\n  }}\n]\n',
        f'{{"has_more": false, "data": [{TWO}, {{"n": 2}}], "url": "/v1"}}',
        f'{{"tags": ["x"], "links": {{"a": [1]}},\n "tickets": [\n{TWO},\n{{"n": 2}}\n], "count": 2}}',
        f'{TWO}\n{{"n": 2}}\n',
    ],
)
def test_the_objects_of_a_document(tmp_path: Path, document: str) -> None:
    (tmp_path / "a.json").write_text(document)
    found = read(tmp_path / "a.json")
    assert found.table.select(["account_id", "account_name", "_row_number"]).to_pylist() == [
        {"account_id": "1.50", "account_name": "a, [b]", "_row_number": 1},
        {"account_id": "2", "account_name": None, "_row_number": 2},
    ]
    assert found.table["_raw_row"].to_pylist()[0] == TWO


@pytest.mark.parametrize(
    "document",
    ['{"n": 7, "id": "x", "items": [{"n": 1}]}', '{"n": 7, "b": [{}], "c": [{}]}', '{\n"n": 7\n}', '{"n": 7, "b": []}'],
)
def test_a_document_that_is_one_object(tmp_path: Path, document: str) -> None:
    (tmp_path / "a.json").write_text(document)
    assert read(tmp_path / "a.json").table["account_id"].to_pylist() == ["7"]


def test_of_several_lists_that_counts_whose_name_the_file_has(tmp_path: Path) -> None:
    """As Zendesk answers with what belongs to the tickets beside them."""
    document = '{"tickets": [{"n": 1}, {"n": 2}], "users": [{"n": 7}], "count": 2}'
    for name, expected in (("tickets_1.json", ["1", "2"]), ("Users.json", ["7"]), ("export.json", [None])):
        (tmp_path / name).write_text(document)
        source = FilesSource.model_validate(SOURCE | {"path": str(tmp_path / name), "optional": ["n"]})
        found = read_files(source, contract=STAGING["accounts"](portfolio()), environment={})
        assert found.table["account_id"].to_pylist() == expected


def test_lines_stay_lines(tmp_path: Path) -> None:
    """In a file of lines each line is an object, whatever list it holds."""
    (tmp_path / "a.jsonl").write_text('{"n": 7, "data": [{"n": 1}]}\n')
    assert read(tmp_path / "a.jsonl").table["account_id"].to_pylist() == ["7"]


def test_a_packed_document(tmp_path: Path) -> None:
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b'[{"n": 1}]'))
    assert read(tmp_path / "a.json.gz").table["account_id"].to_pylist() == ["1"]


def test_a_list_that_is_empty_or_of_no_objects(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(SourceError, match="is empty"):
        read(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('[1, {"n": 2}]')
    with pytest.raises(SourceError, match="has no column 'n'"):
        read(tmp_path / "a.json")


def test_a_damaged_document_is_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"n": 1}\n{"n": \n{"n": 3}\n')
    found = read(tmp_path / "a.json")
    assert found.table["account_id"].to_pylist() == ["1", "3"]
    assert [row["row_number"] for row in found.rejects.to_pylist()] == [2]


MORE = [
    '{{"has_more": true, "data": [{0}]}}',
    '{{"results": [{0}], "paging": {{"next": {{"after": "9"}}}}}}',
    '{{"a": [{0}], "end_of_stream": false, "next_page": "https://x"}}',
    '{{"a": [{0}], "meta": {{"has_more": true}}}}',
    '{{"done": false, "records": [{0}], "nextRecordsUrl": "/x"}}',
]


@pytest.mark.parametrize("page", MORE)
def test_pages_of_which_the_last_one_is_not_there_are_refused(tmp_path: Path, page: str) -> None:
    (tmp_path / "a_1.json").write_text(page.format(TWO))
    with pytest.raises(SourceError, match=r"a_1\.json: the answer says that more objects follow"):
        read(tmp_path / "*.json")
    last = (
        page.replace("true", "false").replace('done": false', 'done": true').replace('stream": false', 'stream": true')
    )
    last = last.replace('"next": {{"after": "9"}}', '"prev": {{"before": "1"}}')
    (tmp_path / "a_0.json").write_text(last.format('{"n": 2}'))  # in whatever order their names are
    assert read(tmp_path / "*.json").table["account_id"].to_pylist() == ["2", "1.50"]


def test_a_last_page_without_any_object(tmp_path: Path) -> None:
    (tmp_path / "a_1.json").write_text('{"a": [{"id": 1}], "end_of_stream": false}')
    (tmp_path / "a_2.json").write_text('{"a": [], "count": 0, "end_of_stream": true}')
    (tmp_path / "coupons.json").write_text('{"object": "list", "data": [], "has_more": false}')
    files = {
        "a": str(tmp_path / "a_*.json"),
        "coupons": {"path": str(tmp_path / "coupons*"), "may_be_missing": True, "columns": {"of": "subscription"}},
    }
    query = "select a.id as account_id from a left join coupons on of = a.id"
    source = SqlSource.model_validate({"kind": "sql", "table": "accounts", "files": files, "query": query})
    found = read_query(source, contract=STAGING["accounts"](portfolio()), environment={})
    assert found.table["account_id"].to_pylist() == ["1"]
    (tmp_path / "a_1.json").unlink()
    with pytest.raises(SourceError, match=r"a_2\.json: is an answer whose list a is empty"):
        read_query(source, contract=STAGING["accounts"](portfolio()), environment={})


def test_of_many_pages_a_look_at_two_does_not_ask_for_the_last(tmp_path: Path) -> None:
    """By their names a_9.json comes after a_10.json, which is the last."""
    for n, more in (("1", "true"), ("9", "true"), ("10", "false")):
        (tmp_path / f"a_{n}.json").write_text(f'{{"has_more": {more}, "data": [{{"id": {n}}}]}}')
    query = {"kind": "sql", "table": "accounts", "query": "select id as account_id from a"}
    source = SqlSource.model_validate(query | {"files": {"a": str(tmp_path / "a_*.json")}})
    given = {"contract": STAGING["accounts"](portfolio()), "environment": {}}
    assert read_sample(source, rows=9, **given).read.table["account_id"].to_pylist() == ["1", "9"]
    (tmp_path / "a_10.json").unlink()
    with pytest.raises(SourceError, match="more objects follow"):
        read_sample(source, rows=9, **given)
