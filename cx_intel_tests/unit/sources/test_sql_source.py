"""The sql source: a query over declared files, and everything that it is kept from."""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

import cx_intel
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.queries.queries import read_query
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.read_queries import read, rows


@pytest.fixture
def billing(tmp_path: Path) -> dict[str, Any]:
    """Customers, subscriptions with nested items, and prices: an amount stands three tables from its customer."""
    (tmp_path / "customers.csv").write_text("id,email,livemode\nC1,a@one.example,true\nC2,b@two.example,false\n")
    subscriptions = [
        {"id": "S1", "customer": "C1", "items": {"data": [{"price": "P1", "quantity": 3}, {"price": "P2"}]}},
        {"id": "S2", "customer": "C2", "items": {"data": [{"price": "P1", "quantity": 1}]}},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in subscriptions)
    (tmp_path / "subscriptions-1.jsonl").write_text(lines + "no object\n")
    prices = pa.table({"id": ["P1", "P2"], "unit_amount": [1999, 500], "since": [date(2025, 1, 1), date(2025, 2, 1)]})
    pq.write_table(prices, tmp_path / "prices.parquet")
    return {
        "customers": tmp_path / "customers.csv",
        "subscriptions": tmp_path / "subscriptions-*.jsonl",
        "prices": tmp_path / "prices.parquet",
    }


JOINED = """
    with items as (
      select id, customer, unnest(from_json(items->'data', '["json"]')) as item from subscriptions)
    select i.id as subscription_id, i.customer as account_id, min(p.since::date) as start_date,
      sum(p.unit_amount::bigint * coalesce((item->>'quantity')::bigint, 1)) / 100.0 as amount, 'eur' as currency
    from items i join customers c on c.id = i.customer and c.livemode = 'true'
    join prices p on p.id = (item->>'price')
    group by all
"""


def test_a_name_with_dots_leads_into_json(tmp_path: Path) -> None:
    """The first of the names that is there counts, in each file."""
    (tmp_path / "1.csv").write_text("id,Name\n1,One\n")
    answer = {"id": "2", "properties": {"name": "Two", "size": {"staff": 7}}}
    (tmp_path / "2.jsonl").write_text(json.dumps(answer) + '\n{"id": "3", "properties": null}\n')
    columns = {"name": ["Name", "properties.name"], "staff": "properties.size.staff"}
    files = {"companies": {"path": str(tmp_path / "*"), "columns": columns, "optional": ["staff"]}}
    found = read(files, "select id as account_id, name as account_name, staff as employee_count from companies")
    assert [tuple(row.values()) for row in rows(found)] == [("1", "One", None), ("2", "Two", "7"), ("3", None, None)]


def test_joins_arithmetic_filters_and_nested_fields(billing: dict[str, Any]) -> None:
    found = read(billing, JOINED, "subscriptions")
    # 3 x 19.99 + 5.00
    expected = {
        "subscription_id": "S1",
        "account_id": "C1",
        "start_date": date(2025, 1, 1),
        "amount": 64.97,
        "currency": "eur",
    }
    assert rows(found) == [expected]
    (row,) = found.table.to_pylist()
    assert (row["_source_file"], row["_row_number"]) == ("query", 1)
    assert json.loads(row["_raw_row"])["subscription_id"] == "S1"
    assert found.files == ("customers/customers.csv", "subscriptions/subscriptions-1.jsonl", "prices/prices.parquet")
    rejected = found.rejects.to_pylist()
    assert [(r["source_file"], r["row_number"], r["raw_row"]) for r in rejected] == [
        ("subscriptions-1.jsonl", 3, "no object")
    ]


def test_what_a_result_holds(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("id\nA1\n")
    query = """
        select id as account_id, 5::utinyint as employee_count, date '2025-01-31' as signup_date, ['a', 'b'] as industry,
          timestamptz '2025-01-31 23:30:00+01:00' as segment, 0.5::double as region, 'x'::blob as owner, true as status,
          interval 1 day as plan_tier, null as country, 42 as not_wanted
        from one
    """
    found = read({"one": tmp_path / "one.csv"}, query)
    assert rows(found) == [
        {
            "account_id": "A1",
            "employee_count": "5",
            "signup_date": date(2025, 1, 31),
            "industry": '["a","b"]',
            "segment": "2025-01-31T22:30:00.000000Z",
            "region": "0.5",
            "owner": "x",
            "status": True,
            "plan_tier": "1 day",
            "country": None,
        }
    ]
    assert found.ignored_columns == ("not_wanted",)


def test_numbers_and_times_stay_typed(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("id,day,price\nE1,1735689600,12.345\n")
    query = """
        select id as subscription_id, 'A1' as account_id, to_timestamp(day::bigint)::timestamp::date as start_date,
          price::decimal(18, 3) as amount, day::bigint as quantity from one
    """
    (row,) = rows(read({"one": tmp_path / "one.csv"}, query, "subscriptions"))
    assert row["start_date"] == date(2025, 1, 1)
    assert (row["amount"], row["quantity"]) == (Decimal("12.345"), 1735689600)
    query = """
        select id as event_id, 'A1' as account_id, 'login' as event_name,
          timestamp '2025-01-01 09:00:00' as event_timestamp from one
    """
    (row,) = rows(read({"one": tmp_path / "one.csv"}, query, "usage_events"))
    assert row["event_timestamp"] == datetime(2025, 1, 1, 9)


def test_ids_that_a_server_has_as_fractions_are_written_without_one(tmp_path: Path) -> None:
    """As in tables that pandas landed, whose whole numbers with gaps are floats, and in columns such as NUMERIC(38, 5)."""
    (tmp_path / "one.csv").write_text("id\n1042\n12345678901\n7.5\n9007199254740994\nnan\n\n")
    query = "select id::double as account_id, 'x' as account_name from one"
    found = rows(read({"one": tmp_path / "one.csv"}, query))
    assert [row["account_id"] for row in found] == ["1042", "12345678901", "7.5", "9007199254740994.0", "nan"]
    query = "select id::decimal(30, 5) as account_id, 'x' as account_name from one where id <> 'nan'"
    found = rows(read({"one": tmp_path / "one.csv"}, query))
    assert [row["account_id"] for row in found] == ["1042", "12345678901", "7.50000", "9007199254740994.00000"]


@pytest.mark.parametrize("end", ["", ";", " ; ", "-- done", "; -- done", ";\n/* done */"])
def test_names_in_capitals_and_whatever_ends_the_query(tmp_path: Path, end: str) -> None:
    (tmp_path / "one.csv").write_text("id\nA1\n")
    query = 'select id as ACCOUNT_ID, 7 as "Employee_Count", 1 as OTHER from one' + end
    found = read({"one": tmp_path / "one.csv"}, query)
    assert rows(found) == [{"account_id": "A1", "employee_count": 7}]
    assert found.ignored_columns == ("OTHER",)


def test_text_of_a_result_is_read_in_the_spelling_that_the_source_states(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text('id,day,price\nS1,31.12.2024,"1.234,50"\n')
    query = "select id as subscription_id, 'A1' as account_id, day as start_date, price as amount from one"
    files = {"one": tmp_path / "one.csv"}
    (row,) = rows(read(files, query, "subscriptions", date_formats=["%d.%m.%Y"], decimal=","))
    assert (row["start_date"], row["amount"]) == ("2024-12-31", "1234.50")


def test_an_empty_result_has_its_columns(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("id\n")
    found = read({"one": tmp_path / "one.csv"}, "select id as account_id from one")
    assert (found.table.num_rows, "account_id" in found.table.column_names) == (0, True)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select idd as account_id from one", 'Referenced column "idd" not found'),
        ("select id from one", "gives no column 'account_id', which accounts requires"),
        ("select id as account_id, id as account_id from one", "gives account_id twice"),
        ("select id as account_id, id as ACCOUNT_ID from one", "gives account_id twice"),
        (
            "select id as account_id, id * 2 as employee_count from one",
            "Columns of files are text: write `amount::decimal",
        ),
        ("select id as account_id from two", "Table with name two does not exist"),
        ("select id as account_id from one; select 1", "is to be one SELECT; it is SELECT, SELECT"),
        ("copy one to 'stolen.csv'", "is to be one SELECT; it is COPY"),
        ("set threads = 4", "is to be one SELECT; it is SET"),
        ("create table t as select 1", "is to be one SELECT; it is CREATE"),
        ("attach 'other.duckdb'", "is to be one SELECT; it is ATTACH"),
        ("install httpfs", "is to be one SELECT"),
        (";", "is to be one SELECT; it is nothing"),
        ("selec id from one", "syntax error"),
        ("select content as account_id from read_text('/etc/hostname')", "sees the files declared under `files`"),
        ("select * from '/etc/hostname'", "does not exist"),
        ("select a as account_id from read_csv('{other}') t(a)", "sees the files declared under `files`"),
        ("select file as account_id from glob('/etc/*')", "sees the files declared under `files`"),
        ("select id::int as account_id from one", "Could not convert string 'A1'"),
    ],
)
def test_what_a_query_may_not_and_what_is_wrong_with_it(tmp_path: Path, query: str, message: str) -> None:
    (tmp_path / "one.csv").write_text("id\nA1\n")
    (tmp_path / "other.csv").write_text("secret\n")
    with pytest.raises(SourceError) as error:
        read({"one": tmp_path / "one.csv"}, query.replace("{other}", str(tmp_path / "other.csv")))
    assert message in str(error.value)
    assert str(error.value).startswith("The query of the source of accounts")
    assert not Path("stolen.csv").exists()


def test_names_of_files_are_names_of_tables() -> None:
    with pytest.raises(ValidationError):
        SqlSource.model_validate({"kind": "sql", "table": "accounts", "files": {"my file": "a"}, "query": "select 1"})
    with pytest.raises(ValidationError):
        SqlSource.model_validate({"kind": "sql", "table": "accounts", "files": {}, "query": "select 1"})


def price(cents: str, *, usage: str = "licensed", interval: str = "month", count: int = 1) -> dict[str, Any]:
    recurring = {"interval": interval, "interval_count": count, "usage_type": usage}
    return {"id": f"price_{cents}", "unit_amount_decimal": cents, "recurring": recurring}


def test_the_query_of_the_page_reads_a_stripe_export(tmp_path: Path) -> None:
    page = Path(cx_intel.__file__).parents[1] / "docs" / "add-a-portfolio.md"
    blocks = re.findall(r"```yaml\n(- kind: sql.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (given,), *_ = [YAML(typ="safe").load(block) for block in blocks]
    day = 1735689600  # 2025-01-01
    common = {"status": "active", "currency": "usd", "start_date": day, "ended_at": None, "trial_end": None}
    listed = [
        ("sub_1", "cus_1", [(price("1999"), 3), (price("500.5"), 2)], {}),
        ("sub_2", "cus_2", [(price("120000", interval="year"), 1), (price("7", usage="metered"), None)], {}),
        (
            "sub_3",
            "cus_gone",
            [(price("5000"), 1)],
            {"currency": "jpy", "status": "trialing", "trial_end": day + 86400},
        ),
        ("sub_4", "cus_1", [(price("1"), 1)], {"livemode": False}),
    ]
    rows_of = [
        {"id": i, "customer": c, "livemode": True, **common, **more}
        | {"items": {"data": [{"price": p} | ({"quantity": n} if n is not None else {}) for p, n in items]}}
        for i, c, items, more in listed
    ]
    (tmp_path / "subscriptions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_of))
    customers = 'id,metadata\ncus_1,"{""account_id"": ""A-1""}"\ncus_2,{}\n'
    (tmp_path / "customers.csv").write_text(customers)
    source = SqlSource.model_validate(given)
    contract = STAGING["subscriptions"](portfolio())
    found = rows(read_query(source, contract=contract, environment={"STRIPE": str(tmp_path)}))
    told = {
        row["subscription_id"]: (row["account_id"], row["amount"], row["billing_interval"], row["trial_end"])
        for row in found
    }
    assert told == {
        "sub_1": ("A-1", Decimal("6998"), "month", None),  # 3 x 19.99 + 2 x 5.005
        "sub_2": ("cus_2", Decimal("120000"), "year", None),
        "sub_3": ("cus_gone", Decimal("5000"), "month", date(2025, 1, 2)),
    }
    assert source.in_minor_units
