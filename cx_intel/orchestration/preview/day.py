"""A day judged by given settings from what the warehouse holds: scores, risks, pipeline, list and outlook, in memory.

The models are those of a refresh, executed in the same order; nothing is written. Which settings may be given stands in
`scope.py`; how one step finds what it reads, in `cx_intel.orchestration.assets.steps`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.models.health.risk import rejudged
from cx_intel.orchestration.assets.graph import Step, steps_of
from cx_intel.orchestration.assets.steps import StepRunner, frame_of
from cx_intel.reports.ask.answer import NoAnswer
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Warehouse

SNAPSHOT, SIGNALS, RISK = "account_snapshot", "account_signals", "churn_risk_view"
CHAIN = (
    SNAPSHOT,
    SIGNALS,
    "health_score_drivers",
    "customer_health_scores",
    RISK,
    "renewal_pipeline",
    "cs_intervention_list",
    "nrr_outlook",
)
"""What follows from the settings that may be given, in an order in which each follows what it reads."""


def judged_day(warehouse: Warehouse, loaded: Portfolio, given: Portfolio, as_of: date) -> dict[str, ir.Table]:
    """The tables of a day by other settings, held in memory.

    What comes out as it stands in the warehouse is taken from there: accounts, signals and the counts of churn risk,
    unless what they follow from differs.

    Args:
        warehouse: The open warehouse, or a published copy.
        loaded: The settings that it was loaded by.
        given: The settings to judge by: `previewed`.
        as_of: A day that has a snapshot.

    Raises:
        NoAnswer: A table that has to be made anew needs rows that are not there, or a column that no account has.
    """
    there = set(tables_of(given))
    steps = {step.table: step for step in steps_of(given) if step.table in CHAIN}
    made: dict[str, ir.Table] = {}
    for table in (table for table in CHAIN if table in there):
        if table in (SNAPSHOT, SIGNALS) and not _is_affected(table, loaded, given):
            rows = warehouse.table(table)
            made[table] = rows.filter(rows.as_of == ibis.literal(as_of))
        elif table == RISK and _has_same_population(loaded, given) and warehouse.exists(RISK):
            known = warehouse.table(RISK)
            known = known.filter(known.as_of == ibis.literal(as_of))
            made[table] = warehouse.held(rejudged(known, made["customer_health_scores"], portfolio=given))
        else:
            made[table] = _made(steps[table], warehouse, given, as_of, made)
    return made


def _is_affected(table: str, loaded: Portfolio, given: Portfolio) -> bool:
    """Whether accounts or signals come out otherwise by the given settings."""
    if loaded.lifecycle != given.lifecycle or _terms(loaded) != _terms(given):
        return True
    if table == SNAPSHOT:
        return False
    signals = [p.health.signals if p.health else None for p in (loaded, given)]
    return signals[0] != signals[1] or not _has_same_population(loaded, given)


def _terms(portfolio: Portfolio) -> tuple[Any, ...] | None:
    """What renewal dates follow from."""
    renewals = portfolio.renewals
    return (renewals.term_months, renewals.main_product, renewals.keep_overdue_days) if renewals else None


def _has_same_population(loaded: Portfolio, given: Portfolio) -> bool:
    who = [p.health.population if p.health else None for p in (loaded, given)]
    return who[0] == who[1] and loaded.include_churned == given.include_churned


def _made(step: Step, warehouse: Warehouse, given: Portfolio, as_of: date, made: Mapping[str, ir.Table]) -> ir.Table:
    """A table as its model makes it of what was made before it, and of the warehouse."""
    read: dict[str, Any] = {}
    for wanted in step.inputs:
        if wanted.table in made:
            rows = made[wanted.table]
            read[wanted.parameter] = frame_of(rows, warehouse) if wanted.as_frame else rows
        elif wanted.table == "actions" and not warehouse.exists(wanted.table):
            rows = contract_of(wanted.table, given).no_rows()
            read[wanted.parameter] = frame_of(rows, warehouse) if wanted.as_frame else rows
    try:
        rows = StepRunner(step, given, warehouse).model(as_of, only=read)
    except KeyError as error:
        raise NoAnswer(f"The new settings cannot be previewed on what is loaded: {error.args[0]}.") from None
    except WarehouseError as error:
        raise NoAnswer(
            f"{step.table} has to be made anew by these settings, and what it reads is not here: {error} "
            "Staged rows and events are in the warehouse alone, which can be read when no run is going on."
        ) from None
    return warehouse.held(rows, step.contract.schema())
