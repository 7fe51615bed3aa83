"""A health model that was changed has to have a new version, or the change is told as the customers' doing."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.orchestration.checks.check import CheckContext
from cx_intel.orchestration.checks.model_version import ModelVersion
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import SmallCompany

MONDAY, TUESDAY, WEDNESDAY = (date(2025, 1, day) for day in (6, 7, 8))

Scored = Callable[..., bool]


@pytest.fixture
def scored(tmp_path: Path, warehouse: DuckDBWarehouse) -> Scored:
    """Scores days with the small company's model, changed; whether the check passed."""

    def score(
        *days: date, label: str = "Open tickets", full: float = 20, is_stopped: bool = False, **changes: Any
    ) -> bool:
        company = SmallCompany(tmp_path / "company")
        health = company.settings["health"] | changes
        health["signals"] = health["signals"] | {"open_tickets": health["signals"]["open_tickets"] | {"label": label}}
        usage = {
            "weight": 0.5,
            "signals": {"logins_30d": {"weight": 1, "curve": {"linear": {"zero": 0, "full": full}}}},
        }
        company.settings["health"] = health | {"dimensions": health["dimensions"] | {"usage": usage}}
        company.write()
        portfolio = load_portfolio(company.portfolios / "small.yaml")
        contract = contract_of("customer_health_scores", portfolio)
        check, context = ModelVersion(contract, portfolio), CheckContext(contract.no_rows(), days, days[-1], warehouse)
        (found,) = check.run(context)
        if not is_stopped:
            check.remember(context)
        return found.passed

    return score


def test_the_first_snapshot_and_one_with_the_same_model_pass(scored: Scored) -> None:
    assert scored(MONDAY)
    assert scored(TUESDAY)


def test_a_curve_changed_without_a_new_version_is_told_until_it_has_one(scored: Scored) -> None:
    assert scored(MONDAY)
    assert not scored(TUESDAY, full=30)
    assert not scored(TUESDAY, full=30)
    assert scored(TUESDAY, full=30, version="small-2")
    assert scored(WEDNESDAY, full=30, version="small-2")


def test_scores_that_a_blocking_check_stops_are_not_remembered(scored: Scored) -> None:
    assert scored(MONDAY)
    assert not scored(TUESDAY, full=30, is_stopped=True)
    assert not scored(WEDNESDAY, full=30)
    assert scored(WEDNESDAY, full=30, version="small-2")


def test_a_change_of_words_is_none_of_the_model(scored: Scored) -> None:
    assert scored(MONDAY)
    assert scored(TUESDAY, label="Tickets that wait")


def test_days_made_anew_are_compared_with_the_one_before_them(scored: Scored) -> None:
    assert scored(MONDAY, TUESDAY, WEDNESDAY)
    assert not scored(TUESDAY, full=30)
    assert scored(MONDAY, full=30)


def test_other_tables_have_no_such_check(tmp_path: Path, warehouse: DuckDBWarehouse) -> None:
    company = SmallCompany(tmp_path)
    company.write()
    portfolio = load_portfolio(company.portfolios / "small.yaml")
    contract = contract_of("dim_account", portfolio)
    context = CheckContext(contract.no_rows(), (MONDAY,), MONDAY, warehouse)
    assert ModelVersion(contract, portfolio).run(context) == []
