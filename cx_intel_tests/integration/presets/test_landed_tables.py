"""Tables that a query over a connection names: looked up, read as text, empty where they may be missing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.queries.queries import read_query
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.landed_tables import land, land_in_sqlite

COMPANIES = [
    {
        "id": 1,
        "Property_Name": "One",
        "price": Decimal("12.25"),
        "since": datetime(2025, 1, 2, 23, 30, tzinfo=UTC),
        "end": date(2025, 3, 1),
    },
    {"id": 2, "Property_Name": "Two", "price": None, "since": None, "end": None},
    {"id": 3, "Property_Name": "it's", "price": Decimal("0.10"), "since": None, "end": None},
]
AS_TEXT = """
  select id as account_id, name as account_name, since as industry, last_day as country, price as owner, gone as region
  from companies
"""


def source(**table: Any) -> SqlSource:
    columns = {
        "id": None,
        "name": ["nosuch", "property name"],
        "last_day": "end",
        "price": None,
        "since": None,
        "gone": None,
    }
    stated = {"name": "crm.company", "columns": columns, "optional": ["gone"]} | table
    return SqlSource.model_validate(
        {
            "kind": "sql",
            "table": "accounts",
            "connection": "${THERE}",
            "tables": {"companies": stated},
            "query": AS_TEXT,
        }
    )


def read(address: str, **table: Any) -> list[dict[str, Any]]:
    found = read_query(source(**table), contract=STAGING["accounts"](portfolio()), environment={"THERE": address})
    return [{k: v for k, v in row.items() if not k.startswith("_")} for row in found.table.to_pylist()]


@pytest.fixture(scope="module")
def server(database: str) -> str:
    land(database, "crm", {"company": COMPANIES})
    return database


def test_each_column_is_text(server: str) -> None:
    first, second, _ = read(server)
    assert first == {
        "account_id": "1",
        "account_name": "One",
        "industry": "2025-01-02T23:30:00.000000Z",
        "country": "2025-03-01",
        "owner": "12.25",
        "region": None,
    }
    assert (second["account_id"], second["owner"]) == ("2", None)


def test_only_rows_with_one_of_the_values(server: str) -> None:
    assert [row["account_id"] for row in read(server, where={"property_name": ["Two", "it's"]})] == ["2", "3"]


def test_names_in_any_case_and_several_of_them(server: str) -> None:
    assert len(read(server, name=["crm.account", "CRM.Company"])) == 3


def test_a_table_that_may_be_missing_is_empty(server: str) -> None:
    assert read(server, name="crm.nosuch", may_be_missing=True) == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": ["crm.nosuch", "other.company"]}, "there is no table crm.nosuch or other.company"),
        ({"optional": [], "columns": {"id": None, "naem": None}}, "has no column 'naem'"),
        ({"where": {"colour": ["red"]}}, "has no column 'colour'"),
    ],
)
def test_what_is_missing_is_named(server: str, table: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError) as error:
        read(server, **table)
    assert message in str(error.value)
    assert "s3cr" not in str(error.value)


def test_of_a_sqlite_without_a_schema(tmp_path: Path) -> None:
    address = land_in_sqlite(tmp_path / "crm.sqlite", {"company": COMPANIES})
    assert [row["account_name"] for row in read(address, name="company")] == ["One", "Two", "it's"]


def test_the_query_sees_no_other_table_of_the_server(server: str) -> None:
    wrong = source().model_copy(update={"query": "select id as account_id from crm.company"})
    with pytest.raises(SourceError, match="does not exist"):
        read_query(wrong, contract=STAGING["accounts"](portfolio()), environment={"THERE": server})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"connection": None, "files": {"a": "a.csv"}}, "are of a `connection`"),
        ({"tables": {"companies": {"name": "crm.company"}}}, "names the columns that the query reads"),
    ],
)
def test_what_is_stated_wrongly(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SqlSource.model_validate(source().model_dump(exclude={"preset", "satisfaction", "end_date"}) | changes)
