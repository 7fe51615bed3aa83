"""The renewal models compile for every engine that a warehouse may run on.

Only that SQL can be written; what it returns is compared where an engine is at hand.
"""

from datetime import date
from functools import cache

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.core import account_history, account_snapshot, fct_usage
from cx_intel.contracts.health.drivers import account_signals, health_score_drivers
from cx_intel.contracts.health.risk import churn_risk_view
from cx_intel.contracts.health.scores import customer_health_scores
from cx_intel.contracts.renewals import effects as came
from cx_intel.contracts.renewals import hold_out as lots
from cx_intel.contracts.renewals import interventions as done
from cx_intel.contracts.renewals import learned as of_learned
from cx_intel.contracts.renewals.layer import cs_intervention_list, lifecycle_events, parent_rollup, renewal_pipeline
from cx_intel.contracts.revenue.ledger import fct_revenue
from cx_intel.contracts.staging.activity import stg_actions
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.health import rollups
from cx_intel.models.renewals import actions, families, hold_out, interventions, lifecycle, outcomes
from cx_intel.models.renewals import pipeline as renewals
from cx_intel.models.renewals.dates import contracts_on, renewal_dates
from cx_intel.models.renewals.learned.probabilities import renewal_probabilities
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import HoldOutSettings
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.engines import ENGINES, to_sql

pytestmark = pytest.mark.slow  # seven engines

AS_OF = date(2024, 2, 29)


def unbound(contract: Contract) -> ir.Table:
    return ibis.table(contract.schema(), name=contract.table)


def with_hold_out(portfolio: Portfolio) -> Portfolio:
    assert portfolio.renewals is not None
    settings = {"hold_out": HoldOutSettings(share_pct=10, up_to_arr=50000)}
    return portfolio.model_copy(update={"renewals": portfolio.renewals.model_copy(update=settings)})


@cache
def expressions(name: str) -> dict[str, ir.Table]:
    portfolio = shipped(name)
    snapshot, revenue = unbound(account_snapshot(portfolio)), unbound(fct_revenue(portfolio))
    scores, signals = unbound(customer_health_scores(portfolio)), unbound(account_signals(portfolio))
    drivers, pipeline = unbound(health_score_drivers(portfolio)), unbound(renewal_pipeline(portfolio))
    usage, model = unbound(fct_usage(portfolio)), unbound(of_learned.renewal_model(portfolio))
    terms, learned = (
        unbound(of_learned.renewal_model_terms(portfolio)),
        unbound(of_learned.renewal_probabilities(portfolio)),
    )
    acted, drawn = unbound(done.actions(portfolio)), unbound(lots.hold_out_assignments(portfolio))
    given = {"portfolio": portfolio, "as_of": AS_OF}
    return {
        "renewal_dates": renewal_dates(contracts_on(unbound(subscription_periods(portfolio)), AS_OF), **given),
        "renewal_probabilities": renewal_probabilities(snapshot, scores, usage, model, terms, **given),
        "renewal_pipeline": renewals.renewal_pipeline(
            snapshot, scores, unbound(churn_risk_view(shipped("novacrm"))), signals, revenue, learned, **given
        ),
        "hold_out_assignments": hold_out.hold_out_assignments(
            pd.DataFrame({"account_id": ["a"]}),
            pipeline,
            snapshot,
            revenue,
            portfolio=with_hold_out(portfolio),
            as_of=AS_OF,
            previous=drawn,
        ),
        "playbook_save_rates": hold_out.playbook_save_rates(drawn, portfolio=portfolio),
        "cs_intervention_list": actions.cs_intervention_list(
            pipeline, drivers, acted, drawn, unbound(lots.playbook_save_rates(portfolio)), **given
        ),
        "intervention_entries": outcomes.intervention_entries(
            unbound(cs_intervention_list(portfolio)), acted, drawn, pipeline, snapshot, revenue, **given
        ),
        "actions": interventions.actions(
            unbound(stg_actions(portfolio)),
            unbound(done.given_actions(portfolio)),
            pipeline,
            snapshot,
            revenue,
            **given,
            previous=acted,
        ),
        "playbook_outcomes": outcomes.playbook_outcomes(
            unbound(came.intervention_entries(portfolio)), portfolio=portfolio
        ),
        "segment_health_summary": rollups.health_summary(
            scores, pipeline, snapshot, revenue, **given, attribute="segment"
        ),
        "parent_rollup": families.parent_rollup(snapshot, scores, pipeline, revenue, **given),
        "lifecycle_events": lifecycle.lifecycle_events(
            scores,
            signals,
            drivers,
            pipeline,
            snapshot,
            unbound(account_history(portfolio)),
            **given,
            previous=unbound(lifecycle_events(portfolio)),
        ),
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["fleet", "novacrm"])
def test_every_renewal_model_compiles(name: str, engine: str) -> None:
    for table, expression in expressions(name).items():
        assert "SELECT" in to_sql(expression, engine), table


@pytest.mark.parametrize("name", ["fleet", "novacrm"])
def test_contract_and_model_agree_on_columns(name: str) -> None:
    portfolio = shipped(name)
    found = expressions(name)
    shown = (
        of_learned.renewal_probabilities,
        renewal_pipeline,
        cs_intervention_list,
        lifecycle_events,
        parent_rollup,
        done.actions,
        done.playbook_outcomes,
        lots.hold_out_assignments,
        lots.playbook_save_rates,
        came.intervention_entries,
    )
    for contract in shown:
        assert found[contract.__name__].schema() == contract(portfolio).schema()
