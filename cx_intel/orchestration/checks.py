"""Asset checks from contracts: what is asked of a table, how it is counted in one scan, and what is said of failures.

A rule becomes a check of the asset; all rules on rows are counted in one aggregation over the staged rows, before they
replace the old ones. What the rules are stands in the contracts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Column, Contract, Severity
from cx_intel.orchestration.metadata import markdown_table
from cx_intel.warehouse.duckdb_warehouse import DuckDBWarehouse

SAMPLE_ROWS = 5


@dataclass(frozen=True)
class Rule:
    """One check: its name and text, and either a condition that rows break or the rows that break it."""

    name: str
    text: str
    recovery: str
    severity: Severity
    broken: Callable[[ir.Table], ir.BooleanValue] | None = None
    broken_rows: Callable[[Mapping[str, ir.Table]], ir.Table] | None = None
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a check found: how many rows break the rule, and some of them."""

    rule: Rule
    broken_count: int
    total_count: int
    sample: pd.DataFrame | None

    @property
    def passed(self) -> bool:
        return self.broken_count == 0

    @property
    def blocks(self) -> bool:
        return not self.passed and self.rule.severity == "block"


AT_THE_SOURCE = "Look at the sample; mend the rows at the source or the mapping in the portfolio's YAML, then refresh."
AT_THE_MODEL = "Staging lets no such row through, so this is a fault of a model: report it with the sample."


def rules_of(contract: Contract) -> tuple[Rule, ...]:
    """The checks of a contract, in a fixed order: grain, columns, references, invariants."""
    rules = [_grain_rule(contract)]
    for column in contract.columns:
        rules += _column_rules(contract, column)
    for i in contract.invariants:
        rules.append(Rule(i.name, i.description, i.recovery, i.severity, broken=_not(i.holds)))
    for c in contract.cross_invariants:
        rules.append(
            Rule(c.name, c.description, c.recovery, c.severity, broken_rows=c.broken, tables=c.tables)
        )
    return tuple(rules)


def compared_with(contract: Contract) -> tuple[str, ...]:
    """The other tables that the checks of a contract read: they come first."""
    return tuple(dict.fromkeys(table for rule in rules_of(contract) for table in rule.tables))


def _recovery(contract: Contract) -> str:
    return AT_THE_SOURCE if contract.layer in ("raw", "staging") else AT_THE_MODEL


def _grain_rule(contract: Contract) -> Rule:
    grain = list(contract.grain)

    def repeated(tables: Mapping[str, ir.Table]) -> ir.Table:
        counted = tables["self"].group_by(grain).agg(rows=ibis._.count())
        return counted.filter(counted.rows > 1)

    text = f"{', '.join(grain)}: unique."
    return Rule("grain_unique", text, _recovery(contract), "block", broken_rows=repeated)


def _column_rules(contract: Contract, column: Column) -> Iterator[Rule]:
    name, recovery = column.name, _recovery(contract)
    if not column.nullable:
        yield Rule(f"{name}_not_null", f"{name} is never null.", recovery, "block", broken=lambda t: t[name].isnull())
    if column.accepted:
        text = f"{name} is one of {', '.join(column.accepted)}."
        yield Rule(
            f"{name}_accepted",
            text,
            recovery,
            column.severity,
            broken=lambda t: t[name].notnull() & ~t[name].isin(column.accepted),
        )
    if column.minimum is not None or column.maximum is not None:
        yield Rule(
            f"{name}_in_range",
            f"{name} is {_range_text(column)}.",
            recovery,
            column.severity,
            broken=lambda t: _out_of_range(t[name], column),
        )
    if column.references:
        other, key = column.references.split(".")

        def orphans(tables: Mapping[str, ir.Table]) -> ir.Table:
            rows, others = tables["self"], tables[other]
            return rows.filter(rows[name].notnull()).anti_join(others, rows[name] == others[key])

        text = f"Every {name} is in {column.references}."
        yield Rule(f"{name}_in_{other}", text, recovery, "block", broken_rows=orphans, tables=(other,))


def _range_text(column: Column) -> str:
    if column.maximum is None:
        return f"at least {column.minimum:g}"
    if column.minimum is None:
        return f"at most {column.maximum:g}"
    return f"{column.minimum:g} to {column.maximum:g}"


def _out_of_range(value: ir.NumericValue, column: Column) -> ir.BooleanValue:
    parts = []
    if column.minimum is not None:
        parts.append(value < column.minimum)
    if column.maximum is not None:
        parts.append(value > column.maximum)
    return ibis.or_(*parts)


def _not(holds: Callable[[ir.Table], ir.BooleanValue]) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda t: ~ibis.coalesce(holds(t), ibis.literal(False))


def evaluate(
    contract: Contract, staged: ir.Table, *, others: Callable[[str], ir.Table], warehouse: DuckDBWarehouse
) -> list[Finding]:
    """What every check of the contract finds in the staged rows.

    Args:
        contract: The table's contract.
        staged: Its staged rows.
        others: The other tables, by name, that references and cross-invariants compare with.
        warehouse: Where it is executed.
    """
    rules = rules_of(contract)
    on_rows = [rule for rule in rules if rule.broken is not None]
    counts = {
        f"c{i}": staged.count(where=rule.broken(staged)) for i, rule in enumerate(on_rows) if rule.broken
    }
    row = warehouse.backend.execute(staged.agg(total=staged.count(), **counts)).iloc[0]
    total = int(row["total"])
    by_rule = {rule.name: int(row[f"c{i}"]) for i, rule in enumerate(on_rows)}
    findings = []
    for rule in rules:
        if rule.broken is not None:
            broken_rows = staged.filter(rule.broken(staged)) if by_rule[rule.name] else None
            count = by_rule[rule.name]
        else:
            assert rule.broken_rows is not None
            broken_rows = rule.broken_rows({"self": staged, **{t: others(t) for t in rule.tables}})
            count = int(warehouse.backend.execute(broken_rows.count()))
        sample = warehouse.backend.execute(broken_rows.limit(SAMPLE_ROWS)) if count and broken_rows is not None else None
        findings.append(Finding(rule, count, total, sample))
    return findings


def check_specs(contract: Contract, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The specs of the contract's checks; blocking ones stop what is downstream."""
    return [
        dg.AssetCheckSpec(
            rule.name, asset=key, description=rule.text, blocking=rule.severity == "block"
        )
        for rule in rules_of(contract)
    ]


def check_result(finding: Finding, key: dg.AssetKey) -> dg.AssetCheckResult:
    """The result in Dagster's terms: failed rows, a bounded sample, the rule, and what to do next."""
    rule = finding.rule
    metadata: dict[str, object] = {}
    if not finding.passed:
        metadata = {
            "rule": rule.text,
            "failed_rows": finding.broken_count,
            "rows": finding.total_count,
            "what_to_do": rule.recovery,
        }
        if finding.sample is not None:
            metadata["sample"] = dg.MetadataValue.md(markdown_table(finding.sample))
    return dg.AssetCheckResult(
        passed=finding.passed,
        asset_key=key,
        check_name=rule.name,
        severity=dg.AssetCheckSeverity.ERROR if rule.severity == "block" else dg.AssetCheckSeverity.WARN,
        description=None if finding.passed else f"{finding.broken_count} of {finding.total_count} rows: {rule.text}",
        metadata=metadata,
    )
