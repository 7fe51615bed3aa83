"""Which model makes which table of a portfolio, and what each reads: the graph, still without Dagster.

A model is a function named after its table; its positional parameters are the tables that it reads, so that the graph
follows from the signature. `tables.py` turns each step into an asset, `steps.py` runs it.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import pandas as pd

from cx_intel.contracts.catalog import BACKTEST, LEARNED, ROLLUP_SUFFIX, contract_of, tables_of
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.renewals.interventions import GIVEN
from cx_intel.models.backtest import outcomes, past, results, tiers
from cx_intel.models.core import accounts, catalog, contacts, freshness, usage
from cx_intel.models.health import changes, drivers, risk, rollups, signals
from cx_intel.models.health import scores as health
from cx_intel.models.identity import identity_map, unmatched
from cx_intel.models.renewals import actions, effects, families, hold_out, interventions, lifecycle, outlook
from cx_intel.models.renewals import outcomes as renewal_outcomes
from cx_intel.models.renewals import pipeline as renewals
from cx_intel.models.renewals.learned import observations, probabilities, terms, verdict
from cx_intel.models.revenue import cohorts, delivery, published, reconciliation, recurring, waterfall
from cx_intel.models.revenue import ledger as revenue
from cx_intel.models.staging import several_sources
from cx_intel.models.staging import tables as staging
from cx_intel.models.subscriptions import periods as subscription_periods
from cx_intel.models.support import adherence, business_hours, tickets
from cx_intel.settings.portfolio import Portfolio

HISTORY_SUFFIX = "__history"
REJECTED_ROWS = "rejected_rows"
"""What all staged tables collect for the quarantine; no asset."""
CONFLICTING_VALUES = "conflicting_values"
"""What staged tables of several sources collect for source_conflicts; no asset."""
DAYS_OF_SOURCES = "days_of_sources"
"""Likewise, the days of each of several sources for source_freshness; no asset."""
COLLECTED = (REJECTED_ROWS, CONFLICTING_VALUES, DAYS_OF_SOURCES, GIVEN)
"""Tables that no step makes: there once something stands in them."""
MAY_BE_ABSENT = (*COLLECTED, *BACKTEST, *LEARNED)
"""Tables that are read as if they had no rows where they are not there: those, and the back-test's before the first one."""
MODULES = (
    staging,
    several_sources,
    identity_map,
    unmatched,
    accounts,
    catalog,
    usage,
    contacts,
    business_hours,
    tickets,
    adherence,
    subscription_periods,
    freshness,
    published,
    delivery,
    reconciliation,
    recurring,
    revenue,
    changes,
    waterfall,
    cohorts,
    drivers,
    signals,
    health,
    risk,
    observations,
    terms,
    verdict,
    probabilities,
    renewals,
    actions,
    interventions,
    hold_out,
    renewal_outcomes,
    effects,
    outlook,
    lifecycle,
    families,
    past,
    outcomes,
    results,
    tiers,
)


@dataclass(frozen=True)
class Input:
    """One table that a model reads.

    Attributes:
        parameter: The model's parameter.
        table: The table.
        reads: Its rows of the same day, all of them, or its earlier partitions too.
        as_frame: Wanted as a pandas DataFrame.
        exists: The portfolio has it; else the model gets an empty one.
    """

    parameter: str
    table: str
    reads: Literal["as_is", "history"]
    as_frame: bool
    exists: bool


@dataclass(frozen=True)
class Step:
    """A table, the model that makes it, and what that model reads."""

    table: str
    contract: Contract
    model: Callable[..., Any]
    inputs: tuple[Input, ...]
    settings: frozenset[str] = field(default_factory=frozenset)
    """Which of portfolio, as_of and previous the model takes."""


def upstream_of(step: Step, portfolio: Portfolio) -> dict[str, bool]:
    """The tables that a step comes after, because its model reads them: whether their earlier days are read too."""
    found: dict[str, bool] = {}
    for i in step.inputs:
        for table in _read_of(i, portfolio):
            found[table] = found.get(table, False) or i.reads == "history"
    return found


def _read_of(i: Input, portfolio: Portfolio) -> Sequence[str]:
    """The tables that stand for an input: what staged tables collect, what each source delivered, or itself."""
    if i.table == REJECTED_ROWS:
        return [f"stg_{table}" for table in portfolio.tables]
    if i.table in (CONFLICTING_VALUES, DAYS_OF_SOURCES):
        return [f"stg_{table}" for table in portfolio.tables if portfolio.has_several(table)]
    if i.table == GIVEN:
        return []
    table = i.table.removeprefix("raw_")
    if i.exists and table != i.table:
        return [f"raw_{part}" for part in portfolio.parts_of(table)]
    return [i.table] if i.exists else []


def steps_of(portfolio: Portfolio) -> tuple[Step, ...]:
    """The steps of a portfolio beyond its raw tables, each after those that it reads."""
    return tuple(_step(table, portfolio) for table in tables_of(portfolio))


def model_of(table: str) -> Callable[..., Any]:
    """The model function that makes a table. Raises KeyError when there is none of that name."""
    if table.endswith(ROLLUP_SUFFIX):
        return partial(rollups.health_summary, attribute=table.removesuffix(ROLLUP_SUFFIX))
    for module in MODULES:
        if function := getattr(module, table, None):
            return function  # type: ignore[no-any-return]
    raise KeyError(f"no model makes {table!r}")


def _step(table: str, portfolio: Portfolio) -> Step:
    model = model_of(table)
    existing = {*tables_of(portfolio), *(f"raw_{t}" for t in portfolio.tables), *COLLECTED}
    inputs, settings = [], set()
    for parameter in inspect.signature(model).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            settings.add(parameter.name)
            continue
        name = parameter.name.removesuffix(HISTORY_SUFFIX)
        inputs.append(
            Input(
                parameter.name,
                name,
                "history" if parameter.name.endswith(HISTORY_SUFFIX) else "as_is",
                parameter.annotation is pd.DataFrame,
                name in existing,
            )
        )
    return Step(table, contract_of(table, portfolio), model, tuple(inputs), frozenset(settings) - {"attribute"})
