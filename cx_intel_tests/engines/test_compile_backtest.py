"""Scores of past days and what followed compile for every engine and yield the types that their contracts promise."""

from datetime import date
from functools import cache

import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.backtest.known import source_freshness_known_on
from cx_intel.models.backtest.outcomes import backtest_outcomes
from cx_intel.models.backtest.past import backtest_scores, backtest_signals
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.engines import ENGINES, to_sql

pytestmark = pytest.mark.slow  # seven engines

AT = {"as_of": date(2025, 1, 31)}
SCORED = ("account_snapshot", "customer_health_scores", "renewal_pipeline", "account_history", "fct_usage")
FOLLOWED = ("backtest_scores", "subscription_periods", "fct_revenue")
MODELS = ("backtest_scores", "backtest_signals", "by_days", "by_months", "source_freshness")


def tables(of: Portfolio, *names: str) -> list[ir.Table]:
    return [ibis.table(contract_of(name, of).schema(), name=name) for name in names]


@cache
def models() -> dict[str, tuple[ir.Table, str]]:
    """Each model over tables without data, and the table whose contract it keeps."""
    of = shipped("fleet")
    by_days = of.model_copy(update={"revenue": of.revenue.model_copy(update={"basis": "subscriptions"})})
    past = {"portfolio": of, "scored_on": date(2024, 6, 30), **AT}
    first = ibis.table({"source_table": "string", "source_name": "string", "first_on": "date"}, name="first_rows")
    return {
        "backtest_scores": (backtest_scores(*tables(of, *SCORED), **past), "backtest_scores"),
        "backtest_signals": (
            backtest_signals(*tables(of, "account_signals", "health_score_drivers"), **past),
            "backtest_signals",
        ),
        "by_days": (backtest_outcomes(*tables(of, *FOLLOWED), portfolio=by_days, **AT), "backtest_outcomes"),
        "by_months": (backtest_outcomes(*tables(of, *FOLLOWED), portfolio=of, **AT), "backtest_outcomes"),
        "source_freshness": (
            source_freshness_known_on(*tables(of, "source_freshness"), first, portfolio=of, **AT),
            "source_freshness",
        ),
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", MODELS)
def test_model_compiles(model: str, engine: str):
    assert "SELECT" in to_sql(models()[model][0], engine).upper()


@pytest.mark.parametrize("model", MODELS)
def test_model_has_the_columns_of_its_contract(model: str):
    rows, table = models()[model]
    assert rows.schema() == contract_of(table, shipped("fleet")).schema()
