"""A CRM that says churned while the ledger pays, and the reverse: told with the accounts and the sum of their ARR."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.core import CRM_AGREES, account_snapshot
from cx_intel.orchestration.checks.check import CheckContext, RuleResult, check_results, results_table
from cx_intel.orchestration.checks.contract_checks import ContractChecks
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, accounts, portfolio

KEY = dg.AssetKey(["small", "account_snapshot"])
DAY = date(2025, 1, 31)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    file = tmp_path / "warehouse.duckdb"
    yield DuckDBWarehouse(open_warehouse(file), "small")
    close_warehouse(file)


def only_crm(contract: Contract) -> Contract:
    return replace(contract, columns=contract.columns[:2], invariants=CRM_AGREES, cross_invariants=())


def found(
    warehouse: DuckDBWarehouse, *given: dict[str, Any], days: tuple[date, ...] = (AS_OF,)
) -> dict[str, RuleResult]:
    of = portfolio()
    parts = [accounts(of, given, day) for day in days]
    rows = warehouse.stage("account_snapshot", parts, like=account_snapshot(of).schema())
    checks = ContractChecks(only_crm(account_snapshot(of)), of)
    results = checks.run(CheckContext(rows, days, DAY, warehouse))
    return {result.rule.name: result for result in results if not result.passed}


def text(result: RuleResult) -> str:
    """What the check says; the table of results has the same."""
    (told,) = check_results([result], KEY)
    assert told.description
    assert results_table([result], table="account_snapshot", as_of=DAY)["rule"].tolist() == [result.text]
    assert told.description.endswith(result.text)
    return told.description


def test_accounts_that_pay_though_the_crm_says_churned_are_told_with_their_arr(warehouse: DuckDBWarehouse) -> None:
    given = (
        {"account_id": "A", "status": "churned", "current_mrr": 100.10},
        {"account_id": "B", "status": "lost", "current_mrr": 50},
        {"account_id": "C", "status": "active", "current_mrr": 900},
        {"account_id": "D", "status": "churned", "current_mrr": 0, "is_churned": True},
        {"account_id": "E", "status": None, "current_mrr": 700},
    )
    results = found(warehouse, *given)
    assert list(results) == ["crm_churned_pays_nothing"]
    told = text(results["crm_churned_pays_nothing"])
    assert told.startswith("2 of 5 rows: An account that the CRM calls churned,")
    assert told.endswith(" Sum of current_arr of such rows on the newest day: 1,801.20.")
    sample = results["crm_churned_pays_nothing"].sample
    assert sample is not None
    assert sorted(sample["account_id"]) == ["A", "B"]


def test_accounts_that_left_though_the_crm_says_customer_are_told_with_their_contracts(
    warehouse: DuckDBWarehouse,
) -> None:
    left = {"status": "customer", "is_churned": True}
    given = ({"account_id": "A", "current_mrr": 100, **left}, {"account_id": "B"})
    results = found(warehouse, *given)
    assert list(results) == ["crm_customer_pays"]
    assert text(results["crm_customer_pays"]).endswith(" Sum of current_arr of such rows on the newest day: 1,200.00.")


def test_a_sum_of_nothing_is_not_mentioned(warehouse: DuckDBWarehouse) -> None:
    results = found(warehouse, {"account_id": "A", "status": "active", "current_mrr": 0, "is_churned": True})
    assert "Sum of" not in text(results["crm_customer_pays"])


def test_the_arr_of_an_account_counts_once_however_many_days_a_run_makes(warehouse: DuckDBWarehouse) -> None:
    given = {"account_id": "A", "status": "churned", "current_mrr": 119.15}
    days = (AS_OF - timedelta(days=7), AS_OF - timedelta(days=1), AS_OF)
    told = text(found(warehouse, given, days=days)["crm_churned_pays_nothing"])
    assert told.startswith("3 of 3 rows: ")
    assert told.endswith(" Sum of current_arr of such rows on the newest day: 1,429.80.")
