"""The learnt probability of renewal through whole refreshes: asked for and withheld, told; learnt, used and followed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel.contracts.catalog import backtest_tables
from cx_intel.orchestration.build import load_portfolios
from cx_intel.reports.data.figures.headline import headline
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse, reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.report_tables import put
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

TERM = {"as_of": AS_OF, "fitted_for": "in_use", "shrinkage": 1.0, "calibration_slope": 1.0}
MODEL = {"as_of": AS_OF, "model_version": "planted", "verdict": "better", "brier_learned": 0.1, "brier_map": 0.2}


def learned_on(company: SmallCompany) -> None:
    """Puts a model in place that gives every renewal 0.7311."""
    of = load_portfolios(company.environment.portfolios)[company.name]
    warehouse = DuckDBWarehouse(open_warehouse(company.warehouse), company.name)
    tables: dict[str, list[dict[str, Any]]] = {
        "renewal_model_terms": [TERM | {"term": "intercept", "measure": "intercept", "weight": 1.0}],
        "renewal_model": [MODEL],
    }
    for table, rows in tables.items():
        put(warehouse, of, table, rows, AS_OF)
    close_warehouse(company.warehouse)


def notes(company: SmallCompany, day: Any) -> str:
    of = load_portfolios(company.environment.portfolios)[company.name]
    with reading(company.warehouse) as database:
        return " ".join(headline(DuckDBWarehouse(database, company.name), of, day).notes)


def test_it_is_withheld_told_and_used_once_it_is_better(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.settings["renewals"] = company.settings["renewals"] | {"probability_from": "learned"}
    company.settings["backtest"] = {"in_refresh": True}
    first = company.refresh(AS_OF)
    assert first.succeeded, first.failures
    made = set(backtest_tables(load_portfolios(company.environment.portfolios)[company.name]))
    assert made <= set(first.tables)
    assert company.query("SELECT verdict, withheld_because FROM renewal_model") == [("withheld", "too_few_lost")]
    assert company.query("SELECT count(*) FROM renewal_probabilities") == [(0,)]
    assert {source for (source,) in company.query("SELECT DISTINCT probability_from FROM renewal_pipeline")} <= {
        "map",
        "announced_end",
    }
    assert "At least" in notes(company, AS_OF)
    told = "SELECT passed FROM cx_state.check_results WHERE check_name = 'learned_as_asked'"
    assert company.query(told) == [(False,)]

    learned_on(company)
    company.settings["backtest"] = {"in_refresh": False}
    day = AS_OF + timedelta(days=1)
    second = company.refresh(day)
    assert second.succeeded, second.failures
    found = company.query(
        "SELECT probability_from, renewal_probability, map_probability <> renewal_probability, is_within_window "
        f"FROM renewal_pipeline WHERE as_of = '{day}' AND probability_from = 'learned'"
    )
    assert found
    assert {row[1] for row in found} == {0.7311}
    assert all(row[3] for row in found)
    learned = company.query(
        f"SELECT DISTINCT learned_renewals FROM nrr_outlook WHERE as_of = '{day}' AND segment = 'all'"
    )
    assert learned == [(len(found),)]
    assert "Probabilities of renewal are learnt from past renewals" in notes(company, day)
