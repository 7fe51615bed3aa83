"""Makes an asset of each step of a portfolio: staged, checked before it replaces the old table, and reported.

The only thing decided here is what Dagster gets to see. The rows come from `steps.py`, raw rows from `raw.py`, checks
from `checks.py`, metadata from `metadata.py`.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import dagster as dg
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract, Kind
from cx_intel.orchestration.alerts import lifecycle
from cx_intel.orchestration.assets.graph import Step
from cx_intel.orchestration.assets.metadata import column_lineage, column_schema, shown
from cx_intel.orchestration.assets.partitions import days_of, mapping, run_days
from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.orchestration.checks.contract_checks import (
    Finding,
    check_results,
    check_specs,
    compared_in,
    evaluate,
    of_rows_to_come,
    results_table,
)
from cx_intel.orchestration.checks.event_names import event_specs, measured_events
from cx_intel.orchestration.checks.freshness import age_specs, source_age
from cx_intel.orchestration.checks.model_version import model_version, remember_model, version_specs
from cx_intel.orchestration.checks.quarantined_share import quarantined_share, share_specs
from cx_intel.orchestration.checks.rules import compared_with
from cx_intel.orchestration.sensors.stale_snapshots import LateEvents
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import StagedWrite, Warehouse

OWNER = "team:customer-intelligence"


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
    contract = step.contract
    key = key_of(portfolio, step.table)
    ins = {
        i.parameter: dg.AssetIn(
            key_of(portfolio, i.table),
            partition_mapping=mapping(contract.kind, kinds_of[i.table], history=i.reads == "history"),
        )
        for i in step.inputs
        if i.exists
    }

    specs = [
        *check_specs(contract, key),
        *share_specs(contract, key, portfolio),
        *age_specs(contract, key, portfolio),
        *version_specs(contract, key),
        *event_specs(contract, key, portfolio),
    ]

    @dg.asset(
        key=key,
        ins=ins,
        deps=[key_of(portfolio, t) for t in compared_with(contract) if t not in {i.table for i in step.inputs}],
        check_specs=specs,
        required_resource_keys={"warehouse"},
        op_tags={"dagster/priority": "-1"} if "doubtful" in step.settings else None,  # after those that tell it
        description=_description(contract, step),
        metadata={
            "dagster/column_schema": column_schema(contract),
            "grain": ", ".join(contract.grain),
            **({"partition_expr": contract.partition_column} if contract.partition_column else {}),
        },
        **asset_options(portfolio, contract.layer, contract.kind),
    )
    def compute(context: dg.AssetExecutionContext, **tables: ir.Table) -> Iterator[Any]:
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        days = days_for(context, portfolio, warehouse)
        stands_at = warehouse.stands_at(step.table) if contract.kind == "whole" else None
        if stands_at and days[-1] < stands_at:
            yield from _keep(context, StepRunner(step, portfolio, warehouse, tables), stands_at)
            return
        fitting: set[tuple[str, str]] = context.resources.warehouse.fitting
        runner = StepRunner(step, portfolio, warehouse, tables, {t for name, t in fitting if name == portfolio.name})
        built = runner.build(with_first_snapshots(days, contract, portfolio, warehouse))
        staged = warehouse.stage(step.table, built.parts, like=contract.schema())
        others = compared_in(contract, portfolio, warehouse, built.days)
        findings = evaluate(contract, staged, others=others, warehouse=warehouse)
        if turned_away := _turned_away(runner, staged, built.days, days[-1]):
            findings += turned_away
            if runner.is_delivered_whole and turned_away[0].broken_count == 0:
                fitting.add((portfolio.name, step.table.removeprefix("stg_")))
        findings += model_version(contract, built.days, portfolio, warehouse)
        findings += measured_events(contract, days[-1], portfolio, warehouse)
        age = source_age(contract, staged, as_of=days[-1], portfolio=portfolio, warehouse=warehouse)
        recorded = [*findings, age.finding()] if age else findings
        warehouse.record_checks(results_table(recorded, table=step.table, as_of=days[-1]))
        yield from of_rows_to_come([*check_results(findings, key), *([age.result(key)] if age else [])], specs)
        stop_if_blocked(findings, step.table, warehouse, portfolio)
        remember_model(contract, built.days, portfolio, warehouse)
        metadata = shown(contract, staged, days[-1], warehouse)
        if runner.sources:
            keys = {i.table: key_of(portfolio, i.table) for i in step.inputs if i.exists}
            metadata["dagster/column_lineage"] = column_lineage(runner.sources, keys)
        report_other_days(context, key, built.days, days)
        stands_at = days[-1] if contract.kind == "whole" else None
        state = built.state
        if contract.kind == "snapshot":
            state, news = LateEvents(portfolio, kinds_of, warehouse).remember(step.table, built.days)
            metadata |= news
        if step.table == lifecycle.TABLE:
            metadata |= lifecycle.account_news(staged, portfolio=portfolio, as_of=days[-1], warehouse=warehouse)
        yield dg.Output(StagedWrite(staged, contract.partition_column, built.days, state, stands_at), metadata=metadata)

    return compute


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
    """The days of the run; without partitions, the newest day that the portfolio was refreshed for, or yesterday."""
    if days := run_days(context.run.tags):
        return days
    newest = warehouse.newest()
    return (newest or portfolio.latest_as_of(datetime.now().astimezone()),)


def stop_if_blocked(findings: list[Finding], table: str, warehouse: Warehouse, portfolio: Portfolio) -> None:
    """Fails the step when a blocking rule is broken; the table stays as it was."""
    broken = [finding for finding in findings if finding.blocks]
    if broken:
        listed = "; ".join(f"{f.rule.name} ({f.broken_count} rows): {f.rule.recovery}" for f in broken)
        warehouse.discard(table)
        raise dg.Failure(
            f"{portfolio.name}.{table} was not replaced, it stays as it was. Broken: {listed}", allow_retries=False
        )


def report_other_days(
    context: dg.AssetExecutionContext, key: dg.AssetKey, written: tuple[date, ...], asked: tuple[date, ...]
) -> None:
    """Tells Dagster of partitions written beyond those that the run was asked for."""
    for day in sorted(set(written) - set(asked)):
        context.log_event(dg.AssetMaterialization(key, partition=day.isoformat()))


def _turned_away(runner: StepRunner, kept: ir.Table, days: tuple[date, ...], as_of: date) -> list[Finding]:
    """The finding about rows turned away, for a staged table; none for others."""
    contract = runner.step.contract
    if contract.layer != "staging":
        return []
    return [
        quarantined_share(
            contract,
            runner.raw,
            kept,
            judged=lambda: runner.judged(as_of),
            days=days,
            portfolio=runner.portfolio,
            warehouse=runner.warehouse,
        )
    ]


def _keep(context: dg.AssetExecutionContext, runner: StepRunner, stands_at: date) -> Iterator[Any]:
    """A run for an earlier day leaves a whole table as it stands; its checks are asked again."""
    contract, portfolio, warehouse = runner.step.contract, runner.portfolio, runner.warehouse
    key = key_of(portfolio, contract.table)
    rows = warehouse.table(contract.table)
    findings = evaluate(contract, rows, others=compared_in(contract, portfolio, warehouse), warehouse=warehouse)
    yield from check_results(findings + _turned_away(runner, rows, (), stands_at), key)
    if age := source_age(contract, rows, as_of=stands_at, portfolio=portfolio, warehouse=warehouse):
        yield age.result(key)
    context.log.info(f"{contract.table} stands at {stands_at}, a later day; it is left as it is.")
    yield dg.MaterializeResult(asset_key=key, metadata={"kept_as_of": stands_at.isoformat()})


def _description(contract: Contract, step: Step) -> str:
    model = step.model if not hasattr(step.model, "func") else step.model.func
    summary = (model.__doc__ or "").strip().split("\n\n")[0]
    return f"{contract.description}\n\nOne row for each {', '.join(contract.grain)}.\n\n{summary}"


def kinds_of(portfolio: Portfolio, tables: tuple[str, ...], raw: dict[str, Kind]) -> dict[str, Kind]:
    """How each table of the portfolio is kept, raw ones included."""
    return {**raw, **{t: contract_of(t, portfolio).kind for t in tables}}
