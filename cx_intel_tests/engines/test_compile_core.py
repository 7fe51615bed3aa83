"""Accounts, revenue on all three bases, cohorts, usage and support compile for every engine, without a connection."""

from datetime import date
from functools import cache

import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.contracts import core, freshness, subscriptions, support
from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.revenue import ledger as revenue
from cx_intel.contracts.revenue import published as of_published
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.backtest.known import (
    account_history_known_on,
    revenue_ledger_known_on,
    subscription_periods_known_on,
)
from cx_intel.models.core.accounts import account_history, account_snapshot, dim_account
from cx_intel.models.core.contacts import dim_contact
from cx_intel.models.core.freshness import source_freshness
from cx_intel.models.core.merged_accounts import under_surviving_ids
from cx_intel.models.core.usage import fct_usage
from cx_intel.models.revenue.cohorts import revenue_cohort_analysis
from cx_intel.models.revenue.delivery import fct_revenue_intra_month, mrr_delivery
from cx_intel.models.revenue.horizon import horizon_of
from cx_intel.models.revenue.ledger import fct_revenue
from cx_intel.models.revenue.published import restatements, revenue_ledger
from cx_intel.models.revenue.reconciliation import mrr_reconciliation
from cx_intel.models.revenue.recurring import non_recurring
from cx_intel.models.revenue.waterfall import nrr_by_segment, nrr_summary
from cx_intel.models.subscriptions.periods import subscription_periods
from cx_intel.models.support.adherence import sla_adherence
from cx_intel.models.support.tickets import fct_tickets
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.engines import ENGINES, to_sql

pytestmark = pytest.mark.slow  # seven engines

AS_OF = date(2025, 1, 31)
BASES = ("subscriptions", "invoices", "mrr_history")
TABLES = ("account_aliases", "invoices", "mrr_history", "usage_events", "support_tickets", "ticket_status_history")
DATED = (*TABLES[1:], "nps_responses", "csm_activities", "metrics")
HOURS = {"zone": "Europe/Berlin"}


@cache
def models(basis: str) -> dict[str, ir.Table]:
    """Every model over tables without data."""
    of = portfolio(
        dict.fromkeys((*TABLES, *DATED, "contacts")),
        revenue={
            "basis": basis,
            "grace_days": 14,
            "recurring_only": [
                {"column": "line_type", "values": ["subscription", "plan*"]},
                {"column": "product_name", "except": ["setup*", "*tax*", "*fee"]},
            ],
            "closed_through": date(2024, 9, 30),
            "products": [{"name": "extra", "type": "add_on", "display_name": "Extra", "feature_category": "more"}],
        },
        usage={"categories": {"core": ["login"]}, "counted_events": {"exports": "export"}},
        time_zone="Europe/Berlin",
        support={"business_hours": HOURS, "clocks": {"p1": "calendar"}, "pauses": ["pending"]},
    )
    at = {"portfolio": of, "as_of": AS_OF}
    stg = {t: staged(t, of) for t in ("accounts", "subscriptions", *TABLES)}
    history = table(core.account_history(of).schema(), "account_history")
    ledger = table(revenue.fct_revenue(of).schema(), "fct_revenue")
    published = table(of_published.revenue_ledger(of).schema(), "revenue_ledger")
    restated = table(of_published.restatements(of).schema(), "restatements")
    delivery = table(of_published.mrr_delivery(of).schema(), "mrr_delivery")
    snapshot = table(core.account_snapshot(of).schema(), "account_snapshot")
    accounts = table(core.dim_account(of).schema(), "dim_account")
    tickets = table(support.fct_tickets(of).schema(), "fct_tickets")
    periods = table(subscriptions.subscription_periods(of).schema(), "subscription_periods")
    sources = table(freshness.source_freshness(of).schema(), "source_freshness")
    days = table(freshness.days_of_sources(of).schema(), "days_of_sources")
    raw = table(ibis.schema({"subscription_id": "string"}), "raw_subscriptions")
    past = {"merged_periods": periods, "merged_ledger": published, "merged_restatements": restated}
    past |= {"merged_history": history, "merged_snapshots": snapshot}
    moneys = (periods, stg["invoices"], stg["mrr_history"])
    judged_by = (stg["ticket_status_history"], table(support.business_hours(of).schema(), "business_hours"))
    merged = {
        name: under_surviving_ids(rows, stg["account_aliases"], contract_of(rows.get_name(), of))
        for name, rows in past.items()
    }
    return merged | {
        "history_known": account_history_known_on(history, **at),
        "periods_known": subscription_periods_known_on(periods, **at),
        "ledger_known": revenue_ledger_known_on(published, restated, horizon_of(*moneys, **at), **at),
        "account_history": account_history(stg["accounts"], stg["account_aliases"], previous=history, **at),
        "subscription_periods": subscription_periods(stg["subscriptions"], raw, previous=periods, **at),
        "revenue_ledger": revenue_ledger(history, *moneys, previous=published, **at),
        "restatements": restatements(published, previous=restated, **at),
        **({} if basis == "subscriptions" else {"mrr_delivery": mrr_delivery(*moneys, **at)}),
        "mrr_reconciliation": mrr_reconciliation(published, *moneys, **at),
        "fct_revenue_intra_month": fct_revenue_intra_month(periods, **at),
        "non_recurring": non_recurring(stg["subscriptions"], stg["invoices"], **at),
        "fct_revenue": fct_revenue(published, portfolio=of),
        "account_snapshot": account_snapshot(history, *moneys, ledger, **at),
        "dim_account": dim_account(snapshot, stg["support_tickets"], *judged_by, **at),
        "source_freshness": source_freshness(
            history, periods, *(staged(t, of) for t in DATED), days, previous=sources, **at
        ),
        "dim_contact": dim_contact(staged("contacts", of), stg["usage_events"], **at),
        "fct_usage": fct_usage(stg["usage_events"], portfolio=of),
        "fct_tickets": fct_tickets(stg["support_tickets"], *judged_by, accounts, **at),
        "sla_adherence": sla_adherence(tickets, portfolio=of),
        "nrr_summary": nrr_summary(ledger, accounts, delivery, portfolio=of),
        "nrr_by_segment": nrr_by_segment(ledger, accounts, portfolio=of),
        "revenue_cohort_analysis": revenue_cohort_analysis(ledger, accounts, portfolio=of),
    }


def table(schema: ibis.Schema, name: str) -> ir.Table:
    return ibis.table(schema, name=name)


def staged(name: str, of: Portfolio) -> ir.Table:
    return table(STAGING[name](of).schema(), f"stg_{name}")


BY_BASIS = (
    "ledger_known",
    "revenue_ledger",
    "mrr_delivery",
    "mrr_reconciliation",
    "fct_revenue",
    "account_snapshot",
    "nrr_summary",
    "nrr_by_segment",
    "revenue_cohort_analysis",
)
OTHERS = (
    "history_known",
    "periods_known",
    "merged_periods",
    "merged_ledger",
    "merged_restatements",
    "merged_history",
    "merged_snapshots",
    "non_recurring",
    "restatements",
    "fct_revenue_intra_month",
    "account_history",
    "subscription_periods",
    "dim_account",
    "dim_contact",
    "source_freshness",
    "fct_usage",
    "fct_tickets",
    "sla_adherence",
)


CASES = [
    *((name, basis) for name in BY_BASIS for basis in BASES if (name, basis) != ("mrr_delivery", "subscriptions")),
    *((name, "invoices") for name in OTHERS),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "basis"), CASES)
def test_models_compile(engine: str, name: str, basis: str) -> None:
    assert "SELECT" in to_sql(models(basis)[name], engine)
