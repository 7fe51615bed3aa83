"""The checks that come from a contract: all rules on rows are counted in one scan of the rows about to be written.

What the rules are, and which are one check, is decided in `rules.py`; how results become Dagster's, in `check.py`.
"""

from collections.abc import Callable, Sequence

import dagster as dg
import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.orchestration.assets.metadata import without_persons
from cx_intel.orchestration.assets.staging.event_days import among
from cx_intel.orchestration.checks.check import SAMPLE_ROWS, Check, CheckContext, RuleResult, by_check
from cx_intel.orchestration.checks.rules import Rule, rules_of


class ContractChecks(Check):
    """The rules that the contract of a table states."""

    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        return [
            dg.AssetCheckSpec(
                check,
                asset=key,
                description=" ".join(rule.text for rule in rules),
                blocking=rules[0].severity == "block",
            )
            for check, rules in by_check(rules_of(self.contract)).items()
        ]

    def run(self, context: CheckContext) -> list[RuleResult]:
        rows, warehouse, rules = context.rows, context.warehouse, rules_of(self.contract)
        on_rows = {f"c{i}": rule.broken for i, rule in enumerate(rules) if rule.broken is not None}
        counted = {name: rows.count(where=broken(rows)) for name, broken in on_rows.items()}
        for i, rule in enumerate(rules):
            if rule.broken is not None and rule.amount:
                counted[f"a{i}"] = rows[rule.amount].sum(where=rule.broken(rows) & self._of_newest_day(rows, context))
        (counts,) = warehouse.rows(rows.agg(total=rows.count(), **counted))
        others = self._compared_with(context)
        between = [i for i, rule in enumerate(rules) if rule.broken_rows is not None]
        of_others = dict(
            zip(between, warehouse.counts(_broken_rows(rules[i], rows, others) for i in between), strict=True)
        )
        results = []
        for i, rule in enumerate(rules):
            count = of_others[i] if i in of_others else int(counts[f"c{i}"])
            broken_rows = without_persons(_broken_rows(rule, rows, others), self.contract) if count else None
            sample = None if broken_rows is None else warehouse.execute(broken_rows.limit(SAMPLE_ROWS))
            results.append(RuleResult(rule, count, int(counts["total"]), sample, broken_amount=counts.get(f"a{i}")))
        return results

    def _of_newest_day(self, rows: ir.Table, context: CheckContext) -> ir.BooleanValue:
        """Of a snapshot the rows of the newest day: an amount of the same account on several days adds up to nothing."""
        if self.contract.kind != "snapshot":
            return ibis.literal(True)
        return rows.as_of == ibis.literal(max(context.days))

    def _compared_with(self, context: CheckContext) -> Callable[[str], ir.Table]:
        """The tables that rules compare with, by name: of snapshots the days of the run, which all rules are about."""

        def table(name: str) -> ir.Table:
            rows = context.warehouse.table(name)
            if self.contract.kind == "snapshot" and contract_of(name, self.portfolio).kind == "snapshot":
                rows = rows.filter(among(rows.as_of, context.days))
            return rows

        return table


def _broken_rows(rule: Rule, rows: ir.Table, others: Callable[[str], ir.Table]) -> ir.Table:
    if rule.broken is not None:
        return rows.filter(rule.broken(rows))
    assert rule.broken_rows is not None
    return rule.broken_rows({"self": rows, **{table: others(table) for table in rule.tables}})
