"""Refreshes of a company whose tables come from queries: the same figures as from files, and faults that are told."""

import json
from pathlib import Path

import pytest

from cx_intel_tests.helpers.small_company import SmallCompany

pytestmark = pytest.mark.slow

QUERY = """
    select s.id as subscription_id, c.account as account_id, 'suite' as product_name,
      (s.plan->>'cents')::bigint * s.seats::int / 100.0 as amount, s.currency, s.start_date::date as start_date,
      s.end_date, 'active' as status
    from contracts s join customers c on c.id = s.customer
"""


def delivered_apart(company: SmallCompany) -> None:
    """The subscriptions as contracts with a nested price in cents a seat, and customers with ids of their own."""
    rows = [row for row in company.tables.pop("subscriptions") if row["subscription_id"] != "S04b"]
    folder = company.data
    folder.mkdir(parents=True, exist_ok=True)
    customers = sorted({row["account_id"] for row in rows})
    (folder / "customers.csv").write_text("id,account\n" + "".join(f"c-{a},{a}\n" for a in customers))
    contracts = [
        {
            "id": row["subscription_id"],
            "customer": f"c-{row['account_id']}",
            "seats": 4,
            "plan": {"cents": row["amount"] * 25},
            "currency": row["currency"],
            "start_date": str(row["start_date"]),
            "end_date": str(row["end_date"]) if row["end_date"] else None,
        }
        for row in rows
    ]
    (folder / "contracts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in contracts))
    company.settings["sources"] = [s for s in company.settings["sources"] if s["table"] != "subscriptions"] + [
        {
            "kind": "sql",
            "table": "subscriptions",
            "files": {"contracts": "${SMALL_DATA}/contracts.jsonl", "customers": "${SMALL_DATA}/customers.csv"},
            "query": QUERY,
        }
    ]


def test_a_query_gives_the_figures_of_the_same_rows_in_a_file(tmp_path: Path) -> None:
    whole, apart = SmallCompany(tmp_path / "files"), SmallCompany(tmp_path / "sql")
    whole.tables["subscriptions"] = [r for r in whole.tables["subscriptions"] if r["subscription_id"] != "S04b"]
    for company in (whole, apart):
        company.only(*company.tables)
    delivered_apart(apart)
    for company in (whole, apart):
        assert company.refresh().succeeded
    query = "SELECT account_id, revenue_month, mrr, revenue_movement FROM fct_revenue ORDER BY 1, 2"
    assert apart.query(query) == whole.query(query)
    assert apart.query(query)
    assert apart.refresh().succeeded  # again, over what stands there
    assert apart.query(query) == whole.query(query)


def test_a_query_that_fails_stops_its_table_with_what_to_do_and_the_rest_stands(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only(*company.tables)
    delivered_apart(company)
    assert company.refresh().succeeded
    before = company.query("SELECT * FROM raw_subscriptions ORDER BY subscription_id")
    company.source("subscriptions", query=QUERY.replace("s.seats::int", "s.seats"))
    outcome = company.refresh()
    assert not outcome.succeeded
    assert "Columns of files are text" in "\n".join(outcome.failures)
    assert company.query("SELECT * FROM raw_subscriptions ORDER BY subscription_id") == before
