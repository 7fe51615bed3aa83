"""Names with dots lead into JSON, and `where` says which rows count."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.reading import FilesRead, read_files
from cx_intel_tests.helpers.builders import portfolio


def read(path: Path, table: str = "accounts", **keys: Any) -> FilesRead:
    source = FilesSource.model_validate({"kind": "files", "table": table, "path": str(path), **keys})
    return read_files(source, contract=STAGING[table](portfolio()), environment={})


def lines(path: Path, *objects: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(o) + "\n" for o in objects), encoding="utf-8")
    return path


def column(found: FilesRead, name: str) -> list[Any]:
    return found.table[name].to_pylist()


def test_a_path_into_objects_and_lists(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "a.jsonl",
        {"id": "A1", "traits": {"company": {"name": "Alder"}, "sites": [{"country": "DE"}, {"country": "AT"}]}},
        {"id": "A2", "traits": {"company": None}},
        {"id": "A3", "traits": "none"},
        {"id": "A4"},
    )
    columns = {"account_id": "id", "account_name": "traits.company.name", "country": "traits.sites.1.country"}
    found = read(file, columns=columns)
    assert column(found, "account_name") == ["Alder", None, None, None]
    assert column(found, "country") == ["AT", None, None, None]
    assert found.ignored_columns == ()


def test_json_in_a_cell_of_a_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,metadata\nA1,"{""crm id"": ""X 1"", ""flag"": true}"\nA2,\nA3,no JSON\n')
    found = read(
        tmp_path / "a.csv", columns={"account_id": "id", "account_name": "metadata.crm id", "owner": "metadata.flag"}
    )
    assert column(found, "account_name") == ["X 1", None, None]
    assert column(found, "owner") == ["true", None, None]


def test_nested_values_of_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"account_id": ["A1"], "owner": [{"email": "a@x.example"}]}), tmp_path / "a.parquet")
    assert column(read(tmp_path / "a.parquet", columns={"owner": "owner.email"}), "owner") == ["a@x.example"]


def test_a_column_with_a_dot_in_its_name_is_that_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,owner.name,owner\nA1,flat,"{""name"": ""nested""}"\n')
    assert column(read(tmp_path / "a.csv", columns={"account_id": "id", "owner": "owner.name"}), "owner") == ["flat"]


def test_an_object_is_its_json(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"account_id": "A1", "p": {"q": {"r": [1, "x"]}}})
    assert json.loads(column(read(file, columns={"account_name": "p.q"}), "account_name")[0]) == {"r": ["1", "x"]}


@pytest.mark.parametrize(
    ("value", "amount"), [(1.234, "1.234"), (1999, "1999"), ("1,234.50", "1234.50"), ("1.234", "1.234 (state decimal")]
)
def test_numbers_of_json_are_numbers_and_texts_are_read(tmp_path: Path, value: Any, amount: str) -> None:
    row = {
        "subscription_id": "S1",
        "account_id": "A1",
        "start_date": "2025-01-01",
        "items": [{"price": {"unit": value}}],
    }
    found = read(lines(tmp_path / "a.jsonl", row), "subscriptions", columns={"amount": "items.0.price.unit"})
    assert column(found, "amount")[0].startswith(amount)


def test_a_name_that_begins_with_no_column(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no column 'trait\.name', which the source of accounts reads"):
        read(lines(tmp_path / "a.jsonl", {"account_id": "A1", "traits": {}}), columns={"account_name": "trait.name"})


def test_where_takes_the_rows_that_match_in_any_case(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "a.jsonl",
        {"account_id": "A1", "livemode": True, "kind": "Track", "p": {"plan": None}},
        {"account_id": "A2", "livemode": False, "kind": "track", "p": {"plan": None}},
        {"account_id": "A3", "livemode": True, "kind": " PAGE ", "p": {}},
        {"account_id": "A4", "livemode": True, "kind": "identify", "p": {}},
        {"account_id": "A5", "livemode": True, "kind": None, "p": {}},
        {"account_id": "A6", "livemode": True, "kind": "track", "p": {"plan": "trial"}},
    )
    found = read(file, where={"livemode": True, "kind": ["track", "page"], "p.plan": None})
    assert column(found, "account_id") == ["A1", "A3"]
    assert column(found, "_row_number") == [1, 3]
    assert json.loads(column(found, "_raw_row")[1])["kind"] == " PAGE "
    assert (found.left_out, found.ignored_columns) == (4, ())


def test_where_takes_what_is_not(tmp_path: Path) -> None:
    contexts = ({"group": "g", "os": "x"}, {}, {"group": "BOT"})
    file = lines(tmp_path / "a.jsonl", *({"account_id": f"A{n}", "c": c} for n, c in enumerate(contexts, 1)))
    assert column(read(file, where={"c.group": {"not": None}}), "account_id") == ["A1", "A3"]
    assert column(read(file, where={"c.group": {"not": ["bot", None]}}), "account_id") == ["A1"]
    assert column(read(file, where={"c.os": {"not": "x"}}), "account_id") == ["A2", "A3"]


def test_where_counts_over_all_files_and_numbers_are_compared_as_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account_id,tier\nA1,1\nA2,2\n")
    (tmp_path / "b.csv").write_text("account_id,tier\nB1,1\nB2,\n")
    found = read(tmp_path, where={"tier": [1, None]})
    assert (column(found, "account_id"), found.left_out) == (["A1", "B1", "B2"], 1)


def test_where_names_a_column_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account_id\nA1\n")
    with pytest.raises(SourceError, match="has no column 'livemode'"):
        read(tmp_path / "a.csv", where={"livemode": True})


def test_names_that_a_file_may_lack(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", {"id": "A1", "c": {"n": 5}, "live": True})
    lines(tmp_path / "b.jsonl", {"id": "A2"})
    columns = {"account_id": "id", "employee_count": "c.n", "account_name": "name"}
    found = read(tmp_path, columns=columns, where={"live": [True, None]}, optional=["c", "name", "live"])
    assert found.table.select(["account_id", "employee_count", "account_name"]).to_pylist() == [
        {"account_id": "A1", "employee_count": "5", "account_name": None},
        {"account_id": "A2", "employee_count": None, "account_name": None},
    ]
    with pytest.raises(SourceError, match="has no column 'name'"):
        read(tmp_path, columns=columns, optional=["c"])


def test_where_without_a_value_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        FilesSource.model_validate({"kind": "files", "table": "accounts", "path": "a.csv", "where": {"kind": []}})


def test_where_before_columns_become_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account_id,live,m1,m2\nA1,true,1,2\nA2,false,3,4\n")
    unpivot = {"columns": ["m1", "m2"], "name_to": "metric", "value_to": "value"}
    found = read(
        tmp_path / "a.csv", "metrics", unpivot=unpivot, where={"live": True}, constants={"measured_on": "2025-01-01"}
    )
    assert (column(found, "value"), found.left_out) == (["1", "2"], 1)
