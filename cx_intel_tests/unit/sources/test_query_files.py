"""Files of a query: their columns under one of several names, files that may be missing, values, and what is digested."""

from pathlib import Path

import pytest

from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.digests import digest_of_files
from cx_intel_tests.helpers.read_queries import read, rows


def test_files_of_one_name_are_joined_by_column_and_what_they_lack_is_null(tmp_path: Path) -> None:
    (tmp_path / "a-1.csv").write_text("id;plan\nA1;n/a\n")
    (tmp_path / "a-2.csv").write_text("id;size\nA2;7\n")
    files = {"a": {"path": str(tmp_path / "a-*.csv"), "delimiter": ";", "null_text": ["n/a"], "optional": ["tier"]}}
    query = "select id as account_id, coalesce(plan, tier) as plan_tier, size as employee_count, _source_file as segment from a"
    assert rows(read(files, query)) == [
        {"account_id": "A1", "plan_tier": None, "employee_count": None, "segment": "a-1.csv"},
        {"account_id": "A2", "plan_tier": None, "employee_count": "7", "segment": "a-2.csv"},
    ]


def test_faults_of_its_files_name_the_file_and_its_table(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"`path: .*gone.csv` of `one` of the source of accounts"):
        read({"one": tmp_path / "gone.csv"}, "select 1")
    with pytest.raises(SourceError, match=r"variable HOME_OF_IT is not set; .* of `one` of the source of accounts"):
        read({"one": "${HOME_OF_IT}/a.csv"}, "select 1")
    (tmp_path / "twice.csv").write_text("id,ID\n1,2\n")
    with pytest.raises(SourceError, match=r"twice.csv: has the column ID, id more than once"):
        read({"one": tmp_path / "twice.csv"}, "select 1")


def test_names_of_columns_count_in_any_case_over_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ID,Plan Tier\nA1,gold\n")
    (tmp_path / "b.csv").write_text("Id,plan_tier\nA2,silver\n")
    query = "select id as account_id, plan_tier from t order by id"
    found = read({"t": {"path": str(tmp_path), "optional": ["plan_tier"]}}, query)
    assert [list(row.values()) for row in rows(found)] == [["A1", "gold"], ["A2", "silver"]]


def test_columns_under_one_of_several_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Record ID,Company name,name\n1,Alder,old\n")
    (tmp_path / "b.csv").write_text("record_id,NAME\n2,Birch\n")
    files = {"path": str(tmp_path), "columns": {"id": ["hs_object_id", "record-id"], "name": ["Company Name", "name"]}}
    found = read({"companies": files}, "select id as account_id, name as account_name from companies order by id")
    assert rows(found) == [
        {"account_id": "1", "account_name": "Alder"},
        {"account_id": "2", "account_name": "Birch"},
    ]


def test_a_column_under_none_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Record ID\n1\n")
    files = {"path": str(tmp_path), "columns": {"id": ["hs_object_id", "Record"]}}
    with pytest.raises(SourceError, match=r"a\.csv: has no column 'hs_object_id' or 'Record', which `c` of the source"):
        read({"c": files}, "select id as account_id from c")
    files["optional"] = ["id"]
    assert rows(read({"c": files}, "select coalesce(id, 'x') as account_id from c")) == [{"account_id": "x"}]


def test_files_that_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("id\nC1\n")
    prices = {"path": str(tmp_path / "prices*"), "columns": {"price": "unit_amount"}, "optional": ["price", "nickname"]}
    query = "select c.id as account_id, p.nickname as account_name from c left join p on p.price = c.id"
    with pytest.raises(SourceError, match="no such file"):
        read({"c": tmp_path / "customers.csv", "p": prices}, query)
    found = read({"c": tmp_path / "customers.csv", "p": {**prices, "may_be_missing": True}}, query)
    assert rows(found) == [{"account_id": "C1", "account_name": None}]
    assert found.files == ("c/customers.csv",)


def test_values_are_respelt_and_the_word_delivered_is_kept(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,state,prio\n1, Parked ,HIGH\n2,open,\n")
    query = "select id as ticket_id, 'A' as account_id, '2025-01-01' as created_at, state as status, prio as priority from t"
    values = {"priority": {"high": "p2"}, "status": {"parked": "open"}}
    found = read({"t": tmp_path / "t.csv"}, query, "support_tickets", values=values)
    assert [(r["status"], r["source_status"], r["priority"]) for r in rows(found)] == [
        ("open", " Parked ", "p2"),
        ("open", "open", None),
    ]


def test_only_files_are_digested_and_nothing_else_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("id\nA1\n")
    keys = {"kind": "sql", "table": "accounts", "files": {"one": str(tmp_path / "one.csv")}, "query": "select 1"}
    source = SqlSource.model_validate(keys)
    before = digest_of_files(source, {})
    (tmp_path / "one.csv").write_text("id\nA2\n")
    assert None not in (before, digest_of_files(source, {}))
    assert digest_of_files(source, {}) != before
    tables = {"two": {"name": "crm.two", "columns": {"id": None}}}
    beside = SqlSource.model_validate(keys | {"connection": "${CRM}", "tables": tables})
    assert digest_of_files(beside, {}) is None
