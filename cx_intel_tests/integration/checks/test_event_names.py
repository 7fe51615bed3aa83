"""Signals that count an event which nobody ever had are told: the name is likely misspelt."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.orchestration.checks.check import CheckContext, RuleResult
from cx_intel.orchestration.checks.event_names import EventNames
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

Asked = Callable[..., list[RuleResult]]


@pytest.fixture
def asked(tmp_path: Path, warehouse: DuckDBWarehouse) -> Asked:
    """Stages events and asks the check, for signals that count certain events."""

    def ask(*staged: tuple[date, str], measure: dict[str, Any]) -> list[RuleResult]:
        rows = pd.DataFrame(staged, columns=["event_date", "event_name"])
        like = ibis.schema({"event_date": "date", "event_name": "string"})
        warehouse.stage("stg_usage_events", [rows], like=like)
        warehouse.swap("stg_usage_events")
        company = SmallCompany(tmp_path / "company")
        health = company.settings["health"]
        signals = health["signals"] | {"logins_30d": {"label": "Logins", "measure": measure}}
        company.settings["health"] = health | {"signals": signals}
        company.write()
        portfolio = load_portfolio(company.portfolios / "small.yaml")
        contract = contract_of("account_signals", portfolio)
        return EventNames(contract, portfolio).run(CheckContext(contract.no_rows(), (AS_OF,), AS_OF, warehouse))

    return ask


DAY_92, DAY_93 = date(2024, 11, 1), date(2024, 10, 31)
"""Days of which AS_OF, 31 January, is the 92nd and the 93rd."""


def count(*events: str) -> dict[str, Any]:
    return {"kind": "event_count", "events": list(events), "window_days": 30}


def test_events_that_occurred_pass_in_whatever_case_they_are_written(asked: Asked) -> None:
    (found,) = asked((DAY_92, "login"), (AS_OF, "export"), measure=count("Login", "export"))
    assert (found.passed, found.broken_count, found.total_count) == (True, 0, 1)


def test_an_event_that_nobody_had_is_named_beside_those_there_are(asked: Asked) -> None:
    (found,) = asked((DAY_93, "logn"), (AS_OF, "login"), (AS_OF, "login"), (AS_OF, "export"), measure=count("logn"))
    assert (found.passed, found.blocks, found.broken_count) == (False, False, 1)
    assert found.rule.recovery.startswith("logins_30d counts logn: ")
    assert found.rule.recovery.endswith("with the events: login, export.")
    assert found.sample is not None
    assert found.sample.to_dict("records") == [{"signal": "logins_30d", "event_name": "logn"}]


def test_both_sides_of_a_ratio_are_asked(asked: Asked) -> None:
    ratio = {"kind": "ratio", "numerator": count("login"), "denominator": count("steps")}
    (found,) = asked((AS_OF, "login"), measure=ratio)
    assert not found.passed
    assert found.rule.recovery.startswith("logins_30d counts steps: ")


def test_where_there_is_no_event_at_all_nothing_is_called_misspelt(asked: Asked) -> None:
    (found,) = asked(measure=count("login"))
    assert found.passed


def test_signals_that_name_no_event_have_no_such_check(asked: Asked) -> None:
    assert asked((AS_OF, "login"), measure={"kind": "event_count", "window_days": 30}) == []
