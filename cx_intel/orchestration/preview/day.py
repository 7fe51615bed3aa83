"""A day judged by given settings from what the warehouse holds: scores, risks, pipeline, list and outlook, put aside.

The models are those of a refresh, executed in the same order; nothing is written. Which settings may be given stands in
`scope.py`; how one step finds what it reads, in `cx_intel.orchestration.assets.steps`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.health.risk import rejudged
from cx_intel.orchestration.assets.graph import MAY_BE_ABSENT, Step, steps_of
from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.reports.ask.answer import NoAnswer
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Rows, Warehouse

SNAPSHOT, SIGNALS, SCORES = "account_snapshot", "account_signals", "customer_health_scores"
RISK, ACTIONS = "churn_risk_view", "actions"
CHAIN = (
    SNAPSHOT,
    SIGNALS,
    "health_score_drivers",
    SCORES,
    RISK,
    "renewal_probabilities",
    "renewal_pipeline",
    "cs_intervention_list",
    "nrr_outlook",
)
"""What follows from the settings that may be given, in an order in which each follows what it reads."""


@dataclass(frozen=True)
class JudgedDay:
    """The tables of a day by the settings of one side, and those settings."""

    portfolio: Portfolio
    tables: Mapping[str, ir.Table]


def judged_day(
    warehouse: Warehouse,
    given: Portfolio,
    as_of: date,
    prefix: str,
    *,
    beside: JudgedDay | None = None,
    may_take_stored: bool = True,
) -> JudgedDay:
    """The tables of a day by given settings, put aside for as long as the warehouse is open.

    A published copy has neither staged rows nor events: accounts, signals and what is counted for churn risk are then
    those that the last refresh wrote.

    Args:
        warehouse: The open warehouse, or a published copy.
        given: The settings to judge by.
        as_of: A day that has a snapshot.
        prefix: Begins the names of what is put aside, so that two sides may stand beside each other.
        beside: The other side, whose accounts, signals and counts are taken where they follow from the same settings.
        may_take_stored: Whether the settings of the last refresh are those that accounts and signals follow from.

    Raises:
        NoAnswer: A table that has to be made anew needs rows that are not there, or a column that no account has.
    """
    made: dict[str, ir.Table] = {}
    for step in (step for step in steps_of(given) if step.table in CHAIN):
        rows = _taken(step, warehouse, given, as_of, made, beside, may_take_stored)
        if rows is None:
            rows = _rows(step, warehouse, given, as_of, made)
        made[step.table] = warehouse.keep_for_now(f"{prefix}_{step.table}", rows, step.contract.schema())
    return JudgedDay(given, made)


def _taken(
    step: Step,
    warehouse: Warehouse,
    given: Portfolio,
    as_of: date,
    made: Mapping[str, ir.Table],
    beside: JudgedDay | None,
    may_take_stored: bool,
) -> ir.Table | None:
    """Accounts, signals or churn risk from what was made or written before; None where they have to be made anew."""
    if step.table not in (SNAPSHOT, SIGNALS, RISK):
        return None
    known: ir.Table | None = None
    if beside and step.table in beside.tables:
        known = None if is_affected(step.table, beside.portfolio, given) else beside.tables[step.table]
    elif may_take_stored and warehouse.exists(step.table) and not _can_make(step, warehouse, made):
        stored = warehouse.table(step.table)
        known = stored.filter(stored.as_of == ibis.literal(as_of))
    if known is None or step.table != RISK:
        return known
    return rejudged(known, made[SCORES], portfolio=given)


def _can_make(step: Step, warehouse: Warehouse, made: Mapping[str, ir.Table]) -> bool:
    """Whether everything is there that the model of a step reads."""
    wanted = (i.table for i in step.inputs if i.exists and i.table not in made and i.table not in MAY_BE_ABSENT)
    return all(warehouse.exists(table) for table in wanted)


def is_affected(table: str, other: Portfolio, given: Portfolio) -> bool:
    """Whether accounts, signals or the counts of churn risk come out otherwise than by the other settings."""
    has_same_population = _population(other) == _population(given)
    if table == RISK:
        return not has_same_population
    if other.lifecycle != given.lifecycle or _terms(other) != _terms(given):
        return True
    signals = [p.health.signals if p.health else None for p in (other, given)]
    return table == SIGNALS and (signals[0] != signals[1] or not has_same_population)


def _population(portfolio: Portfolio) -> tuple[Any, ...]:
    return portfolio.include_churned, portfolio.health and portfolio.health.population


def _terms(portfolio: Portfolio) -> tuple[Any, ...] | None:
    """What renewal dates follow from."""
    renewals = portfolio.renewals
    return (renewals.term_months, renewals.main_product, renewals.keep_overdue_days) if renewals else None


def _rows(step: Step, warehouse: Warehouse, given: Portfolio, as_of: date, made: Mapping[str, ir.Table]) -> Rows:
    """A table as its model makes it of what was made before it, and of the warehouse."""
    read = dict(made)
    if not warehouse.exists(ACTIONS):
        read[ACTIONS] = contract_of(ACTIONS, given).no_rows()
    try:
        return StepRunner(step, given, warehouse).model(as_of, only=read)
    except KeyError as error:
        raise NoAnswer(f"The new settings cannot be previewed on what is loaded: {error.args[0]}.") from None
    except WarehouseError as error:
        raise NoAnswer(
            f"{step.table} has to be made anew by these settings, and what it reads is not here: {error} "
            "A table that these settings add comes with a refresh by them; staged rows and events are in the warehouse "
            "alone, which can be read when no run is going on."
        ) from None
