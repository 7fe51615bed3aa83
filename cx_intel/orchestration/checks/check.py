"""What every check of a table has in common: what it is given, what it found, and how Dagster is told.

The checks themselves stand in the modules beside this one, and `checks_of.py` lists those of a table. How rules come
from a contract: `rules.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Contract
from cx_intel.orchestration.assets.metadata import markdown_table
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

SAMPLE_ROWS = 5


@dataclass(frozen=True)
class CheckContext:
    """The rows that are checked, and what they are compared with.

    Attributes:
        rows: What is about to be written, or the table as it stands.
        days: The partitions that the rows make up; none for a whole table.
        as_of: The newest day of the run.
        warehouse: Where it is executed.
    """

    rows: ir.Table
    days: tuple[date, ...]
    as_of: date
    warehouse: Warehouse


@dataclass(frozen=True)
class RuleResult:
    """What a check found of one rule: how many rows break it, and some of them.

    Attributes:
        rule: The rule.
        broken_count: The rows that break it.
        total_count: All rows.
        sample: Some of those that break it.
        allowed_pct: The share of the rows (0 to 100) that may break it.
        told: What is said of it, passed or not, in place of counts and the rule's text.
        metadata: What Dagster shows of it, passed or not, in place of counts and what to do.
        broken_amount: What the rule's amount sums to over the rows that break it, of a snapshot those of the newest day.
    """

    rule: Rule
    broken_count: int
    total_count: int
    sample: pd.DataFrame | None = None
    allowed_pct: float = 0
    told: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    broken_amount: Decimal | float | None = None

    @property
    def passed(self) -> bool:
        return 100 * self.broken_count <= self.allowed_pct * self.total_count

    @property
    def text(self) -> str:
        """The rule; with the sum over the rows that break it on the newest day, where the rule has an amount."""
        if self.passed or not self.broken_amount:
            return self.rule.text
        return f"{self.rule.text} Sum of {self.rule.amount} of such rows on the newest day: {self.broken_amount:,.2f}."

    @property
    def blocks(self) -> bool:
        return not self.passed and self.rule.severity == "block"

    @property
    def refuses(self) -> bool:
        return not self.passed and self.rule.severity == "refuse"

    def as_refusal(self, table: str, stands_at: date | None) -> "RuleResult":
        """The result, told with the day that the table stands at."""
        since = f"it stands as of {stands_at}" if stands_at else "it stays as it was"
        told = f"{table} was not replaced, {since}. {self.rule.text} {self.rule.recovery}"
        shown = {"failed_rows": self.broken_count, "rows": self.total_count, "what_to_do": self.rule.recovery}
        return replace(self, told=told, metadata=shown)


@dataclass(frozen=True)
class Check(ABC):
    """The checks of one kind on a table; a kind that the table has none of names no specs and finds nothing."""

    contract: Contract
    portfolio: Portfolio

    @abstractmethod
    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        """The specs of the asset's checks of this kind; blocking ones stop what is downstream."""

    @abstractmethod
    def run(self, context: CheckContext) -> list[RuleResult]:
        """What the checks find, a result for each rule."""

    def remember(self, context: CheckContext) -> None:  # noqa: B027 - most kinds have nothing to remember
        """Remembers for later runs what the rows were made with, once nothing stops them."""


def results_table(results: Sequence[RuleResult], *, table: str, as_of: date) -> pd.DataFrame:
    """The results as rows for the warehouse, where reports read them."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return pd.DataFrame(
        {
            "table_name": table,
            "check_name": r.rule.name,
            "passed": r.passed,
            "severity": r.rule.severity,
            "failed_rows": r.broken_count,
            "total_rows": r.total_count,
            "rule": r.text,
            "what_to_do": r.rule.recovery,
            "as_of": as_of,
            "checked_at": now,
        }
        for r in results
    )


def check_results(results: Sequence[RuleResult], key: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """The results in Dagster's terms: failed rows, a bounded sample, the rules, and what to do next."""
    found = {result.rule.name: result for result in results}
    for check, rules in by_check(r.rule for r in results).items():
        yield _check_result(check, [found[rule.name] for rule in rules], key)


def by_check(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """The rules of each check."""
    grouped: dict[str, list[Rule]] = {}
    for rule in rules:
        grouped.setdefault(rule.check, []).append(rule)
    return grouped


def _check_result(check: str, results: list[RuleResult], key: dg.AssetKey) -> dg.AssetCheckResult:
    broken = [result for result in results if not result.passed]
    description: str | None = results[0].told or None
    metadata: dict[str, Any] = dict(results[0].metadata) or _counts(results)
    if broken and not description:
        described = [f"{r.broken_count} of {r.total_count} rows: {r.text}" for r in broken]
        description = " ".join(described)
        metadata = _counts(broken) | {
            "rules": dg.MetadataValue.md("\n".join(f"- {line}" for line in described)),
            "what_to_do": broken[0].rule.recovery,
            **{f"sample_{r.rule.name}": _sample(r.sample) for r in broken if r.sample is not None},
        }
    is_error = results[0].rule.severity != "warn"
    return dg.AssetCheckResult(
        passed=not broken,
        asset_key=key,
        check_name=check,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=description,
        metadata=metadata,
    )


def _counts(results: list[RuleResult]) -> dict[str, Any]:
    """The numbers of a check, passed or not: points of a plot over its runs."""
    return {"failed_rows": sum(r.broken_count for r in results), "rows": results[0].total_count}


def _sample(rows: pd.DataFrame) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(markdown_table(rows))
