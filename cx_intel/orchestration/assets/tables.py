"""Makes an asset of each step of a portfolio: built beside the old table, checked, put in its place, and shown.

The only thing decided here is the order of these, and what Dagster gets to see. The rows come from `steps.py`, raw rows
from `raw.py`, checks from `checks/`, metadata from `metadata.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import dagster as dg

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract, Kind
from cx_intel.contracts.renewals.learned import renewal_model
from cx_intel.orchestration.alerts import lifecycle
from cx_intel.orchestration.assets.graph import Step, steps_of, upstream_of
from cx_intel.orchestration.assets.metadata import column_lineage, column_schema, of_renewal_model, shown
from cx_intel.orchestration.assets.partitions import days_of, mapping, run_days
from cx_intel.orchestration.assets.steps import Built, StepRunner
from cx_intel.orchestration.assets.unchanged import making, making_of_backtest
from cx_intel.orchestration.checks.check import Check, CheckContext, RuleResult, check_results, results_table
from cx_intel.orchestration.checks.checks_of import checks_of
from cx_intel.orchestration.checks.rules import compared_with
from cx_intel.orchestration.dagster_internals import evaluations, recorded
from cx_intel.orchestration.sensors.stale_snapshots import LateEvents
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

OWNER = "team:customer-intelligence"
QUARANTINE = "quarantine"
BACKTEST_LAYER = "backtest"


def key_of(portfolio: Portfolio, table: str) -> dg.AssetKey:
    """The asset of a table: schema and table in the warehouse."""
    return dg.AssetKey([portfolio.name, table])


def table_asset(step: Step, portfolio: Portfolio, kinds_of: dict[str, Kind]) -> dg.AssetsDefinition:
    """The asset of a step.

    Args:
        step: The table, its model and what it reads.
        portfolio: Its settings.
        kinds_of: How every table of the portfolio is kept.
    """
    contract, key = step.contract, key_of(portfolio, step.table)
    upstream = dict.fromkeys(compared_with(contract), False) | upstream_of(step, portfolio)
    checks = checks_of(contract, portfolio)
    specs = [spec for check in checks for spec in check.specs(key)]

    @dg.asset(
        key=key,
        deps=[
            dg.AssetDep(
                key_of(portfolio, table), partition_mapping=mapping(contract.kind, kinds_of[table], history=history)
            )
            for table, history in upstream.items()
        ],
        check_specs=specs,
        required_resource_keys={"warehouse"},
        description=described(contract, portfolio),
        metadata=known_metadata(contract),
        **asset_options(portfolio, contract.layer, contract.kind),
    )
    def compute(context: dg.AssetExecutionContext) -> Iterator[Any]:
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        days = days_for(context, portfolio, warehouse)
        if contract.layer == BACKTEST_LAYER:
            step_made = making_of_backtest(context, warehouse, key, portfolio, days)
        else:
            step_made = making(context, warehouse, key, portfolio, days)
        if told := step_made.told_before():
            yield from told.again(specs)
            return
        with warehouse.transaction():
            done = StepRun(step, portfolio, kinds_of, warehouse, checks).make(days)
            found = evaluations(check_results(done.results, key), specs)
            if done.is_made:
                step_made.remember(done.metadata, checks=found)
        yield from recorded(found, specs)
        stop_if_blocked(done.results, step.table, portfolio)
        report_other_days(context, key, done.days, days)
        yield dg.MaterializeResult(asset_key=key, metadata=done.metadata)

    return compute


def known_metadata(contract: Contract) -> dict[str, Any]:
    """What Dagster shows of a table before it is made."""
    return {
        "dagster/column_schema": column_schema(contract),
        "grain": ", ".join(contract.grain),
        **({"partition_expr": contract.partition_column} if contract.partition_column else {}),
    }


@dataclass(frozen=True)
class Done:
    """What a run of a step leaves to say: what its checks found, the partitions written, and what Dagster shows.

    `is_made`: the table is what the step makes of its inputs now, neither left as it was nor refused.
    """

    results: list[RuleResult]
    days: tuple[date, ...]
    metadata: dict[str, Any]
    is_made: bool = False


@dataclass(frozen=True)
class StepRun:
    """One run of one step: a single transaction of the warehouse.

    `build`, where it is given, makes the rows beside the table in place of the step's own model.
    """

    step: Step
    portfolio: Portfolio
    kinds_of: dict[str, Kind]
    warehouse: Warehouse
    checks: tuple[Check, ...]
    build: Callable[[], Built] | None = None

    def make(self, days: tuple[date, ...]) -> Done:
        """Builds, checks and puts in place; a blocking or refusing check that fails leaves the table as it was."""
        contract, portfolio, warehouse = self.step.contract, self.portfolio, self.warehouse
        stands_at = warehouse.stands_at(self.step.table) if contract.kind == "whole" else None
        if stands_at and days[-1] < stands_at:
            return self._left_as_it_is(stands_at)
        warehouse.forget_made(contract.table)
        if self.build:
            built = self.build()
        else:
            steps = StepRunner(self.step, portfolio, warehouse)
            built = steps.build(with_first_snapshots(days, contract, portfolio, warehouse))
        checked = CheckContext(built.rows, built.days, days[-1], warehouse)
        results = [result for check in self.checks for result in check.run(checked)]
        warehouse.record_checks(results_table(results, table=contract.table, as_of=days[-1]))
        if any(result.blocks for result in results):
            warehouse.discard(contract.table)
            if contract.layer == "staging":
                self._quarantine(days)
            return Done(results, (), {})
        if any(result.refuses for result in results):
            return self._refused(results)
        for check in self.checks:
            check.remember(checked)
        return Done(results, built.days, self._put_in_place(built, days[-1]), is_made=True)

    def _put_in_place(self, built: Built, as_of: date) -> dict[str, Any]:
        contract, portfolio, warehouse = self.step.contract, self.portfolio, self.warehouse
        metadata = shown(contract, built.rows, as_of, warehouse)
        if built.sources:
            keys = {i.table: key_of(portfolio, i.table) for i in self.step.inputs}
            metadata["dagster/column_lineage"] = column_lineage(built.sources, keys)
        state = built.state
        if contract.kind == "snapshot":
            state, news = LateEvents(portfolio, self.kinds_of, warehouse).remember(contract.table, built.days)
            metadata |= news
        if contract.table == renewal_model.__name__:
            metadata |= of_renewal_model(built.rows, as_of, warehouse)
        if contract.table == lifecycle.TABLE:
            metadata |= lifecycle.account_news(built.rows, portfolio=portfolio, as_of=as_of, warehouse=warehouse)
        warehouse.swap(
            contract.table,
            column=contract.partition_column,
            days=built.days,
            state=dict(state),
            stands_at=as_of if contract.kind == "whole" else None,
        )
        return metadata

    def _refused(self, results: list[RuleResult]) -> Done:
        """A delivery that is refused: what stands downstream is made of the table as it was."""
        table, warehouse = self.step.table, self.warehouse
        stands_at = warehouse.stands_at(table)
        warehouse.discard(table)
        told = [result.as_refusal(table, stands_at) if result.refuses else result for result in results]
        return Done(told, (), {"refused": True, "kept_as_of": stands_at.isoformat() if stands_at else "never"})

    def _left_as_it_is(self, stands_at: date) -> Done:
        """A run for an earlier day leaves a whole table as it stands, and checks it again."""
        rows = self.warehouse.table(self.step.table)
        context = CheckContext(rows, (), stands_at, self.warehouse)
        results = [result for check in self.checks for result in check.run(context)]
        return Done(results, (), {"kept_as_of": stands_at.isoformat()})

    def _quarantine(self, days: tuple[date, ...]) -> None:
        """Puts what was rejected in quarantine at once, because the step that does it will not run."""
        step = next(step for step in steps_of(self.portfolio) if step.table == QUARANTINE)
        built = StepRunner(step, self.portfolio, self.warehouse).build(days)
        self.warehouse.swap(QUARANTINE, column=step.contract.partition_column, days=built.days)


def asset_options(portfolio: Portfolio, layer: str, kind: Kind) -> dict[str, Any]:
    """The options that all assets of a portfolio share, set in this one place."""
    return {
        "group_name": f"{portfolio.name}_{layer}",
        "kinds": {"duckdb", "ibis"} if layer != "raw" else {"duckdb", "python"},
        "owners": [OWNER],
        "tags": {"portfolio": portfolio.name, "layer": layer, "kept": kind},
        "io_manager_key": "io_manager",
        "partitions_def": None if kind == "whole" else days_of(portfolio),
        "backfill_policy": None if kind == "whole" else dg.BackfillPolicy.single_run(),
    }


def with_first_snapshots(
    days: tuple[date, ...], contract: Contract, portfolio: Portfolio, warehouse: Warehouse
) -> tuple[date, ...]:
    """The days of the run; for a snapshot table that is not there yet, those before them that the portfolio names."""
    if contract.kind != "snapshot" or contract.layer == "operations" or warehouse.exists(contract.table):
        return days
    return tuple(sorted({*portfolio.as_of.first_days(days[0]), *days}))


def days_for(context: dg.AssetExecutionContext, portfolio: Portfolio, warehouse: Warehouse) -> tuple[date, ...]:
    """The days of the run; without partitions, the newest day that the portfolio was refreshed for, or its default."""
    if days := run_days(context.run.tags):
        return days
    newest = warehouse.newest()
    return (newest or portfolio.default_as_of(datetime.now().astimezone()),)


def stop_if_blocked(results: list[RuleResult], table: str, portfolio: Portfolio) -> None:
    """Fails the step when a blocking rule is broken; the table stays as it was."""
    broken = [result for result in results if result.blocks]
    if broken:
        listed = "; ".join(f"{r.rule.name} ({r.broken_count} rows): {r.rule.recovery}" for r in broken)
        raise dg.Failure(
            f"{portfolio.name}.{table} was not replaced, it stays as it was. Broken: {listed}", allow_retries=False
        )


def report_other_days(
    context: dg.AssetExecutionContext, key: dg.AssetKey, written: tuple[date, ...], run_for: tuple[date, ...]
) -> None:
    """Tells Dagster of partitions written beyond those that the run is for."""
    for day in sorted(set(written) - set(run_for)):
        context.log_event(dg.AssetMaterialization(key, partition=day.isoformat()))


def described(contract: Contract, portfolio: Portfolio) -> str:
    """What the UI says of a table: its question, its grain, and of a snapshot which of its partitions there are."""
    told = f"{contract.description}\n\nOne row for each {', '.join(contract.grain)}."
    if contract.kind != "snapshot":
        return told
    return (
        f"{told}\n\nA partition is a day that may be refreshed, from {portfolio.as_of.earliest} (`as_of.earliest`) on. "
        f"Only days that were refreshed have a snapshot: that others are missing is no fault, and `{portfolio.name}_backfill` "
        "makes those that are wanted."
    )


def kinds_of(portfolio: Portfolio, tables: tuple[str, ...], raw: dict[str, Kind]) -> dict[str, Kind]:
    """How each table of the portfolio is kept, raw ones included."""
    return {**raw, **{t: contract_of(t, portfolio).kind for t in tables}}
