"""Signals, health and risk compile for every engine and yield the types that their contracts promise."""

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.contracts import core
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.health import changes as change_contracts
from cx_intel.contracts.health import drivers as driver_contracts
from cx_intel.contracts.health import scores as contracts
from cx_intel.contracts.health.risk import churn_risk_view as risk_contract
from cx_intel.models.health.changes import health_score_change_drivers, health_score_changes
from cx_intel.models.health.drivers import health_score_drivers
from cx_intel.models.health.risk import churn_risk_view
from cx_intel.models.health.scores import customer_health_scores
from cx_intel.models.health.signals import account_signals
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers import measured_signals
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.engines import ENGINES, to_sql

pytestmark = pytest.mark.slow  # seven engines

AS_OF = date(2025, 1, 31)

READ: dict[str, Callable[[Portfolio], Contract]] = {
    "account_snapshot": core.account_snapshot,
    **measured_signals.READ,
    "account_signals": driver_contracts.account_signals,
    "health_score_drivers": driver_contracts.health_score_drivers,
    "customer_health_scores": contracts.customer_health_scores,
    "health_score_changes": change_contracts.health_score_changes,
}


QUARTILE = {"curve": {"quartile": True}}
RULES = {
    "curve": {
        "rules": [{"if": {"measured": {"at_least": 1}, "silent": {"is_missing": True}}, "score": 100}],
        "else": 0,
    }
}


def everything() -> Portfolio:
    """fleet with all that the settings know: hysteresis, every measure and every curve."""
    settings = shipped("fleet").model_dump(by_alias=True, exclude_unset=True)
    settings["churn_risk"] = {}
    block = settings["health"]
    adoption = {"signals": {"gps_adoption_pct": QUARTILE, "reports_generated_30d": RULES}}
    block["models"] = [{"version": "own", "applies_to": {"segment": "SMB"}, "dimensions": {"adoption": adoption}}]
    block["tiers"] |= {"exit_margin": 3, "min_dwell_days": 7}
    for name, measure in {
        "responses": {"kind": "latest_response", "window_days": 30},
        "measured": {"kind": "metric", "metric": "x"},
        "silent": {"kind": "days_since"},
        "shrinking": {"kind": "mrr_change"},
        "resolved": {"kind": "tickets", "figure": "resolution_days", "window_days": 90, "over": "resolved"},
    }.items():
        block["signals"][name] = {"label": name, "measure": measure}
    return Portfolio.model_validate(settings)


def models(portfolio: Portfolio, table: Callable[[str], ir.Table]) -> dict[str, tuple[ir.Table, Contract]]:
    """Every model of this part over the given tables, with its contract."""
    day: dict[str, Any] = {"portfolio": portfolio, "as_of": AS_OF}
    scores = table("customer_health_scores")
    sources = [table(name) for name in READ if name.startswith(("fct_", "stg_", "source_"))]
    history = [table(name) for name in ("health_score_drivers", "account_signals", "account_snapshot")]
    found = {
        "account_signals": account_signals(table("account_snapshot"), *sources, **day),
        "health_score_drivers": health_score_drivers(table("account_signals"), table("account_snapshot"), **day),
        "customer_health_scores": customer_health_scores(
            table("health_score_drivers"), table("account_snapshot"), **day, previous=scores
        ),
        "health_score_changes": health_score_changes(scores, **day),
        "health_score_change_drivers": health_score_change_drivers(table("health_score_changes"), *history, **day),
    }
    promised = {
        name: next(filter(None, (getattr(c, name, None) for c in (contracts, driver_contracts, change_contracts))))
        for name in found
    }
    if portfolio.churn_risk:
        read = ("account_snapshot", "fct_usage", "stg_support_tickets", "fct_revenue")
        found["churn_risk_view"] = churn_risk_view(scores, *(table(name) for name in read), **day)
        promised["churn_risk_view"] = risk_contract
    return {name: (expression, promised[name](portfolio)) for name, expression in found.items()}


@cache
def unbound_models(name: str) -> dict[str, tuple[ir.Table, Contract]]:
    """The models over tables without data."""
    portfolio = everything() if name == "everything" else shipped(name)
    return models(portfolio, lambda table: ibis.table(READ[table](portfolio).schema(), name=table))


@pytest.mark.parametrize("engine", ENGINES)
def test_models_compile(engine: str) -> None:
    for table, (expression, _) in unbound_models("everything").items():
        assert "SELECT" in to_sql(expression, engine), table


TYPES = {
    "string": "VARCHAR",
    "float64": "DOUBLE",
    "int64": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "decimal(18, 2)": "DECIMAL(18,2)",
}


@pytest.mark.parametrize("portfolio", ["everything", "novacrm"])
def test_the_engine_yields_the_types_of_the_contracts(portfolio: str) -> None:
    """Ibis drops casts that seem to change nothing, and engines take 0.35 for a decimal: so ask one."""
    con = duckdb.connect()
    read = everything() if portfolio == "everything" else shipped(portfolio)
    for name, make in READ.items():
        columns = ", ".join(f'"{c.name}" {TYPES.get(c.type, "TIMESTAMP")}' for c in make(read).columns)
        con.execute(f'create table "{name}" ({columns})')
    for name, (expression, contract) in unbound_models(portfolio).items():
        described = con.execute(f"describe {ibis.to_sql(expression, dialect='duckdb')}").fetchall()
        found = {column: kind for column, kind, *_ in described}
        assert found == {c.name: TYPES[c.type] for c in contract.columns}, name


def test_one_scan_for_all_measures_of_a_window() -> None:
    """Of the events only the 30 days asked for are read, and once for all measures that ask for them."""
    expression, _ = unbound_models("novacrm")["account_signals"]
    sql = str(ibis.to_sql(expression, dialect="duckdb"))
    assert sql.count('FROM "stg_usage_events"') == 1
    assert sql.count('FROM "fct_usage"') == 1
    assert sql.count("MAKE_DATE(2025, 1, 2)") >= 2
