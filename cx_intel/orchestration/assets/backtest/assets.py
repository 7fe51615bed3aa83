"""Makes the assets of the back-test's past days: scores, signals and outcomes, which are made together.

They are made where there are none of the newest month end, or where settings that judge have changed; else they stand as
they are, and a refresh costs nothing more. What is made is decided in `past_days.py`; results are steps like any other.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg
import ibis.expr.types as ir

from cx_intel.contracts.backtest.past import REPLAYED
from cx_intel.contracts.contract import Contract, Kind
from cx_intel.orchestration.assets.backtest.past_days import PIPELINE, PastDays
from cx_intel.orchestration.assets.backtest.replay import HISTORY, LEDGER, PERIODS, RESTATED, SCORED
from cx_intel.orchestration.assets.graph import Step, steps_of, upstream_of
from cx_intel.orchestration.assets.steps import Built
from cx_intel.orchestration.assets.tables import (
    StepRun,
    asset_options,
    days_for,
    described,
    key_of,
    known_metadata,
    stop_if_blocked,
)
from cx_intel.orchestration.assets.unchanged import making_of_backtest
from cx_intel.orchestration.checks.check import check_results
from cx_intel.orchestration.checks.checks_of import checks_of
from cx_intel.orchestration.dagster_internals import evaluations, recorded
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse


def backtest_assets(portfolio: Portfolio, kinds_of: dict[str, Kind]) -> list[dg.AssetsDefinition]:
    """The assets of past days; none where the portfolio has no health block."""
    steps = [step for step in steps_of(portfolio) if step.table in REPLAYED]
    if not steps:
        return []
    checks = {step.table: checks_of(step.contract, portfolio) for step in steps}
    specs_of = {
        table: [spec for check in found for spec in check.specs(key_of(portfolio, table))]
        for table, found in checks.items()
    }
    options = asset_options(portfolio, "backtest", "whole")
    shared = {name: options[name] for name in ("group_name", "kinds", "owners", "tags")}

    @dg.multi_asset(
        name=f"{portfolio.name}__past_days",
        specs=[_spec(step, portfolio, shared) for step in steps],
        check_specs=[spec for specs in specs_of.values() for spec in specs],
        required_resource_keys={"warehouse"},
    )
    def past_days(context: dg.AssetExecutionContext) -> Iterator[Any]:
        days = days_for(context, portfolio, context.resources.warehouse.of(portfolio.name))
        # nothing is read through these, since news of each day would else make all past days once more
        unread = {step.table: context.resources.warehouse.of(portfolio.name) for step in steps}
        made = {t: making_of_backtest(context, w, key_of(portfolio, t), portfolio, days) for t, w in unread.items()}
        told = {table: one.told_before() for table, one in made.items()}
        if all(told.values()):
            for table, before in told.items():
                if before:
                    yield from before.again(specs_of[table])
            return
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        past = PastDays(portfolio, warehouse)
        rows = past.tables(days[-1])  # what it drops on the way is held in memory to the end of a transaction
        with warehouse.transaction():
            for step in steps:
                build = partial(_built, rows[step.table], step.contract, warehouse)
                done = StepRun(step, portfolio, kinds_of, warehouse, checks[step.table], build).make(days)
                key = key_of(portfolio, step.table)
                specs = specs_of[step.table]
                results = evaluations(check_results(done.results, key), specs)
                if done.is_made:
                    made[step.table].remember(done.metadata, checks=results)
                yield from recorded(results, specs)
                stop_if_blocked(done.results, step.table, portfolio)
                yield dg.MaterializeResult(asset_key=key, metadata=done.metadata)
        past.drop()

    return [past_days]


def read_for_past_days(portfolio: Portfolio) -> list[str]:
    """The tables that past days are made of: what their snapshots read, and none of the snapshots of other days."""
    made = {*SCORED, *PIPELINE}
    read = {table for step in steps_of(portfolio) if step.table in made for table in upstream_of(step, portfolio)}
    there = {step.table: step.contract.kind for step in steps_of(portfolio)}
    wanted = {*read, HISTORY, PERIODS, LEDGER, RESTATED, "fct_revenue", "fct_usage"} - made
    return [table for table, kind in there.items() if table in wanted and kind != "snapshot"]


def _spec(step: Step, portfolio: Portfolio, shared: dict[str, Any]) -> dg.AssetSpec:
    contract = step.contract
    return dg.AssetSpec(
        key_of(portfolio, step.table),
        deps=[key_of(portfolio, table) for table in read_for_past_days(portfolio)],
        description=described(contract, portfolio),
        metadata=known_metadata(contract),
        **shared,
    )


def _built(rows: ir.Table, contract: Contract, warehouse: Warehouse) -> Built:
    return Built(warehouse.stage(contract.table, [rows], like=contract.schema()))
