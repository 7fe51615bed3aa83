"""The contracts of a portfolio: which tables it has, and the contract of each.

A table exists when its inputs do. A model may read a table that the portfolio has not: it gets an empty one of that
table's contract, so every table has a contract here whether or not it exists.
"""

from collections.abc import Callable, Iterator

from cx_intel.contracts import contacts, core, freshness, identity, operations, subscriptions, support, write_back
from cx_intel.contracts.backtest import past, results, tiers
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.health import changes, drivers, risk
from cx_intel.contracts.health import scores as health
from cx_intel.contracts.renewals import effects, hold_out, interventions
from cx_intel.contracts.renewals import layer as renewals
from cx_intel.contracts.revenue import cohorts, ledger, non_recurring, published, waterfall
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import LEARNED as LEARNED_PROBABILITY

CONTRACTS: dict[str, Callable[[Portfolio], Contract]] = {
    **{f"stg_{table}": make for table, make in STAGING.items()},
    **{
        make.__name__: make
        for make in (
            operations.quarantine,
            operations.rejected_rows,
            operations.source_conflicts,
            operations.conflicting_values,
            freshness.days_of_sources,
            operations.judged_accounts,
            identity.identity_map,
            identity.unmatched_accounts,
            core.account_history,
            subscriptions.subscription_periods,
            freshness.source_freshness,
            published.revenue_ledger,
            published.restatements,
            published.mrr_delivery,
            published.mrr_reconciliation,
            published.fct_revenue_intra_month,
            non_recurring.non_recurring,
            ledger.fct_revenue,
            core.account_snapshot,
            core.dim_account,
            core.dim_product,
            contacts.dim_contact,
            core.dim_date,
            core.fct_usage,
            support.business_hours,
            support.fct_tickets,
            support.sla_adherence,
            waterfall.nrr_summary,
            waterfall.nrr_by_segment,
            cohorts.revenue_cohort_analysis,
            drivers.account_signals,
            drivers.health_score_drivers,
            health.customer_health_scores,
            changes.health_score_changes,
            changes.health_score_change_drivers,
            risk.churn_risk_view,
            renewals.renewal_observations,
            renewals.renewal_model_terms,
            renewals.renewal_model,
            renewals.renewal_model_reliability,
            renewals.renewal_probabilities,
            renewals.renewal_pipeline,
            interventions.given_actions,
            interventions.actions,
            hold_out.hold_out_assignments,
            hold_out.playbook_save_rates,
            renewals.cs_intervention_list,
            effects.intervention_entries,
            interventions.playbook_outcomes,
            effects.playbook_effects,
            renewals.nrr_outlook,
            renewals.lifecycle_events,
            renewals.parent_rollup,
            past.backtest_scores,
            past.backtest_signals,
            past.backtest_outcomes,
            results.backtest_results,
            tiers.backtest_tiers,
            tiers.backtest_errors,
            tiers.backtest_bands,
            write_back.write_back_plan,
            write_back.write_back_audit,
            write_back.write_back_rejected,
        )
    },
}
"""Table: the maker of its contract. Roll-ups come on top, one for each attribute of the portfolio."""

HEALTH = ("account_signals", "health_score_drivers", "customer_health_scores")
HEALTH_CHANGES = ("health_score_changes", "health_score_change_drivers")
OBSERVED = "renewal_observations"
LEARNED = (OBSERVED, "renewal_model_terms", "renewal_model", "renewal_model_reliability")
"""Where there are renewals, made with the back-test that they learn from."""
HOLD_OUT = ("hold_out_assignments", "playbook_save_rates")
RENEWALS = (
    "cs_intervention_list",
    "intervention_entries",
    "playbook_outcomes",
    "playbook_effects",
    "nrr_outlook",
    "lifecycle_events",
    "parent_rollup",
)
BACKTEST = (*past.REPLAYED, "backtest_results", "backtest_tiers", "backtest_errors", "backtest_bands")
ROLLUP_SUFFIX = "_health_summary"


def contract_of(table: str, portfolio: Portfolio) -> Contract:
    """The contract of a table, whether or not the portfolio has it. Raises KeyError for an unknown name."""
    if table.endswith(ROLLUP_SUFFIX):
        return renewals.health_summary(portfolio, table.removesuffix(ROLLUP_SUFFIX))
    return CONTRACTS[table](portfolio)


def tables_of(portfolio: Portfolio) -> tuple[str, ...]:
    """The tables that the portfolio has beyond its raw ones, in an order in which each follows what it reads."""
    sources = portfolio.tables
    tables = [
        *_staged(portfolio),
        *_conflicts(portfolio),
        "quarantine",
        "account_history",
        *_ledger(portfolio),
        "account_snapshot",
    ]
    if portfolio.has_identity:
        tables.append("unmatched_accounts")
    if "support_tickets" in sources and portfolio.support.business_hours:
        tables.append("business_hours")
    tables += ["dim_account", "dim_date"]
    if portfolio.revenue.products:
        tables.append("dim_product")
    if "usage_events" in sources:
        tables.append("fct_usage")
    if "support_tickets" in sources:
        tables += ["fct_tickets", "sla_adherence"]
    if "contacts" in sources:
        tables.append("dim_contact")
    tables += ["nrr_summary", "nrr_by_segment", "revenue_cohort_analysis"]
    if portfolio.health:
        tables += [*HEALTH, *HEALTH_CHANGES]
    if portfolio.churn_risk:
        tables.append("churn_risk_view")
    tables += backtest_tables(portfolio)
    if portfolio.renewals and portfolio.renewals.probability_from == LEARNED_PROBABILITY:
        tables.append("renewal_probabilities")
    if portfolio.renewals:
        tables += ["renewal_pipeline", "actions", *(HOLD_OUT if portfolio.renewals.hold_out else ())]
        tables += [*RENEWALS, *(f"{attribute}{ROLLUP_SUFFIX}" for attribute in portfolio.rollups)]
    return tuple(tables)


def backtest_tables(portfolio: Portfolio) -> tuple[str, ...]:
    """The tables of the back-test, and what is learnt from it: of a portfolio with health, and with renewals."""
    if not portfolio.health:
        return ()
    return (*BACKTEST, *LEARNED) if portfolio.renewals else BACKTEST


def has_all_days(contract: Contract) -> bool:
    """Whether a table has rows of every day or past month, so that it is copied and exported only where it is asked for."""
    return contract.kind == "by_day" or contract.table in past.REPLAYED


def kept_tables(portfolio: Portfolio) -> tuple[str, ...]:
    """The tables beside those of `tables_of`, not published: what staging keeps for its next run, and what a sync writes."""
    tables = ["rejected_rows"]
    if any(portfolio.has_several(table) for table in portfolio.tables):
        tables += ["conflicting_values", "days_of_sources"]
    if "usage_events" in portfolio.tables:
        tables.append("judged_accounts")
    if portfolio.renewals:
        tables.append(interventions.GIVEN)
    if portfolio.write_back:
        tables += write_back.WRITE_BACK
    return tuple(tables)


def _staged(portfolio: Portfolio) -> Iterator[str]:
    """The staged tables, and before those that read it the account of each id."""
    for table in STAGING:
        if table == "accounts" and portfolio.has_identity:
            yield "identity_map"
        if table in portfolio.tables:
            yield f"stg_{table}"


def _conflicts(portfolio: Portfolio) -> Iterator[str]:
    """Where several sources deliver one table, in what they differ."""
    if any(portfolio.has_several(table) for table in portfolio.tables):
        yield "source_conflicts"


def _ledger(portfolio: Portfolio) -> Iterator[str]:
    """What the ledger is made of, what is told beside it, and how new the sources are."""
    sources = set(portfolio.tables)
    if "subscriptions" in sources:
        yield from ("subscription_periods", "fct_revenue_intra_month")
    yield from ("source_freshness", "revenue_ledger", "restatements")
    if portfolio.revenue.basis != "subscriptions":
        yield "mrr_delivery"
    if {"subscriptions", "invoices"} <= sources:
        yield "mrr_reconciliation"
    if portfolio.revenue.recurring_rules and {"subscriptions", "invoices"} & sources:
        yield "non_recurring"
    yield "fct_revenue"
