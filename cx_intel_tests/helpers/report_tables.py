"""Small warehouses for tests of what people open: tables of a portfolio in a real DuckDB file, names as hostile as it gets.

Rows of a contract are made in `builders.py`; here they are put where exports, workbook and brief read them.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cx_intel.contracts.catalog import contract_of
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, rows

WEEK_BEFORE = AS_OF - timedelta(days=7)
HOSTILE = (
    '=HYPERLINK("http://x.example","click")',
    "<script>alert(1)</script>",
    "a|b|c",
    "first line\n=second line",
    "@SUM(A1:A9)",
    "+49 30 1234",
    "-5 & Co.",
    "\tTab GmbH",
    "\rReturn AG",
    "Semicolon;=1+1",
    "[link](javascript:alert(1))",
    "**bold** _and_ `code`",
    'O\'Brien, "Quotes"',
    "Ümläut 東京 Ltd",
    "=1+1",
)
"""Names of companies; each is also the owner of its account."""

Row = Mapping[str, Any]


def with_reports(of: Portfolio, **changes: Any) -> Portfolio:
    """The portfolio with another `reports` block."""
    return of.model_copy(update={"reports": of.reports.model_copy(update=changes)})


def fill(path: Path, of: Portfolio, tables: Mapping[str, Iterable[Row]], stands_at: date = AS_OF) -> Path:
    """Writes these tables of a portfolio into a warehouse file."""
    warehouse = DuckDBWarehouse(open_warehouse(path), of.name)
    try:
        for table, given in tables.items():
            put(warehouse, of, table, given, stands_at)
    finally:
        close_warehouse(path)
    return path


def put(warehouse: DuckDBWarehouse, of: Portfolio, table: str, given: Iterable[Row], stands_at: date) -> None:
    contract = contract_of(table, of)
    warehouse.stage(table, [rows(contract, given)], like=contract.schema())
    whole = stands_at if contract.kind == "whole" else None
    warehouse.swap(table, stands_at=whole)


def accounts_of(names: Iterable[str], as_of: date = AS_OF, mrr: float = 100) -> list[dict[str, Any]]:
    """Rows of account_snapshot: paying accounts c0, c1 ... with these names."""
    return [
        {
            "as_of": as_of,
            "account_id": f"c{n}",
            "account_name": name,
            "owner": name,
            "segment": "SMB",
            "status": "active",
            "current_mrr": mrr,
            "announced_contraction_90d_mrr": 0,
            "current_arr": 12 * mrr,
            "is_churned": False,
        }
        for n, name in enumerate(names)
    ]


def listed(names: Iterable[str], as_of: date = AS_OF, **same: Any) -> list[dict[str, Any]]:
    """Rows of cs_intervention_list, in this order, owned by whom they are named after."""
    return [
        {
            "as_of": as_of,
            "priority_rank": n + 1,
            "account_id": f"c{n}",
            "account_name": name,
            "segment": "SMB",
            "country": "DE",
            "owner": name,
            "current_arr": 1200,
            "expected_arr_loss": 540,
            "renewal_probability": 0.55,
            "probability_from": "map",
            "health_score": 45.5,
            "health_tier": "Amber",
            "renewal_risk": "High",
            "renewal_date": as_of + timedelta(days=30),
            "days_to_renewal": 30,
            "primary_risk_signal": "GPS adoption 36.8 % (benchmark 80 %)",
            "recommended_playbook": "CSM-led health review",
            "due_date": as_of + timedelta(days=7),
            "save_rate": 0.3,
            "is_within_capacity": True,
        }
        | same
        for n, name in enumerate(names)
    ]


def due(names: Iterable[str], as_of: date = AS_OF, **same: Any) -> list[dict[str, Any]]:
    """Rows of renewal_pipeline for the same accounts."""
    return [
        {
            "as_of": as_of,
            "account_id": f"c{n}",
            "account_name": name,
            "segment": "SMB",
            "country": "DE",
            "owner": name,
            "current_arr": 1200,
            "current_mrr": 100,
            "announced_contraction_90d_mrr": 0,
            "health_score": 45.5,
            "health_tier": "Amber",
            "is_healthy": False,
            "renewal_date": as_of + timedelta(days=30),
            "is_overdue": False,
            "days_to_renewal": 30,
            "months_to_renewal": 1,
            "is_within_window": True,
            "renewal_risk": "High",
            "renewal_probability": 0.55,
            "map_probability": 0.55,
            "probability_from": "map",
            "expected_renewal_arr": 660,
            "expected_arr_loss": 540,
            "exposed_arr": 1200,
            "expansion_potential_arr": 0,
            "recommended_playbook": "CSM-led health review",
            "due_in_days": 7,
            "save_rate": 0.3,
        }
        | same
        for n, name in enumerate(names)
    ]


def drivers(accounts: Iterable[str], as_of: date = AS_OF, **same: Any) -> list[dict[str, Any]]:
    """Rows of health_score_drivers: of each account the one signal that loses points."""
    return [
        {
            "as_of": as_of,
            "account_id": account,
            "dimension": "adoption",
            "signal": "gps_adoption_pct",
            "signal_order": 1,
            "label": "GPS adoption",
            "unit": "%",
            "benchmark": 80.0,
            "value": 36.8,
            "is_applicable": True,
            "is_measured": True,
            "is_stale": False,
            "points_lost": 20.0,
        }
        | same
        for account in accounts
    ]


def outlook(as_of: date = AS_OF, **rates: float) -> list[dict[str, Any]]:
    """Rows of nrr_outlook for the whole book: scenario and its book_nrr_pct."""
    return [
        {
            "as_of": as_of,
            "segment": "all",
            "scenario": scenario,
            "renewals_due": 3,
            "starting_mrr": 300,
            "ending_mrr": 250,
            "nrr_pct": 83.3,
            "book_starting_mrr": 1000,
            "book_nrr_pct": rate,
        }
        for scenario, rate in rates.items()
    ]
