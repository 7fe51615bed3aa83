"""Salesforce: the same made-up accounts, contracts, opportunities and tasks as Fivetran lands them and as its export has them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from cx_intel_tests.helpers.landed_tables import land, landed, staged
from cx_intel_tests.helpers.vendor_files import judged, taking, write_table

pytestmark = pytest.mark.slow  # a PostgreSQL of its own

Read: TypeAlias = Callable[[str], list[dict[str, Any]]]
COUNT = 60
CREATED = datetime(2023, 5, 1, 12, tzinfo=UTC)
MERGED, DELETED = 8, 9
CONTRACT_KINDS = ("annual value", "sold", "no value", "draft", "deleted")


def account_id(n: int) -> str:
    return f"0011G{n:05}"


def account(n: int) -> dict[str, Any]:
    return {
        "id": account_id(n),
        "name": f"Account {n}",
        "industry": "Retail",
        "billing_country": ("Germany", "France", None)[n % 3],
        "number_of_employees": 5 * n,
        "owner_id": ("005A", "005B", None)[n % 3],
        "customer_segment_c": ("large", "small")[n % 2],
        "type": "Customer",
        "parent_id": account_id(0) if n == 5 else None,
        "created_date": CREATED + timedelta(days=n),
        "master_record_id": account_id(1) if n == MERGED else None,
        "is_deleted": n in (MERGED, DELETED),
        "_fivetran_active": True,
    }


def contract(n: int) -> dict[str, Any]:
    kind = CONTRACT_KINDS[n % 5]
    start = date(2024, 7, 1) + timedelta(days=n)
    return {
        "id": f"800{n:05}",
        "account_id": account_id(n),
        "status": "In Approval Process" if kind == "draft" else "Activated",
        "start_date": start,
        "end_date": date(2025, 12, 31) if kind == "annual value" else None,
        "contract_term": 24 if kind == "sold" else 12,
        "annual_contract_value_c": Decimal("1200.12") + 12 * n if kind in ("annual value", "draft") else None,
        "is_deleted": kind == "deleted",
        "_fivetran_active": True,
    }


def opportunities() -> list[dict[str, Any]]:
    """Two won ones of a contract that is sold, one lost, and the renewal of a contract with an annual value."""
    found: list[dict[str, Any]] = []
    for n in range(COUNT):
        sold = {"account_id": account_id(n), "type": "New Business", "close_date": date(2024, 6, 1), "is_closed": True}
        if CONTRACT_KINDS[n % 5] == "sold":
            shared = sold | {"contract_id": f"800{n:05}", "_fivetran_active": True}
            found += [
                shared | {"id": f"006{n}a", "amount": 2400.0, "is_won": True},
                shared | {"id": f"006{n}b", "amount": 240.5, "is_won": True},
                shared | {"id": f"006{n}c", "amount": 5000.0, "is_won": False},
                shared | {"id": f"006{n}d", "amount": 7000.0, "is_won": True, "is_deleted": True},
                shared | {"id": f"006{n}a", "amount": 9999.0, "is_won": True, "_fivetran_active": False},
            ]
        if CONTRACT_KINDS[n % 5] == "annual value":
            found.append(
                sold
                | {"id": f"006{n}r", "type": "Existing Business - Renewal", "is_closed": False, "is_won": False}
                | {"close_date": date(2025, 11, 1) + timedelta(days=n % 20)}
            )
    return found


def tasks() -> list[dict[str, Any]]:
    return [
        {
            "id": f"00T{n:04}",
            "account_id": None if n == 3 else account_id(n % 5),
            "subject": ("Q2 QBR with the board", "Quarterly Business Review", "Call")[n % 3],
            "task_subtype": "Call",
            "status": ("Completed", "Open")[n % 2],
            "is_closed": n % 2 == 0,
            "activity_date": date(2025, 4, 1) + timedelta(days=n),
            "completed_date_time": datetime(2025, 4, 1, 15, tzinfo=UTC) if n == 0 else None,
            "is_deleted": n == 4,
            "cx_intel_key_c": "0123456789abcdef-A5" if n == 5 else None,  # created by write_back
        }
        for n in range(COUNT)
    ]


def tables() -> dict[str, list[dict[str, Any]]]:
    users = [("005A", "Ines Roth", True), ("005A", "Ines Miller", False), ("005B", "Jo Kim", True)]
    former = account(2) | {"name": "Former name", "_fivetran_active": False}
    return {
        "account": [account(n) for n in range(COUNT)] + [former],
        "user": [{"id": i, "name": name, "_fivetran_active": active} for i, name, active in users],
        "contract": [contract(n) for n in range(COUNT)],
        "opportunity": opportunities(),
        "task": tasks(),
    }


def exported(folder: Path) -> None:
    """CSV files under the names of the API, without history: times end with a zone, flags are words."""
    for table, rows in tables().items():
        current = [row for row in rows if row.get("_fivetran_active", True)]
        named = [{api_name(k): cell(v) for k, v in row.items() if not k.startswith("_")} for row in current]
        write_table(folder / f"{table.title()}.csv", named)


def api_name(column: str) -> str:
    """annual_contract_value_c is Annual_Contract_Value__c, is_won is IsWon."""
    words = [word.title() for word in column.removesuffix("_c").split("_")]
    return "_".join(words) + "__c" if column.endswith("_c") else "".join(words)


def cell(value: Any) -> Any:
    return f"{value:%Y-%m-%dT%H:%M:%S.000Z}" if isinstance(value, datetime) else value


@pytest.fixture(scope="module", params=["landed", "exported"])
def read(request: pytest.FixtureRequest, database: str, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The rows of a table as staging judges them."""
    if request.param == "landed":
        land(database, "salesforce", tables())
        return lambda table: staged(landed("fivetran_salesforce", "salesforce"), table, database)
    folder = tmp_path_factory.mktemp("salesforce")
    exported(folder)
    return lambda table: judged(taking("salesforce_export", folder=str(folder)), table)


def test_accounts(read: Read) -> None:
    rows = {row["account_id"]: row for row in read("accounts")}
    assert set(rows) == {account_id(n) for n in range(COUNT) if n not in (MERGED, DELETED)}
    for n in range(COUNT):
        if row := rows.get(account_id(n)):
            assert (row["account_name"], row["owner"]) == (f"Account {n}", ("Ines Roth", "Jo Kim", None)[n % 3])
            assert (row["country"], row["segment"]) == (("DE", "FR", None)[n % 3], ("large", "small")[n % 2])
            assert (row["employee_count"], row["signup_date"]) == (5 * n, (CREATED + timedelta(days=n)).date())
    assert rows[account_id(5)]["parent_account_id"] == account_id(0)


def test_merged_accounts(read: Read) -> None:
    rows = [(r["old_account_id"], r["account_id"], r["_reason"]) for r in read("account_aliases")]
    assert rows == [(account_id(MERGED), account_id(1), None)]


def test_contracts(read: Read) -> None:
    rows = {int(row["subscription_id"].removeprefix("800")): row for row in read("subscriptions")}
    assert sorted(rows) == [n for n in range(COUNT) if CONTRACT_KINDS[n % 5] != "deleted"]
    for n, row in rows.items():
        if n == MERGED:
            continue
        kind, start = CONTRACT_KINDS[n % 5], date(2024, 7, 1) + timedelta(days=n)
        assert (row["account_id"], row["start_date"]) == (account_id(n), start)
        if kind == "annual value":  # the last day in force is 31 December
            assert row["mrr_amount"] == Decimal("100.01") + n
            assert (row["end_date"], row["renewal_date"]) == (
                date(2026, 1, 1),
                date(2025, 11, 1) + timedelta(days=n % 20),
            )
        elif kind == "sold":  # (2,400.00 + 240.50) / 24
            assert abs(row["mrr_amount"] - Decimal("110.0208333")) < Decimal("0.000001")
            assert (row["end_date"], row["term_months"]) == (start.replace(year=2026), 24)
        elif kind == "draft":
            assert (row["status"], row["_reason"]) == ("draft", None)
        else:
            assert "the contract states no value" in row["_reason"]


def test_tasks(read: Read) -> None:
    rows = {int(row["activity_id"].removeprefix("00T")): row for row in read("csm_activities")}
    assert sorted(rows) == [n for n in range(COUNT) if n not in (3, 4, 5)]
    for n, row in rows.items():
        assert row["activity_type"] == ("qbr", "qbr", "call")[n % 3]
        day = date(2025, 4, 1) + timedelta(days=n)
        done = datetime(2025, 4, 1, 15) if n == 0 else datetime(day.year, day.month, day.day)
        assert row["completed_at"] == (done if n % 2 == 0 else None)


def test_a_folder_with_all_of_an_export(tmp_path: Path) -> None:
    """Objects whose names begin alike are others, and an export that is there twice counts once."""
    exported(tmp_path)
    before = judged(taking("salesforce_export", folder=str(tmp_path)), "subscriptions")
    for name in ("AccountContactRole", "ContractHistory", "OpportunityLineItem", "TaskRelation", "UserRole"):
        write_table(tmp_path / f"{name}.csv", [{"Id": "1", "Name": "x", "ContractId": "80000001", "Amount": 5}])
    for name in ("Contract", "Opportunity"):
        (tmp_path / f"{name}_1.csv").write_bytes((tmp_path / f"{name}.csv").read_bytes())

    def told(rows: list[dict[str, Any]]) -> list[Any]:
        return sorted([r["subscription_id"], r["mrr_amount"], r["renewal_date"], r["_reason"]] for r in rows)

    assert told(judged(taking("salesforce_export", folder=str(tmp_path)), "subscriptions")) == told(before)
    text = (tmp_path / "Opportunity_1.csv").read_text(encoding="utf-8")
    (tmp_path / "Opportunity_1.csv").write_text(text.replace("2400.0", "2500.0"), encoding="utf-8")
    found = {
        r["subscription_id"]: r["_reason"]
        for r in judged(taking("salesforce_export", folder=str(tmp_path)), "subscriptions")
    }
    assert "two exports of its opportunities differ" in found["80000001"]
