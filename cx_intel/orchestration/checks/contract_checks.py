"""Asset checks from contracts: how the rules of a table are counted in one scan, and what is said of failures.

All rules on rows are counted in one aggregation over the staged rows, before they replace the old ones. What the rules
are, and which are one check, is decided in `rules.py`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract
from cx_intel.orchestration.assets.metadata import markdown_table
from cx_intel.orchestration.assets.steps import among
from cx_intel.orchestration.checks.rules import Rule, rules_of
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

SAMPLE_ROWS = 5


@dataclass(frozen=True)
class Finding:
    """What a check found: how many rows break the rule, and some of them."""

    rule: Rule
    broken_count: int
    total_count: int
    sample: pd.DataFrame | None
    allowed_pct: float = 0
    """Share of the rows (0 to 100) that may break the rule."""

    @property
    def passed(self) -> bool:
        return 100 * self.broken_count <= self.allowed_pct * self.total_count

    @property
    def blocks(self) -> bool:
        return not self.passed and self.rule.severity == "block"


def compared_in(
    contract: Contract, portfolio: Portfolio, warehouse: Warehouse, days: tuple[date, ...] = ()
) -> Callable[[str], ir.Table]:
    """The tables that checks compare with, by name: of snapshots the days of the run, which all their rules are about."""

    def table(name: str) -> ir.Table:
        rows = warehouse.table(name)
        if contract.kind == "snapshot" and contract_of(name, portfolio).kind == "snapshot":
            rows = rows.filter(among(rows.as_of, days))
        return rows

    return table


def evaluate(
    contract: Contract, staged: ir.Table, *, others: Callable[[str], ir.Table], warehouse: Warehouse
) -> list[Finding]:
    """What every check of the contract finds in the staged rows: one scan for all rules on rows.

    Args:
        contract: The table's contract.
        staged: Its staged rows.
        others: The other tables, by name, that references and cross-invariants compare with.
        warehouse: Where it is executed.
    """
    rules = rules_of(contract)
    on_rows = {f"c{i}": rule.broken for i, rule in enumerate(rules) if rule.broken is not None}
    counted = {name: staged.count(where=broken(staged)) for name, broken in on_rows.items()}
    (counts,) = warehouse.rows(staged.agg(total=staged.count(), **counted))
    findings = []
    for i, rule in enumerate(rules):
        broken = _broken_rows(rule, staged, others)
        count = int(counts[f"c{i}"]) if rule.broken is not None else warehouse.count(broken)
        sample = warehouse.execute(broken.limit(SAMPLE_ROWS)) if count else None
        findings.append(Finding(rule, count, int(counts["total"]), sample))
    return findings


def _broken_rows(rule: Rule, staged: ir.Table, others: Callable[[str], ir.Table]) -> ir.Table:
    if rule.broken is not None:
        return staged.filter(rule.broken(staged))
    assert rule.broken_rows is not None
    return rule.broken_rows({"self": staged, **{table: others(table) for table in rule.tables}})


def results_table(findings: list[Finding], *, table: str, as_of: date) -> pd.DataFrame:
    """The findings as rows for the warehouse, where reports read them."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return pd.DataFrame(
        {
            "table_name": table,
            "check_name": f.rule.name,
            "passed": f.passed,
            "severity": f.rule.severity,
            "failed_rows": f.broken_count,
            "total_rows": f.total_count,
            "rule": f.rule.text,
            "what_to_do": f.rule.recovery,
            "as_of": as_of,
            "checked_at": now,
        }
        for f in findings
    )


def check_specs(contract: Contract, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The specs of the contract's checks; blocking ones stop what is downstream."""
    return [
        dg.AssetCheckSpec(
            check,
            asset=key,
            description=" ".join(rule.text for rule in rules),
            blocking=rules[0].severity == "block",
        )
        for check, rules in _by_check(rules_of(contract)).items()
    ]


def check_results(findings: list[Finding], key: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """The results in Dagster's terms: failed rows, a bounded sample, the rules, and what to do next."""
    found = {finding.rule.name: finding for finding in findings}
    for check, rules in _by_check(f.rule for f in findings).items():
        yield _check_result(check, [found[rule.name] for rule in rules], key)


def of_rows_to_come(
    results: Iterable[dg.AssetCheckResult], specs: Iterable[dg.AssetCheckSpec]
) -> Iterator[dg.Output[None] | dg.AssetCheckEvaluation]:
    """Results of checks of rows that are about to be written, in the form that Dagster makes of results.

    Left to itself it looks up for each one which earlier materialization it is about; these are about none.

    Args:
        results: What the checks found.
        specs: The specs of the asset's checks.
    """
    by_name = {spec.name: spec for spec in specs}
    for result in results:
        spec = by_name[str(result.check_name)]
        yield dg.Output(None, output_name=spec.get_python_identifier())
        yield dg.AssetCheckEvaluation(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=result.passed,
            metadata=result.metadata,
            severity=result.severity,
            description=result.description,
            blocking=spec.blocking,
        )


def _by_check(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    grouped: dict[str, list[Rule]] = {}
    for rule in rules:
        grouped.setdefault(rule.check, []).append(rule)
    return grouped


def _check_result(check: str, findings: list[Finding], key: dg.AssetKey) -> dg.AssetCheckResult:
    broken = [finding for finding in findings if not finding.passed]
    description: str | None = None
    metadata: dict[str, Any] = {}
    if broken:
        described = [f"{f.broken_count} of {f.total_count} rows: {f.rule.text}" for f in broken]
        description = " ".join(described)
        metadata = {
            "failed_rows": sum(f.broken_count for f in broken),
            "rows": broken[0].total_count,
            "rules": dg.MetadataValue.md("\n".join(f"- {line}" for line in described)),
            "what_to_do": broken[0].rule.recovery,
            **{f"sample_{f.rule.name}": _sample(f) for f in broken if f.sample is not None},
        }
    is_blocking = findings[0].rule.severity == "block"
    return dg.AssetCheckResult(
        passed=not broken,
        asset_key=key,
        check_name=check,
        severity=dg.AssetCheckSeverity.ERROR if is_blocking else dg.AssetCheckSeverity.WARN,
        description=description,
        metadata=metadata,
    )


def _sample(finding: Finding) -> dg.MarkdownMetadataValue:
    assert finding.sample is not None
    return dg.MetadataValue.md(markdown_table(finding.sample))
