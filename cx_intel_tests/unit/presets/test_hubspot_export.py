"""HubSpot's exports: companies as its export writes them and as its API does, merged ones, won deals."""

import json
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.vendor_files import delivered, judged, links_of, taking, write_lines, write_table

pytestmark = pytest.mark.slow

COUNT = 50
COUNTRIES = ("Germany", "United Kingdom", None)
STAGES = ("customer", "opportunity", "lead", None)


def company(n: int) -> dict[str, Any]:
    """What is so of the company `n`."""
    return {
        "id": str(1000 + n),
        "name": f"Company {n}",
        "country": COUNTRIES[n % 3],
        "employees": n * 100 if n % 5 else None,
        "owner": "Ida Quill" if n % 4 else None,
        "stage": STAGES[n % 4],
        "segment": "SMB" if n % 2 else None,
        "parent": "1001" if n in (2, 3) else None,
        "merged": {7: "2007", 8: "2008;2018"}.get(n),
        "created": date(2023, 1 + n % 12, 1 + n % 28),
    }


def as_export(folder: Path) -> None:
    write_table(
        folder / "companies.csv",
        [
            {
                "Record ID": c["id"],
                "Company name": c["name"],
                "Company Domain Name": f"c{c['id']}.example",
                "Company owner": c["owner"],
                "Lifecycle Stage": c["stage"],
                "Customer Segment": c["segment"],
                "Country/Region": c["country"],
                "Number of Employees": f"{c['employees']:,}" if c["employees"] else None,
                "Parent Company ID": c["parent"],
                "Merged Company IDs": c["merged"],
                "Create Date": f"{c['created']} 09:07",
            }
            for c in map(company, range(COUNT))
        ],
    )


def as_objects(folder: Path) -> None:
    """Records of the API without their envelope: internal names, owners by id."""
    write_lines(
        folder / "companies.jsonl",
        [
            {
                "hs_object_id": c["id"],
                "name": c["name"],
                "domain": f"c{c['id']}.example",
                "hubspot_owner_id": "77" if c["owner"] else None,
                "lifecyclestage": c["stage"],
                "Segment": c["segment"],
                "country": c["country"],
                "numberofemployees": c["employees"],
                "hs_parent_company_id": c["parent"],
                "hs_merged_object_ids": c["merged"],
                "createdate": f"{c['created']}T09:07:00Z",
            }
            for c in map(company, range(COUNT))
        ],
    )
    write_lines(
        folder / "owners.jsonl", [{"id": "77", "email": "i@x.example", "firstName": "Ida", "lastName": "Quill"}]
    )


def as_answers(folder: Path) -> None:
    """Pages of the API as it answers: the properties of a record are an object in it."""
    as_objects(folder)
    for name, size in (("companies", 20), ("owners", 20)):
        records = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        if name == "companies":
            envelope = {"createdAt": "2020-01-01T00:00:00Z", "updatedAt": "2025-06-01T00:00:00Z", "archived": False}
            records = [
                {"id": r["hs_object_id"], "properties": {key.lower(): value for key, value in r.items()}, **envelope}
                for r in records
            ]
        (folder / f"{name}.jsonl").unlink()
        for n in range(0, len(records), size):
            follows = {"paging": {"next": {"after": str(n + size)}}} if n + size < len(records) else {}
            page = {"results": records[n : n + size], **follows}
            (folder / f"{name}_{n}.json").write_text(json.dumps(page, indent=1), encoding="utf-8")


SHAPES: dict[str, Callable[[Path], None]] = {"export": as_export, "objects": as_objects, "answers": as_answers}


@pytest.mark.parametrize("shape", SHAPES)
def test_companies_are_accounts(tmp_path: Path, shape: str) -> None:
    SHAPES[shape](tmp_path)
    found = {r["account_id"]: r for r in judged(taking("hubspot_export", folder=str(tmp_path)), "accounts")}
    assert {row["_reason"] for row in found.values()} == {None}
    assert len(found) == COUNT
    for c in map(company, range(COUNT)):
        row = found[c["id"]]
        assert (row["account_name"], row["employee_count"], row["parent_account_id"]) == (
            c["name"],
            c["employees"],
            c["parent"],
        )
        assert row["signup_date"] == c["created"]
        assert row["country"] == {"Germany": "DE", "United Kingdom": "GB", None: None}[c["country"]]
        assert (row["owner"], row["segment"]) == (c["owner"], c["segment"])
        assert row["status"] == c["stage"]


@pytest.mark.parametrize("shape", SHAPES)
def test_merged_companies_are_aliases(tmp_path: Path, shape: str) -> None:
    SHAPES[shape](tmp_path)
    rows = delivered(taking("hubspot_export", folder=str(tmp_path)), "account_aliases").table.to_pylist()
    found = sorted((row["old_account_id"], row["account_id"]) for row in rows)
    assert found == [("2007", "1007"), ("2008", "1008"), ("2018", "1008")]


def test_won_deals_are_contracts(tmp_path: Path) -> None:
    as_export(tmp_path)
    deals = [
        {"id": "1", "Deal Stage": "Closed Won", "mrr": 250, "arr": 3000, "ends": None},
        {"id": "2", "Deal Stage": "closedwon", "mrr": None, "arr": "6,000.00", "ends": "2026-01-31"},
        {"id": "3", "Deal Stage": "Closed Lost", "mrr": 999, "arr": None, "ends": None},
        {"id": "4", "Deal Stage": "closedwon", "mrr": None, "arr": None, "ends": None},
    ] + [{"id": str(n), "Deal Stage": "Closed Won", "mrr": n, "arr": None, "ends": None} for n in range(10, 60)]
    names = {
        "id": "Record ID",
        "mrr": "Monthly recurring revenue",
        "arr": "Annual recurring revenue",
        "ends": "Contract end date",
    }
    write_table(
        tmp_path / "deals.csv",
        [{names.get(k, k): v for k, v in d.items()} | {"Deal Name": "x", "Close Date": "2025-02-01"} for d in deals],
    )
    links = [{"deal_id": d["id"], "company_id": "1001", "type_id": 5} for d in deals]
    links += [{"deal_id": d["id"], "company_id": "1002", "type_id": 341} for d in deals]
    write_table(tmp_path / "deal_company.csv", links)
    found = {r["subscription_id"]: r for r in judged(taking("hubspot_export", folder=str(tmp_path)), "subscriptions")}
    assert set(found) == {d["id"] for d in deals} - {"3"}
    assert {row["account_id"] for row in found.values()} == {"1001"}
    assert [found[n]["mrr_amount"] for n in ("1", "2", "59")] == [250, 500, 59]
    assert (found["1"]["start_date"], found["2"]["end_date"]) == (date(2025, 2, 1), date(2026, 1, 31))
    assert "the deal states neither MRR nor ARR" in found["4"]["_reason"]
    assert sum(Fraction(r["mrr_amount"] or 0) for r in found.values()) == 750 + sum(range(10, 60))


def test_deals_that_name_their_companies_themselves(tmp_path: Path) -> None:
    as_export(tmp_path)
    deal = {"Record ID": "1", "Deal Stage": "Won", "Is Closed Won": "true", "Close Date": "2025-02-01", "hs_mrr": 10}
    write_table(tmp_path / "deals.csv", [{**deal, "Associated Company IDs": "1004;1005"}])
    (row,) = judged(taking("hubspot_export", folder=str(tmp_path)), "subscriptions")
    assert (row["account_id"], row["mrr_amount"]) == ("1004", 10)


def test_billing_has_the_contracts_where_it_is_there(tmp_path: Path) -> None:
    stripe = "  - {preset: stripe_export, folder: s}\n"
    found = taking("hubspot_export", more=stripe, folder=str(tmp_path)).presets
    assert "subscriptions" in found["stripe_export"]
    assert "subscriptions" not in found["hubspot_export"]
    assert "accounts" in found["hubspot_export"]
    assert "accounts" not in found["stripe_export"]


@pytest.mark.parametrize("separator", [";", ",", "; ", ", "])
def test_lists_of_ids_and_domains(tmp_path: Path, separator: str) -> None:
    head = {"RECORD ID": "1", "COMPANY NAME": "One", "COMPANY DOMAIN NAME": "one.example"}
    lists = {"ADDITIONAL DOMAINS": ["two.example", "three.example"], "MERGED COMPANY IDS": ["2", "3"]}
    write_table(tmp_path / "companies.csv", [head | {name: separator.join(all_) for name, all_ in lists.items()}])
    deal = {
        "Record ID": "1",
        "Is Closed Won": "True",
        "Deal Stage": "Gewonnen",
        "Close Date": "2025-02-01",
        "hs_mrr": 9,
    }
    write_table(tmp_path / "deals.csv", [deal | {"Associated Company IDs": f"1{separator}5"}])
    book = taking("hubspot_export", folder=str(tmp_path))
    rows = delivered(book, "account_aliases").table.to_pylist()
    assert sorted(row["old_account_id"] for row in rows) == ["2", "3"]
    (contract,) = judged(book, "subscriptions")
    assert (contract["account_id"], contract["mrr_amount"]) == ("1", 9)
    more = "  - {kind: files, table: support_tickets, path: t.csv, system: desk}\n"
    found = links_of(taking("hubspot_export", more=more, folder=str(tmp_path)))
    assert [domain for domain, *_ in found["domain"]] == ["one.example", "three.example", "two.example"]
